//! Sign-ins under way: one row each, found by `state`, good once and for one browser.
//!
//! What is kept is sealed under a key that follows from `state`, which the browser alone carries.

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use sha2::{Digest, Sha256};
use vouchsafe_credentials::{encoding::b64url, random::Rng, time::UnixTime};
use zeroize::Zeroizing;

use super::begin::Pending;
use crate::db::{Db, DbError};
use crate::seal::{Place, Sealer};
use crate::single_use::{self, Kind, NewObject};

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row<T> {
    browser: String,
    pending: Pending,
    what: T,
}

/// Keeps a sign-in until `expires_at`.
///
/// `purpose` is whose it is, `browser` the secret of the browser's cookie, `what` what the caller
/// wants to find again.
pub async fn keep<T: Serialize>(
    db: &Db,
    purpose: &str,
    browser: &str,
    pending: &Pending,
    what: &T,
    (expires_at, rng): (UnixTime, &dyn Rng),
) -> Result<(), DbError> {
    let row = Row {
        browser: digest(browser),
        pending: pending.clone(),
        what,
    };
    let plain = serde_json::to_vec(&row).map(Zeroizing::new);
    let plain = plain.expect("what is kept of a sign-in serialises");
    let (sealer, place) = sealer(purpose, pending.state());
    let object = NewObject {
        payload: sealer.seal(&place, &plain, rng),
        family: String::new(),
        expires_at,
    };
    let state = pending.state().to_owned();
    db.write(async move |tx| single_use::put(tx, Kind::BrowserReturn, &state, &object).await)
        .await
}

/// Takes the sign-in of a `state` for the browser that began it. `None`: there is none, it is over,
/// it was taken before, or another browser began it. Another browser takes nothing away.
pub async fn take<T: DeserializeOwned>(
    db: &Db,
    purpose: &str,
    browser: &str,
    state: &str,
    now: UnixTime,
) -> Result<Option<(Pending, T)>, DbError> {
    let kind = Kind::BrowserReturn;
    let Some(sealed) = single_use::peek(db, kind, state, now).await? else {
        return Ok(None);
    };
    let (sealer, place) = sealer(purpose, state);
    // Not of another browser, which is nobody's fault: of another purpose, or damaged.
    let Ok(plain) = sealer.open(&place, &sealed) else {
        tracing::warn!(purpose, "a sign-in under way does not open");
        return Ok(None);
    };
    let Ok(row) = serde_json::from_slice::<Row<T>>(&plain) else {
        tracing::error!(purpose, "a sign-in under way cannot be read");
        return Ok(None);
    };
    if row.browser != digest(browser) {
        return Ok(None);
    }
    let taken = single_use::consume_now(db, kind, state, now).await?;
    Ok(taken.taken().map(|_| (row.pending, row.what)))
}

fn sealer(purpose: &str, state: &str) -> (Sealer, Place) {
    let sealer = Sealer::under_token("upstream sign-in", state);
    (sealer, Place::new(&["upstream", purpose]))
}

fn digest(browser: &str) -> String {
    b64url(&Sha256::digest(
        [b"upstream browser ", browser.as_bytes()].concat(),
    ))
}
