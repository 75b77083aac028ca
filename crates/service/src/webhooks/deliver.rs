//! Sending what is due.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use futures::future::join_all;
use http::{HeaderMap, Method};
use tokio::task::JoinSet;
use vouchsafe_credentials::time::{Clock, UnixTime};

use super::{ask::signed_headers, store};
use crate::{
    db::{Db, DbError, Tx},
    each, execute,
    fetch::{FetchError, Fetcher, Limits, Request},
    seal::Sealer,
};

/// Seconds to wait after each failed try; after the last one a message is given up.
pub const RETRY_AFTER_S: [i64; 9] = [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400];
/// Nobody else takes a message for so long while it is being sent, in seconds. More than the
/// fetcher allows for one request.
const LEASE_S: i64 = 60;
/// Messages to one endpoint at the same time: as many as the fetcher lets to one host.
const AT_ONCE: i64 = 4;

/// Sends one request; the answer is its status.
#[async_trait]
pub trait Post: Send + Sync {
    /// POST of a JSON text with these headers.
    async fn post(&self, url: &str, headers: HeaderMap, body: String) -> Result<u16, FetchError>;
}

#[async_trait]
impl Post for Fetcher {
    async fn post(&self, url: &str, headers: HeaderMap, body: String) -> Result<u16, FetchError> {
        let request = Request {
            method: Method::POST,
            url,
            headers,
            body: Some((body.into_bytes(), "application/json")),
            limits: Limits::EXCHANGE,
        };
        self.status(request).await
    }
}

/// What delivering needs.
#[derive(Clone)]
pub struct Delivery {
    /// The database.
    pub db: Db,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Opens the secrets of endpoints.
    pub sealer: Sealer,
    /// The way out.
    pub post: Arc<dyn Post>,
    /// Endpoints that somebody of this process is sending to.
    pub busy: Busy,
}

/// Endpoints that somebody of this process is sending to: each is served by one task, so that a
/// slow one keeps nobody else waiting.
#[derive(Debug, Clone, Default)]
pub struct Busy(Arc<Mutex<HashSet<String>>>);

/// An endpoint is served until this is dropped.
#[derive(Debug)]
pub struct Serving {
    busy: Busy,
    endpoint: String,
}

impl Busy {
    /// Takes an endpoint; `None` while somebody else has it.
    pub fn serve(&self, endpoint: &str) -> Option<Serving> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.insert(endpoint.to_owned()).then(|| Serving {
            busy: self.clone(),
            endpoint: endpoint.to_owned(),
        })
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let mut all = self.busy.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.remove(&self.endpoint);
    }
}

impl std::fmt::Debug for Delivery {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Delivery")
    }
}

#[derive(sqlx::FromRow)]
struct Due {
    message_id: String,
    endpoint_id: String,
    attempts: i64,
    url: String,
    version: i64,
    secrets: Vec<u8>,
    body: String,
}

/// Sends what is due until nothing is, each endpoint in a task of its own, and waits for them;
/// returns how many tries there were.
pub async fn deliver_due(delivery: &Delivery) -> Result<usize, DbError> {
    let mut tasks = start_due(delivery).await?;
    let mut tries = 0;
    while let Some(done) = tasks.join_next().await {
        // A task that panicked leaves its messages to the next one.
        tries += done.unwrap_or(Ok(0))?;
    }
    Ok(tries)
}

/// Starts a task for each endpoint that something is due for and that nobody serves.
pub async fn start_due(delivery: &Delivery) -> Result<JoinSet<Result<usize, DbError>>, DbError> {
    let now = delivery.clock.now();
    // Nearly always there is nothing: that is said without a transaction.
    let endpoints = each!(delivery.db, p => sqlx::query_scalar::<_, String>(
        "SELECT e.id FROM webhook_endpoint e WHERE e.disabled_at IS NULL AND EXISTS \
         (SELECT 1 FROM webhook_delivery d WHERE d.endpoint_id = e.id AND d.next_at <= $1)")
        .bind(now.0).fetch_all(p).await)?;
    let mut tasks = JoinSet::new();
    for endpoint in endpoints {
        if let Some(serving) = delivery.busy.serve(&endpoint) {
            let delivery = delivery.clone();
            let work = async move { serve(&delivery, &serving.endpoint).await };
            tasks.spawn(crate::tenant::inherit(work));
        }
    }
    Ok(tasks)
}

/// Sends to one endpoint until nothing is due for it.
async fn serve(delivery: &Delivery, endpoint: &str) -> Result<usize, DbError> {
    let mut tries = 0;
    loop {
        let (now, id) = (delivery.clock.now(), endpoint.to_owned());
        let due = delivery
            .db
            .write(async move |tx| take(tx, &id, now).await)
            .await?;
        if due.is_empty() {
            return Ok(tries);
        }
        tries += due.len();
        let sent = due.into_iter().map(async |due| {
            let outcome = send(delivery, &due).await;
            let now = delivery.clock.now();
            delivery
                .db
                .write(async move |tx| record(tx, &due, &outcome, now).await)
                .await
        });
        // What was sent is written down, whatever happens to the others.
        let recorded: Vec<Result<(), DbError>> = join_all(sent).await;
        recorded.into_iter().collect::<Result<(), _>>()?;
    }
}

