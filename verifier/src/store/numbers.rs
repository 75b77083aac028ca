//! `login_numbers` and `login_events`.

use std::collections::BTreeMap;

use vouchsafe_credentials::time::UnixTime;
use vouchsafe_service::db::{Db, DbError, STEP, Tx, each, execute};
use vouchsafe_service::delete_step;

use crate::numbers::counts::Key;
use crate::numbers::events::Event;

/// Adds what was counted.
pub async fn add(tx: &mut Tx, counts: &BTreeMap<Key, i64>) -> Result<(), DbError> {
    // In the order of the key: two processes that write at once do not wait for each other in turn.
    for (key, n) in counts {
        let Key {
            hour,
            what,
            journey,
            stage,
            step,
            outcome,
            channel,
            method,
            client,
            seconds,
        } = key;
        execute!(tx, sqlx::query(
            "INSERT INTO login_numbers (at_hour, what, journey, stage, step, outcome, channel, method, client, seconds, n) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) \
             ON CONFLICT (at_hour, what, journey, stage, step, outcome, channel, method, client, seconds) \
             DO UPDATE SET n = login_numbers.n + excluded.n")
            .bind(*hour).bind(what.as_str()).bind(journey.as_str()).bind(stage.as_str()).bind(step.as_str())
            .bind(outcome.as_str()).bind(channel.as_str()).bind(method.as_str()).bind(client.as_str())
            .bind(*seconds).bind(*n))?;
    }
    Ok(())
}

#[derive(sqlx::FromRow)]
struct CountRow {
    at_hour: i64,
    what: String,
    journey: String,
    stage: String,
    step: String,
    outcome: String,
    channel: String,
    method: String,
    client: String,
    seconds: i64,
    n: i64,
}

impl From<CountRow> for (Key, i64) {
    fn from(row: CountRow) -> Self {
        let CountRow {
            at_hour,
            what,
            journey,
            stage,
            step,
            outcome,
            channel,
            method,
            client,
            seconds,
            n,
        } = row;
        let key = Key {
            hour: at_hour,
            what,
            journey,
            stage,
            step,
            outcome,
            channel,
            method,
            client,
            seconds,
        };
        (key, n)
    }
}

/// What was counted from `since` on and before `until`, of a journey or an application where one is
/// given, the days as `hour`.
pub async fn between(
    db: &Db,
    since: UnixTime,
    until: UnixTime,
    (journey, client): (Option<&str>, Option<&str>),
) -> Result<Vec<(Key, i64)>, DbError> {
    let rows = each!(db, p => sqlx::query_as::<_, CountRow>(
        "SELECT at_hour - at_hour % 86400 AS at_hour, what, journey, stage, step, outcome, channel, method, client, seconds, \
         CAST(SUM(n) AS BIGINT) AS n FROM login_numbers WHERE at_hour >= $1 AND at_hour < $2 \
         AND ($3 IS NULL OR journey = $3) AND ($4 IS NULL OR client = $4) \
         GROUP BY at_hour - at_hour % 86400, what, journey, stage, step, outcome, channel, method, client, seconds")
        .bind(since.0).bind(until.0).bind(journey).bind(client).fetch_all(p).await)?;
    Ok(rows.into_iter().map(CountRow::into).collect())
}

/// Deletes what was counted before `before`.
pub async fn purge(tx: &mut Tx, before: UnixTime) -> Result<u64, DbError> {
    execute!(
        tx,
        sqlx::query(delete_step!(
            "login_numbers",
            "at_hour, what, journey, stage, step, outcome, channel, method, client, seconds",
            "at_hour < $1"
        ))
        .bind(before.0)
        .bind(i64::from(STEP))
    )
}

/// Writes events.
pub async fn insert_events(tx: &mut Tx, events: &[Event]) -> Result<(), DbError> {
    for event in events {
        execute!(
            tx,
            sqlx::query("INSERT INTO login_events (id, at, body) VALUES ($1, $2, $3)")
                .bind(event.id.as_str())
                .bind(event.at.0)
                .bind(event.body.to_string())
        )?;
    }
    Ok(())
}

/// Deletes events of before `before`.
pub async fn purge_events(tx: &mut Tx, before: UnixTime) -> Result<u64, DbError> {
    execute!(
        tx,
        sqlx::query(delete_step!("login_events", "id", "at < $1"))
            .bind(before.0)
            .bind(i64::from(STEP))
    )
}
