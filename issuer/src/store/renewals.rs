//! Offers that are made in the place of an issued credential.

use vouchsafe_credentials::time::UnixTime;
use vouchsafe_service::db::{Db, DbError, Tx, each, execute};

use crate::domain::ids::{CredentialId, OfferId};

/// Ends the offers that were made in the place of a credential, and their tokens.
pub async fn end_of(tx: &mut Tx, id: &CredentialId, now: UnixTime) -> Result<(), DbError> {
    let ended = execute!(
        tx,
        sqlx::query(
            "UPDATE issuer_offers SET closed_at = $2, claims_sealed = NULL,
            expires_at = CASE WHEN expires_at > $2 THEN $2 ELSE expires_at END
         WHERE renews = $1 AND closed_at IS NULL"
        )
        .bind(id.as_str())
        .bind(now.0)
    )?;
    if ended == 0 {
        return Ok(());
    }
    execute!(
        tx,
        sqlx::query(
            "UPDATE issuer_access_tokens SET revoked_at = $2 WHERE revoked_at IS NULL
         AND offer_id IN (SELECT id FROM issuer_offers WHERE renews = $1)"
        )
        .bind(id.as_str())
        .bind(now.0)
    )?;
    execute!(
        tx,
        sqlx::query(
            "UPDATE issuer_refresh_tokens SET revoked_at = $2 WHERE revoked_at IS NULL
         AND offer_id IN (SELECT id FROM issuer_offers WHERE renews = $1)"
        )
        .bind(id.as_str())
        .bind(now.0)
    )
    .map(drop)
}

/// The claims of an offer, sealed, while it can still be redeemed.
pub async fn kept_claims(db: &Db, id: &OfferId) -> Result<Option<Vec<u8>>, DbError> {
    let found = each!(db, p => sqlx::query_scalar::<_, Option<Vec<u8>>>(
        "SELECT claims_sealed FROM issuer_offers WHERE id = $1")
        .bind(id.as_str()).fetch_optional(p).await)?;
    Ok(found.flatten())
}
