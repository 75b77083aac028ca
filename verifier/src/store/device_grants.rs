//! `device_grants` and `device_code_tries`: what devices wait for, and who guesses at their codes.
//! A body is sealed together with the row's id and state.

use serde::{Deserialize, Serialize};
use vouchsafe_credentials::time::UnixTime;
use vouchsafe_service::db::{Db, DbError, STEP, Table, Tx, each, execute};
use vouchsafe_service::delete_step;

use super::{StoreError, Vault};
use crate::domain::ids::{ClientId, DeviceGrantId, Secret, SecretDigest};
use crate::domain::place::Place;
use crate::domain::request::LoginRequest;

const TABLE: Table = Table("device_grants");

/// What a device asked for.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Asked {
    /// The login that it waits for.
    pub request: LoginRequest,
    /// Where it is, as far as its request tells.
    pub place: Place,
    /// When it asked.
    pub started_at: UnixTime,
    /// When its codes are over.
    pub expires_at: UnixTime,
}

/// A new row.
#[derive(Debug)]
pub struct NewDeviceGrant {
    /// What the device polls with.
    pub device: SecretDigest,
    /// What people type.
    pub user: SecretDigest,
    id: DeviceGrantId,
    client: ClientId,
    body: Vec<u8>,
    /// Seconds between two questions.
    pub interval_s: i64,
    /// When both codes are over.
    pub expires_at: UnixTime,
}

/// Seals what a device asked for.
pub fn seal(
    vault: &Vault,
    id: &DeviceGrantId,
    asked: &Asked,
    (device, user): (SecretDigest, SecretDigest),
    (interval_s, expires_at): (i64, UnixTime),
) -> Result<NewDeviceGrant, StoreError> {
    Ok(NewDeviceGrant {
        device,
        user,
        id: id.clone(),
        client: asked.request.client.clone(),
        body: vault.seal(&[TABLE.0, id.as_str(), "waiting"], asked)?,
        interval_s,
        expires_at,
    })
}

/// Writes a new row; `false` where another device shows the same code.
pub async fn insert(tx: &mut Tx, new: &NewDeviceGrant) -> Result<bool, DbError> {
    execute!(tx, sqlx::query(
        "INSERT INTO device_grants (id, device_hash, user_hash, client_id, state, body, interval_s, expires_at) \
         VALUES ($1, $2, $3, $4, 'waiting', $5, $6, $7) ON CONFLICT DO NOTHING")
        .bind(new.id.as_str()).bind(new.device.as_str()).bind(new.user.as_str())
        .bind(new.client.as_str()).bind(new.body.as_slice()).bind(new.interval_s).bind(new.expires_at.0))
        .map(|rows| rows == 1)
}

/// What waits under a code that people type.
pub async fn waiting(
    db: &Db,
    vault: &Vault,
    user: &SecretDigest,
    now: UnixTime,
) -> Result<Option<(DeviceGrantId, Asked)>, StoreError> {
    let row = each!(db, p => sqlx::query_as::<_, (String, Vec<u8>)>(
        "SELECT id, body FROM device_grants WHERE user_hash = $1 AND state = 'waiting' AND expires_at > $2")
        .bind(user.as_str()).bind(now.0).fetch_optional(p).await)?;
    let Some((id, body)) = row else {
        return Ok(None);
    };
    let asked = vault.open(TABLE, "body", &[TABLE.0, &id, "waiting"], &body)?;
    Ok(Some((DeviceGrantId::from_text(id), asked)))
}

/// A browser takes it on. Of any number of calls at once exactly one succeeds.
pub async fn claim(tx: &mut Tx, id: &DeviceGrantId, now: UnixTime) -> Result<bool, DbError> {
    execute!(tx, sqlx::query(
        "UPDATE device_grants SET state = 'claimed' WHERE id = $1 AND state = 'waiting' AND expires_at > $2")
        .bind(id.as_str()).bind(now.0)).map(|rows| rows == 1)
}

/// Until when a browser may still log in for a device; `None` where it does not wait: over, told
/// no, or logged in.
pub async fn claimed_until(
    db: &Db,
    id: &DeviceGrantId,
    now: UnixTime,
) -> Result<Option<UnixTime>, DbError> {
    let until = each!(db, p => sqlx::query_scalar::<_, i64>(
        "SELECT expires_at FROM device_grants WHERE id = $1 AND state = 'claimed' AND expires_at > $2")
        .bind(id.as_str()).bind(now.0).fetch_optional(p).await)?;
    Ok(until.map(UnixTime))
}

