//! Devices without a browser (RFC 8628): they show a code, a person types it here, and the login
//! goes its usual way. What it brings waits until the device asks for it.

use std::net::IpAddr;

use vouchsafe_protocol::oauth::device::UserCode;
use vouchsafe_service::db::DbError;

use super::{DEVICE_INTERVAL_S, DEVICE_S};
use crate::app::Parts;
use crate::config::Client;
use crate::domain::ids::{DeviceGrantId, Secret, SecretDigest};
use crate::domain::place::Place;
use crate::domain::request::{Back, LoginRequest};
use crate::store::StoreError;
use crate::store::device_grants::{self, Asked, Heard};

/// Wrong codes that one network may type in [`TRIES_S`] seconds (RFC 8628, section 5.1): with 34.5
/// bits and codes of five minutes, one network finds one of a thousand live codes once in seventy
/// years.
const TRIES: i64 = 10;
/// Seconds that wrong codes are remembered.
pub const TRIES_S: i64 = 900;
/// Codes that are drawn before it is a fault that all of them are taken.
const DRAWS: usize = 8;

/// The two codes of a device.
#[derive(Debug)]
pub struct Codes {
    /// What it polls with.
    pub device: Secret,
    /// What it shows.
    pub user: UserCode,
}

/// Why a device gets no codes.
#[derive(Debug, thiserror::Error)]
pub enum BeginError {
    /// Every code that was drawn is taken.
    #[error("no free user code was found")]
    NoCode,
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<DbError> for BeginError {
    fn from(error: DbError) -> Self {
        Self::Store(error.into())
    }
}

/// A device begins to wait for a login.
pub async fn begin(app: &Parts, request: LoginRequest, place: Place) -> Result<Codes, BeginError> {
    let now = app.now();
    let id = DeviceGrantId::random(app.rng.as_ref());
    let asked = Asked {
        request: LoginRequest {
            back: Back::Device { device: id.clone() },
            ..request
        },
        place,
        started_at: now,
        expires_at: now.plus(DEVICE_S),
    };
    let device = Secret::random(app.rng.as_ref());
    for _ in 0..DRAWS {
        let user = UserCode::random(app.rng.as_ref());
        let digests = (device.digest(), app.user_code_key.digest(&user));
        let times = (DEVICE_INTERVAL_S, asked.expires_at);
        let row = device_grants::seal(&app.vault, &id, &asked, digests, times)?;
        let free = app
            .db
            .write(async move |tx| device_grants::insert(tx, &row).await)
            .await?;
        if free {
            return Ok(Codes { device, user });
        }
    }
    Err(BeginError::NoCode)
}

/// Why nothing is shown for a code that was typed.
#[derive(Debug, thiserror::Error)]
pub enum FindError {
    /// No device waits under it: wrong, over, or taken on before.
    #[error("no device waits under this code")]
    Unknown,
    /// Too many wrong ones from this network.
    #[error("too many wrong codes from this network")]
    TooMany,
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<DbError> for FindError {
    fn from(error: DbError) -> Self {
        Self::Store(error.into())
    }
}

/// The device behind a code that was typed in a browser of this network.
pub async fn find(
    app: &Parts,
    network: IpAddr,
    typed: &str,
) -> Result<(DeviceGrantId, Asked), FindError> {
    let (network, now) = (network.to_string(), app.now());
    // Who is blocked makes no more work than this.
    if device_grants::tries(&app.db, &network, now).await? >= TRIES {
        return Err(too_many());
    }
    let counted = network.clone();
    let tries = app
        .db
        .write(async move |tx| device_grants::count_try(tx, &counted, TRIES_S, now).await)
        .await?;
    if tries > TRIES {
        return Err(too_many());
    }
    let code = UserCode::parse(typed).ok_or(FindError::Unknown)?;
    let digest = app.user_code_key.digest(&code);
    let found = device_grants::waiting(&app.db, &app.vault, &digest, now).await?;
    let found = found.ok_or(FindError::Unknown)?;
    app.db
        .write(async move |tx| device_grants::forgive_try(tx, &network).await)
        .await?;
    Ok(found)
}

fn too_many() -> FindError {
    metrics::counter!("vouchsafe_device_codes_refused_total").increment(1);
    FindError::TooMany
}

/// Whether whoever asked for this login still waits for it. An application always does.
pub async fn waits(app: &Parts, request: &LoginRequest) -> Result<bool, StoreError> {
    match request.device() {
        None => Ok(true),
        Some(device) => {
            let until = device_grants::claimed_until(&app.db, device, app.now()).await?;
            Ok(until.is_some())
        }
    }
}

/// The person said no, before the login or in it.
pub async fn deny(app: &Parts, request: &LoginRequest) -> Result<(), StoreError> {
    if let Some(device) = request.device().cloned() {
        app.db
            .write(async move |tx| device_grants::deny(tx, &device).await)
            .await?;
        tracing::info!("login of a device refused");
    }
    Ok(())
}

/// Why a device gets no tokens yet, or ever.
#[derive(Debug, thiserror::Error)]
pub enum TakeError {
    /// It may not use this grant.
    #[error("the client is not registered for devices")]
    Client,
    /// Section 3.5.
    #[error("the device has to wait or is over: {0:?}")]
    Heard(Heard),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<DbError> for TakeError {
    fn from(error: DbError) -> Self {
        Self::Store(error.into())
    }
}

/// The code of the login that a device waited for, and the device. It is redeemed as any other with
/// an empty `redirect_uri`, which no request can name; until then nothing is spent.
pub async fn take(
    app: &Parts,
    client: &Client,
    device_code: &str,
) -> Result<(Secret, SecretDigest), TakeError> {
    if !client.device {
        return Err(TakeError::Client);
    }
    let code = Secret::parse(device_code).ok_or(TakeError::Heard(Heard::Unknown))?;
    let (digest, client, now) = (code.digest(), client.id.clone(), app.now());
    let code = device_grants::approved(&app.db, &app.vault, &digest, &client, now).await?;
    if let Some(code) = code {
        return Ok((code, digest));
    }
    let heard = app
        .db
        .write(async move |tx| {
            device_grants::poll(tx, &digest, &client, DEVICE_INTERVAL_S, now).await
        })
        .await?;
    Err(TakeError::Heard(heard))
}