/// Takes what is due, so that no other process sends it at the same time. A process that dies in
/// between leaves it to whoever comes after the lease.
async fn take(tx: &mut Tx, endpoint: &str, now: UnixTime) -> Result<Vec<Due>, DbError> {
    tx.lock("webhook_delivery").await?;
    let due = each!(tx, c => sqlx::query_as::<_, Due>(
        "SELECT d.message_id, d.endpoint_id, d.attempts, e.url, e.version, e.secrets, m.body \
         FROM webhook_delivery d JOIN webhook_message m ON m.id = d.message_id \
         JOIN webhook_endpoint e ON e.id = d.endpoint_id \
         WHERE d.endpoint_id = $1 AND d.next_at <= $2 AND e.disabled_at IS NULL \
         ORDER BY d.next_at, d.message_id LIMIT $3")
        .bind(endpoint).bind(now.0).bind(AT_ONCE).fetch_all(c).await)?;
    for Due {
        message_id,
        endpoint_id,
        ..
    } in &due
    {
        execute!(
            tx,
            sqlx::query(
                "UPDATE webhook_delivery SET attempts = attempts + 1, next_at = $3 \
                 WHERE message_id = $1 AND endpoint_id = $2"
            )
            .bind(message_id)
            .bind(endpoint_id)
            .bind(now.plus(LEASE_S).0)
        )?;
    }
    Ok(due)
}

/// How a try ended.
enum Outcome {
    Arrived(u16),
    /// 410: the endpoint wants no more messages (Standard Webhooks, "Disabling endpoints").
    Gone,
    Failed(String),
}

async fn send(delivery: &Delivery, due: &Due) -> Outcome {
    let now = delivery.clock.now();
    let Ok(secrets) = store::opened(&due.endpoint_id, &due.secrets, &delivery.sealer) else {
        return Outcome::Failed("secret does not open".to_owned());
    };
    let headers = signed_headers(&secrets, &due.message_id, now, &due.body);
    let sent = delivery
        .post
        .post(&due.url, headers, due.body.clone())
        .await;
    match sent {
        Ok(410) => Outcome::Gone,
        Ok(status @ 200..=299) => Outcome::Arrived(status),
        Ok(status) => Outcome::Failed(status.to_string()),
        Err(error) => Outcome::Failed(word(&error).to_owned()),
    }
}

fn word(error: &FetchError) -> &'static str {
    match error {
        FetchError::Refused(_) => "address refused",
        FetchError::Timeout => "timeout",
        FetchError::Unreachable => "unreachable",
        FetchError::TooLarge | FetchError::Encoded => "unreadable answer",
        FetchError::Redirect => "redirect",
        FetchError::Setup => "not set up",
    }
}

async fn record(tx: &mut Tx, due: &Due, outcome: &Outcome, now: UnixTime) -> Result<(), DbError> {
    let tries = usize::try_from(due.attempts).unwrap_or(usize::MAX);
    let (result, next, delivered) = match outcome {
        Outcome::Arrived(status) => (status.to_string(), None, Some(now.0)),
        Outcome::Gone => ("410".to_owned(), None, None),
        Outcome::Failed(word) => {
            let wait = RETRY_AFTER_S.get(tries);
            (word.clone(), wait.map(|wait| now.plus(*wait).0), None)
        }
    };
    let outcome_label = match outcome {
        Outcome::Arrived(_) => "delivered",
        Outcome::Gone => "gone",
        Outcome::Failed(_) if next.is_some() => "failed",
        Outcome::Failed(_) => "given_up",
    };
    metrics::counter!("vouchsafe_webhook_deliveries_total", "outcome" => outcome_label)
        .increment(1);
    execute!(
        tx,
        sqlx::query(
            "UPDATE webhook_delivery SET next_at = $3, delivered_at = $4, last_result = $5 \
             WHERE message_id = $1 AND endpoint_id = $2 AND attempts = $6"
        )
        .bind(&due.message_id)
        .bind(&due.endpoint_id)
        .bind(next)
        .bind(delivered)
        .bind(result)
        .bind(due.attempts + 1)
    )?;
    match outcome {
        Outcome::Gone => disable(tx, due, now).await,
        Outcome::Arrived(_) | Outcome::Failed(_) => Ok(()),
    }
}

/// Nothing is sent to an endpoint that is gone, unless it was changed in between; what waits for
/// it is given up.
async fn disable(tx: &mut Tx, due: &Due, now: UnixTime) -> Result<(), DbError> {
    let gone = execute!(
        tx,
        sqlx::query("UPDATE webhook_endpoint SET disabled_at = $3 WHERE id = $1 AND version = $2")
            .bind(&due.endpoint_id)
            .bind(due.version)
            .bind(now.0)
    )?;
    if gone == 1 {
        execute!(
            tx,
            sqlx::query("UPDATE webhook_delivery SET next_at = NULL WHERE endpoint_id = $1")
                .bind(&due.endpoint_id)
        )?;
    }
    Ok(())
}
