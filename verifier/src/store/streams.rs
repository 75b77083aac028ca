//! `event_streams`: what applications want to be told of, and how.

use serde::{Deserialize, Serialize};
use vouchsafe_credentials::time::UnixTime;
use vouchsafe_protocol::oauth::values::Secret;
use vouchsafe_protocol::ssf::stream::{Delivery, StreamStatus};
use vouchsafe_service::db::{Db, DbError, Table, Tx, each, execute};

use super::{StoreError, Vault};
use crate::domain::ids::ClientId;

const TABLE: Table = Table("event_streams");

/// A stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stream {
    /// Its name.
    pub id: String,
    /// The application.
    pub client: ClientId,
    /// Events that were asked for.
    pub events_requested: Vec<String>,
    /// How they are delivered.
    pub delivery: Delivery,
    /// What the application says of it.
    pub description: Option<String>,
    /// Its state.
    pub status: StreamStatus,
    /// Why it has that state.
    pub reason: Option<String>,
    /// When it was verified last.
    pub verified_at: UnixTime,
}

#[derive(sqlx::FromRow)]
struct Row {
    id: String,
    client_id: String,
    events: String,
    delivery: Vec<u8>,
    description: Option<String>,
    status: String,
    reason: Option<String>,
    verified_at: i64,
}

/// What is sealed.
#[derive(Serialize, Deserialize)]
struct Sealed {
    push: Option<Endpoint>,
}

#[derive(Serialize, Deserialize)]
struct Endpoint {
    url: url::Url,
    authorization: Option<String>,
}

impl From<&Delivery> for Sealed {
    fn from(delivery: &Delivery) -> Self {
        let Delivery::Push {
            endpoint,
            authorization,
        } = delivery
        else {
            return Self { push: None };
        };
        let authorization = authorization.as_ref();
        Self {
            push: Some(Endpoint {
                url: endpoint.clone(),
                authorization: authorization.map(|secret| secret.expose().to_owned()),
            }),
        }
    }
}

fn seal(vault: &Vault, id: &str, delivery: &Delivery) -> Result<Vec<u8>, StoreError> {
    vault.seal(&["event_streams", "delivery", id], &Sealed::from(delivery))
}

impl Row {
    fn read(self, vault: &Vault) -> Result<Stream, StoreError> {
        let place = ["event_streams", "delivery", self.id.as_str()];
        let sealed: Sealed = vault.open(TABLE, "delivery", &place, &self.delivery)?;
        let delivery = match sealed.push {
            None => Delivery::Poll,
            Some(Endpoint { url, authorization }) => Delivery::Push {
                endpoint: url,
                authorization: authorization.map(Secret::new),
            },
        };
        let status = StreamStatus::from_name(&self.status)
            .ok_or_else(|| TABLE.invalid("status", "no state"))?;
        let events_requested = serde_json::from_str(&self.events)
            .map_err(|_| TABLE.invalid("events", "no list of texts"))?;
        Ok(Stream {
            id: self.id,
            client: ClientId::from_text(self.client_id),
            events_requested,
            delivery,
            description: self.description,
            status,
            reason: self.reason,
            verified_at: UnixTime(self.verified_at),
        })
    }
}

/// Writes a new stream; `false` where the application has one.
pub async fn insert(
    tx: &mut Tx,
    vault: &Vault,
    stream: &Stream,
    now: UnixTime,
) -> Result<bool, StoreError> {
    let sealed = seal(vault, &stream.id, &stream.delivery)?;
    let events = serde_json::to_string(&stream.events_requested).map_err(StoreError::Serialise)?;
    let written = execute!(tx, sqlx::query(
        "INSERT INTO event_streams (id, client_id, events, pushed, delivery, description, status, reason, verified_at, created_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (client_id) DO NOTHING")
        .bind(stream.id.as_str()).bind(stream.client.as_str()).bind(events)
        .bind(pushed(&stream.delivery)).bind(sealed).bind(stream.description.as_deref())
        .bind(stream.status.as_str()).bind(stream.reason.as_deref()).bind(stream.verified_at.0).bind(now.0))?;
    Ok(written == 1)
}

