//! Pushed authorization requests (RFC 9126): kept under a secret that is the end of the
//! `request_uri`, sealed under it, used up when the code is made.
//!
//! A browser may load the page again before the person has decided (FAPI 2.0, section 5.3.2.2,
//! note on `request_uri`), so loading uses nothing up.

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use vouchsafe_credentials::{
    random::{Rng, token},
    time::UnixTime,
};
use vouchsafe_protocol::oauth::pushed::PREFIX;

use crate::db::{Db, DbError, Tx};
use crate::seal::{Place, Sealer};
use crate::single_use::{self, Consumed, Kind, NewObject};

/// Where the requests of one service are kept.
#[derive(Clone, Copy)]
pub struct Shelf<'a> {
    /// The database.
    pub db: &'a Db,
    /// Sets the requests of one service apart from those of another.
    pub purpose: &'static str,
    /// The time now.
    pub now: UnixTime,
}

impl std::fmt::Debug for Shelf<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Shelf")
    }
}

/// How long a request lives, in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Life {
    /// So long its page may be loaded.
    pub loadable_s: i64,
    /// So long the page that it opened lives on.
    pub page_s: i64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept<T> {
    request: T,
    /// Whose it is; a request of an earlier version says it by its family alone.
    #[serde(default)]
    client_id: Option<String>,
    /// Until when the page may be loaded, UNIX seconds.
    loadable_until: i64,
}

/// Keeps a request; returns its `request_uri`.
///
/// # Errors
/// [`DbError`].
///
/// # Panics
/// Where the request does not serialise, which is a fault of ours.
pub async fn keep<T: Serialize>(
    shelf: Shelf<'_>,
    rng: &dyn Rng,
    (client_id, request): (&str, T),
    life: Life,
) -> Result<String, DbError> {
    let Shelf { db, purpose, now } = shelf;
    let secret = token(rng);
    let kept = Kept {
        request,
        client_id: Some(client_id.to_owned()),
        loadable_until: now.plus(life.loadable_s).0,
    };
    let plain = serde_json::to_vec(&kept).expect("a struct of strings and numbers serialises");
    let (sealer, place) = sealer(purpose, &secret);
    let object = NewObject {
        payload: sealer.seal(&place, &plain, rng),
        family: client_id.to_owned(),
        expires_at: now.plus(life.loadable_s + life.page_s),
    };
    let request_uri = format!("{PREFIX}{secret}");
    db.write(async move |tx| single_use::put(tx, Kind::PushedRequest, &secret, &object).await)
        .await?;
    Ok(request_uri)
}

/// The request behind a `request_uri` that its page may be loaded for now, and the secret to use
/// it up with. Uses nothing up.
///
/// # Errors
/// [`DbError`].
pub async fn load<T: DeserializeOwned>(
    shelf: Shelf<'_>,
    request_uri: &str,
    client_id: &str,
) -> Result<Option<(T, String)>, DbError> {
    let Shelf { db, purpose, now } = shelf;
    let Some(secret) = request_uri.strip_prefix(PREFIX) else {
        return Ok(None);
    };
    let Some(sealed) = single_use::peek(db, Kind::PushedRequest, secret, now).await? else {
        return Ok(None);
    };
    let (sealer, place) = sealer(purpose, secret);
    let Ok(plain) = sealer.open(&place, &sealed) else {
        return Ok(None);
    };
    let Ok(kept) = serde_json::from_slice::<Kept<T>>(&plain) else {
        return Ok(None);
    };
    let owner = match kept.client_id {
        Some(owner) => Some(owner),
        None => single_use::peek_family(db, Kind::PushedRequest, secret, now).await?,
    };
    // RFC 9126, sections 2.2 and 4: it ends, and it is bound to the client.
    let good = now < UnixTime(kept.loadable_until) && owner.as_deref() == Some(client_id);
    Ok(good.then(|| (kept.request, secret.to_owned())))
}

/// Uses a request up with the code that it brings, or for the login that may still bring it; `false` where
/// it was used up before, or is over (RFC 9126, section 7.3).
///
/// # Errors
/// [`DbError`].
pub async fn use_up(tx: &mut Tx, secret: &str, now: UnixTime) -> Result<bool, DbError> {
    let consumed = single_use::consume(tx, Kind::PushedRequest, secret, now).await?;
    Ok(matches!(consumed, Consumed::Taken { .. }))
}

/// Deletes requests that are over, used or not and a step of them at most: nothing follows from one
/// that comes twice.
///
/// # Errors
/// [`DbError`].
pub async fn purge(tx: &mut Tx, now: UnixTime) -> Result<u64, DbError> {
    single_use::purge_kind(tx, Kind::PushedRequest, now).await
}

fn sealer(purpose: &str, secret: &str) -> (Sealer, Place) {
    let sealer = Sealer::under_token(purpose, secret);
    (sealer, Place::new(&["pushed_request", "payload"]))
}
