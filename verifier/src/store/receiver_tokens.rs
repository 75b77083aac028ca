//! `receiver_tokens`: access tokens with which an application manages its stream of events.

use vouchsafe_credentials::time::UnixTime;
use vouchsafe_service::db::{Db, DbError, STEP, Tx, each, execute};
use vouchsafe_service::delete_step;

use crate::domain::ids::{ClientId, SecretDigest};

/// A token and what it allows.
#[derive(Debug)]
pub struct ReceiverToken {
    /// Digest of the token.
    pub token: SecretDigest,
    /// The application.
    pub client: ClientId,
    /// Whether it may change the stream, not only read it.
    pub manage: bool,
    /// When it ends.
    pub expires_at: UnixTime,
}

/// Writes a token.
pub async fn insert(tx: &mut Tx, new: &ReceiverToken) -> Result<(), DbError> {
    execute!(
        tx,
        sqlx::query(
            "INSERT INTO receiver_tokens (token_hash, client_id, manage, expires_at) \
             VALUES ($1, $2, $3, $4)"
        )
        .bind(new.token.as_str())
        .bind(new.client.as_str())
        .bind(i64::from(new.manage))
        .bind(new.expires_at.0)
    )?;
    Ok(())
}

/// Whose token it is, and whether it may change the stream; `None` unless it is valid now.
pub async fn find(
    db: &Db,
    token: &SecretDigest,
    now: UnixTime,
) -> Result<Option<(ClientId, bool)>, DbError> {
    let row = each!(db, p => sqlx::query_as::<_, (String, i64)>(
        "SELECT client_id, manage FROM receiver_tokens WHERE token_hash = $1 AND expires_at > $2")
        .bind(token.as_str()).bind(now.0).fetch_optional(p).await)?;
    Ok(row.map(|(client, manage)| (ClientId::from_text(client), manage != 0)))
}

/// Ends one token.
pub async fn revoke(tx: &mut Tx, token: &SecretDigest) -> Result<u64, DbError> {
    execute!(
        tx,
        sqlx::query("DELETE FROM receiver_tokens WHERE token_hash = $1").bind(token.as_str())
    )
}

/// Deletes what expired, [`STEP`] of them at most.
pub async fn purge(tx: &mut Tx, now: UnixTime) -> Result<u64, DbError> {
    execute!(
        tx,
        sqlx::query(delete_step!(
            "receiver_tokens",
            "token_hash",
            "expires_at <= $1"
        ))
        .bind(now.0)
        .bind(i64::from(STEP))
    )
}
