//! `POST /account/authenticator`, `…/confirm` and `…/remove`: the authenticator app of the account of this
//! session (RFC 6238). It counts once a code of it was typed; the secret is shown on that page alone.

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde_json::json;
use vouchsafe_pages::qr;
use vouchsafe_service::http::ClientAddress;

use super::account_change::{own_form, person};
use super::account_means::{may_change, stale};
use super::owned;
use crate::app::App;
use crate::cookies::Cookie;
use crate::domain::ids::{SessionId, SubjectId};
use crate::login::authenticator::{self, AuthenticatorError, Shown};
use crate::reply::see_other;
use crate::views;

/// Where an app begins to be added.
pub const PATH: &str = "/account/authenticator";
/// Where it is confirmed.
pub const CONFIRM: &str = "/account/authenticator/confirm";
/// Where it is removed.
pub const REMOVE: &str = "/account/authenticator/remove";

/// Shows a fresh secret.
pub async fn begin(
    State(app): State<App>,
    address: ClientAddress,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let (session, subject) = match owner(&app, &headers, address, &body).await {
        Ok(owner) => owner,
        Err(refusal) => return *refusal,
    };
    match authenticator::begin(&app, &session, &subject) {
        Ok(shown) => page(&app, &headers, &shown, false),
        Err(error) => refused(&app, &headers, error),
    }
}

/// Adds it, if the code is its.
pub async fn confirm(
    State(app): State<App>,
    address: ClientAddress,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let (session, subject) = match owner(&app, &headers, address, &body).await {
        Ok(owner) => owner,
        Err(refusal) => return *refusal,
    };
    let form = own_form(&app, &headers, &body);
    let field = |name: &str| {
        form.as_ref()
            .and_then(|form| form.get(name))
            .unwrap_or_default()
    };
    let (sealed, typed) = (field("begun"), field("code"));
    match authenticator::confirm(&app, &session, &subject, (sealed, typed)).await {
        Ok(()) => see_other("/account"),
        Err(AuthenticatorError::WrongCode) => {
            match authenticator::again(&app, &session, &subject, sealed) {
                Ok(shown) => page(&app, &headers, &shown, true),
                Err(error) => refused(&app, &headers, error),
            }
        }
        Err(error) => refused(&app, &headers, error),
    }
}

/// Removes it.
pub async fn remove(
    State(app): State<App>,
    address: ClientAddress,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let (session, subject) = match owner(&app, &headers, address, &body).await {
        Ok(owner) => owner,
        Err(refusal) => return *refusal,
    };
    match authenticator::remove(&app, &session, &subject).await {
        Ok(()) => see_other("/account"),
        Err(error) => refused(&app, &headers, error),
    }
}

/// Whose session it is, if it may change what leads to its account.
async fn owner(
    app: &App,
    headers: &HeaderMap,
    address: ClientAddress,
    body: &Bytes,
) -> Result<(SessionId, SubjectId), Box<Response>> {
    let failed = |error| Box::new(owned::store_failure(app, headers, &error));
    let session = person(app, headers, body).await.map_err(failed)?;
    let owner = session.and_then(|session| Some((session.subject.clone()?, session)));
    let (subject, session) = owner.ok_or_else(|| Box::new(owned::foreign(app, headers)))?;
    match may_change(app, headers, address, &session).await {
        Ok(true) => Ok((session.id, subject)),
        Ok(false) => Err(Box::new(stale(app, headers))),
        Err(error) => Err(failed(error)),
    }
}

fn refused(app: &App, headers: &HeaderMap, error: AuthenticatorError) -> Response {
    match error {
        AuthenticatorError::Store(error) => owned::store_failure(app, headers, &error),
        // The page shows what there is.
        AuthenticatorError::Over
        | AuthenticatorError::Taken
        | AuthenticatorError::WrongCode
        | AuthenticatorError::LoggedOut
        | AuthenticatorError::NotOffered => see_other("/account"),
    }
}

fn page(app: &App, headers: &HeaderMap, shown: &Shown, wrong: bool) -> Response {
    let cookie = Cookie::Session.read(app, headers).unwrap_or_default();
    // In groups of four letters it is easier to type.
    let letters: Vec<char> = shown.secret.chars().collect();
    let groups: Vec<String> = letters
        .chunks(4)
        .map(|four| four.iter().collect())
        .collect();
    let context = json!({
        "csrf": app.csrf.token(&cookie),
        "confirm_link": CONFIRM,
        "begun": shown.sealed,
        "qr": qr::svg(&shown.address).unwrap_or_default(),
        "app_link": shown.address.as_str(),
        "secret": groups.join(" "),
        "wrong": wrong,
    });
    let status = match wrong {
        true => StatusCode::UNPROCESSABLE_ENTITY,
        false => StatusCode::OK,
    };
    let locale = views::browser_locale(headers);
    views::page(app, status, "verifier/authenticator", locale, context)
}
