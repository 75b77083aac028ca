//! `verifier_instance` and `verifier_keys`: how often the database was restored, and the keys that
//! came with an import.

use vouchsafe_credentials::time::UnixTime;
use vouchsafe_service::db::{Db, DbError, Tx, each, execute};

/// What the database says of itself.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Instance {
    /// How often it was restored.
    pub epoch: i64,
    /// What was drawn at the last restore.
    pub salt: Option<String>,
    /// When it was taken, where it is a copy that was not made fit for use.
    pub snapshot_at: Option<i64>,
}

/// When a copy was taken; no row where it is none, or was made fit for use.
pub const TAKEN_AT: &str =
    "SELECT snapshot_at FROM verifier_instance WHERE id = 1 AND snapshot_at IS NOT NULL";

/// Run in a copy: it is not opened before it was made fit for use.
pub const MARK: &str = "UPDATE verifier_instance SET snapshot_at = COALESCE(snapshot_at, CAST(strftime('%s', 'now') AS BIGINT)) \
     WHERE id = 1";

/// What the database says of itself.
pub async fn read(db: &Db) -> Result<Instance, DbError> {
    each!(db, p => sqlx::query_as::<_, Instance>(
        "SELECT epoch, salt, snapshot_at FROM verifier_instance WHERE id = 1").fetch_one(p).await)
}

/// Ends what was before a restore; the number of the epoch that begins. `salt` is drawn for it: one
/// copy can be restored twice, and the number is then the same.
pub async fn next_epoch(tx: &mut Tx, at_least: i64, salt: &str) -> Result<i64, DbError> {
    each!(tx, c => sqlx::query_scalar::<_, i64>(
        "UPDATE verifier_instance SET snapshot_at = NULL, salt = $2, \
            epoch = CASE WHEN epoch >= $1 THEN epoch ELSE $1 END + 1 \
         WHERE id = 1 RETURNING epoch").bind(at_least).bind(salt).fetch_one(c).await)
}

/// The keys that came with an import: purpose and sealed key.
pub async fn keys(db: &Db) -> Result<Vec<(String, Vec<u8>)>, DbError> {
    each!(db, p => sqlx::query_as::<_, (String, Vec<u8>)>(
        "SELECT purpose, sealed FROM verifier_keys ORDER BY purpose").fetch_all(p).await)
}

/// Keeps a key.
pub async fn put_key(tx: &mut Tx, purpose: &str, sealed: &[u8]) -> Result<(), DbError> {
    execute!(
        tx,
        sqlx::query("INSERT INTO verifier_keys (purpose, sealed) VALUES ($1, $2)")
            .bind(purpose)
            .bind(sealed)
    )
    .map(drop)
}

/// Names of the API keys that work.
pub async fn working_keys(tx: &mut Tx, now: UnixTime) -> Result<Vec<String>, DbError> {
    each!(tx, c => sqlx::query_scalar::<_, String>(
        "SELECT name FROM api_key WHERE revoked_at IS NULL \
         AND (expires_at IS NULL OR expires_at > $1) ORDER BY name")
        .bind(now.0).fetch_all(c).await)
}

/// When the newest event of the audit log happened.
pub async fn last_event(tx: &mut Tx) -> Result<Option<UnixTime>, DbError> {
    let at = each!(tx, c => sqlx::query_scalar::<_, i64>(
        "SELECT at FROM audit_event ORDER BY seq DESC LIMIT 1").fetch_optional(c).await)?;
    Ok(at.map(UnixTime))
}

/// Whether there are keys that came with an import.
pub async fn has_keys(tx: &mut Tx) -> Result<bool, DbError> {
    each!(tx, c => sqlx::query_scalar::<_, i64>("SELECT COUNT(*) FROM verifier_keys").fetch_one(c).await)
        .map(|rows| rows > 0)
}
