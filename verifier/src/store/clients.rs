//! `registered_clients`, `registration_tokens`, `disabled_clients`: applications that are not in
//! the configuration.

use vouchsafe_credentials::time::UnixTime;
use vouchsafe_service::db::{Db, DbError, STEP, Tx, each, execute};

use crate::domain::ids::{ClientId, SecretDigest};
use crate::domain::session::EndReason;

/// A registered application, as stored.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Registered {
    /// `client_id`.
    pub id: String,
    /// What holds, as JSON.
    pub metadata: String,
    /// Digest of its secret.
    pub secret_hash: Option<String>,
    /// The initial access token that it came with.
    pub initial_token: Option<String>,
    /// When it came.
    pub created_at: i64,
}

/// A new registration.
#[derive(Debug, Clone)]
pub struct NewClient {
    /// `client_id`.
    pub id: ClientId,
    /// What holds, as JSON.
    pub metadata: String,
    /// Digest of its secret.
    pub secret: Option<SecretDigest>,
    /// Digest of its registration access token.
    pub token: SecretDigest,
}

/// The registration of an id, unless it is disabled.
pub async fn find(db: &Db, id: &ClientId) -> Result<Option<Registered>, DbError> {
    each!(db, p => sqlx::query_as::<_, Registered>(
        "SELECT id, metadata, secret_hash, initial_token, created_at FROM registered_clients r WHERE id = $1 \
         AND NOT EXISTS (SELECT 1 FROM disabled_clients d WHERE d.client_id = r.id)")
        .bind(id.as_str()).fetch_optional(p).await)
}

/// The registration of an id for the holder of its registration access token.
pub async fn of_token(
    db: &Db,
    id: &ClientId,
    token: &SecretDigest,
) -> Result<Option<Registered>, DbError> {
    each!(db, p => sqlx::query_as::<_, Registered>(
        "SELECT id, metadata, secret_hash, initial_token, created_at FROM registered_clients r \
         WHERE id = $1 AND token_hash = $2 \
         AND NOT EXISTS (SELECT 1 FROM disabled_clients d WHERE d.client_id = r.id)")
        .bind(id.as_str()).bind(token.as_str()).fetch_optional(p).await)
}

/// Writes a registration; `initial_token` is the one that was used up for it.
pub async fn insert(
    tx: &mut Tx,
    new: &NewClient,
    initial_token: Option<&str>,
    now: UnixTime,
) -> Result<(), DbError> {
    let NewClient {
        id,
        metadata,
        secret,
        token,
    } = new;
    execute!(tx, sqlx::query(
        "INSERT INTO registered_clients (id, metadata, secret_hash, token_hash, initial_token, created_at, updated_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $6)")
        .bind(id.as_str()).bind(metadata.as_str()).bind(secret.as_ref().map(SecretDigest::as_str))
        .bind(token.as_str()).bind(initial_token).bind(now.0))?;
    Ok(())
}

/// Replaces what a registration says; `false` if it is gone.
pub async fn replace(
    tx: &mut Tx,
    id: &ClientId,
    metadata: &str,
    secret: Option<&str>,
    now: UnixTime,
) -> Result<bool, DbError> {
    let rows = execute!(tx, sqlx::query(
        "UPDATE registered_clients SET metadata = $1, secret_hash = $2, updated_at = $3 WHERE id = $4")
        .bind(metadata).bind(secret).bind(now.0).bind(id.as_str()))?;
    Ok(rows == 1)
}

/// Registrations that came without an initial access token.
pub async fn count_open(tx: &mut Tx) -> Result<i64, DbError> {
    each!(tx, c => sqlx::query_scalar::<_, i64>(
        "SELECT COUNT(*) FROM registered_clients WHERE initial_token IS NULL").fetch_one(c).await)
}

/// A registration in a list.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Listed {
    /// `client_id`.
    pub id: String,
    /// What holds, as JSON.
    pub metadata: String,
    /// When it was stopped.
    pub disabled_at: Option<i64>,
}

/// Registrations, oldest first.
pub async fn list(db: &Db) -> Result<Vec<Listed>, DbError> {
    each!(db, p => sqlx::query_as::<_, Listed>(
        "SELECT r.id, r.metadata, d.disabled_at FROM registered_clients r \
         LEFT JOIN disabled_clients d ON d.client_id = r.id ORDER BY r.created_at, r.id")
        .fetch_all(p).await)
}

