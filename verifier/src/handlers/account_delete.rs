//! `GET|POST /account/delete`: the account, all that is known of it and all that rests on it end.

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde_json::json;
use vouchsafe_service::audit::{self, Event};
use vouchsafe_service::db::DbError;
use vouchsafe_service::http::ClientAddress;

use super::account_change::person;
use super::account_means::{may_change, stale};
use super::owned;
use crate::app::App;
use crate::cookies::Cookie;
use crate::domain::ids::SubjectId;
use crate::domain::session::EndReason;
use crate::login::end;
use crate::reply::with_cookie;
use crate::store::{StoreError, subjects};
use crate::views;

/// Where it is.
pub const PATH: &str = "/account/delete";

/// Asks once more.
pub async fn get(State(app): State<App>, headers: HeaderMap) -> Response {
    let locale = views::browser_locale(&headers);
    let session = match owned::session(&app, &headers).await {
        Ok(session) => session.filter(|session| session.subject.is_some()),
        Err(error) => return owned::store_failure(&app, &headers, &error),
    };
    let Some((_, cookie)) = session.zip(Cookie::Session.read(&app, &headers)) else {
        return views::message(&app, StatusCode::OK, locale, "account-none");
    };
    let context = json!({ "csrf": app.csrf.token(&cookie), "delete_link": PATH });
    let page = "verifier/account_delete";
    views::page(&app, StatusCode::OK, page, locale, context)
}

/// Deletes the account, where a card was shown a moment ago and nothing is unusual: a stolen session
/// must not take it from its owner.
pub async fn post(
    State(app): State<App>,
    address: ClientAddress,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let owner = match person(&app, &headers, &body).await {
        Ok(owner) => owner,
        Err(error) => return owned::store_failure(&app, &headers, &error),
    };
    let owner = owner.and_then(|owner| Some((owner.subject.clone()?, owner)));
    let Some((subject, session)) = owner else {
        return owned::foreign(&app, &headers);
    };
    match may_change(&app, &headers, address, &session).await {
        Ok(true) => {}
        Ok(false) => return stale(&app, &headers),
        Err(error) => return owned::store_failure(&app, &headers, &error),
    }
    match delete(&app, subject).await {
        Ok(()) => {
            let locale = views::browser_locale(&headers);
            let page = views::message(&app, StatusCode::OK, locale, "account-deleted");
            with_cookie(page, Cookie::Session.remove(&app))
        }
        Err(error) => owned::store_failure(&app, &headers, &error),
    }
}

async fn delete(app: &App, subject: SubjectId) -> Result<(), StoreError> {
    let (parts, now) = (app.clone(), app.now());
    let deleted = app
        .db
        .write(async move |tx| {
            if !subjects::hold(tx, &subject).await? {
                return Ok::<_, DbError>(false);
            }
            subjects::delete(tx, &subject).await?;
            let with = (&parts.settings, parts.rng.as_ref());
            let reason = EndReason::AccountDeleted;
            end::end_of_account(tx, with, (&subject, None), reason, now).await?;
            let event = Event {
                at: now,
                actor: format!("subject:{}", subject.as_str()),
                action: "account.delete",
                target: subject.as_str().to_owned(),
                detail: String::new(),
            };
            audit::append(tx, &parts.audit_key, &event).await?;
            Ok(true)
        })
        .await?;
    if deleted {
        tracing::info!("an account was deleted by its owner");
    }
    Ok(())
}
