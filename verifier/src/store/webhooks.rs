//! Messages to the endpoint of one caller, in the tables of [`vouchsafe_service::webhooks`], which
//! delivers them. What others are told never meets it.

use serde_json::Value;
use vouchsafe_credentials::random::Rng;
use vouchsafe_credentials::time::UnixTime;
use vouchsafe_service::db::{Db, DbError, Tx, each, execute};
use vouchsafe_service::seal::Sealer;
use vouchsafe_service::webhooks::{self, NewEndpoint, Secrets};

/// The ids of endpoints that begin like this; `prefix` has neither `%` nor `_`.
pub async fn beginning_with(db: &Db, prefix: &str) -> Result<Vec<String>, DbError> {
    each!(db, p => sqlx::query_scalar::<_, String>(
        "SELECT id FROM webhook_endpoint WHERE id LIKE $1 ORDER BY id")
        .bind(format!("{prefix}%")).fetch_all(p).await)
}

/// Whoever writes to an endpoint and whoever forgets it wait for one another.
async fn lock(tx: &mut Tx, endpoint: &str) -> Result<(), DbError> {
    tx.lock(&format!("webhook endpoint {endpoint}")).await
}

/// Forgets an endpoint that was made before `before` and told nothing since, with what waits for it.
pub async fn remove_unused(tx: &mut Tx, endpoint: &str, before: UnixTime) -> Result<(), DbError> {
    lock(tx, endpoint).await?;
    let unused = each!(tx, c => sqlx::query_scalar::<_, i64>(
        "SELECT COUNT(*) FROM webhook_endpoint WHERE id = $1 AND created_at <= $2 AND NOT EXISTS \
         (SELECT 1 FROM webhook_delivery d JOIN webhook_message m ON m.id = d.message_id \
          WHERE d.endpoint_id = $1 AND m.created_at > $2)")
        .bind(endpoint).bind(before.0).fetch_one(c).await)?;
    if unused == 1 {
        webhooks::remove(tx, endpoint).await?;
    }
    Ok(())
}

/// Uses an endpoint again that was given up because it once said that it is gone.
pub async fn wake(tx: &mut Tx, endpoint: &str) -> Result<(), DbError> {
    execute!(
        tx,
        sqlx::query(
            "UPDATE webhook_endpoint SET disabled_at = NULL \
             WHERE id = $1 AND disabled_at IS NOT NULL"
        )
        .bind(endpoint)
    )
    .map(drop)
}

/// Writes a message to this endpoint in the transaction of what it reports.
/// An endpoint that is not there, for another process has another configuration, is made first.
/// Standard Webhooks 1.0.0, "Payload structure": type, timestamp, data.
pub async fn publish_to(
    tx: &mut Tx,
    endpoint: &NewEndpoint,
    (secrets, sealer, rng): (&Secrets, &Sealer, &dyn Rng),
    (id, event): (&str, &str),
    data: &Value,
    now: UnixTime,
) -> Result<(), DbError> {
    let timestamp = jiff::Timestamp::from_second(now.0).map(|at| at.to_string());
    let body = serde_json::json!({
        "type": event,
        "timestamp": timestamp.unwrap_or_default(),
        "data": data,
    });
    let seal = (secrets, sealer, rng);
    publish_body(tx, endpoint, seal, (id, event), body.to_string(), now).await
}

/// The same with a body that is ready.
pub async fn publish_body(
    tx: &mut Tx,
    endpoint: &NewEndpoint,
    (secrets, sealer, rng): (&Secrets, &Sealer, &dyn Rng),
    (id, event): (&str, &str),
    body: String,
    now: UnixTime,
) -> Result<(), DbError> {
    lock(tx, &endpoint.id).await?;
    webhooks::ensure(tx, endpoint, secrets, sealer, rng).await?;
    let wanted = execute!(
        tx,
        sqlx::query(
            "INSERT INTO webhook_delivery (message_id, endpoint_id, attempts, next_at) \
             SELECT CAST($1 AS TEXT), id, 0, CAST($3 AS BIGINT) FROM webhook_endpoint \
             WHERE id = $2 AND disabled_at IS NULL"
        )
        .bind(id)
        .bind(endpoint.id.as_str())
        .bind(now.0)
    )?;
    if wanted == 0 {
        return Ok(());
    }
    execute!(
        tx,
        sqlx::query(
            "INSERT INTO webhook_message (id, event, body, created_at) VALUES ($1, $2, $3, $4)"
        )
        .bind(id)
        .bind(event.to_owned())
        .bind(body)
        .bind(now.0)
    )
    .map(drop)
}
