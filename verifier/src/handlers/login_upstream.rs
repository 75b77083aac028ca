//! `POST /login/{transaction}/upstream`: the person chose another OpenID Provider to sign in at.
//! `GET /upstream/{provider}`: it sends the browser back, each to an address of its own.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde::{Deserialize, Serialize};
use serde_json::json;
use vouchsafe_service::db::DbError;
use vouchsafe_service::http::ClientAddress;
use vouchsafe_service::upstream::{Ask, Callback, Start, UpstreamError, flows};

use super::login_page::LoginPageError;
use super::login_run::{self, TurnError};
use super::owned::{self, Owned};
use super::{form, login_events};
use crate::app::App;
use crate::config::UpstreamProvider;
use crate::cookies::Cookie;
use crate::domain::reason::{Explanation, Failure};
use crate::domain::transaction::{Login, Pending, Transaction};
use crate::journey::Outcome;
use crate::journeys::Loaded;
use crate::login::accept::log_id;
use crate::login::run::{self, Arrived, Done, RunError, Was};
use crate::numbers::tell;
use crate::reply::see_other;
use crate::views::{self, PageFailure};

/// Where providers send browsers back to.
pub const BACK: &str = "/upstream/{provider}";
/// Whose sign-ins under way they are.
const PURPOSE: &str = "login";

/// What a sign-in under way belongs to: one turn of one login.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Way {
    login: String,
    turn: i64,
    provider: String,
}

/// The page with a button for each provider.
pub(super) fn page(
    app: &App,
    login: &Login,
    loaded: &Loaded,
    owned: &Owned,
) -> Result<Response, LoginPageError> {
    let id = &login.id;
    let providers = run::providers(app, login, loaded);
    let providers = providers
        .iter()
        .map(|one| json!({ "id": one.id, "name": one.name }));
    let context = json!({
        "unusual": login.request.risk,
        "events": format!("/login/{id}/events?view={}", login_events::View::Choose.name()),
        "watched": "pending",
        "links": run::would_link(login),
        "providers": providers.collect::<Vec<_>>(),
        "upstream_link": format!("/login/{id}/upstream"),
        "cancel_link": format!("/login/{id}/cancel"),
        "csrf": app.csrf.token(&owned.cookie),
    });
    let who = views::who(&owned.client, &login.request.locale);
    let context = views::with(who, context);
    let (status, name) = (StatusCode::OK, "verifier/upstream");
    Ok(views::page(
        app,
        status,
        name,
        views::login_locale(login),
        context,
    ))
}

/// Sends the browser to a provider.
pub async fn begin(
    State(app): State<App>,
    Path(id): Path<String>,
    address: ClientAddress,
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
    let Transaction::Pending(Pending { login }) = owned.transaction else {
        return see_other(&format!("/login/{id}"));
    };
    // Anybody may begin, and it costs a row and perhaps a request at the provider.
    if let Err(wait) = app.sign_ins.check(address) {
        let seconds = i64::try_from(wait.as_secs()).unwrap_or(i64::MAX);
        return owned::too_many(&app, &headers, seconds.saturating_add(1));
    }
    let chosen = form.get("provider").unwrap_or_default();
    let request = login.request.clone();
    match leave(&app, &headers, login, (chosen, &owned.cookie)).await {
        Ok(Next::Provider(url)) => see_other(&url),
        Ok(Next::Turn(done)) => login_run::respond(&app, &headers, &request, Ok(done)).await,
        Err(error) => error.show(&app, &headers),
    }
}

/// Where the browser goes.
enum Next {
    /// To the provider.
    Provider(String),
    /// On with the login.
    Turn(Done),
}

async fn leave(
    app: &App,
    headers: &HeaderMap,
    mut login: Login,
    (chosen, cookie): (&str, &str),
) -> Result<Next, TurnError> {
    let loaded = run::text(app, &login).await?;
    let providers = run::providers(app, &login, &loaded);
    let provider = providers.into_iter().find(|one| one.id == chosen);
    let found = provider.and_then(|one| Some((one, app.upstreams.get(&one.id)?)));
    let Some((provider, upstream)) = found else {
        return Ok(Next::Turn(Done::Page(login.id)));
    };
    let started = match run::sent(&mut login) {
        true => upstream.begin(&ask(&login)).await.map_err(Some),
        false => Err(None),
    };
    let Start { url, pending } = match started {
        Ok(start) => start,
        Err(error) => {
            let failed = error
                .as_ref()
                .map_or_else(too_often, |error| why(&login, error));
            return ended(app, headers, &loaded, login, failed)
                .await
                .map(Next::Turn);
        }
    };
    let Some(run) = login.run.as_deref() else {
        return Err(RunError::Gone.into());
    };
    let way = Way {
        login: login.id.to_string(),
        // That of the row which is written now: an earlier way back is over with it.
        turn: run.turn + 1,
        provider: provider.id.clone(),
    };
    let until = (login.expires_at, app.rng.as_ref());
    let done = run::settle(app, &loaded, (Was::Pending, login), Arrived::Page, None).await?;
    if !matches!(done, Done::Page(_)) {
        return Ok(Next::Turn(done));
    }
    let kept = flows::keep(&app.db, PURPOSE, cookie, &pending, &way, until);
    kept.await.map_err(RunError::from)?;
    Ok(Next::Provider(url))
}

