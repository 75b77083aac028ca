//! Two columns of `subjects`: the days on which somebody of an account logged in last and the time before
//! (decision 0055). Nothing else is kept of who comes when.

use vouchsafe_credentials::time::UnixTime;
use vouchsafe_service::db::{Db, DbError, STEP, Tx, each, execute};

use crate::domain::ids::SubjectId;

/// Seconds of a day.
const DAY_S: i64 = 86_400;
/// Days that count: a month.
pub const MONTH: i64 = 30;

/// How many accounts logged in lately, as far as a day, today among them, goes back.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Presence {
    /// Today.
    pub day: i64,
    /// In the last seven days.
    pub week: i64,
    /// In the last thirty days.
    pub month: i64,
    /// In the last thirty days at least twice.
    pub twice: i64,
}

fn day(now: UnixTime) -> i64 {
    now.0.div_euclid(DAY_S)
}

/// Somebody of an account logged in. The caller holds the account, or takes nothing before it.
pub async fn came(tx: &mut Tx, subject: &SubjectId, now: UnixTime) -> Result<(), DbError> {
    execute!(
        tx,
        sqlx::query("UPDATE subjects SET day_before = last_day, last_day = $1 WHERE id = $2")
            .bind(day(now))
            .bind(subject.as_str())
    )
    .map(drop)
}

/// Counts accounts.
pub async fn count(db: &Db, now: UnixTime) -> Result<Presence, DbError> {
    let today = day(now);
    let (day, week, month, twice) = each!(db, p => sqlx::query_as::<_, (i64, i64, i64, i64)>(
        "SELECT CAST(COALESCE(SUM(CASE WHEN last_day >= $1 THEN 1 ELSE 0 END), 0) AS BIGINT), \
         CAST(COALESCE(SUM(CASE WHEN last_day > $2 THEN 1 ELSE 0 END), 0) AS BIGINT), \
         COUNT(*), \
         CAST(COALESCE(SUM(CASE WHEN day_before > $3 THEN 1 ELSE 0 END), 0) AS BIGINT) \
         FROM subjects WHERE last_day > $3")
        .bind(today).bind(today - 7).bind(today - MONTH).fetch_one(p).await)?;
    Ok(Presence {
        day,
        week,
        month,
        twice,
    })
}

/// Forgets days that count no more, [`STEP`] accounts at most.
pub async fn forget(tx: &mut Tx, now: UnixTime) -> Result<u64, DbError> {
    execute!(
        tx,
        sqlx::query(
            "UPDATE subjects SET last_day = NULL, day_before = NULL WHERE id IN \
             (SELECT id FROM subjects WHERE last_day <= $1 LIMIT $2) AND last_day <= $1"
        )
        .bind(day(now) - MONTH)
        .bind(i64::from(STEP))
    )
}
