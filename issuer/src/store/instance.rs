//! Whose database this is, and how often it was restored.

use vouchsafe_credentials::time::UnixTime;
use vouchsafe_service::db::{Db, DbError, Tx, each, execute};

/// What the database says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instance {
    /// The issuer's public address since first use.
    pub url: Option<String>,
    /// How often it was restored.
    pub epoch: i64,
    /// What was drawn at the last restore.
    pub salt: Option<String>,
    /// When it was taken, where it is a copy that was not made fit for use.
    pub snapshot_at: Option<UnixTime>,
}

/// When a copy was taken; no row where it is none, or was made fit for use.
pub const TAKEN_AT: &str =
    "SELECT snapshot_at FROM issuer_instance WHERE id = 1 AND snapshot_at IS NOT NULL";

/// What the database says of itself.
pub async fn read(db: &Db) -> Result<Instance, DbError> {
    let (url, epoch, salt, snapshot_at) = each!(db, p => sqlx::query_as::<_, (Option<String>, i64, Option<String>, Option<i64>)>(
        "SELECT url, epoch, salt, snapshot_at FROM issuer_instance WHERE id = 1").fetch_one(p).await)?;
    Ok(Instance {
        url,
        epoch,
        salt,
        snapshot_at: snapshot_at.map(UnixTime),
    })
}

/// Marks the database as that of this issuer, unless it has an owner.
pub async fn claim(tx: &mut Tx, url: &str) -> Result<(), DbError> {
    execute!(
        tx,
        sqlx::query("UPDATE issuer_instance SET url = $1 WHERE id = 1 AND url IS NULL").bind(url)
    )
    .map(drop)
}

/// Gives the database to another address. False: it did not have this one before.
pub async fn hand_over(tx: &mut Tx, from: &str, to: &str) -> Result<bool, DbError> {
    let rows = execute!(
        tx,
        sqlx::query("UPDATE issuer_instance SET url = $2 WHERE id = 1 AND url = $1")
            .bind(from)
            .bind(to)
    )?;
    Ok(rows == 1)
}

/// Ends what was before a restore; the number of the epoch that begins. `salt` is drawn for it: one
/// copy can be restored twice, and the number is then the same.
pub async fn next_epoch(tx: &mut Tx, at_least: i64, salt: &str) -> Result<i64, DbError> {
    each!(tx, c => sqlx::query_scalar::<_, i64>(
        "UPDATE issuer_instance SET snapshot_at = NULL, salt = $2,
            epoch = CASE WHEN epoch >= $1 THEN epoch ELSE $1 END + 1
         WHERE id = 1 RETURNING epoch").bind(at_least).bind(salt).fetch_one(c).await)
}

/// Closes offers that could still be redeemed, and forgets their claims; how many.
pub async fn close_offers(tx: &mut Tx, now: UnixTime) -> Result<u64, DbError> {
    execute!(
        tx,
        sqlx::query(
            "UPDATE issuer_offers SET closed_at = $1, claims_sealed = NULL,
            expires_at = CASE WHEN expires_at > $1 THEN $1 ELSE expires_at END
         WHERE closed_at IS NULL AND (claims_sealed IS NOT NULL OR expires_at > $1)"
        )
        .bind(now.0)
    )
}

/// Lets no status list take new credentials, and has every one published anew with an `iat` of
/// `newer` at least; how many.
pub async fn close_lists(tx: &mut Tx, now: UnixTime, newer: UnixTime) -> Result<u64, DbError> {
    execute!(
        tx,
        sqlx::query(
            "UPDATE issuer_status_lists SET version = version + 1, restored_at = $1,
            issued_at = CASE WHEN issued_at > $2 THEN issued_at ELSE $2 END"
        )
        .bind(now.0)
        .bind(newer.0)
    )
}

/// Names of the API keys and clients that work.
pub async fn working_keys(tx: &mut Tx, now: UnixTime) -> Result<Vec<String>, DbError> {
    each!(tx, c => sqlx::query_scalar::<_, String>(
        "SELECT name FROM api_key WHERE revoked_at IS NULL
         AND (expires_at IS NULL OR expires_at > $1)
         UNION ALL SELECT name FROM api_client WHERE revoked_at IS NULL ORDER BY name")
        .bind(now.0).fetch_all(c).await)
}

/// Names of the operators who may sign in.
pub async fn operators(tx: &mut Tx) -> Result<Vec<String>, DbError> {
    each!(tx, c => sqlx::query_scalar::<_, String>(
        "SELECT name FROM operator WHERE disabled_at IS NULL ORDER BY name").fetch_all(c).await)
}

/// When the newest event of the audit log happened.
pub async fn last_event(tx: &mut Tx) -> Result<Option<UnixTime>, DbError> {
    let at = each!(tx, c => sqlx::query_scalar::<_, i64>(
        "SELECT at FROM audit_event ORDER BY seq DESC LIMIT 1").fetch_optional(c).await)?;
    Ok(at.map(UnixTime))
}
