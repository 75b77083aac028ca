//! `POST /login/{transaction}/number`: the number of the other screen, typed in the browser that
//! started the login (RFC 10027).

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;

use super::owned;
use super::{form, login_page, login_run};
use crate::app::App;
use crate::cookies::Cookie;
use crate::domain::reason::Failure;
use crate::domain::request::LoginRequest;
use crate::domain::transaction::{Answered, Channel, Transaction};
use crate::login::finish::{self, FinishError, Finished};
use crate::reply::{self, Told, see_other, with_cookie};
use crate::store::{StoreError, transactions};
use crate::views;

/// Compares the number. Every attempt uses up a try before it is compared, so that attempts at
/// the same time do not share one.
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
    let answered = match &owned.transaction {
        Transaction::Answered(answered) if answered.answer.channel == Channel::Qr => {
            answered.clone()
        }
        _ => return see_other(&format!("/login/{id}")),
    };
    let left = match spend_try(&app, &answered).await {
        Ok(left) => left,
        Err(error) => return owned::store_failure(&app, &headers, &error),
    };
    let typed = form.get("number").unwrap_or_default();
    match left {
        Some(_) if answered.number_matches(typed) => complete(&app, &headers, answered).await,
        Some(left) if left > 0 => {
            let tries_left = u8::try_from(left).unwrap_or_default();
            let answered = Answered {
                tries_left,
                ..answered
            };
            let page = login_page::number(&app, &answered, &owned, true).await;
            page.unwrap_or_else(|error| error.show(&app, &headers))
        }
        Some(_) | None => {
            match finish::fail::<Finished>(&app, answered, Failure::wrong_number()).await {
                Err(FinishError::Store(error)) => owned::store_failure(&app, &headers, &error),
                Ok(_) | Err(_) => see_other(&format!("/login/{id}")),
            }
        }
    }
}

async fn spend_try(app: &App, answered: &Answered) -> Result<Option<i64>, StoreError> {
    let (id, now) = (answered.login.id.clone(), app.now());
    Ok(app
        .db
        .write(async move |tx| transactions::spend_try(tx, &id, now).await)
        .await?)
}

/// Finishes the login in this browser and sends it to the application.
pub(super) async fn complete(app: &App, headers: &HeaderMap, answered: Answered) -> Response {
    if answered.login.run.is_some() {
        return login_run::answered(app, headers, answered).await;
    }
    let request = answered.login.request.clone();
    let login = answered.login.clone();
    let current = match owned::session(app, headers).await {
        Ok(current) => current,
        Err(error) => return owned::store_failure(app, headers, &error),
    };
    match finish::finish(app, answered, current).await {
        Ok(finished) => goes(app, &request, finished).await,
        Err(FinishError::AlreadyOver) => see_other(&format!("/login/{}", login.id)),
        Err(FinishError::Failed(failure)) => {
            let cookie = Cookie::Browser.read(app, headers).unwrap_or_default();
            let client = app.asker(&request).await;
            match (client, owned::own(app, cookie, &request).await) {
                (Ok(client), Ok(own)) => {
                    views::failed(app, &login, client.as_deref(), &failure, Some(&own))
                }
                (Err(error), _) | (_, Err(error)) => owned::store_failure(app, headers, &error),
            }
        }
        Err(FinishError::ClientGone) => owned::refused(app, headers),
        Err(FinishError::Store(error)) => owned::store_failure(app, headers, &error),
    }
}

/// The way back of a login that succeeded, with the cookie of its session.
pub(super) async fn goes(app: &App, request: &LoginRequest, finished: Finished) -> Response {
    let Finished { code, cookie, .. } = finished;
    let response = match code {
        Some(code) => reply::to_client(app, request, Told::Code(code)).await,
        None => reply::linked(app, request),
    };
    match cookie {
        Some(cookie) => with_cookie(response, Cookie::Session.set(app, cookie.reveal())),
        None => response,
    }
}
