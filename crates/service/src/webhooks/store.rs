//! Endpoints, messages and deliveries in the database.

use serde_json::{Value, json};
use vouchsafe_credentials::{random::Rng, time::UnixTime};

use super::{KEPT_S, Secrets, place};
use crate::{
    db::{Db, DbError, STEP, Table, Tx},
    each, execute,
    seal::Sealer,
};

const TABLE: Table = Table("webhook_endpoint");

/// An endpoint as others see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// Its id.
    pub id: String,
    /// Where messages go.
    pub url: String,
    /// Names of the events that are sent; empty means all.
    pub events: Vec<String>,
    /// Counts changes.
    pub version: i64,
    /// When it was made.
    pub created_at: UnixTime,
    /// Since when nothing is sent, because the endpoint said that it is gone.
    pub disabled_at: Option<UnixTime>,
}

/// An endpoint to be made.
#[derive(Debug, Clone)]
pub struct NewEndpoint {
    /// Its id.
    pub id: String,
    /// Where messages go; checked by the caller against the rules of outbound requests.
    pub url: String,
    /// Names of the events that are sent; empty means all.
    pub events: Vec<String>,
    /// Now.
    pub created_at: UnixTime,
}

/// How a message fares on its way to an endpoint.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct DeliveryRow {
    /// The message; the header `webhook-id`.
    pub message_id: String,
    /// Name of the event.
    pub event: String,
    /// Tries so far.
    pub attempts: i64,
    /// When it is tried next, UNIX seconds; none once it arrived or was given up.
    pub next_at: Option<i64>,
    /// When it arrived, UNIX seconds.
    pub delivered_at: Option<i64>,
    /// What the last try gave: an HTTP status or a word of ours.
    pub last_result: Option<String>,
    /// When it happened, UNIX seconds.
    pub created_at: i64,
}

#[derive(sqlx::FromRow)]
struct EndpointRow {
    id: String,
    url: String,
    events: String,
    version: i64,
    created_at: i64,
    disabled_at: Option<i64>,
}

impl From<EndpointRow> for Endpoint {
    fn from(row: EndpointRow) -> Self {
        let EndpointRow {
            id,
            url,
            events,
            version,
            created_at,
            disabled_at,
        } = row;
        Self {
            id,
            url,
            events: events.split_whitespace().map(str::to_owned).collect(),
            version,
            created_at: UnixTime(created_at),
            disabled_at: disabled_at.map(UnixTime),
        }
    }
}

/// Stores an endpoint with these secrets.
pub async fn create(
    tx: &mut Tx,
    new: &NewEndpoint,
    secrets: &Secrets,
    sealer: &Sealer,
    rng: &dyn Rng,
) -> Result<(), DbError> {
    match ensure(tx, new, secrets, sealer, rng).await? {
        true => Ok(()),
        false => Err(DbError::Duplicate),
    }
}

/// Stores an endpoint with these secrets, unless there is one with its id: that stays as it is.
/// True where it is new.
pub async fn ensure(
    tx: &mut Tx,
    new: &NewEndpoint,
    secrets: &Secrets,
    sealer: &Sealer,
    rng: &dyn Rng,
) -> Result<bool, DbError> {
    let NewEndpoint {
        id,
        url,
        events,
        created_at,
    } = new;
    execute!(
        tx,
        sqlx::query(
            "INSERT INTO webhook_endpoint (id, url, events, secrets, version, created_at) \
             VALUES ($1, $2, $3, $4, 1, $5) ON CONFLICT (id) DO NOTHING"
        )
        .bind(id)
        .bind(url)
        .bind(events.join(" "))
        .bind(sealed(id, secrets, sealer, rng))
        .bind(created_at.0)
    )
    .map(|rows| rows == 1)
}

fn sealed(id: &str, secrets: &Secrets, sealer: &Sealer, rng: &dyn Rng) -> Vec<u8> {
    let plain = serde_json::to_vec(secrets).expect("texts and numbers serialise");
    sealer.seal(&place(id), &plain, rng)
}

pub(super) fn opened(id: &str, bytes: &[u8], sealer: &Sealer) -> Result<Secrets, DbError> {
    let plain = sealer
        .open(&place(id), bytes)
        .map_err(|error| TABLE.invalid("secrets", error))?;
    serde_json::from_slice(&plain).map_err(|_| TABLE.invalid("secrets", "not readable").into())
}

/// All endpoints, oldest first. There are few.
pub async fn endpoints(db: &Db) -> Result<Vec<Endpoint>, DbError> {
    let rows = each!(db, p => sqlx::query_as::<_, EndpointRow>(
        "SELECT id, url, events, version, created_at, disabled_at FROM webhook_endpoint \
         ORDER BY id").fetch_all(p).await)?;
    Ok(rows.into_iter().map(Endpoint::from).collect())
}

/// One endpoint.
pub async fn endpoint(db: &Db, id: &str) -> Result<Option<Endpoint>, DbError> {
    let row = each!(db, p => sqlx::query_as::<_, EndpointRow>(
        "SELECT id, url, events, version, created_at, disabled_at FROM webhook_endpoint \
         WHERE id = $1").bind(id).fetch_optional(p).await)?;
    Ok(row.map(Endpoint::from))
}

/// Forgets an endpoint and what is on its way to it. False if there is none.
pub async fn remove(tx: &mut Tx, id: &str) -> Result<bool, DbError> {
    execute!(
        tx,
        sqlx::query("DELETE FROM webhook_delivery WHERE endpoint_id = $1").bind(id)
    )?;
    let rows = execute!(
        tx,
        sqlx::query("DELETE FROM webhook_endpoint WHERE id = $1").bind(id)
    )?;
    Ok(rows == 1)
}