/// Holds the wait of a device until the transaction ends; `false` where it does not wait.
pub async fn hold(tx: &mut Tx, id: &DeviceGrantId, now: UnixTime) -> Result<bool, DbError> {
    // An update that changes nothing locks the row on PostgreSQL; SQLite has one writer.
    execute!(tx, sqlx::query(
        "UPDATE device_grants SET state = state WHERE id = $1 AND state = 'claimed' AND expires_at > $2")
        .bind(id.as_str()).bind(now.0)).map(|rows| rows == 1)
}

/// The person said no; `false` where it was over before.
pub async fn deny(tx: &mut Tx, id: &DeviceGrantId) -> Result<bool, DbError> {
    execute!(tx, sqlx::query(
        "UPDATE device_grants SET state = 'denied' WHERE id = $1 AND state IN ('waiting', 'claimed')")
        .bind(id.as_str())).map(|rows| rows == 1)
}

/// Seconds that a device has for its next question once the person has logged in.
const FETCH_S: i64 = 60;
/// No interval counts for more there, so that the wait does not outlive the code of the login.
const LONGEST_INTERVAL_S: i64 = 240;

/// The person has logged in: the device may fetch this code, and is given the time to ask for it.
pub async fn approve(
    tx: &mut Tx,
    vault: &Vault,
    id: &DeviceGrantId,
    code: &Secret,
    now: UnixTime,
) -> Result<bool, StoreError> {
    let body = vault.seal(&[TABLE.0, id.as_str(), "approved"], &code.reveal())?;
    let rows = execute!(
        tx,
        sqlx::query(
            "UPDATE device_grants SET state = 'approved', body = $1, expires_at = CASE \
         WHEN expires_at > $3 + $4 + CASE WHEN interval_s < $5 THEN interval_s ELSE $5 END THEN expires_at \
         ELSE $3 + $4 + CASE WHEN interval_s < $5 THEN interval_s ELSE $5 END END \
         WHERE id = $2 AND state = 'claimed' AND expires_at > $3"
        )
        .bind(body.as_slice())
        .bind(id.as_str())
        .bind(now.0)
        .bind(FETCH_S)
        .bind(LONGEST_INTERVAL_S)
    )?;
    Ok(rows == 1)
}

/// What a device hears.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Heard {
    /// Ask again.
    Pending,
    /// Ask again, and less often from now on.
    SlowDown,
    /// The person said no.
    Denied,
    /// The time is over.
    Expired,
    /// Not a code of this client, or used before.
    Unknown,
}

/// The code of the login that a device waited for. To read it spends nothing: that is
/// [`redeem`], in the transaction that brings the tokens.
pub async fn approved(
    db: &Db,
    vault: &Vault,
    device: &SecretDigest,
    client: &ClientId,
    now: UnixTime,
) -> Result<Option<Secret>, StoreError> {
    let row = each!(db, p => sqlx::query_as::<_, (String, Vec<u8>)>(
        "SELECT id, body FROM device_grants \
         WHERE device_hash = $1 AND client_id = $2 AND state = 'approved' AND expires_at > $3")
        .bind(device.as_str()).bind(client.as_str()).bind(now.0).fetch_optional(p).await)?;
    let Some((id, body)) = row else {
        return Ok(None);
    };
    let code: String = vault.open(TABLE, "body", &[TABLE.0, &id, "approved"], &body)?;
    Ok(Secret::parse(&code))
}

/// A device takes its tokens. Of any number of calls at once exactly one succeeds.
pub async fn redeem(tx: &mut Tx, device: &SecretDigest, now: UnixTime) -> Result<bool, DbError> {
    execute!(
        tx,
        sqlx::query(
            "UPDATE device_grants SET state = 'redeemed' \
         WHERE device_hash = $1 AND state = 'approved' AND expires_at > $2"
        )
        .bind(device.as_str())
        .bind(now.0)
    )
    .map(|rows| rows == 1)
}

