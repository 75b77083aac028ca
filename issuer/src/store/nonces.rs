//! Nonces of accepted credential requests. A nonce that was only handed out costs no row.

use vouchsafe_credentials::time::UnixTime;
use vouchsafe_service::db::{DbError, Tx, each};

use crate::domain::secret::SecretHash;

/// Uses a nonce up. True for exactly one caller.
pub async fn consume(
    tx: &mut Tx,
    nonce: &SecretHash,
    expires_at: UnixTime,
) -> Result<bool, DbError> {
    let rows = each!(tx, c => sqlx::query(
        "INSERT INTO issuer_used_nonces (nonce_hash, expires_at) VALUES ($1, $2)
         ON CONFLICT (nonce_hash) DO NOTHING")
        .bind(nonce.as_bytes()).bind(expires_at.0)
        .execute(c).await.map(|done| done.rows_affected()))?;
    Ok(rows == 1)
}

/// Deletes nonces that would be refused for their age anyway; returns how many.
pub async fn purge(tx: &mut Tx, now: UnixTime) -> Result<u64, DbError> {
    each!(tx, c => sqlx::query("DELETE FROM issuer_used_nonces WHERE expires_at <= $1")
        .bind(now.0).execute(c).await.map(|done| done.rows_affected()))
}
