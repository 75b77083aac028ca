//! `POST /login/{transaction}/agree`: yes or no to what a journey would tell the application.

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde_json::json;

use super::login_page::LoginPageError;
use super::owned::{self, Owned};
use super::{form, login_events, login_run};
use crate::app::App;
use crate::domain::transaction::{Login, Transaction};
use crate::journey::StepKind;
use crate::login::run;
use crate::login::run::RunError;
use crate::numbers::tell;
use crate::reply::see_other;
use crate::views;

/// Takes the answer. One to a question that would be another one now is asked again.
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
    let Transaction::Pending(pending) = &owned.transaction else {
        return see_other(&format!("/login/{id}"));
    };
    let told = form.get("notice").unwrap_or_default();
    match form.get("answer") {
        Some("yes") => login_run::agreed(&app, &headers, &pending.login, &owned, told).await,
        Some("no") => {
            tell::consent(&app, owned.transaction.login(), "denied");
            login_run::declined(&app, &headers, &owned.transaction).await
        }
        _ => see_other(&format!("/login/{id}")),
    }
}

/// The page with the question.
pub(super) async fn page(
    app: &App,
    login: &Login,
    owned: &Owned,
) -> Result<Response, LoginPageError> {
    let loaded = run::text(app, login).await?;
    let step = run::at(login, &loaded).ok_or(RunError::Gone)?;
    if !matches!(step.kind, StepKind::Consent { .. }) {
        return Err(RunError::Gone.into());
    }
    let notice = run::notice(app, login, (&loaded, step), &owned.client);
    let follows = run::follows(login);
    let id = &login.id;
    let context = json!({
        "for_device": login.request.device().is_some(),
        "for_account": false,
        "unusual": null,
        "purpose": notice.purpose,
        "events": format!("/login/{id}/events?view={}", login_events::View::Choose.name()),
        "watched": "pending",
        "external_id": notice.external_id,
        "guest": !follows && loaded.is_of_guests(),
        "after": follows,
        "stays_days": notice.away_days,
        "agree_link": format!("/login/{id}/agree"),
        "notice": notice.hash(),
        "csrf": app.csrf.token(&owned.cookie),
    });
    let who = views::who(&owned.client, &login.request.locale);
    let context = views::with(views::with(who, context), views::told(&notice, true));
    let locale = views::login_locale(login);
    Ok(views::page(
        app,
        StatusCode::OK,
        "verifier/agree",
        locale,
        context,
    ))
}
