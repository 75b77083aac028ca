//! `POST /login/{transaction}/code`: the person types a code of their authenticator app (RFC 6238). A wrong
//! one, one that was used and one for an account without an app are the same.

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde_json::json;

use super::owned::{self, Owned};
use super::{form, login_events, login_run};
use crate::app::App;
use crate::domain::transaction::{Login, Pending, Transaction};
use crate::reply::see_other;
use crate::views;

/// Takes the code.
pub async fn handle(
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
    let Transaction::Pending(Pending { login }) = &owned.transaction else {
        return see_other(&format!("/login/{id}"));
    };
    // A form of an earlier turn says nothing about what is asked now.
    let turn = login.run.as_deref().map(|run| run.turn.to_string());
    if turn.is_none() || form.get("turn") != turn.as_deref() {
        return see_other(&format!("/login/{id}"));
    }
    let typed = form.get("code").unwrap_or_default();
    let done = login_run::coded(&app, &headers, login.clone(), typed).await;
    // The page once more, and no new turn: nothing has changed.
    done.unwrap_or_else(|| page(&app, login, &owned, true))
}

/// The page with the field.
pub(super) fn page(app: &App, login: &Login, owned: &Owned, wrong: bool) -> Response {
    let id = &login.id;
    let context = json!({
        "unusual": login.request.risk,
        "events": format!("/login/{id}/events?view={}", login_events::View::Choose.name()),
        "watched": "pending",
        "code_link": format!("/login/{id}/code"),
        "cancel_link": format!("/login/{id}/cancel"),
        "turn": login.run.as_deref().map(|run| run.turn.to_string()),
        "wrong": wrong,
        "csrf": app.csrf.token(&owned.cookie),
    });
    let who = views::who(&owned.client, &login.request.locale);
    let status = match wrong {
        true => StatusCode::UNPROCESSABLE_ENTITY,
        false => StatusCode::OK,
    };
    let (name, locale) = ("verifier/code", views::login_locale(login));
    views::page(app, status, name, locale, views::with(who, context))
}
