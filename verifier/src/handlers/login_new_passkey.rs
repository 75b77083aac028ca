//! `POST /login/{transaction}/new-passkey/challenge` and `POST /login/{transaction}/new-passkey`: a person
//! whose card was shown in a run makes a passkey (WebAuthn Level 3, section 7.1). The script of the page asks
//! for the challenge and fills the form in, so that the browser goes on as after every other step.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use vouchsafe_credentials::json::parse_strict;
use vouchsafe_service::webauthn::RegistrationResponse;

use super::login_api_request::ScriptError;
use super::login_page::LoginPageError;
use super::owned::{self, Owned};
use super::{form, login_run};
use crate::app::App;
use crate::domain::ids::SubjectId;
use crate::domain::transaction::{Login, Pending, Transaction};
use crate::login::ask::AskError;
use crate::login::passkey::PasskeyError;
use crate::login::run::{self, RunError};
use crate::reply::see_other;
use crate::views;

/// Longest answer that is read.
const MAX_ANSWER: usize = 32 * 1024;

/// What the page hands to the browser.
pub async fn challenge(
    State(app): State<App>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Response {
    match options(&app, &headers, &id).await {
        Ok(options) => {
            let body = Json(json!({ "publicKey": options }));
            ([(header::CACHE_CONTROL, "no-store")], body).into_response()
        }
        Err(error) => error.into_response(),
    }
}

async fn options(app: &App, headers: &HeaderMap, id: &str) -> Result<Value, ScriptError> {
    let owned = owned::find(app, headers, id).await?;
    if !form::script(app, headers, &owned.cookie) {
        return Err(ScriptError::Foreign);
    }
    let Transaction::Pending(Pending { login }) = &owned.transaction else {
        return Err(ScriptError::Over);
    };
    let whose = whose(app, login).await?;
    let subject = whose.ok_or(ScriptError::Ask(AskError::NotOffered))?;
    let options = run::creation_options(app, login, &subject).await;
    options.map_err(|error| {
        ScriptError::Ask(match error {
            PasskeyError::Store(error) => AskError::Store(error),
            _ => AskError::NotOffered,
        })
    })
}

/// Whose passkey the page makes, where it makes one.
async fn whose(app: &App, login: &Login) -> Result<Option<SubjectId>, AskError> {
    if login.run.is_none() {
        return Ok(None);
    }
    match run::text(app, login).await {
        Ok(loaded) => Ok(run::makes_passkey(login, &loaded)),
        Err(RunError::Store(error)) => Err(error.into()),
        Err(RunError::Gone | RunError::Instance(_)) => Err(AskError::Gone),
    }
}

/// What the device made.
pub async fn answer(
    State(app): State<App>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let owned = match owned::find(&app, &headers, &id).await {
        Ok(owned) => owned,
        Err(error) => return error.show(&app, &headers),
    };
    let Some(form) = form::own(&app, &headers, &body, &owned.cookie) else {
        return owned::refused(&app, &headers);
    };
    let Transaction::Pending(Pending { login }) = owned.transaction.clone() else {
        return see_other(&format!("/login/{id}"));
    };
    let makes = match whose(&app, &login).await {
        Ok(whose) => whose.is_some(),
        Err(error) => return LoginPageError::from(error).show(&app, &headers),
    };
    if !makes {
        return see_other(&format!("/login/{id}"));
    }
    let Some(response) = read(form.get("answer").unwrap_or_default()) else {
        return refused(&app, &login, &owned);
    };
    let name = form.get("name").unwrap_or_default();
    match run::made(&app, &login, (name, &response)).await {
        Ok(fresh) => login_run::registered(&app, &headers, login, fresh).await,
        Err(PasskeyError::Store(error)) => owned::store_failure(&app, &headers, &error),
        Err(error) => {
            tracing::info!(error = %views::chain(&error), "passkey refused");
            refused(&app, &login, &owned)
        }
    }
}

/// Reads what the script put into the form.
fn read(answer: &str) -> Option<RegistrationResponse> {
    let fits = !answer.is_empty() && answer.len() <= MAX_ANSWER;
    let value = fits.then(|| parse_strict(answer.as_bytes()).ok())??;
    serde_json::from_value(value).ok()
}

fn refused(app: &App, login: &Login, owned: &Owned) -> Response {
    let mut response = page(app, login, owned, true);
    *response.status_mut() = StatusCode::FORBIDDEN;
    response
}

/// The page of the step. `refused`: what the device made was not taken.
pub(super) fn page(app: &App, login: &Login, owned: &Owned, refused: bool) -> Response {
    let id = &login.id;
    let more = json!({
        "passkey_challenge": format!("/login/{id}/new-passkey/challenge"),
        "passkey_link": format!("/login/{id}/new-passkey"),
        "passkey_refused": refused,
        "cancel_link": format!("/login/{id}/cancel"),
        "csrf": app.csrf.token(&owned.cookie),
    });
    let context = views::with(views::who(&owned.client, &login.request.locale), more);
    let locale = views::login_locale(login);
    let name = "verifier/new_passkey";
    views::page(app, StatusCode::OK, name, locale, context)
}
