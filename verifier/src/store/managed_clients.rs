//! `managed_clients`: applications that administrators keep.

use vouchsafe_credentials::time::UnixTime;
use vouchsafe_service::db::{Db, DbError, Tx, each, execute};

use crate::domain::ids::{ClientId, SecretDigest, SessionId, Sid};
use crate::domain::session::SessionClient;

/// An application, as stored.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Managed {
    /// `client_id`.
    pub id: String,
    /// What holds, as JSON.
    pub settings: String,
    /// Digest of its secret, where it has one.
    pub secret_hash: Option<String>,
    /// Digest of the secret before.
    pub previous_hash: Option<String>,
    /// When that one counts no more.
    pub previous_until: Option<i64>,
    /// The state it is in.
    pub revision: String,
    /// When it came.
    pub created_at: i64,
    /// When it was changed last.
    pub updated_at: i64,
    /// When it was stopped.
    pub disabled_at: Option<i64>,
}

/// What an application becomes.
#[derive(Debug, Clone)]
pub struct Written {
    /// `client_id`.
    pub id: ClientId,
    /// What holds, as JSON.
    pub settings: String,
    /// What becomes of its secret.
    pub secret: SecretChange,
    /// The state it is in then.
    pub revision: String,
}

/// What becomes of a secret.
#[derive(Debug, Clone)]
pub enum SecretChange {
    /// It stays.
    Kept,
    /// There is none, or none any more.
    None,
    /// A first one.
    New(SecretDigest),
}

/// The application of an id, stopped or not.
pub async fn find(db: &Db, id: &ClientId) -> Result<Option<Managed>, DbError> {
    each!(db, p => sqlx::query_as::<_, Managed>(
        "SELECT m.id, m.settings, m.secret_hash, m.previous_hash, m.previous_until, m.revision, m.created_at, \
             m.updated_at, d.disabled_at FROM managed_clients m \
         LEFT JOIN disabled_clients d ON d.client_id = m.id WHERE m.id = $1 AND m.removed_at IS NULL")
        .bind(id.as_str()).fetch_optional(p).await)
}

/// The settings of an application, removed or not: where its logout tokens go.
pub async fn last_settings(db: &Db, id: &ClientId) -> Result<Option<String>, DbError> {
    each!(db, p => sqlx::query_scalar::<_, String>(
        "SELECT settings FROM managed_clients WHERE id = $1")
        .bind(id.as_str()).fetch_optional(p).await)
}

/// Whether an application was removed a moment ago, or logout tokens of one with this id are not sent yet,
/// so that the id is not free: they would go to whoever has it next.
pub async fn is_waiting(db: &Db, id: &ClientId, now: UnixTime) -> Result<bool, DbError> {
    let found = each!(db, p => sqlx::query_scalar::<_, i64>(
        "SELECT (SELECT COUNT(*) FROM managed_clients WHERE id = $1 AND removed_at > $2) \
             + (SELECT COUNT(*) FROM logout_deliveries WHERE client_id = $1)")
        .bind(id.as_str()).bind(now.plus(-FREE_AFTER_S).0).fetch_one(p).await)?;
    Ok(found > 0)
}

/// Applications with an id behind `after`, in the order of their ids.
pub async fn page(db: &Db, after: &str, limit: i64) -> Result<Vec<Managed>, DbError> {
    each!(db, p => sqlx::query_as::<_, Managed>(
        "SELECT m.id, m.settings, m.secret_hash, m.previous_hash, m.previous_until, m.revision, m.created_at, \
             m.updated_at, d.disabled_at FROM managed_clients m \
         LEFT JOIN disabled_clients d ON d.client_id = m.id \
         WHERE m.id > $1 AND m.removed_at IS NULL ORDER BY m.id LIMIT $2")
        .bind(after).bind(limit).fetch_all(p).await)
}

/// Seconds for which the id of an application that was removed is not free: codes and requests that were
/// on their way are over then.
pub const FREE_AFTER_S: i64 = 600;

