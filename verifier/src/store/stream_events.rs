//! `stream_events`: security events that applications have not taken yet.

use vouchsafe_credentials::time::UnixTime;
use vouchsafe_protocol::ssf::set::Event;
use vouchsafe_service::db::{Db, DbError, STEP, Table, Tx, each, execute};
use vouchsafe_service::delete_step;

use super::StoreError;

const TABLE: Table = Table("stream_events");
/// Events that wait in one stream at most. Who takes none for so long loses the newest ones.
const MOST: i64 = 10_000;

/// An event on its way.
#[derive(Debug, Clone, PartialEq)]
pub struct Waiting {
    /// The `jti` of its token.
    pub id: String,
    /// Its stream.
    pub stream_id: String,
    /// What happened.
    pub event: Event,
    /// Attempts to push it so far.
    pub attempts: i64,
    /// When it happened.
    pub created_at: UnixTime,
}

#[derive(sqlx::FromRow)]
struct Row {
    id: String,
    stream_id: String,
    event: String,
    attempts: i64,
    created_at: i64,
}

impl Row {
    /// One that cannot be read keeps nobody else's waiting: it is logged and left where it is.
    fn read(self) -> Option<Waiting> {
        match serde_json::from_str(&self.event) {
            Ok(event) => Some(Waiting {
                id: self.id,
                stream_id: self.stream_id,
                event,
                attempts: self.attempts,
                created_at: UnixTime(self.created_at),
            }),
            Err(_) => {
                // The reason repeats nothing of the event.
                let error = TABLE.invalid("event", "no event");
                tracing::error!(%error, "security event not read");
                None
            }
        }
    }
}

/// Puts an event into a stream; `false` where too many wait.
pub async fn insert(
    tx: &mut Tx,
    id: &str,
    stream: &str,
    event: &Event,
    now: UnixTime,
) -> Result<bool, StoreError> {
    let text = serde_json::to_string(event).map_err(StoreError::Serialise)?;
    let written = execute!(
        tx,
        sqlx::query(
            "INSERT INTO stream_events (id, stream_id, event, attempts, due_at, created_at) \
             SELECT $1, $2, $3, 0, $4, $4 WHERE \
             (SELECT COUNT(*) FROM (SELECT 1 FROM stream_events WHERE stream_id = $2 LIMIT $5) AS waiting) < $5"
        )
        .bind(id)
        .bind(stream)
        .bind(text)
        .bind(now.0)
        .bind(MOST)
    )?;
    Ok(written == 1)
}

/// The oldest events of a stream that is polled and enabled at this moment.
pub async fn oldest(db: &Db, stream: &str, most: u32) -> Result<Vec<Waiting>, DbError> {
    let rows = each!(db, p => sqlx::query_as::<_, Row>(
        "SELECT e.id, e.stream_id, e.event, e.attempts, e.created_at FROM stream_events e \
         JOIN event_streams s ON s.id = e.stream_id \
         WHERE e.stream_id = $1 AND s.status = 'enabled' AND s.pushed = 0 \
         ORDER BY e.created_at, e.id LIMIT $2")
        .bind(stream).bind(i64::from(most)).fetch_all(p).await)?;
    Ok(rows.into_iter().filter_map(Row::read).collect())
}

/// Streams that something is to be pushed to: a read, so that an idle service writes nothing.
pub async fn due_streams(db: &Db, now: UnixTime) -> Result<Vec<String>, DbError> {
    each!(db, p => sqlx::query_scalar::<_, String>(
        "SELECT s.id FROM event_streams s WHERE s.pushed = 1 AND s.status = 'enabled' AND EXISTS \
         (SELECT 1 FROM stream_events e WHERE e.stream_id = s.id AND e.due_at <= $1)")
        .bind(now.0).fetch_all(p).await)
}

/// Takes what is to be pushed to one stream and reserves it until `again_at`: another process does
/// not send it meanwhile, and it comes back if this one dies.
pub async fn claim_due(
    tx: &mut Tx,
    stream: &str,
    now: UnixTime,
    again_at: UnixTime,
    limit: i64,
) -> Result<Vec<Waiting>, DbError> {
    let rows = each!(tx, c => sqlx::query_as::<_, Row>(
        "UPDATE stream_events SET attempts = attempts + 1, due_at = $3 \
         WHERE id IN (SELECT id FROM stream_events WHERE stream_id = $1 AND due_at <= $2 \
             ORDER BY created_at, id LIMIT $4) AND due_at <= $2 \
         RETURNING id, stream_id, event, attempts, created_at")
        .bind(stream).bind(now.0).bind(again_at.0).bind(limit).fetch_all(c).await)?;
    Ok(rows.into_iter().filter_map(Row::read).collect())
}

/// When to try again.
pub async fn retry_at(tx: &mut Tx, id: &str, at: UnixTime) -> Result<(), DbError> {
    execute!(
        tx,
        sqlx::query("UPDATE stream_events SET due_at = $1 WHERE id = $2")
            .bind(at.0)
            .bind(id)
    )?;
    Ok(())
}

/// A stream was changed: what waits in it is tried anew at once.
pub async fn make_due(tx: &mut Tx, stream: &str, now: UnixTime) -> Result<(), DbError> {
    execute!(
        tx,
        sqlx::query("UPDATE stream_events SET due_at = $1 WHERE stream_id = $2 AND due_at > $1")
            .bind(now.0)
            .bind(stream)
    )?;
    Ok(())
}

/// The application has them, or will never take them: how many of them waited.
pub async fn remove(tx: &mut Tx, stream: &str, ids: &[String]) -> Result<u64, DbError> {
    let mut removed = 0;
    for id in ids {
        removed += execute!(
            tx,
            sqlx::query("DELETE FROM stream_events WHERE id = $1 AND stream_id = $2")
                .bind(id.as_str())
                .bind(stream)
        )?;
    }
    Ok(removed)
}

/// Nothing waits in a stream any more.
pub async fn remove_all(tx: &mut Tx, stream: &str) -> Result<u64, DbError> {
    execute!(
        tx,
        sqlx::query("DELETE FROM stream_events WHERE stream_id = $1").bind(stream)
    )
}

/// Deletes what nobody took for too long, [`STEP`] of them at most.
pub async fn purge(tx: &mut Tx, before: UnixTime) -> Result<u64, DbError> {
    execute!(
        tx,
        sqlx::query(delete_step!("stream_events", "id", "created_at <= $1"))
            .bind(before.0)
            .bind(i64::from(STEP))
    )
}