/// Whether the operator stopped an application.
pub async fn is_disabled(db: &Db, id: &ClientId) -> Result<bool, DbError> {
    let found = each!(db, p => sqlx::query_scalar::<_, String>(
        "SELECT client_id FROM disabled_clients WHERE client_id = $1").bind(id.as_str()).fetch_optional(p).await)?;
    Ok(found.is_some())
}

/// Whether an id is a registration, disabled or not.
pub async fn exists(db: &Db, id: &ClientId) -> Result<bool, DbError> {
    let found = each!(db, p => sqlx::query_scalar::<_, String>(
        "SELECT id FROM registered_clients WHERE id = $1").bind(id.as_str()).fetch_optional(p).await)?;
    Ok(found.is_some())
}

/// Stops an application; nothing of it is removed.
pub async fn disable(tx: &mut Tx, id: &ClientId, now: UnixTime) -> Result<(), DbError> {
    execute!(tx, sqlx::query(
        "INSERT INTO disabled_clients (client_id, disabled_at) VALUES ($1, $2) ON CONFLICT DO NOTHING")
        .bind(id.as_str()).bind(now.0))?;
    Ok(())
}

/// Lets it go on; `false` if it was not stopped.
pub async fn enable(tx: &mut Tx, id: &ClientId) -> Result<bool, DbError> {
    let rows = execute!(
        tx,
        sqlx::query("DELETE FROM disabled_clients WHERE client_id = $1").bind(id.as_str())
    )?;
    Ok(rows == 1)
}

/// Everything that was given to an application, in the order in which it goes.
const ENDED: [&str; 5] = [
    "DELETE FROM access_tokens WHERE client_id = $1",
    "DELETE FROM device_grants WHERE client_id = $1",
    "DELETE FROM login_transactions WHERE client_id = $1",
    "DELETE FROM logout_deliveries WHERE client_id = $1",
    "DELETE FROM session_clients WHERE client_id = $1",
];

/// Sessions that are of this application alone: those that go on without a browser, those of
/// guests and of devices.
const OWN: &str = "SELECT session_id FROM refresh_grants WHERE client_id = $1 \
     UNION SELECT m.session_id FROM session_clients m JOIN login_sessions s ON s.id = m.session_id \
     WHERE m.client_id = $1 AND s.cookie_hash IS NULL";

/// Removes a registration and ends what it was given: tokens, grants, logins that are under way,
/// its part in sessions (RFC 7592, section 2.3). `false` if there is none. What people agreed to
/// stays on their account pages.
pub async fn remove(tx: &mut Tx, id: &ClientId, now: UnixTime) -> Result<bool, DbError> {
    let removed = execute!(
        tx,
        sqlx::query("DELETE FROM registered_clients WHERE id = $1").bind(id.as_str())
    )?;
    if removed == 0 {
        return Ok(false);
    }
    let cards = format!("DELETE FROM session_credentials WHERE session_id IN ({OWN})");
    execute!(
        tx,
        sqlx::query(sqlx::AssertSqlSafe(cards.as_str())).bind(id.as_str())
    )?;
    let sessions = format!(
        "UPDATE login_sessions SET ended_at = $2, ended_reason = $3 WHERE ended_at IS NULL AND id IN ({OWN})"
    );
    execute!(
        tx,
        sqlx::query(sqlx::AssertSqlSafe(sessions.as_str()))
            .bind(id.as_str())
            .bind(now.0)
            .bind(EndReason::ClientRemoved.code())
    )?;
    for text in ENDED {
        execute!(tx, sqlx::query(text).bind(id.as_str()))?;
    }
    enable(tx, id).await?;
    Ok(true)
}

/// Registrations without an initial access token, older than `before` and never changed since, of
/// which nothing shows that anybody used them. A consent stays for good, so a login is enough.
const UNUSED: &str = "SELECT r.id FROM registered_clients r \
     WHERE r.initial_token IS NULL AND r.updated_at < $1 \
     AND NOT EXISTS (SELECT 1 FROM consents x WHERE x.client_id = r.id) \
     AND NOT EXISTS (SELECT 1 FROM session_clients x WHERE x.client_id = r.id) \
     AND NOT EXISTS (SELECT 1 FROM refresh_grants x WHERE x.client_id = r.id) \
     AND NOT EXISTS (SELECT 1 FROM access_tokens x WHERE x.client_id = r.id) \
     AND NOT EXISTS (SELECT 1 FROM device_grants x WHERE x.client_id = r.id) \
     AND NOT EXISTS (SELECT 1 FROM login_transactions x WHERE x.client_id = r.id) \
     ORDER BY r.updated_at LIMIT $2";

