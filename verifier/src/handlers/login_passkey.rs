//! `POST /login/{transaction}/passkey/challenge` and `POST /login/{transaction}/passkey`: a passkey says
//! whose login it is (WebAuthn Level 3, section 7.2). The script of the page asks for the challenge and
//! fills the form in, so that the browser goes on as after every other step.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use vouchsafe_credentials::json::parse_strict;
use vouchsafe_service::http::Problem;
use vouchsafe_service::webauthn::SignInResponse;

use super::login_api_request::ScriptError;
use super::login_identify::Said;
use super::login_page::{self, LoginPageError};
use super::owned::{self, Owned};
use super::{form, login_events, login_identify, login_number, login_run};
use crate::app::App;
use crate::domain::transaction::{Login, Pending, Transaction};
use crate::journey::StepKind;
use crate::login::ask::{self, AskError};
use crate::login::finish::FinishError;
use crate::login::passkey::{self, Came, PasskeyError};
use crate::login::run;
use crate::reply::see_other;
use crate::store::StoreError;
use crate::views;

/// Longest answer that is read.
const MAX_ANSWER: usize = 32 * 1024;

/// What the page hands to the browser.
pub async fn challenge(
    State(app): State<App>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Response {
    match question(&app, &headers, &id).await {
        Ok(options) => {
            let body = Json(json!({ "publicKey": options }));
            ([(header::CACHE_CONTROL, "no-store")], body).into_response()
        }
        Err(error) => error.into_response(),
    }
}

async fn question(app: &App, headers: &HeaderMap, id: &str) -> Result<Value, ScriptError> {
    let owned = owned::find(app, headers, id).await?;
    if !form::script(app, headers, &owned.cookie) {
        return Err(ScriptError::Foreign);
    }
    let Transaction::Pending(Pending { login }) = &owned.transaction else {
        return Err(ScriptError::Over);
    };
    if !is_offered(app, login, &owned).await? {
        return Err(ScriptError::Ask(AskError::NotOffered));
    }
    let options = passkey::options(app, &login.id, login.expires_at).await;
    options.map_err(|error| {
        ScriptError::Ask(match error {
            PasskeyError::Store(error) => AskError::Store(error),
            _ => AskError::NotOffered,
        })
    })
}

/// Whether the page of a login has the button.
pub(super) async fn is_offered(app: &App, login: &Login, owned: &Owned) -> Result<bool, AskError> {
    if login.run.is_some() {
        return login_run::takes_passkey(app, login, owned).await;
    }
    let asking = ask::query_of(app, login).await?;
    Ok(passkey::offered(app, &owned.client, login, &asking.query))
}

/// What the device answered.
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
    let offered = match is_offered(&app, &login, &owned).await {
        Ok(offered) => offered,
        Err(error) => return LoginPageError::from(error).show(&app, &headers),
    };
    let response = read(form.get("answer").unwrap_or_default()).filter(|_| offered);
    let Some(response) = response else {
        return refused(&app, &headers, &login, &owned).await;
    };
    let tapped = match passkey::verify(&app, &login, &response).await {
        Ok(tapped) => tapped,
        Err(PasskeyError::Store(error)) => return owned::store_failure(&app, &headers, &error),
        Err(_) => return refused(&app, &headers, &login, &owned).await,
    };
    if login.run.is_some() {
        return login_run::tapped(&app, &headers, login, tapped).await;
    }
    let current = match owned::session(&app, &headers).await {
        Ok(current) => current,
        Err(error) => return owned::store_failure(&app, &headers, &error),
    };
    let request = login.request.clone();
    let agent = login_run::visit(&headers).agent;
    match passkey::log_in(&app, login, tapped, agent.as_deref(), current).await {
        Ok(Came::Finished(finished)) => login_number::goes(&app, &request, finished).await,
        Ok(Came::Card | Came::Failed | Came::Over) => see_other(&format!("/login/{id}")),
        Err(FinishError::Store(error)) => owned::store_failure(&app, &headers, &error),
        Err(FinishError::AlreadyOver | FinishError::Failed(_) | FinishError::ClientGone) => {
            owned::refused(&app, &headers)
        }
    }
}

