//! Refresh tokens.

use vouchsafe_credentials::time::UnixTime;
use vouchsafe_service::db::{Db, DbError, RowError, STEP, Table, Tx, delete_step, each, execute};

use super::tokens::{details_list, details_text};
use crate::domain::ids::{OfferId, RecordId};
use crate::domain::secret::SecretHash;

const TABLE: Table = Table("issuer_refresh_tokens");

/// What a refresh token allows.
#[derive(Debug, Clone)]
pub struct RefreshGrant {
    /// What belongs to the same authorization.
    pub family: String,
    /// The offer it came from.
    pub offer: OfferId,
    /// The credential type, and no other.
    pub credential_type: String,
    /// The subject record.
    pub record: RecordId,
    /// The wallet it was issued to; none after anonymous access.
    pub client_id: Option<String>,
    /// Thumbprint of the DPoP key of the request that bought it; a public client proves it again.
    pub dpop_jkt: Option<String>,
    /// Thumbprint of the attested key of the wallet's instance that it is bound to.
    pub instance: Option<String>,
    /// Credential configurations that were granted with `authorization_details`.
    pub details: Vec<String>,
    /// The claims, sealed under the token.
    pub claims_sealed: Vec<u8>,
    /// When the token ends, however often it is used.
    pub expires_at: UnixTime,
}

/// A token that was found, good or not.
#[derive(Debug, Clone)]
pub struct FoundRefresh {
    /// What it allows.
    pub grant: RefreshGrant,
    /// Whether it was exchanged for another one before.
    pub used: bool,
}

#[derive(sqlx::FromRow)]
struct RefreshRow {
    family: String,
    offer_id: String,
    credential_type: String,
    record_id: String,
    client_id: Option<String>,
    dpop_jkt: Option<String>,
    instance: Option<String>,
    details: Option<String>,
    claims_sealed: Vec<u8>,
    expires_at: i64,
    used_at: Option<i64>,
}

impl TryFrom<RefreshRow> for FoundRefresh {
    type Error = RowError;

    fn try_from(row: RefreshRow) -> Result<Self, RowError> {
        let RefreshRow {
            family,
            offer_id,
            credential_type,
            record_id,
            client_id,
            dpop_jkt,
            instance,
            details,
            claims_sealed,
            expires_at,
            used_at,
        } = row;
        let grant = RefreshGrant {
            family,
            offer: OfferId::parse(&offer_id).map_err(|e| TABLE.invalid("offer_id", e))?,
            credential_type,
            record: RecordId::parse(&record_id).map_err(|e| TABLE.invalid("record_id", e))?,
            client_id,
            dpop_jkt,
            instance,
            details: details_list(details.as_deref()),
            claims_sealed,
            expires_at: UnixTime(expires_at),
        };
        Ok(Self {
            grant,
            used: used_at.is_some(),
        })
    }
}

/// Adds a token.
pub async fn insert(tx: &mut Tx, token: &SecretHash, grant: &RefreshGrant) -> Result<(), DbError> {
    execute!(
        tx,
        sqlx::query(
            "INSERT INTO issuer_refresh_tokens (token_hash, family, offer_id, credential_type,
            record_id, client_id, dpop_jkt, instance, details, claims_sealed, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)"
        )
        .bind(token.as_bytes())
        .bind(&grant.family)
        .bind(grant.offer.as_str())
        .bind(&grant.credential_type)
        .bind(grant.record.as_str())
        .bind(grant.client_id.as_deref())
        .bind(grant.dpop_jkt.as_deref())
        .bind(grant.instance.as_deref())
        .bind(details_text(&grant.details))
        .bind(grant.claims_sealed.as_slice())
        .bind(grant.expires_at.0)
    )
    .map(drop)
}

/// The token, unless it is unknown, over or revoked.
pub async fn find(
    db: &Db,
    token: &SecretHash,
    now: UnixTime,
) -> Result<Option<FoundRefresh>, DbError> {
    let row = each!(db, p => sqlx::query_as::<_, RefreshRow>(
        "SELECT family, offer_id, credential_type, record_id, client_id, dpop_jkt, instance,
            details, claims_sealed, expires_at, used_at
         FROM issuer_refresh_tokens
         WHERE token_hash = $1 AND expires_at > $2 AND revoked_at IS NULL")
        .bind(token.as_bytes()).bind(now.0).fetch_optional(p).await)?;
    Ok(row.map(FoundRefresh::try_from).transpose()?)
}

/// Whether a token that stays the same is still good, inside the transaction that acts on it.
pub async fn hold(tx: &mut Tx, token: &SecretHash, now: UnixTime) -> Result<bool, DbError> {
    // An update that changes nothing locks the row on PostgreSQL; SQLite has one writer.
    let rows = execute!(
        tx,
        sqlx::query(
            "UPDATE issuer_refresh_tokens SET expires_at = expires_at
         WHERE token_hash = $1 AND expires_at > $2 AND revoked_at IS NULL AND used_at IS NULL"
        )
        .bind(token.as_bytes())
        .bind(now.0)
    )?;
    Ok(rows == 1)
}

/// Uses a token up. True for exactly one caller.
pub async fn use_up(tx: &mut Tx, token: &SecretHash, now: UnixTime) -> Result<bool, DbError> {
    let rows = execute!(
        tx,
        sqlx::query(
            "UPDATE issuer_refresh_tokens SET used_at = $2
         WHERE token_hash = $1 AND expires_at > $2 AND revoked_at IS NULL AND used_at IS NULL"
        )
        .bind(token.as_bytes())
        .bind(now.0)
    )?;
    Ok(rows == 1)
}

/// Revokes every token of an authorization.
pub async fn revoke_family(tx: &mut Tx, family: &str, now: UnixTime) -> Result<u64, DbError> {
    execute!(
        tx,
        sqlx::query(
            "UPDATE issuer_refresh_tokens SET revoked_at = $2
         WHERE family = $1 AND revoked_at IS NULL"
        )
        .bind(family)
        .bind(now.0)
    )
}

/// Revokes every token of an offer: what was revoked by hand is not issued again.
pub async fn revoke_of_offer(tx: &mut Tx, offer: &OfferId, now: UnixTime) -> Result<u64, DbError> {
    execute!(
        tx,
        sqlx::query(
            "UPDATE issuer_refresh_tokens SET revoked_at = $2
         WHERE offer_id = $1 AND revoked_at IS NULL"
        )
        .bind(offer.as_str())
        .bind(now.0)
    )
}

/// Deletes tokens that are over, and the claims with them, [`STEP`] of them at most; returns how many.
pub async fn purge(tx: &mut Tx, now: UnixTime) -> Result<u64, DbError> {
    execute!(
        tx,
        sqlx::query(delete_step!(
            "issuer_refresh_tokens",
            "token_hash",
            "expires_at <= $1"
        ))
        .bind(now.0)
        .bind(i64::from(STEP))
    )
}