/// Removes one step of the registrations that came without an initial access token before `before`
/// and that nobody used. How many there were.
pub async fn purge_unused(tx: &mut Tx, before: UnixTime, now: UnixTime) -> Result<u64, DbError> {
    let unused = each!(tx, c => sqlx::query_scalar::<_, String>(UNUSED)
        .bind(before.0).bind(i64::from(STEP)).fetch_all(c).await)?;
    let mut removed = 0;
    for id in unused {
        if remove(tx, &ClientId::from_text(id), now).await? {
            removed += 1;
        }
    }
    Ok(removed)
}

/// A new initial access token.
#[derive(Debug, Clone)]
pub struct NewToken {
    /// For lists and removal.
    pub id: String,
    /// What it is for.
    pub name: String,
    /// Its digest.
    pub token: SecretDigest,
    /// So many applications register with it.
    pub uses: i64,
    /// When it ends.
    pub expires_at: UnixTime,
}

/// Writes an initial access token.
pub async fn insert_token(tx: &mut Tx, new: &NewToken, now: UnixTime) -> Result<(), DbError> {
    let NewToken {
        id,
        name,
        token,
        uses,
        expires_at,
    } = new;
    execute!(tx, sqlx::query(
        "INSERT INTO registration_tokens (id, name, token_hash, uses_left, created_at, expires_at) \
         VALUES ($1, $2, $3, $4, $5, $6)")
        .bind(id.as_str()).bind(name.as_str()).bind(token.as_str()).bind(*uses).bind(now.0).bind(expires_at.0))?;
    Ok(())
}

/// Whether an initial access token is good now.
pub async fn is_good(db: &Db, token: &SecretDigest, now: UnixTime) -> Result<bool, DbError> {
    let found = each!(db, p => sqlx::query_scalar::<_, String>(
        "SELECT id FROM registration_tokens WHERE token_hash = $1 AND uses_left > 0 AND expires_at > $2")
        .bind(token.as_str()).bind(now.0).fetch_optional(p).await)?;
    Ok(found.is_some())
}

/// Uses an initial access token once, and says which it is.
pub async fn use_token(
    tx: &mut Tx,
    token: &SecretDigest,
    now: UnixTime,
) -> Result<Option<String>, DbError> {
    each!(tx, c => sqlx::query_scalar::<_, String>(
        "UPDATE registration_tokens SET uses_left = uses_left - 1 \
         WHERE token_hash = $1 AND uses_left > 0 AND expires_at > $2 RETURNING id")
        .bind(token.as_str()).bind(now.0).fetch_optional(c).await)
}

/// An initial access token in a list.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct ListedToken {
    /// For removal.
    pub id: String,
    /// What it is for.
    pub name: String,
    /// So many applications may still register.
    pub uses_left: i64,
    /// When it ends.
    pub expires_at: i64,
}

/// Initial access tokens that may still be used.
pub async fn tokens(db: &Db, now: UnixTime) -> Result<Vec<ListedToken>, DbError> {
    each!(db, p => sqlx::query_as::<_, ListedToken>(
        "SELECT id, name, uses_left, expires_at FROM registration_tokens \
         WHERE uses_left > 0 AND expires_at > $1 ORDER BY created_at, id")
        .bind(now.0).fetch_all(p).await)
}

/// Takes an initial access token back; `false` if there is none.
pub async fn remove_token(tx: &mut Tx, id: &str) -> Result<bool, DbError> {
    let rows = execute!(
        tx,
        sqlx::query("DELETE FROM registration_tokens WHERE id = $1").bind(id)
    )?;
    Ok(rows == 1)
}

/// Deletes initial access tokens that ended.
pub async fn purge_tokens(tx: &mut Tx, now: UnixTime) -> Result<u64, DbError> {
    execute!(
        tx,
        sqlx::query("DELETE FROM registration_tokens WHERE expires_at <= $1").bind(now.0)
    )
}
