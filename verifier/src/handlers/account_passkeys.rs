//! `POST /account/passkeys/challenge` and `POST /account/passkeys`: a passkey more that leads to the account
//! of this session (WebAuthn Level 3, section 7.1). Only a script can make one, so both speak JSON.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::json;
use vouchsafe_credentials::json::parse_strict;
use vouchsafe_service::http::{ClientAddress, Problem};
use vouchsafe_service::webauthn::RegistrationResponse;

use super::account_means::may_change;
use super::login_passkey::problem;
use super::{form, owned};
use crate::app::App;
use crate::cookies::Cookie;
use crate::domain::ids::{SessionId, SubjectId};
use crate::login::passkey::{self, PasskeyError};

/// What the script sends.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct New {
    /// What the person calls it.
    name: String,
    /// What the device made.
    passkey: RegistrationResponse,
}

/// Why the script is refused.
enum Refusal {
    /// Not from a page of ours.
    Foreign,
    /// Nobody is logged in to an account.
    Nobody,
    /// The card was shown too long ago.
    Stale,
    /// What was sent cannot be read.
    Malformed,
    /// The passkey.
    Passkey(PasskeyError),
}

impl From<PasskeyError> for Refusal {
    fn from(error: PasskeyError) -> Self {
        Self::Passkey(error)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let refuse = |status, code, detail| Problem::new(status, code, detail).into_response();
        match self {
            Self::Foreign => {
                let detail = "Only pages of this service may ask this.";
                refuse(StatusCode::FORBIDDEN, "foreign_form", detail)
            }
            Self::Nobody => problem(PasskeyError::LoggedOut),
            Self::Stale => {
                let detail = "A passkey is added soon after a card was shown.";
                refuse(StatusCode::FORBIDDEN, "card_stale", detail)
            }
            Self::Malformed => {
                let detail = "The answer of the device cannot be read.";
                refuse(StatusCode::BAD_REQUEST, "passkey_malformed", detail)
            }
            Self::Passkey(error) => problem(error),
        }
    }
}

/// What the page hands to the browser.
pub async fn challenge(
    State(app): State<App>,
    address: ClientAddress,
    headers: HeaderMap,
) -> Response {
    let options = async {
        let (session, subject) = owner(&app, &headers, address).await?;
        Ok::<_, Refusal>(passkey::creation_options(&app, &session, &subject).await?)
    };
    match options.await {
        Ok(options) => {
            let body = Json(json!({ "publicKey": options }));
            ([(header::CACHE_CONTROL, "no-store")], body).into_response()
        }
        Err(refusal) => refusal.into_response(),
    }
}

/// Adds what the device made.
pub async fn add(
    State(app): State<App>,
    address: ClientAddress,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let added = async {
        let (session, subject) = owner(&app, &headers, address).await?;
        let New { name, passkey } = read(&body).ok_or(Refusal::Malformed)?;
        passkey::register(&app, &session, &subject, (&name, &passkey)).await?;
        Ok::<_, Refusal>(())
    };
    match added.await {
        Ok(()) => Json(json!({ "next": "/account" })).into_response(),
        Err(refusal) => refusal.into_response(),
    }
}

fn read(body: &[u8]) -> Option<New> {
    let value = parse_strict(body).ok()?;
    serde_json::from_value(value).ok()
}

/// Whose session it is, if it may change what leads to its account.
async fn owner(
    app: &App,
    headers: &HeaderMap,
    address: ClientAddress,
) -> Result<(SessionId, SubjectId), Refusal> {
    passkey::settings(app)?;
    let cookie = Cookie::Session.read(app, headers).ok_or(Refusal::Nobody)?;
    if !form::script(app, headers, &cookie) {
        return Err(Refusal::Foreign);
    }
    let session = owned::session(app, headers).await;
    let session = session.map_err(PasskeyError::Store)?;
    let session = session.ok_or(Refusal::Nobody)?;
    let Some(subject) = session.subject.clone() else {
        return Err(Refusal::Nobody);
    };
    let may = may_change(app, headers, address, &session).await;
    match may.map_err(PasskeyError::Store)? {
        true => Ok((session.id, subject)),
        false => Err(Refusal::Stale),
    }
}
