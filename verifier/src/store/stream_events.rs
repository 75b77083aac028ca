//! `stream_events`: security events that applications have not taken yet.

use vouchsafe_credentials::time::UnixTime;
use vouchsafe_protocol::ssf::set::Event;
use vouchsafe_service::db::{Db, DbError, Table, Tx, each, execute};

use super::StoreError;

const TABLE: Table = Table("stream_events");

/// An event on its way.
#[derive(Debug, Clone, PartialEq)]
pub struct Waiting {
    /// The `jti` of its token.
    pub id: String,
    /// The application of the stream.
    pub client_id: String,
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
    client_id: String,
    event: String,
    attempts: i64,
    created_at: i64,
}

impl Row {
    fn read(self) -> Result<Waiting, StoreError> {
        // The reason repeats nothing of the event.
        let event =
            serde_json::from_str(&self.event).map_err(|_| TABLE.invalid("event", "no event"))?;
        Ok(Waiting {
            id: self.id,
            client_id: self.client_id,
            event,
            attempts: self.attempts,
            created_at: UnixTime(self.created_at),
        })
    }
}

/// Puts an event into a stream.
pub async fn insert(
    tx: &mut Tx,
    id: &str,
    stream: &str,
    event: &str,
    now: UnixTime,
) -> Result<(), DbError> {
    execute!(
        tx,
        sqlx::query(
            "INSERT INTO stream_events (id, stream_id, event, attempts, due_at, created_at) \
             VALUES ($1, $2, $3, 0, $4, $4)"
        )
        .bind(id)
        .bind(stream)
        .bind(event)
        .bind(now.0)
    )?;
    Ok(())
}

/// The oldest events of a stream.
pub async fn oldest(db: &Db, stream: &str, most: u32) -> Result<Vec<Waiting>, StoreError> {
    let rows = each!(db, p => sqlx::query_as::<_, Row>(
        "SELECT e.id, s.client_id, e.event, e.attempts, e.created_at FROM stream_events e \
         JOIN event_streams s ON s.id = e.stream_id \
         WHERE e.stream_id = $1 ORDER BY e.created_at, e.id LIMIT $2")
        .bind(stream).bind(i64::from(most)).fetch_all(p).await)?;
    rows.into_iter().map(Row::read).collect()
}

/// Whether anything is to be pushed: a read, so that an idle service writes nothing.
pub async fn any_due(db: &Db, now: UnixTime) -> Result<bool, DbError> {
    let due = each!(db, p => sqlx::query_scalar::<_, String>(
        "SELECT e.id FROM stream_events e JOIN event_streams s ON s.id = e.stream_id \
         WHERE e.due_at <= $1 AND s.pushed = 1 AND s.status = 'enabled' LIMIT 1")
        .bind(now.0).fetch_optional(p).await)?;
    Ok(due.is_some())
}

/// Takes what is to be pushed and reserves it until `again_at`.
pub async fn claim_due(
    tx: &mut Tx,
    now: UnixTime,
    again_at: UnixTime,
    limit: i64,
) -> Result<Vec<Waiting>, StoreError> {
    let rows = each!(tx, c => sqlx::query_as::<_, Row>(
        "UPDATE stream_events SET attempts = attempts + 1, due_at = $2 \
         WHERE id IN (SELECT e.id FROM stream_events e JOIN event_streams s ON s.id = e.stream_id \
             WHERE e.due_at <= $1 AND s.pushed = 1 AND s.status = 'enabled' ORDER BY e.created_at, e.id LIMIT $3) \
         AND due_at <= $1 \
         RETURNING id, (SELECT client_id FROM event_streams s WHERE s.id = stream_id) AS client_id, event, attempts, created_at")
        .bind(now.0).bind(again_at.0).bind(limit).fetch_all(c).await)?;
    rows.into_iter().map(Row::read).collect()
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

/// The application has it, or will never take it.
pub async fn remove(tx: &mut Tx, stream: &str, id: &str) -> Result<u64, DbError> {
    execute!(
        tx,
        sqlx::query("DELETE FROM stream_events WHERE id = $1 AND stream_id = $2")
            .bind(id)
            .bind(stream)
    )
}

/// The same for one whose stream is not at hand.
pub async fn remove_pushed(tx: &mut Tx, id: &str) -> Result<(), DbError> {
    execute!(
        tx,
        sqlx::query("DELETE FROM stream_events WHERE id = $1").bind(id)
    )?;
    Ok(())
}

/// Nothing waits in a stream any more.
pub async fn remove_all(tx: &mut Tx, stream: &str) -> Result<u64, DbError> {
    execute!(
        tx,
        sqlx::query("DELETE FROM stream_events WHERE stream_id = $1").bind(stream)
    )
}

/// Deletes what nobody took for too long.
pub async fn purge(tx: &mut Tx, before: UnixTime) -> Result<u64, DbError> {
    execute!(
        tx,
        sqlx::query("DELETE FROM stream_events WHERE created_at <= $1").bind(before.0)
    )
}