/// Writes an application where there is none; `false` if there is one, was one a moment ago, or if logout
/// tokens of one with its id are not sent yet.
pub async fn create(tx: &mut Tx, new: &Written, now: UnixTime) -> Result<bool, DbError> {
    let Written {
        id,
        settings,
        secret,
        revision,
    } = new;
    let secret = match secret {
        SecretChange::New(digest) => Some(digest.as_str()),
        SecretChange::Kept | SecretChange::None => None,
    };
    // The row of one that was removed may still be there.
    let rows = execute!(tx, sqlx::query(
        "INSERT INTO managed_clients (id, settings, secret_hash, revision, created_at, updated_at) \
         SELECT $1, $2, $3, $4, $5, $5 \
         WHERE NOT EXISTS (SELECT 1 FROM logout_deliveries l WHERE l.client_id = $1) \
         ON CONFLICT (id) DO UPDATE SET settings = EXCLUDED.settings, secret_hash = EXCLUDED.secret_hash, \
             previous_hash = NULL, previous_until = NULL, revision = EXCLUDED.revision, \
             created_at = EXCLUDED.created_at, updated_at = EXCLUDED.updated_at, removed_at = NULL \
         WHERE managed_clients.removed_at <= $6")
        .bind(id.as_str()).bind(settings.as_str()).bind(secret).bind(revision.as_str()).bind(now.0)
        .bind(now.plus(-FREE_AFTER_S).0))?;
    Ok(rows == 1)
}

/// Changes an application that is in a state; `false` if it is in another one, or gone.
pub async fn replace(
    tx: &mut Tx,
    new: &Written,
    from: &str,
    now: UnixTime,
) -> Result<bool, DbError> {
    let Written {
        id,
        settings,
        secret,
        revision,
    } = new;
    let rows = execute!(
        tx,
        sqlx::query(
            "UPDATE managed_clients SET settings = $1, revision = $2, updated_at = $3 \
         WHERE id = $4 AND revision = $5 AND removed_at IS NULL"
        )
        .bind(settings.as_str())
        .bind(revision.as_str())
        .bind(now.0)
        .bind(id.as_str())
        .bind(from)
    )?;
    if rows != 1 {
        return Ok(false);
    }
    let secret = match secret {
        SecretChange::Kept => return Ok(true),
        SecretChange::None => None,
        SecretChange::New(digest) => Some(digest.as_str()),
    };
    execute!(tx, sqlx::query(
        "UPDATE managed_clients SET secret_hash = $1, previous_hash = NULL, previous_until = NULL WHERE id = $2")
        .bind(secret).bind(id.as_str()))?;
    Ok(true)
}

/// Gives an application that is in a state another secret; the one of before counts until `until`.
/// `false` if it is in another state, gone, or without a secret.
pub async fn rotate(
    tx: &mut Tx,
    id: &ClientId,
    (from, revision): (&str, &str),
    secret: &SecretDigest,
    (until, now): (UnixTime, UnixTime),
) -> Result<bool, DbError> {
    let rows = execute!(tx, sqlx::query(
        "UPDATE managed_clients SET previous_hash = secret_hash, previous_until = $1, secret_hash = $2, \
             revision = $3, updated_at = $4 \
         WHERE id = $5 AND revision = $6 AND removed_at IS NULL AND secret_hash IS NOT NULL")
        .bind(until.0).bind(secret.as_str()).bind(revision).bind(now.0).bind(id.as_str()).bind(from))?;
    Ok(rows == 1)
}

/// Removes an application, from one state where that is said; `false` if it is gone, or in another one.
pub async fn remove(
    tx: &mut Tx,
    id: &ClientId,
    from: Option<&str>,
    now: UnixTime,
) -> Result<bool, DbError> {
    let rows = execute!(tx, sqlx::query(
        "UPDATE managed_clients SET removed_at = $1, secret_hash = NULL, previous_hash = NULL, previous_until = NULL \
         WHERE id = $2 AND removed_at IS NULL AND ($3 = '' OR revision = $3)")
        .bind(now.0).bind(id.as_str()).bind(from.unwrap_or_default()))?;
    Ok(rows == 1)
}