/// What came of asking for a new secret.
#[derive(Debug, Clone)]
pub enum Rotated {
    /// The new secret, and the version of the endpoint now.
    Done(Secrets, i64),
    /// There is no such endpoint.
    Unknown,
    /// Somebody changed it in between: its secret may be one that nobody was told of.
    OtherVersion,
}

/// Makes a new secret for an endpoint of this version; the old one signs beside it for a day. An
/// endpoint that was given up is used again.
pub async fn rotate(
    tx: &mut Tx,
    id: &str,
    version: i64,
    sealer: &Sealer,
    rng: &dyn Rng,
    now: UnixTime,
) -> Result<Rotated, DbError> {
    tx.lock("webhook_endpoint").await?;
    let found = each!(tx, c => sqlx::query_as::<_, (Vec<u8>, i64)>(
        "SELECT secrets, version FROM webhook_endpoint WHERE id = $1")
        .bind(id).fetch_optional(c).await)?;
    let Some((bytes, found)) = found else {
        return Ok(Rotated::Unknown);
    };
    if found != version {
        return Ok(Rotated::OtherVersion);
    }
    let secrets = opened(id, &bytes, sealer)?.rotated(now, rng);
    execute!(
        tx,
        sqlx::query(
            "UPDATE webhook_endpoint SET secrets = $2, version = version + 1, disabled_at = NULL \
             WHERE id = $1"
        )
        .bind(id)
        .bind(sealed(id, &secrets, sealer, rng))
    )?;
    Ok(Rotated::Done(secrets, version + 1))
}

/// Writes a message for every endpoint that wants this event; returns for how many.
///
/// `id` is fresh, `event` a name of lower-case words and dots, `data` ids alone.
pub async fn publish(
    tx: &mut Tx,
    id: &str,
    event: &str,
    data: &Value,
    now: UnixTime,
) -> Result<u64, DbError> {
    let wanted = execute!(
        tx,
        sqlx::query(
            "INSERT INTO webhook_delivery (message_id, endpoint_id, attempts, next_at) \
             SELECT CAST($1 AS TEXT), id, 0, CAST($3 AS BIGINT) FROM webhook_endpoint \
             WHERE disabled_at IS NULL \
               AND (events = '' OR ' ' || events || ' ' LIKE '% ' || CAST($2 AS TEXT) || ' %')"
        )
        .bind(id)
        .bind(event)
        .bind(now.0)
    )?;
    if wanted > 0 {
        let timestamp = jiff::Timestamp::from_second(now.0).map(|at| at.to_string());
        // Standard Webhooks, "Payload structure": type, timestamp, data.
        let body = json!({
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
        )?;
    }
    Ok(wanted)
}

/// The newest deliveries to an endpoint, older than `before` where that is given.
pub async fn deliveries(
    db: &Db,
    endpoint: &str,
    before: Option<&str>,
    limit: u32,
) -> Result<Vec<DeliveryRow>, DbError> {
    each!(db, p => sqlx::query_as::<_, DeliveryRow>(
        "SELECT d.message_id, m.event, d.attempts, d.next_at, d.delivered_at, d.last_result, \
            m.created_at \
         FROM webhook_delivery d JOIN webhook_message m ON m.id = d.message_id \
         WHERE d.endpoint_id = $1 AND d.message_id < $2 ORDER BY d.message_id DESC LIMIT $3")
        .bind(endpoint).bind(before.unwrap_or("g")).bind(i64::from(limit)).fetch_all(p).await)
}

/// What came of asking for a message once more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Replay {
    /// It is sent again.
    Due,
    /// There is no such message to this endpoint.
    Unknown,
    /// Nothing is sent to the endpoint; a new secret wakes it.
    Disabled,
}

/// Sends a message again from the start, whatever became of it.
pub async fn replay(
    tx: &mut Tx,
    endpoint: &str,
    message: &str,
    now: UnixTime,
) -> Result<Replay, DbError> {
    let disabled = each!(tx, c => sqlx::query_scalar::<_, i64>(
        "SELECT disabled_at FROM webhook_endpoint WHERE id = $1 AND disabled_at IS NOT NULL")
        .bind(endpoint).fetch_optional(c).await)?;
    if disabled.is_some() {
        return Ok(Replay::Disabled);
    }
    let rows = execute!(
        tx,
        sqlx::query(
            "UPDATE webhook_delivery SET attempts = 0, next_at = $3, delivered_at = NULL \
             WHERE endpoint_id = $1 AND message_id = $2"
        )
        .bind(endpoint)
        .bind(message)
        .bind(now.0)
    )?;
    Ok(match rows {
        0 => Replay::Unknown,
        _ => Replay::Due,
    })
}

/// Forgets messages that are too old to be sent again, [`STEP`] of them at most.
pub async fn purge(tx: &mut Tx, now: UnixTime) -> Result<u64, DbError> {
    let before = now.plus(-KEPT_S).0;
    execute!(
        tx,
        sqlx::query(
            "DELETE FROM webhook_delivery WHERE message_id IN \
             (SELECT id FROM webhook_message WHERE created_at < $1 ORDER BY created_at, id LIMIT $2)"
        )
        .bind(before)
        .bind(i64::from(STEP))
    )?;
    execute!(
        tx,
        sqlx::query(
            "DELETE FROM webhook_message WHERE id IN \
             (SELECT id FROM webhook_message WHERE created_at < $1 ORDER BY created_at, id LIMIT $2)"
        )
        .bind(before)
        .bind(i64::from(STEP))
    )
}
