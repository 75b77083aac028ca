//! `GET /login/{transaction}/leave`: from the page of a failed login back to the application.

use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use vouchsafe_protocol::oauth::error::ErrorCode;

use super::owned;
use crate::app::App;
use crate::domain::transaction::{Failed, Transaction};
use crate::reply::{self, Told, error_of, see_other};

/// Sends the browser back with the error of the login.
pub async fn handle(
    State(app): State<App>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Response {
    let owned = match owned::find_any_age(&app, &headers, &id).await {
        Ok(owned) => owned,
        Err(error) => return error.show(&app, &headers),
    };
    match &owned.transaction {
        Transaction::Failed(Failed { login, failure }) => {
            reply::to_client(&app, &login.request, Told::Error(error_of(failure)))
        }
        Transaction::Pending(_) | Transaction::Answered(_)
            if app.now() >= owned.transaction.login().expires_at =>
        {
            reply::to_client(
                &app,
                &owned.transaction.login().request,
                Told::Error(ErrorCode::AccessDenied.into()),
            )
        }
        Transaction::Pending(_) | Transaction::Answered(_) | Transaction::Finished(_) => {
            see_other(&format!("/login/{id}"))
        }
    }
}
