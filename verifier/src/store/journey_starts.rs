//! `journey_starts`: how often a journey was begun for one account on one day.

use vouchsafe_credentials::time::UnixTime;
use vouchsafe_service::db::{DbError, Tx, each, execute};

use super::journey_calls::{self as calls, Visit};

const DAY_S: i64 = 86_400;
/// What is written beside a start that was counted, or was not.
const COUNTED: &str = "counted";
const TOO_MANY: &str = "too_many";

/// A start of a journey for an account.
#[derive(Debug, Clone)]
pub struct Start {
    /// The login: it counts once.
    pub visit: Visit,
    /// The journey.
    pub journey: String,
    /// Keyed hash of what names the account.
    pub account: String,
    /// So many a day.
    pub most: u32,
}

/// Counts a start; `false` where there were as many today. Of any number at once exactly `most` are
/// counted, and a login that asks again hears the same.
pub async fn count(tx: &mut Tx, start: &Start, now: UnixTime) -> Result<bool, DbError> {
    let said = match calls::claim(tx, &start.visit, now).await? {
        true => match bump(tx, start, now).await? {
            true => COUNTED,
            false => TOO_MANY,
        },
        // Whoever claimed it wrote what came of it in the same transaction.
        false => TOO_MANY,
    };
    let known = calls::settle(tx, &start.visit, said).await?;
    Ok(known.as_deref() == Some(COUNTED))
}

async fn bump(tx: &mut Tx, start: &Start, now: UnixTime) -> Result<bool, DbError> {
    let counted = each!(tx, c => sqlx::query_scalar::<_, i64>(
        "INSERT INTO journey_starts (journey, account, day, starts) VALUES ($1, $2, $3, 1) \
         ON CONFLICT (journey, account, day) DO UPDATE SET starts = journey_starts.starts + 1 \
         WHERE journey_starts.starts < $4 RETURNING starts")
        .bind(start.journey.as_str()).bind(start.account.as_str()).bind(now.0.div_euclid(DAY_S))
        .bind(i64::from(start.most)).fetch_optional(c).await)?;
    Ok(counted.is_some())
}

/// Deletes what was counted before yesterday.
pub async fn purge(tx: &mut Tx, now: UnixTime) -> Result<u64, DbError> {
    execute!(
        tx,
        sqlx::query("DELETE FROM journey_starts WHERE day < $1").bind(now.0.div_euclid(DAY_S) - 1)
    )
}
