//! `logout_deliveries`: back-channel logout tokens that applications have not taken yet.

use vouchsafe_credentials::time::UnixTime;
use vouchsafe_service::db::{Db, DbError, Tx, each, execute};

/// A delivery that is due.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Delivery {
    /// Its id, which is the `jti` of the token.
    pub id: String,
    /// The application.
    pub client_id: String,
    /// The session as the application knows it.
    pub sid: String,
    /// The person as the application knows them.
    pub sub: String,
    /// Attempts so far.
    pub attempts: i64,
}

/// Queues a delivery that is due at once.
pub async fn enqueue(tx: &mut Tx, delivery: &Delivery, now: UnixTime) -> Result<(), DbError> {
    execute!(
        tx,
        sqlx::query(
            "INSERT INTO logout_deliveries (id, client_id, sid, sub, attempts, due_at, created_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $6)"
        )
        .bind(delivery.id.as_str())
        .bind(delivery.client_id.as_str())
        .bind(delivery.sid.as_str())
        .bind(delivery.sub.as_str())
        .bind(delivery.attempts)
        .bind(now.0)
    )?;
    Ok(())
}

/// Applications that something is due for: a read, so that an idle service writes nothing.
pub async fn due_clients(db: &Db, now: UnixTime) -> Result<Vec<String>, DbError> {
    each!(db, p => sqlx::query_scalar::<_, String>(
        "SELECT DISTINCT client_id FROM logout_deliveries WHERE due_at <= $1")
        .bind(now.0).fetch_all(p).await)
}

/// Takes what is due for one application and reserves it until `again_at`: another process does
/// not send it meanwhile, and it comes back if this one dies.
pub async fn claim_due(
    tx: &mut Tx,
    client: &str,
    now: UnixTime,
    again_at: UnixTime,
    limit: i64,
) -> Result<Vec<Delivery>, DbError> {
    each!(tx, c => sqlx::query_as::<_, Delivery>(
        "UPDATE logout_deliveries SET attempts = attempts + 1, due_at = $3 \
         WHERE id IN (SELECT id FROM logout_deliveries WHERE client_id = $1 AND due_at <= $2 \
             ORDER BY due_at LIMIT $4) AND due_at <= $2 \
         RETURNING id, client_id, sid, sub, attempts")
        .bind(client).bind(now.0).bind(again_at.0).bind(limit).fetch_all(c).await)
}

/// When to try a failed delivery again.
pub async fn retry_at(tx: &mut Tx, id: &str, at: UnixTime) -> Result<(), DbError> {
    execute!(
        tx,
        sqlx::query("UPDATE logout_deliveries SET due_at = $1 WHERE id = $2")
            .bind(at.0)
            .bind(id)
    )?;
    Ok(())
}

/// The application has it, or will never take it.
pub async fn remove(tx: &mut Tx, id: &str) -> Result<(), DbError> {
    execute!(
        tx,
        sqlx::query("DELETE FROM logout_deliveries WHERE id = $1").bind(id)
    )?;
    Ok(())
}
