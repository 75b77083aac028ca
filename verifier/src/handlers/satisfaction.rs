//! `GET|POST /satisfaction`: one question to people who have logged in, where the organisation asks it
//! (`[numbers] satisfaction`). The answer is counted by the hour and is nobody's: no cookie is read, and
//! nothing of the request is kept.

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde_json::json;
use vouchsafe_service::http::ClientAddress;

use super::{form, owned};
use crate::app::{App, Parts};
use crate::numbers::tell;
use crate::views;

/// Where it is.
pub const SATISFACTION: &str = "/satisfaction";

/// What its form is bound to: no browser in particular.
const NOBODY: &str = "satisfaction";
/// The answers, from bad to good.
const ANSWERS: [&str; 5] = ["1", "2", "3", "4", "5"];

/// Whether people are asked.
pub fn is_asked(app: &Parts) -> bool {
    let numbers = app.settings.numbers.as_ref();
    numbers.is_some_and(|numbers| numbers.satisfaction)
}

/// The question.
pub async fn get(State(app): State<App>, headers: HeaderMap) -> Response {
    let context = json!({ "answers": ANSWERS, "csrf": app.csrf.token(NOBODY) });
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
    tell::satisfied(&app, answer);
    let locale = views::browser_locale(&headers);
    views::message(&app, StatusCode::OK, locale, "satisfied")
}