/// Reads what the script put into the form.
fn read(answer: &str) -> Option<SignInResponse> {
    let fits = !answer.is_empty() && answer.len() <= MAX_ANSWER;
    let value = fits.then(|| parse_strict(answer.as_bytes()).ok())??;
    serde_json::from_value(value).ok()
}

/// The page again, with a line that says that it was not so. Whatever was wrong, it is the same.
async fn refused(app: &App, headers: &HeaderMap, login: &Login, owned: &Owned) -> Response {
    let page = match login.run {
        Some(_) => refused_in_run(app, login, owned).await,
        None => login_page::choose(app, login, owned, true).await,
    };
    match page {
        Ok(mut response) => {
            *response.status_mut() = StatusCode::FORBIDDEN;
            response
        }
        Err(error) => error.show(app, headers),
    }
}

/// The page of the step again, with a line that the passkey was not taken.
async fn refused_in_run(
    app: &App,
    login: &Login,
    owned: &Owned,
) -> Result<Response, LoginPageError> {
    let loaded = run::text(app, login).await?;
    match run::at(login, &loaded).map(|step| &step.kind) {
        Some(StepKind::Identify { .. }) => {
            login_identify::page(app, login, owned, Said::new(false, true)).await
        }
        Some(StepKind::Passkey { .. }) => page(app, login, owned, true).await,
        _ => login_page::choose(app, login, owned, false).await,
    }
}

/// The page of a step that asks for a passkey.
pub(super) async fn page(
    app: &App,
    login: &Login,
    owned: &Owned,
    refused: bool,
) -> Result<Response, LoginPageError> {
    let asking = ask::query_of(app, login).await?;
    let more = json!({ "cancel_link": format!("/login/{}/cancel", login.id) });
    let view = login_events::View::Choose.name();
    let asked = (owned.client.as_ref(), asking.query.as_ref());
    let page = views::with(views::asked(login, asked, (view, "pending")), more);
    let context = views::with(page, context(app, login, owned, refused));
    let locale = views::login_locale(login);
    let (status, name) = (StatusCode::OK, "verifier/passkey");
    Ok(views::page(app, status, name, locale, context))
}

/// What the templates need for the button. `refused`: the one before was not taken.
pub(super) fn context(app: &App, login: &Login, owned: &Owned, refused: bool) -> Value {
    let id = &login.id;
    json!({
        "passkey_challenge": format!("/login/{id}/passkey/challenge"),
        "passkey_link": format!("/login/{id}/passkey"),
        "passkey_refused": refused,
        "csrf": app.csrf.token(&owned.cookie),
    })
}

/// What a script of the account page is told.
pub(super) fn problem(error: PasskeyError) -> Response {
    let refuse = |status, code, detail| Problem::new(status, code, detail).into_response();
    match error {
        PasskeyError::NotOffered => Problem::not_found().into_response(),
        PasskeyError::Refused(error) => {
            tracing::info!(%error, "passkey refused");
            let detail = "The passkey does not fit this page.";
            refuse(StatusCode::BAD_REQUEST, "passkey_refused", detail)
        }
        PasskeyError::Taken => {
            let detail = "The passkey leads to an account already.";
            refuse(StatusCode::CONFLICT, "passkey_taken", detail)
        }
        PasskeyError::TooMany => {
            let detail = "As much leads to the account as may.";
            refuse(StatusCode::CONFLICT, "means_too_many", detail)
        }
        PasskeyError::LoggedOut => {
            let detail = "Nobody is logged in here.";
            refuse(StatusCode::FORBIDDEN, "not_logged_in", detail)
        }
        PasskeyError::Store(StoreError::Db(error)) => Problem::from(error).into_response(),
        PasskeyError::Store(error @ StoreError::Serialise(_)) => {
            tracing::error!(error = %views::chain(&error), "passkey not written");
            Problem::internal().into_response()
        }
    }
}
