//! How often something was tried, each under a keyed hash.

use vouchsafe_credentials::time::UnixTime;
use vouchsafe_service::db::{Db, DbError, STEP, Tx, delete_step, each, execute};

/// Counts a try and gives how many there were with it, until `ends_at` of the first one. `None`:
/// there were `most` already, and nothing changes. Of any number of calls at once, no more than
/// `most` count.
pub async fn count(
    tx: &mut Tx,
    key: &[u8],
    most: i64,
    (now, ends_at): (UnixTime, UnixTime),
) -> Result<Option<i64>, DbError> {
    each!(tx, c => sqlx::query_scalar::<_, i64>(
        "INSERT INTO issuer_tries (key, tries, ends_at) VALUES ($1, 1, $2)
         ON CONFLICT (key) DO UPDATE SET
            tries = CASE WHEN issuer_tries.ends_at <= $3 THEN 1 ELSE issuer_tries.tries + 1 END,
            ends_at = CASE WHEN issuer_tries.ends_at <= $3 THEN $2 ELSE issuer_tries.ends_at END
         WHERE issuer_tries.ends_at <= $3 OR issuer_tries.tries < $4
         RETURNING tries")
        .bind(key).bind(ends_at.0).bind(now.0).bind(most).fetch_optional(c).await)
}

/// How many tries there were until now.
pub async fn used(db: &Db, key: &[u8], now: UnixTime) -> Result<i64, DbError> {
    let tries = each!(db, p => sqlx::query_scalar::<_, i64>(
        "SELECT tries FROM issuer_tries WHERE key = $1 AND ends_at > $2")
        .bind(key).bind(now.0).fetch_optional(p).await)?;
    Ok(tries.unwrap_or(0))
}

/// Takes one try back: nobody judged it.
pub async fn give_back(tx: &mut Tx, key: &[u8]) -> Result<(), DbError> {
    let text = "UPDATE issuer_tries SET tries = tries - 1 WHERE key = $1 AND tries > 0";
    execute!(tx, sqlx::query(text).bind(key)).map(drop)
}

/// Forgets the tries: the right answer came.
pub async fn forget(tx: &mut Tx, key: &[u8]) -> Result<(), DbError> {
    let text = "DELETE FROM issuer_tries WHERE key = $1";
    execute!(tx, sqlx::query(text).bind(key)).map(drop)
}

/// Forgets what has ended, [`STEP`] of them at most.
pub async fn purge(tx: &mut Tx, now: UnixTime) -> Result<u64, DbError> {
    let text = delete_step!("issuer_tries", "key", "ends_at <= $1");
    execute!(tx, sqlx::query(text).bind(now.0).bind(i64::from(STEP)))
}
