//! `access_tokens`: what UserInfo may say, sealed under a key that only the token's bearer has.

use vouchsafe_credentials::time::UnixTime;
use vouchsafe_service::db::{Db, DbError, Tx, each, execute};

use crate::domain::ids::{SecretDigest, SessionId, SubjectId};

/// A token to be written.
#[derive(Debug)]
pub struct NewToken {
    /// Digest of the token.
    pub token: SecretDigest,
    /// The login it comes from: a replayed code kills it.
    pub family: String,
    /// The application.
    pub client_id: String,
    /// The session.
    pub session: SessionId,
    /// Claims, sealed under the token.
    pub claims: Vec<u8>,
    /// When it ends.
    pub expires_at: UnixTime,
}

/// Writes a token.
pub async fn insert(tx: &mut Tx, new: &NewToken) -> Result<(), DbError> {
    execute!(tx, sqlx::query(
        "INSERT INTO access_tokens (token_hash, family, client_id, session_id, claims, expires_at) \
         VALUES ($1, $2, $3, $4, $5, $6)")
        .bind(new.token.as_str()).bind(new.family.as_str()).bind(new.client_id.as_str())
        .bind(new.session.as_str()).bind(new.claims.as_slice()).bind(new.expires_at.0))?;
    Ok(())
}

/// A token that is valid now.
#[derive(Debug, sqlx::FromRow)]
pub struct LiveToken {
    /// The application it was given to.
    pub client_id: String,
    /// Claims, sealed under the token.
    pub claims: Vec<u8>,
    expires_at: i64,
}

impl LiveToken {
    /// When it ends, by itself or with its session.
    pub fn expires_at(&self) -> UnixTime {
        UnixTime(self.expires_at)
    }
}

/// The token, if it is valid now and its session is live.
pub async fn find(
    db: &Db,
    token: &SecretDigest,
    now: UnixTime,
) -> Result<Option<LiveToken>, DbError> {
    each!(db, p => sqlx::query_as::<_, LiveToken>(
        "SELECT t.client_id, t.claims, \
         CASE WHEN s.expires_at < t.expires_at THEN s.expires_at ELSE t.expires_at END AS expires_at \
         FROM access_tokens t \
         JOIN login_sessions s ON s.id = t.session_id \
         WHERE t.token_hash = $1 AND t.expires_at > $2 AND s.ended_at IS NULL AND s.expires_at > $2")
        .bind(token.as_str()).bind(now.0).fetch_optional(p).await)
}

/// Puts other claims in the place of `before`. False where somebody else did so first.
pub async fn replace(
    tx: &mut Tx,
    token: &SecretDigest,
    before: &[u8],
    claims: &[u8],
) -> Result<bool, DbError> {
    let rows = execute!(
        tx,
        sqlx::query("UPDATE access_tokens SET claims = $3 WHERE token_hash = $1 AND claims = $2")
            .bind(token.as_str())
            .bind(before)
            .bind(claims)
    )?;
    Ok(rows == 1)
}

/// The account behind a token whose session is live.
pub async fn subject(db: &Db, token: &SecretDigest) -> Result<Option<SubjectId>, DbError> {
    let id = each!(db, p => sqlx::query_scalar::<_, Option<String>>(
        "SELECT s.subject_id FROM access_tokens t JOIN login_sessions s ON s.id = t.session_id \
         WHERE t.token_hash = $1 AND s.ended_at IS NULL")
        .bind(token.as_str()).fetch_optional(p).await)?;
    id.flatten()
        .map(|id| super::subjects::parse(&id))
        .transpose()
}

/// Ends one token.
pub async fn revoke(tx: &mut Tx, token: &SecretDigest) -> Result<u64, DbError> {
    execute!(
        tx,
        sqlx::query("DELETE FROM access_tokens WHERE token_hash = $1").bind(token.as_str())
    )
}

/// Ends every token of a login.
pub async fn revoke_family(tx: &mut Tx, family: &str) -> Result<u64, DbError> {
    execute!(
        tx,
        sqlx::query("DELETE FROM access_tokens WHERE family = $1").bind(family)
    )
}

/// Ends every token of a session.
pub async fn revoke_session(tx: &mut Tx, session: &SessionId) -> Result<u64, DbError> {
    execute!(
        tx,
        sqlx::query("DELETE FROM access_tokens WHERE session_id = $1").bind(session.as_str())
    )
}

/// Deletes what expired, and the sealed claims with it.
pub async fn purge(tx: &mut Tx, now: UnixTime) -> Result<u64, DbError> {
    execute!(
        tx,
        sqlx::query("DELETE FROM access_tokens WHERE expires_at <= $1").bind(now.0)
    )
}