/// Deletes the row of an application that was removed, so that nobody is told of anything at its addresses.
pub async fn forget(tx: &mut Tx, id: &ClientId) -> Result<(), DbError> {
    execute!(
        tx,
        sqlx::query("DELETE FROM managed_clients WHERE id = $1 AND removed_at IS NOT NULL")
            .bind(id.as_str())
    )
    .map(drop)
}

/// Live sessions that are of this application alone: those that go on without a browser, those of guests
/// and of devices.
pub async fn own_sessions(tx: &mut Tx, id: &ClientId) -> Result<Vec<SessionId>, DbError> {
    let ids = each!(tx, c => sqlx::query_scalar::<_, String>(
        "SELECT s.id FROM login_sessions s WHERE s.ended_at IS NULL AND (\
             s.id IN (SELECT session_id FROM refresh_grants WHERE client_id = $1) \
             OR (s.cookie_hash IS NULL AND s.id IN (SELECT session_id FROM session_clients WHERE client_id = $1))) \
         ORDER BY s.id")
        .bind(id.as_str()).fetch_all(c).await)?;
    Ok(ids.into_iter().map(SessionId::from_text).collect())
}

#[derive(sqlx::FromRow)]
struct MemberRow {
    sid: String,
    session_id: String,
    client_id: String,
    sub: String,
}

/// Its part in live sessions of browsers, where none of its own goes on under the same `sid`.
pub async fn shared_sessions(tx: &mut Tx, id: &ClientId) -> Result<Vec<SessionClient>, DbError> {
    let rows = each!(tx, c => sqlx::query_as::<_, MemberRow>(
        "SELECT m.sid, m.session_id, m.client_id, m.sub FROM session_clients m \
         JOIN login_sessions s ON s.id = m.session_id \
         WHERE m.client_id = $1 AND s.ended_at IS NULL AND s.cookie_hash IS NOT NULL \
         AND NOT EXISTS (SELECT 1 FROM refresh_grants g JOIN login_sessions t ON t.id = g.session_id \
             WHERE g.sid = m.sid AND g.client_id = $1 AND t.ended_at IS NULL) ORDER BY m.sid")
        .bind(id.as_str()).fetch_all(c).await)?;
    let member = |row: MemberRow| SessionClient {
        sid: Sid::from_text(row.sid),
        session: SessionId::from_text(row.session_id),
        client: ClientId::from_text(row.client_id),
        sub: row.sub,
    };
    Ok(rows.into_iter().map(member).collect())
}

/// Everything else that was given to an application, in the order in which it goes. That it was stopped is
/// not given: only the command line lets an application of this id go on.
const GIVEN: [&str; 4] = [
    "DELETE FROM access_tokens WHERE client_id = $1",
    "DELETE FROM device_grants WHERE client_id = $1",
    "DELETE FROM login_transactions WHERE client_id = $1",
    "DELETE FROM session_clients WHERE client_id = $1",
];

/// Takes back what was given to an application.
pub async fn take_back(tx: &mut Tx, id: &ClientId) -> Result<(), DbError> {
    for text in GIVEN {
        execute!(tx, sqlx::query(text).bind(id.as_str()))?;
    }
    Ok(())
}

/// Deletes the rows of applications that were removed and have been told of it, once their ids are free.
pub async fn purge(tx: &mut Tx, now: UnixTime) -> Result<u64, DbError> {
    execute!(
        tx,
        sqlx::query(
            "DELETE FROM managed_clients WHERE removed_at <= $1 AND NOT EXISTS (\
             SELECT 1 FROM logout_deliveries l WHERE l.client_id = managed_clients.id)"
        )
        .bind(now.plus(-FREE_AFTER_S).0)
    )
}