/// A device asks, and there is nothing for it yet.
pub async fn poll(
    tx: &mut Tx,
    device: &SecretDigest,
    client: &ClientId,
    slower_s: i64,
    now: UnixTime,
) -> Result<Heard, DbError> {
    // Whole seconds on both sides: one of them is forgiven.
    let hurried = execute!(tx, sqlx::query(
        "UPDATE device_grants SET interval_s = interval_s + $1, polled_at = $2 \
         WHERE device_hash = $3 AND client_id = $4 AND state IN ('waiting', 'claimed') AND expires_at > $2 \
         AND polled_at + interval_s - 1 > $2")
        .bind(slower_s).bind(now.0).bind(device.as_str()).bind(client.as_str()))?;
    if hurried == 1 {
        return Ok(Heard::SlowDown);
    }
    let pending = execute!(tx, sqlx::query(
        "UPDATE device_grants SET polled_at = $1 \
         WHERE device_hash = $2 AND client_id = $3 AND state IN ('waiting', 'claimed') AND expires_at > $1")
        .bind(now.0).bind(device.as_str()).bind(client.as_str()))?;
    if pending == 1 {
        return Ok(Heard::Pending);
    }
    let over = each!(tx, c => sqlx::query_as::<_, (String, i64)>(
        "SELECT state, expires_at FROM device_grants WHERE device_hash = $1 AND client_id = $2")
        .bind(device.as_str()).bind(client.as_str()).fetch_optional(c).await)?;
    Ok(match over {
        None => Heard::Unknown,
        Some((state, _)) if state == "denied" => Heard::Denied,
        Some((state, _)) if state == "redeemed" => Heard::Unknown,
        Some((_, expires_at)) if now.0 >= expires_at => Heard::Expired,
        // It was approved a moment ago.
        Some(_) => Heard::Pending,
    })
}

/// How many tries there were lately from a network.
pub async fn tries(db: &Db, network: &str, now: UnixTime) -> Result<i64, DbError> {
    let tries = each!(db, p => sqlx::query_scalar::<_, i64>(
        "SELECT tries FROM device_code_tries WHERE network = $1 AND expires_at > $2")
        .bind(network).bind(now.0).fetch_optional(p).await)?;
    Ok(tries.unwrap_or_default())
}

/// Counts a try before it is judged, so that tries at once do not share one; how many there were
/// lately from this network, with this one.
pub async fn count_try(
    tx: &mut Tx,
    network: &str,
    window_s: i64,
    now: UnixTime,
) -> Result<i64, DbError> {
    each!(tx, c => sqlx::query_scalar::<_, i64>(
        "INSERT INTO device_code_tries (network, tries, expires_at) VALUES ($1, 1, $2) \
         ON CONFLICT (network) DO UPDATE SET \
         tries = CASE WHEN device_code_tries.expires_at > $3 THEN device_code_tries.tries + 1 ELSE 1 END, \
         expires_at = CASE WHEN device_code_tries.expires_at > $3 THEN device_code_tries.expires_at ELSE $2 END \
         RETURNING tries")
        .bind(network).bind(now.plus(window_s).0).bind(now.0).fetch_one(c).await)
}

/// A try that was right does not count.
pub async fn forgive_try(tx: &mut Tx, network: &str) -> Result<(), DbError> {
    execute!(
        tx,
        sqlx::query(
            "UPDATE device_code_tries SET tries = tries - 1 WHERE network = $1 AND tries > 0"
        )
        .bind(network)
    )?;
    Ok(())
}

/// Deletes codes that expired before `before`, [`STEP`] of them at most.
pub async fn purge(tx: &mut Tx, before: UnixTime) -> Result<u64, DbError> {
    execute!(
        tx,
        sqlx::query(delete_step!("device_grants", "id", "expires_at < $1"))
            .bind(before.0)
            .bind(i64::from(STEP))
    )
}

/// Deletes tries that expired before `before`, [`STEP`] of them at most.
pub async fn purge_tries(tx: &mut Tx, before: UnixTime) -> Result<u64, DbError> {
    execute!(
        tx,
        sqlx::query(delete_step!(
            "device_code_tries",
            "network",
            "expires_at < $1"
        ))
        .bind(before.0)
        .bind(i64::from(STEP))
    )
}
