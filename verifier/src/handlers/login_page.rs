//! `GET /login/{transaction}`: the page of a login, whatever its state.

use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::Response;
use serde_json::json;

use super::login_events::{View, watched};
use super::login_identify::{self, Said};
use super::login_number::complete;
use super::login_passkey;
use super::login_run;
use super::owned::{self, Owned, OwnedError};
use crate::app::App;
use crate::domain::transaction::{Answered, Channel, Failed, Login, Transaction};
use crate::login::ask::{self, AskError};
use crate::login::link;
use crate::login::notice;
use crate::login::passkey;
use crate::login::run;
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
        Transaction::Pending(pending) if pending.login.run.is_some() => {
            login_run::page(app, headers, &pending.login, &owned).await
        }
        Transaction::Pending(pending) => choose(app, &pending.login, &owned, false).await,
        // What was settled before goes on without the answer.
        Transaction::Answered(answered) if run::follower_is_over(app, &answered.login) => {
            Ok(login_run::answered(app, headers, answered.clone()).await)
        }
        Transaction::Answered(answered) => Ok(match answered.answer.channel {
            Channel::Qr => number(app, answered, &owned, false).await?,
            // The answer came through this very browser: it has nowhere else to come back from.
            Channel::DcApi => complete(app, headers, answered.clone()).await,
            Channel::SameDevice => views::answered(app, &answered.login, &owned.cookie),
        }),
        Transaction::Finished(finished) => Ok(views::message(
            app,
            StatusCode::OK,
            views::login_locale(&finished.login),
            "finished",
        )),
        Transaction::Failed(Failed { login, failure }) => {
            let own = owned::own(app, owned.cookie.clone(), &login.request).await?;
            let client = Some(owned.client.as_ref());
            Ok(views::failed(app, login, client, failure, Some(&own)))
        }
    }
}

pub(super) async fn choose(
    app: &App,
    login: &Login,
    owned: &Owned,
    refused: bool,
) -> Result<Response, LoginPageError> {
    let asking = ask::query_of(app, login).await?;
    let query = asking.query.as_ref();
    let run = login.run.as_deref();
    let named = login.request.asserted.is_some()
        || login.request.linking().is_some()
        || login.passkey.is_some()
        || run.is_some_and(|run| run.pinned.is_some());
    if query.subject.is_asserted() && !named {
        return login_identify::page(app, login, owned, Said::new(false, refused)).await;
    }
    let here = ask::same_device(app, login).await?;
    let here = Some(here).filter(|_| asking.allows(Channel::SameDevice));
    let here = match here {
        Some(question) => Some(link::wallet_link(app, &question, login).await?),
        None => None,
    };
    let state = watched(app, &owned.transaction, View::Choose).await?;
    let notice = notice::with(app, login, &owned.client, &asking);
    let id = &login.id;
    let api = app.settings.digital_credentials.as_ref();
    let api = api.filter(|_| asking.allows(Channel::DcApi));
    let qr = ask::cross_device_allowed(&owned.client, &login.request) && asking.allows(Channel::Qr);
    let protocols = api.map(|api| {
        let names: Vec<&str> = api.protocols.iter().map(|one| one.name()).collect();
        names.join(" ")
    });
    let more = json!({
        "external_id": notice.external_id,
        "stays_days": notice.away_days,
        "wallet_link": here,
        "qr_link": qr.then(|| format!("/login/{id}/qr")),
        "api_link": protocols.is_some().then(|| format!("/login/{id}/dc-api")),
        "api_protocols": protocols,
        "api_first": owned.client.prefer_digital_credentials,
        "cancel_link": format!("/login/{id}/cancel"),
        "csrf": app.csrf.token(&owned.cookie),
        "scanned": state == "opened",
        "refresh": 5,
    });
    let context = views::with(
        views::asked(login, (&owned.client, query), (View::Choose.name(), &state)),
        views::with(
            more,
            views::told(&notice, login.request.linking().is_none()),
        ),
    );
    let context = views::with(context, views::approval(&asking));
    let context = match passkey::offered(app, &owned.client, login, query) {
        true => views::with(context, login_passkey::context(app, login, owned, refused)),
        false => context,
    };
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

/// The page with the field for the number; `wrong` after a number that did not match.
pub(super) async fn number(
    app: &App,
    answered: &Answered,
    owned: &Owned,
    wrong: bool,
) -> Result<Response, LoginPageError> {
    let login = &answered.login;
    let asking = ask::query_of(app, login).await?;
    let asked = (owned.client.as_ref(), asking.query.as_ref());
    let more = json!({
        "number_link": format!("/login/{}/number", login.id),
        "csrf": app.csrf.token(&owned.cookie),
        "wrong": wrong,
        "tries": answered.tries_left,
        "without_link": views::without(login),
    });
    let context = views::with(
        views::asked(login, asked, (View::Number.name(), "answered")),
        more,
    );
    let locale = views::login_locale(login);
    Ok(views::page(
        app,
        StatusCode::OK,
        "verifier/number",
        locale,
        context,
    ))
}
