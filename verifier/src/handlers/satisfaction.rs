//! `GET|POST /satisfaction`: one question to people who have logged in, where the organisation asks it
//! (`[numbers] satisfaction`). The link brings a slip of the login, which is good for one answer. The answer
//! is counted by the hour and is nobody's: no cookie is read, and nothing of the request is kept but that
//! the login was answered for.

use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde_json::json;
use vouchsafe_protocol::oauth::params::Params;
use vouchsafe_service::http::ClientAddress;

use super::{form, owned};
use crate::app::{App, Parts};
use crate::domain::ids::SessionId;
use crate::numbers::{slips, tell};
use crate::store::{StoreError, satisfaction};
use crate::views;

/// Where it is.
pub const SATISFACTION: &str = "/satisfaction";

/// What its form is bound to: no browser in particular.
const NOBODY: &str = "satisfaction";
/// The parameter and the field with the slip.
const SLIP: &str = "login";
/// The answers, from bad to good.
const ANSWERS: [&str; 5] = ["1", "2", "3", "4", "5"];

/// Whether people are asked.
pub fn is_asked(app: &Parts) -> bool {
    let numbers = app.settings.numbers.as_ref();
    numbers.is_some_and(|numbers| numbers.satisfaction)
}

/// Where a link leads that asks about the login of a session. `None` where people are not asked.
pub(super) fn link(app: &Parts, session: &SessionId) -> Option<String> {
    let slip = slips::of(app, session)?;
    Some(format!("{SATISFACTION}?{SLIP}={slip}"))
}

/// The question.
pub async fn get(
    State(app): State<App>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    let asked = Params::parse(query.as_deref().unwrap_or_default());
    let slip = asked
        .ok()
        .and_then(|asked| asked.get(SLIP).map(str::to_owned));
    let slip = slip.filter(|slip| slips::read(&app, slip).is_some());
    let Some(slip) = slip else {
        return closed(&app, &headers);
    };
    let context = json!({ "answers": ANSWERS, "csrf": app.csrf.token(NOBODY), "slip": slip });
    let locale = views::browser_locale(&headers);
    views::page(
        &app,
        StatusCode::OK,
        "verifier/satisfaction",
        locale,
        context,
    )
}

/// The answer.
pub async fn post(
    State(app): State<App>,
    address: ClientAddress,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let Some(form) = form::own(&app, &headers, &body, NOBODY) else {
        return owned::foreign(&app, &headers);
    };
    let given = form.get("answer").unwrap_or_default();
    let Some(answer) = ANSWERS.into_iter().find(|one| *one == given) else {
        return owned::refused(&app, &headers);
    };
    // Anybody may answer, but nobody very often.
    if let Err(wait) = app.satisfaction_answers.check(address) {
        let seconds = i64::try_from(wait.as_secs()).unwrap_or(i64::MAX);
        return owned::too_many(&app, &headers, seconds);
    }
    let Some(slip) = slips::read(&app, form.get(SLIP).unwrap_or_default()) else {
        return closed(&app, &headers);
    };
    let until = slips::kept_until(&app);
    let first = app
        .db
        .write(async move |tx| satisfaction::answer(tx, &slip.login, until).await);
    match first.await {
        Ok(true) => tell::satisfied(&app, answer),
        Ok(false) => return closed(&app, &headers),
        Err(error) => return owned::store_failure(&app, &headers, &StoreError::from(error)),
    }
    let locale = views::browser_locale(&headers);
    views::message(&app, StatusCode::OK, locale, "satisfied")
}

/// There is no login that could be answered for, or somebody has.
fn closed(app: &App, headers: &HeaderMap) -> Response {
    let locale = views::browser_locale(headers);
    views::message(app, StatusCode::GONE, locale, "satisfaction-over")
}
