//! `journey_calls`: what a run asks others, once for each visit of a step.

use vouchsafe_credentials::time::UnixTime;
use vouchsafe_service::db::{Db, DbError, Tx, each, execute};

use crate::domain::ids::TransactionId;

/// One visit of a step.
#[derive(Debug, Clone)]
pub struct Visit {
    /// The login.
    pub login: TransactionId,
    /// The step.
    pub step: String,
    /// Which visit.
    pub visit: u32,
    /// Keyed hash of what is asked: an answer to something else is none.
    pub asked: String,
}

/// What is written of a call.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Call {
    /// When it was claimed.
    pub called_at: i64,
    /// What came of it.
    pub result: Option<String>,
}

/// Claims a visit before anybody is asked: of any number at once one gets `true`.
pub async fn claim(tx: &mut Tx, visit: &Visit, now: UnixTime) -> Result<bool, DbError> {
    execute!(
        tx,
        sqlx::query(
            "INSERT INTO journey_calls (login_id, step, visit, called_at, asked) \
             VALUES ($1, $2, $3, $4, $5) \
             ON CONFLICT DO NOTHING"
        )
        .bind(visit.login.as_str())
        .bind(visit.step.as_str())
        .bind(i64::from(visit.visit))
        .bind(now.0)
        .bind(visit.asked.as_str())
    )
    .map(|rows| rows == 1)
}

/// Writes what came of it, unless that is known already; what is known is returned.
pub async fn settle(tx: &mut Tx, visit: &Visit, result: &str) -> Result<Option<String>, DbError> {
    each!(tx, c => sqlx::query_scalar::<_, String>(
        "UPDATE journey_calls SET result = COALESCE(result, $4) \
         WHERE login_id = $1 AND step = $2 AND visit = $3 AND asked = $5 RETURNING result")
        .bind(visit.login.as_str()).bind(visit.step.as_str()).bind(i64::from(visit.visit))
        .bind(result).bind(visit.asked.as_str()).fetch_optional(c).await)
}

/// What is known of a visit.
pub async fn find(db: &Db, visit: &Visit) -> Result<Option<Call>, DbError> {
    each!(db, p => sqlx::query_as::<_, Call>(
        "SELECT called_at, result FROM journey_calls WHERE login_id = $1 AND step = $2 AND visit = $3 \
         AND asked = $4")
        .bind(visit.login.as_str()).bind(visit.step.as_str()).bind(i64::from(visit.visit))
        .bind(visit.asked.as_str()).fetch_optional(p).await)
}

/// Deletes what was asked before `before`.
pub async fn purge(tx: &mut Tx, before: UnixTime) -> Result<u64, DbError> {
    execute!(
        tx,
        sqlx::query("DELETE FROM journey_calls WHERE called_at < $1").bind(before.0)
    )
}
