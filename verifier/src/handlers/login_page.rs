//! `GET /login/{transaction}`: the page of a login, whatever its state.

use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::Response;
use serde_json::json;

use super::login_events::{View, watched};
use super::login_identify;
use super::login_number::complete;
use super::owned::{self, Owned, OwnedError};
use crate::app::App;
use crate::domain::transaction::{Answered, Channel, Failed, Login, Transaction};
use crate::login::ask::{self, AskError};
use crate::store::StoreError;
use crate::views::{self, PageFailure};

/// What the page with the button may ask the browser for.
const PERMISSIONS: &str =
    "camera=(), digital-credentials-get=(self), geolocation=(), microphone=()";

/// Why a page of a login is not shown.
#[derive(Debug, thiserror::Error)]
pub(super) enum LoginPageError {
    /// Not for this browser.
    #[error(transparent)]
    Owned(#[from] OwnedError),
    /// The question cannot be put.
    #[error(transparent)]
    Ask(#[from] AskError),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl LoginPageError {
    pub(super) fn show(self, app: &App, headers: &HeaderMap) -> Response {
        match self {
            Self::Owned(error) => error.show(app, headers),
            Self::Store(error) | Self::Ask(AskError::Store(error)) => {
                owned::store_failure(app, headers, &error)
            }
            Self::Ask(error) => {
                PageFailure::server(views::browser_locale(headers), &error, false).show(app)
            }
        }
    }
}

/// The page.
pub async fn handle(
    State(app): State<App>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Response {
    match page(&app, &headers, &id).await {
        Ok(response) => response,
        Err(error) => error.show(&app, &headers),
    }
}

async fn page(app: &App, headers: &HeaderMap, id: &str) -> Result<Response, LoginPageError> {
    let owned = owned::find(app, headers, id).await?;
    match &owned.transaction {
        Transaction::Pending(pending) => choose(app, &pending.login, &owned).await,
        Transaction::Answered(answered) => Ok(match answered.answer.channel {
            Channel::Qr => number(app, answered, &owned, false),
            // The answer came through this very browser: it has nowhere else to come back from.
            Channel::DcApi => complete(app, headers, answered.clone()).await,
            Channel::SameDevice => views::answered(app, &answered.login),
        }),
        Transaction::Finished(finished) => Ok(views::message(
            app,
            StatusCode::OK,
            views::login_locale(&finished.login),
            "finished",
        )),
        Transaction::Failed(Failed { login, failure }) => {
            let own = owned::own(app, owned.cookie.clone(), &login.request).await?;
            let (client, explanation) = (Some(owned.client.as_ref()), failure.explanation());
            Ok(views::failed(app, login, client, explanation, Some(&own)))
        }
    }
}

async fn choose(app: &App, login: &Login, owned: &Owned) -> Result<Response, LoginPageError> {
    let query = ask::query_of(app, &login.request)?;
    let named = login.request.asserted.is_some() || login.request.linking().is_some();
    if query.subject.is_asserted() && !named {
        return Ok(login_identify::page(app, login, owned, false));
    }
    let question = ask::same_device(app, login).await?;
    let state = watched(app, &owned.transaction, View::Choose).await?;
    let told = login.request.facts.names();
    let facts: Vec<&str> = (query.claims.iter())
        .filter(|claim| told.contains(claim.name.as_str()))
        .map(|claim| claim.label.for_locale(&login.request.locale))
        .collect();
    let id = &login.id;
    let api = app.settings.digital_credentials.as_ref();
    let protocols = api.map(|api| {
        let names: Vec<&str> = api.protocols.iter().map(|one| one.name()).collect();
        names.join(" ")
    });
    let more = json!({
        "facts": facts,
        "external_id": owned.client.external_id,
        "stays_days": login.request.offline().then(|| days(app.settings.refresh.max_age_s)),
        "wallet_link": ask::wallet_link(app, &question),
        "qr_link": ask::cross_device_allowed(&owned.client, &login.request).then(|| format!("/login/{id}/qr")),
        "api_link": protocols.is_some().then(|| format!("/login/{id}/dc-api")),
        "api_protocols": protocols,
        "api_first": owned.client.prefer_digital_credentials,
        "cancel_link": format!("/login/{id}/cancel"),
        "csrf": app.csrf.token(&owned.cookie),
        "scanned": state == "opened",
        "refresh": 5,
    });
    let context = views::with(
        views::asked(app, login, &owned.client, View::Choose.name(), &state),
        more,
    );
    let locale = views::login_locale(login);
    let mut response = views::page(app, StatusCode::OK, "verifier/choose", locale, context);
    if api.is_some() {
        // No other page of ours may ask the browser for cards.
        response.headers_mut().insert(
            HeaderName::from_static("permissions-policy"),
            HeaderValue::from_static(PERMISSIONS),
        );
    }
    Ok(response)
}

/// Days that have begun.
fn days(seconds: i64) -> i64 {
    (seconds + 86_399) / 86_400
}

/// The page with the field for the number; `wrong` after a number that did not match.
pub(super) fn number(app: &App, answered: &Answered, owned: &Owned, wrong: bool) -> Response {
    let login = &answered.login;
    let more = json!({
        "number_link": format!("/login/{}/number", login.id),
        "csrf": app.csrf.token(&owned.cookie),
        "wrong": wrong,
        "tries": answered.tries_left,
    });
    let context = views::with(
        views::asked(app, login, &owned.client, View::Number.name(), "answered"),
        more,
    );
    views::page(
        app,
        StatusCode::OK,
        "verifier/number",
        views::login_locale(login),
        context,
    )
}