/// What is asked of the provider: what the application asks of us about when and in which language.
///
/// Where an account there would be linked the person chooses which: the browser may be signed in there as
/// somebody else. `prompt=login` has an answer that can be checked when it is also an age of nothing
/// (OpenID Connect Core 1.0, section 3.1.2.1).
fn ask(login: &Login) -> Ask {
    let request = &login.request;
    let asked = request.asked.clone().unwrap_or_default();
    let wants = |prompt: &str| asked.prompt.iter().any(|one| one == prompt);
    let prompt = ["login", "select_account"].into_iter();
    let chosen = |prompt: &str| prompt == "select_account" && run::would_link(login);
    let prompt: Vec<&str> = prompt
        .filter(|prompt| wants(prompt) || chosen(prompt))
        .collect();
    let max_age = asked.max_age;
    Ask {
        max_age_s: match wants("login") {
            true => Some(0),
            false => max_age.and_then(|seconds| u32::try_from(seconds).ok()),
        },
        ui_locales: vec![request.locale.clone()],
        prompt: (!prompt.is_empty()).then(|| prompt.join(" ")),
        ..Ask::default()
    }
}

/// The way back.
pub async fn back(
    State(app): State<App>,
    Path(name): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let at = app.url(&BACK.replace("{provider}", &name));
    let query = query.unwrap_or_default();
    let taken = match take(&app, &headers, (at.as_str(), &query)).await {
        Ok(taken) => taken,
        Err(error) => return owned::store_failure(&app, &headers, &error.into()),
    };
    // Another browser, a second time, too late, made up: the same page.
    let Some((callback, pending, way)) = taken else {
        return PageFailure::unknown(views::browser_locale(&headers)).show(&app);
    };
    let owned = match owned::find(&app, &headers, &way.login).await {
        Ok(owned) => owned,
        Err(error) => return error.show(&app, &headers),
    };
    let page = see_other(&format!("/login/{}", way.login));
    let Transaction::Pending(Pending { mut login }) = owned.transaction else {
        return page;
    };
    let turn = login.run.as_deref().map(|run| run.turn);
    let Some(upstream) = app
        .upstreams
        .get(&way.provider)
        .filter(|_| turn == Some(way.turn))
    else {
        return page;
    };
    let request = login.request.clone();
    let done = async {
        let loaded = run::text(&app, &login).await?;
        let asked = |one: &&UpstreamProvider| one.id == way.provider;
        let mut providers = run::providers(&app, &login, &loaded).into_iter();
        if !providers.any(|one| asked(&one)) {
            return Ok(Done::Page(login.id.clone()));
        }
        let who = match upstream.finish(pending, callback).await {
            Ok(who) => who,
            Err(error) => {
                let failed = why(&login, &error);
                return ended(&app, &headers, &loaded, login, failed).await;
            }
        };
        let visit = login_run::visit(&headers);
        run::vouched(&app, &mut login, &loaded, (&who, &visit)).await?;
        count_refused(&app, &login);
        login_run::go_on(&app, &headers, &loaded, (Was::Pending, login)).await
    };
    let done = done.await;
    login_run::respond(&app, &headers, &request, done).await
}

type Taken = Option<(Callback, vouchsafe_service::upstream::Pending, Way)>;

async fn take(app: &App, headers: &HeaderMap, (at, query): (&str, &str)) -> Result<Taken, DbError> {
    let cookie = Cookie::Browser.read(app, headers);
    let Some((cookie, callback)) = cookie.zip(Callback::parse(at, query).ok()) else {
        return Ok(None);
    };
    let (state, now) = (callback.state().to_owned(), app.now());
    let taken = flows::take(&app.db, PURPOSE, &cookie, &state, now).await?;
    Ok(taken.map(|(pending, way)| (callback, pending, way)))
}

/// The step ends without anybody; where that leads is the business of the journey.
async fn ended(
    app: &App,
    headers: &HeaderMap,
    loaded: &Arc<Loaded>,
    mut login: Login,
    (outcome, failure): (Outcome, Failure),
) -> Result<Done, TurnError> {
    run::failed(app, &mut login, loaded, outcome, failure)?;
    count_refused(app, &login);
    login_run::go_on(app, headers, loaded, (Was::Pending, login)).await
}

/// A sign-in elsewhere that got nobody in is counted.
fn count_refused(app: &App, login: &Login) {
    let failure = login.run.as_deref().and_then(|run| run.failure.as_ref());
    if let Some(failure) = failure {
        tell::attempted(app, login, ("upstream", "failure"), failure.code());
    }
}

fn too_often() -> (Outcome, Failure) {
    let failure = Failure::new("upstream_too_often", Explanation::Provider);
    (Outcome::Error, failure)
}

/// How the step ends. The log has the reason.
fn why(login: &Login, error: &UpstreamError) -> (Outcome, Failure) {
    let (login, code) = (log_id(&login.id), error.code());
    let error_text = views::chain(error);
    let no = [
        "access_denied",
        "login_required",
        "consent_required",
        "interaction_required",
    ];
    let (outcome, ours) = match error {
        UpstreamError::Denied(reason) if no.contains(&reason.as_str()) => {
            (Outcome::Declined, "upstream_declined")
        }
        _ if error.is_temporary() => (Outcome::Error, "upstream_unreachable"),
        UpstreamError::State
        | UpstreamError::MixUp
        | UpstreamError::Callback
        | UpstreamError::IdToken(_)
        | UpstreamError::OtherSubject => (Outcome::Invalid, "upstream_refused"),
        UpstreamError::Unreachable(_)
        | UpstreamError::Status(_)
        | UpstreamError::Discovery(_)
        | UpstreamError::Denied(_)
        | UpstreamError::Refused(_)
        | UpstreamError::RequestRefused(_)
        | UpstreamError::Malformed(_)
        | UpstreamError::Key(_) => (Outcome::Error, "upstream_failed"),
    };
    match outcome {
        Outcome::Declined => tracing::info!(login, code, "the provider signs nobody in"),
        _ => tracing::warn!(login, code, error = %error_text, "the provider signs nobody in"),
    }
    (outcome, Failure::new(ours, Explanation::Provider))
}