fn pushed(delivery: &Delivery) -> i64 {
    i64::from(matches!(delivery, Delivery::Push { .. }))
}

/// Writes what a stream has become.
pub async fn update(tx: &mut Tx, vault: &Vault, stream: &Stream) -> Result<(), StoreError> {
    let sealed = seal(vault, &stream.id, &stream.delivery)?;
    let events = serde_json::to_string(&stream.events_requested).map_err(StoreError::Serialise)?;
    execute!(tx, sqlx::query(
        "UPDATE event_streams SET events = $1, pushed = $2, delivery = $3, description = $4, status = $5, \
         reason = $6, verified_at = $7 WHERE id = $8")
        .bind(events).bind(pushed(&stream.delivery)).bind(sealed).bind(stream.description.as_deref())
        .bind(stream.status.as_str()).bind(stream.reason.as_deref()).bind(stream.verified_at.0)
        .bind(stream.id.as_str()))?;
    Ok(())
}

const COLUMNS: &str = "id, client_id, events, delivery, description, status, reason, verified_at";

/// The stream of an application.
pub async fn of_client(
    db: &Db,
    vault: &Vault,
    client: &ClientId,
) -> Result<Option<Stream>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM event_streams WHERE client_id = $1");
    let row = each!(db, p => sqlx::query_as::<_, Row>(sqlx::AssertSqlSafe(sql.clone()))
        .bind(client.as_str()).fetch_optional(p).await)?;
    row.map(|row| row.read(vault)).transpose()
}

/// The same inside a transaction that will change it.
pub async fn to_change(
    tx: &mut Tx,
    vault: &Vault,
    client: &ClientId,
    id: &str,
) -> Result<Option<Stream>, StoreError> {
    // A write holds the row: two changes at once come one after the other.
    execute!(
        tx,
        sqlx::query("UPDATE event_streams SET id = id WHERE id = $1").bind(id)
    )?;
    let sql = format!("SELECT {COLUMNS} FROM event_streams WHERE client_id = $1 AND id = $2");
    let row = each!(tx, c => sqlx::query_as::<_, Row>(sqlx::AssertSqlSafe(sql.clone()))
        .bind(client.as_str()).bind(id).fetch_optional(c).await)?;
    row.map(|row| row.read(vault)).transpose()
}

/// The stream of an application inside the transaction that has an event for it: its name and what
/// was asked for, unless it is disabled. It is not changed before the transaction ends.
pub async fn that_takes(
    tx: &mut Tx,
    client: &ClientId,
) -> Result<Option<(String, String)>, DbError> {
    each!(tx, c => sqlx::query_as::<_, (String, String)>(
        "UPDATE event_streams SET id = id WHERE client_id = $1 AND status <> 'disabled' RETURNING id, events")
        .bind(client.as_str()).fetch_optional(c).await)
}

/// The stream of an event.
pub async fn find(db: &Db, vault: &Vault, id: &str) -> Result<Option<Stream>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM event_streams WHERE id = $1");
    let row = each!(db, p => sqlx::query_as::<_, Row>(sqlx::AssertSqlSafe(sql.clone()))
        .bind(id).fetch_optional(p).await)?;
    row.map(|row| row.read(vault)).transpose()
}

/// Every stream and its application.
pub async fn all(db: &Db) -> Result<Vec<(String, ClientId)>, DbError> {
    let rows = each!(db, p => sqlx::query_as::<_, (String, String)>(
        "SELECT id, client_id FROM event_streams").fetch_all(p).await)?;
    let named = |(id, client)| (id, ClientId::from_text(client));
    Ok(rows.into_iter().map(named).collect())
}

/// Deletes a stream and what waits in it; `false` where the application has none of this name.
pub async fn remove(tx: &mut Tx, client: &ClientId, id: &str) -> Result<bool, DbError> {
    let removed = execute!(
        tx,
        sqlx::query("DELETE FROM event_streams WHERE client_id = $1 AND id = $2")
            .bind(client.as_str())
            .bind(id)
    )?;
    if removed == 1 {
        super::stream_events::remove_all(tx, id).await?;
    }
    Ok(removed == 1)
}
