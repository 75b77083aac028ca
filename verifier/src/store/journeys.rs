//! `journey_texts` and `journey_traces`.

use vouchsafe_credentials::time::UnixTime;
use vouchsafe_service::db::{Db, DbError, Table, Tx, each, execute};

use crate::domain::ids::TransactionId;
use crate::journey::Line;

const TRACES: Table = Table("journey_traces");

/// A text that runs belong to.
#[derive(Debug, Clone)]
pub struct NewText {
    /// SHA-256 in hex.
    pub hash: String,
    /// The file.
    pub text: String,
}

/// Writes a text, or that it is used again.
pub async fn note(tx: &mut Tx, new: &NewText, now: UnixTime) -> Result<(), DbError> {
    execute!(
        tx,
        sqlx::query(
            "INSERT INTO journey_texts (hash, body, used_at) VALUES ($1, $2, $3) \
         ON CONFLICT (hash) DO UPDATE SET used_at = excluded.used_at"
        )
        .bind(new.hash.as_str())
        .bind(new.text.as_str())
        .bind(now.0)
    )?;
    Ok(())
}

/// The text of a hash.
pub async fn find(db: &Db, hash: &str) -> Result<Option<String>, DbError> {
    each!(db, p => sqlx::query_scalar::<_, String>(
        "SELECT body FROM journey_texts WHERE hash = $1").bind(hash).fetch_optional(p).await)
}

/// Deletes texts that were last used before `before`.
pub async fn purge_texts(tx: &mut Tx, before: UnixTime) -> Result<u64, DbError> {
    execute!(
        tx,
        sqlx::query("DELETE FROM journey_texts WHERE used_at < $1").bind(before.0)
    )
}

/// What a run did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trace {
    /// The login.
    pub login: TransactionId,
    /// What people are told.
    pub reference: String,
    /// The journey.
    pub journey: String,
    /// The text that it belonged to.
    pub hash: String,
    /// How it ended: `success` or the code of the refusal.
    pub outcome: String,
    /// The rules that fired, in order.
    pub lines: Vec<Line>,
    /// When it ended.
    pub ended_at: UnixTime,
}

/// Writes what a run did.
pub async fn insert_trace(tx: &mut Tx, new: &Trace) -> Result<(), DbError> {
    let lines = serde_json::to_string(&new.lines).unwrap_or_default();
    execute!(tx, sqlx::query(
        "INSERT INTO journey_traces (login_id, reference, journey, hash, outcome, trace, ended_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING")
        .bind(new.login.as_str()).bind(new.reference.as_str()).bind(new.journey.as_str())
        .bind(new.hash.as_str()).bind(new.outcome.as_str()).bind(lines.as_str()).bind(new.ended_at.0))?;
    Ok(())
}

#[derive(sqlx::FromRow)]
struct TraceRow {
    login_id: String,
    reference: String,
    journey: String,
    hash: String,
    outcome: String,
    trace: String,
    ended_at: i64,
}

impl TryFrom<TraceRow> for Trace {
    type Error = DbError;

    fn try_from(row: TraceRow) -> Result<Self, DbError> {
        let TraceRow {
            login_id,
            reference,
            journey,
            hash,
            outcome,
            trace,
            ended_at,
        } = row;
        Ok(Self {
            login: TransactionId::from_text(login_id),
            reference,
            journey,
            hash,
            outcome,
            lines: serde_json::from_str(&trace)
                .map_err(|_| TRACES.invalid("trace", "not a trace"))?,
            ended_at: UnixTime(ended_at),
        })
    }
}

/// Runs under a reference, the latest first.
pub async fn traces(db: &Db, reference: &str) -> Result<Vec<Trace>, DbError> {
    let rows = each!(db, p => sqlx::query_as::<_, TraceRow>(
        "SELECT login_id, reference, journey, hash, outcome, trace, ended_at FROM journey_traces \
         WHERE reference = $1 ORDER BY ended_at DESC, login_id LIMIT 20").bind(reference).fetch_all(p).await)?;
    rows.into_iter().map(Trace::try_from).collect()
}

/// Deletes what ended before `before`.
pub async fn purge_traces(tx: &mut Tx, before: UnixTime) -> Result<u64, DbError> {
    execute!(
        tx,
        sqlx::query("DELETE FROM journey_traces WHERE ended_at < $1").bind(before.0)
    )
}
