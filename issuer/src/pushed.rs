//! Pushed authorization requests of wallets (RFC 9126), on the shelf of the service crate.

use serde::{Deserialize, Serialize};
use vouchsafe_protocol::oauth::{Params, pushed};
use vouchsafe_service::db::DbError;
pub use vouchsafe_service::pushed::purge;
use vouchsafe_service::pushed::{self as shelf, Life, Shelf};

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

/// The parameters of a request that say something, and nothing else. `client_id` is the one that
/// was authenticated.
pub fn known(params: &Params, client_id: &str) -> String {
    pushed::known(params, client_id, &KNOWN)
}

/// Keeps a request; returns its `request_uri`.
pub async fn keep(core: &Core, request: PushedRequest) -> Result<String, DbError> {
    let lifetimes = &core.settings.lifetimes;
    let life = Life {
        loadable_s: lifetimes.pushed_s,
        page_s: lifetimes.page_s,
    };
    let client_id = request.client_id.clone();
    shelf::keep(of(core), &*core.rng, (&client_id, request), life).await
}

/// The request behind a `request_uri` that its page may be loaded for now, and the secret to use
/// it up with. Uses nothing up.
pub async fn load(
    core: &Core,
    request_uri: &str,
    client_id: &str,
) -> Result<Option<(PushedRequest, Secret)>, DbError> {
    let found = shelf::load::<PushedRequest>(of(core), request_uri, client_id).await?;
    Ok(found.map(|(request, secret)| (request, Secret::received(&secret))))
}

fn of(core: &Core) -> Shelf<'_> {
    Shelf {
        db: &core.db,
        purpose: "issuer pushed request",
        now: core.clock.now(),
    }
}
