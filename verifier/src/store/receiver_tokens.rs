//! `receiver_tokens`: access tokens with which an application manages its stream of events.

use vouchsafe_credentials::time::UnixTime;
use vouchsafe_service::db::{Db, DbError, Tx, each, execute};

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

/// Deletes what expired.
pub async fn purge(tx: &mut Tx, now: UnixTime) -> Result<u64, DbError> {
    execute!(
        tx,
        sqlx::query("DELETE FROM receiver_tokens WHERE expires_at <= $1").bind(now.0)
    )
}
