//! Pushed authorization requests (RFC 9126): kept under a secret that is the end of the
//! `request_uri`, sealed under it, used up when the code is made.
//!
//! A browser may load the page again before the person has decided (FAPI 2.0, section 5.3.2.2,
//! note on `request_uri`), so loading uses nothing up.

use serde::{Deserialize, Serialize};
use vouchsafe_credentials::time::UnixTime;
use vouchsafe_protocol::oauth::Params;
use vouchsafe_service::db::{DbError, Tx};
use vouchsafe_service::seal::{Place, Sealer};
use vouchsafe_service::single_use::{self, Kind, NewObject};

use crate::core::Core;
use crate::domain::secret::Secret;

/// What this service reads of an authorization request (RFC 6749, section 4.1.1; RFC 7636; RFC
/// 9449, section 10; OpenID4VCI 1.0, section 5.1).
const KNOWN: [&str; 11] = [
    "response_type",
    "response_mode",
    "redirect_uri",
    "scope",
    "state",
    "code_challenge",
    "code_challenge_method",
    "dpop_jkt",
    "authorization_details",
    "issuer_state",
    "ui_locales",
];
/// What every `request_uri` begins with (RFC 9126, section 2.2).
pub const PREFIX: &str = "urn:ietf:params:oauth:request_uri:";
/// Parameters that authenticate the client and are no part of the request.
const CREDENTIALS: [&str; 3] = ["client_assertion", "client_assertion_type", "client_secret"];

/// A request that a wallet pushed, authenticated.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PushedRequest {
    /// Whose it is.
    pub client_id: String,
    /// The parameters, encoded as a form.
    pub text: String,
    /// The DPoP key that the token request must prove.
    pub dpop_jkt: Option<String>,
    /// Thumbprint of the attested key of the wallet's instance.
    pub instance: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    request: PushedRequest,
    /// Until when the page may be loaded, UNIX seconds.
    loadable_until: i64,
}

/// The parameters of a request without those that authenticate. `client_id` is the one that was
/// authenticated.
pub fn without_credentials(params: &Params, client_id: &str) -> String {
    let mut text = url::form_urlencoded::Serializer::new(String::new());
    text.append_pair("client_id", client_id);
    for (name, value) in params.iter() {
        if name != "client_id" && !CREDENTIALS.contains(&name) {
            text.append_pair(name, value);
        }
    }
    text.finish()
}

/// The parameters of a request that say something, and nothing else. `client_id` is the one that
/// was authenticated.
pub fn known(params: &Params, client_id: &str) -> String {
    let mut text = url::form_urlencoded::Serializer::new(String::new());
    text.append_pair("client_id", client_id);
    for (name, value) in params.iter() {
        if KNOWN.contains(&name) {
            text.append_pair(name, value);
        }
    }
    text.finish()
}

/// Deletes requests that are over, used or not: nothing follows from one that comes twice.
pub async fn purge(tx: &mut Tx, now: UnixTime) -> Result<u64, DbError> {
    single_use::purge_kind(tx, Kind::PushedRequest, now).await
}

/// Keeps a request; returns its `request_uri`.
pub async fn keep(core: &Core, request: PushedRequest) -> Result<String, DbError> {
    let (lifetimes, now) = (&core.settings.lifetimes, core.clock.now());
    let secret = Secret::generate(&*core.rng);
    let kept = Kept {
        loadable_until: now.plus(lifetimes.pushed_s).0,
        request,
    };
    let plain = serde_json::to_vec(&kept).expect("a struct of strings and numbers serialises");
    let (sealer, place) = sealer(&secret);
    let object = NewObject {
        payload: sealer.seal(&place, &plain, &*core.rng),
        family: kept.request.client_id,
        // The page that it opens lives on.
        expires_at: now.plus(lifetimes.pushed_s + lifetimes.page_s),
    };
    let request_uri = format!("{PREFIX}{}", secret.expose());
    core.db
        .write(async move |tx| {
            single_use::put(tx, Kind::PushedRequest, secret.expose(), &object).await
        })
        .await?;
    Ok(request_uri)
}

/// The request behind a `request_uri` that its page may be loaded for now, and the secret to use
/// it up with. Uses nothing up.
pub async fn load(
    core: &Core,
    request_uri: &str,
    client_id: &str,
) -> Result<Option<(PushedRequest, Secret)>, DbError> {
    let Some(secret) = request_uri.strip_prefix(PREFIX) else {
        return Ok(None);
    };
    let (secret, now) = (Secret::received(secret), core.clock.now());
    let kind = Kind::PushedRequest;
    let Some(sealed) = single_use::peek(&core.db, kind, secret.expose(), now).await? else {
        return Ok(None);
    };
    let (sealer, place) = sealer(&secret);
    let Ok(plain) = sealer.open(&place, &sealed) else {
        return Ok(None);
    };
    let Ok(kept) = serde_json::from_slice::<Kept>(&plain) else {
        return Ok(None);
    };
    // RFC 9126, sections 2.2 and 4: it ends, and it is bound to the client.
    let good = now < UnixTime(kept.loadable_until) && kept.request.client_id == client_id;
    Ok(good.then_some((kept.request, secret)))
}

fn sealer(secret: &Secret) -> (Sealer, Place) {
    let sealer = Sealer::under_token("issuer pushed request", secret.expose());
    (sealer, Place::new(&["pushed_request", "payload"]))
}
