//! Pushed authorization requests of applications (RFC 9126), on the shelf of the service crate.

use serde::{Deserialize, Serialize};
use url::form_urlencoded::Serializer;
use vouchsafe_protocol::oauth::params::Params;
use vouchsafe_protocol::oauth::pushed;
use vouchsafe_service::db::DbError;
use vouchsafe_service::pushed::{self as shelf, Life, Shelf};

use crate::app::Parts;
use crate::domain::ids::ClientId;
use crate::login::LOGIN_S;

/// Seconds that the page of a pushed request may be loaded.
pub const PUSHED_S: i64 = 60;

/// So many logins, one after the other, may come of one request before it is over.
const AGAIN_LOGINS: i64 = 4;

/// Longest request that is kept, in bytes of its form.
const MAX_LENGTH: usize = 8 << 10;

/// Why a request is not kept.
#[derive(Debug, thiserror::Error)]
pub enum KeepError {
    /// Longer than any request that says what we read.
    #[error("the request is too long")]
    TooLong,
    /// The database.
    #[error(transparent)]
    Db(#[from] DbError),
}

/// What this service reads of an authorization request (RFC 6749, section 4.1.1; RFC 7636;
/// OpenID Connect Core 1.0, section 3.1.2.1; RFC 9396, section 2), but the key of its proof.
const KNOWN: [&str; 16] = [
    "response_type",
    "response_mode",
    "redirect_uri",
    "scope",
    "state",
    "nonce",
    "code_challenge",
    "code_challenge_method",
    "prompt",
    "max_age",
    "acr_values",
    "ui_locales",
    "claims",
    "login_hint",
    "id_token_hint",
    "authorization_details",
];

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PushedRequest {
    /// The parameters, encoded as a form.
    text: String,
}

/// Keeps a request that was checked; returns its `request_uri`. `dpop_jkt` is the thumbprint of the
/// key that it names, or that it was pushed with (RFC 9449, section 10.1).
pub async fn keep(
    app: &Parts,
    client: &ClientId,
    params: &Params,
    dpop_jkt: Option<&str>,
) -> Result<String, KeepError> {
    let mut text = pushed::known(params, client.as_str(), &KNOWN);
    if let Some(dpop_jkt) = dpop_jkt {
        let mut form = Serializer::for_suffix(text, 0);
        form.append_pair("dpop_jkt", dpop_jkt);
        text = form.finish();
    }
    if text.len() > MAX_LENGTH {
        return Err(KeepError::TooLong);
    }
    let request = PushedRequest { text };
    let life = Life {
        loadable_s: PUSHED_S,
        // A login that failed may be begun again from its page. A run that waits uses the request up before.
        page_s: AGAIN_LOGINS * LOGIN_S,
    };
    let mine = (client.as_str(), request);
    Ok(shelf::keep(of(app), app.rng.as_ref(), mine, life).await?)
}

/// The parameters behind a `request_uri` of this client, and the secret that uses it up.
pub async fn load(
    app: &Parts,
    request_uri: &str,
    client_id: &str,
) -> Result<Option<(String, String)>, DbError> {
    let found = shelf::load::<PushedRequest>(of(app), request_uri, client_id).await?;
    Ok(found.map(|(PushedRequest { text }, secret)| (text, secret)))
}

fn of(app: &Parts) -> Shelf<'_> {
    Shelf {
        db: &app.db,
        purpose: "verifier pushed request",
        now: app.now(),
    }
}
