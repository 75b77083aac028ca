//! `GET|POST /login/{transaction}/leave`: from the page of a failed login back to the application,
//! or the end of the wait of a device.

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use vouchsafe_protocol::oauth::error::ErrorCode;

use super::form;
use super::owned::{self, Owned};
use crate::app::App;
use crate::domain::transaction::{Failed, Transaction};
use crate::login::device;
use crate::reply::{error_of, see_other};

/// Sends the browser back with the error of the login. A device is told nothing by a link: browsers
/// fetch links ahead, and its no is final.
pub async fn get(State(app): State<App>, Path(id): Path<String>, headers: HeaderMap) -> Response {
    match owned::find_any_age(&app, &headers, &id).await {
        Ok(owned) if owned.transaction.login().request.device().is_some() => {
            see_other(&format!("/login/{id}"))
        }
        Ok(owned) => leave(&app, &headers, &id, &owned).await,
        Err(error) => error.show(&app, &headers),
    }
}

/// The same by a form of ours, and for a device as well.
pub async fn post(
    State(app): State<App>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let owned = match owned::find_any_age(&app, &headers, &id).await {
        Ok(owned) => owned,
        Err(error) => return error.show(&app, &headers),
    };
    if form::own(&app, &headers, &body, &owned.cookie).is_none() {
        return owned::refused(&app, &headers);
    }
    match device::waits(&app, &owned.transaction.login().request).await {
        Ok(true) => leave(&app, &headers, &id, &owned).await,
        Ok(false) => see_other(&format!("/login/{id}")),
        Err(error) => owned::store_failure(&app, &headers, &error),
    }
}

async fn leave(app: &App, headers: &HeaderMap, id: &str, owned: &Owned) -> Response {
    match &owned.transaction {
        Transaction::Failed(Failed { login, failure }) => {
            owned::leave(app, headers, &login.request, error_of(failure)).await
        }
        Transaction::Pending(_) | Transaction::Answered(_)
            if app.now() >= owned.transaction.login().expires_at =>
        {
            let request = &owned.transaction.login().request;
            owned::leave(app, headers, request, ErrorCode::AccessDenied.into()).await
        }
        Transaction::Pending(_) | Transaction::Answered(_) | Transaction::Finished(_) => {
            see_other(&format!("/login/{id}"))
        }
    }
}
