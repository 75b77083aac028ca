//! Messages to the endpoint of one caller, in the tables of [`vouchsafe_service::webhooks`], which
//! delivers them. What others are told never meets it.

use serde_json::Value;
use vouchsafe_credentials::time::UnixTime;
use vouchsafe_service::db::{Db, DbError, Tx, each, execute};

/// The ids of endpoints that begin like this; `prefix` has neither `%` nor `_`.
pub async fn beginning_with(db: &Db, prefix: &str) -> Result<Vec<String>, DbError> {
    each!(db, p => sqlx::query_scalar::<_, String>(
        "SELECT id FROM webhook_endpoint WHERE id LIKE $1 ORDER BY id")
        .bind(format!("{prefix}%")).fetch_all(p).await)
}

/// Writes a message to this endpoint, if it is there, in the transaction of what it reports.
/// Standard Webhooks 1.0.0, "Payload structure": type, timestamp, data.
pub async fn publish_to(
    tx: &mut Tx,
    endpoint: &str,
    (id, event): (&str, &'static str),
    data: &Value,
    now: UnixTime,
) -> Result<(), DbError> {
    let wanted = execute!(
        tx,
        sqlx::query(
            "INSERT INTO webhook_delivery (message_id, endpoint_id, attempts, next_at) \
             SELECT CAST($1 AS TEXT), id, 0, CAST($3 AS BIGINT) FROM webhook_endpoint \
             WHERE id = $2 AND disabled_at IS NULL"
        )
        .bind(id)
        .bind(endpoint)
        .bind(now.0)
    )?;
    if wanted == 0 {
        return Ok(());
    }
    let timestamp = jiff::Timestamp::from_second(now.0).map(|at| at.to_string());
    let body = serde_json::json!({
        "type": event,
        "timestamp": timestamp.unwrap_or_default(),
        "data": data,
    });
    execute!(
        tx,
        sqlx::query(
            "INSERT INTO webhook_message (id, event, body, created_at) VALUES ($1, $2, $3, $4)"
        )
        .bind(id)
        .bind(event)
        .bind(body.to_string())
        .bind(now.0)
    )
    .map(drop)
}
