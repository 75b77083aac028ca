//! `DELETE /consents/{token}`: the wallet takes back what its owner agreed to. The address is the
//! permission: it was given to that wallet alone.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use vouchsafe_service::http::Problem;

use crate::app::App;
use crate::domain::ids::Secret;
use crate::login::end;
use crate::store::consents;

/// Takes the consent back. Asking twice is the same as asking once.
pub async fn handle(State(app): State<App>, Path(token): Path<String>) -> Response {
    let Some(token) = Secret::parse(&token) else {
        return Problem::not_found().into_response();
    };
    match end::withdraw_by_token(&app, token.digest()).await {
        Ok(Some(_)) => StatusCode::NO_CONTENT.into_response(),
        Ok(None) => match consents::token_exists(&app.db, &token.digest()).await {
            Ok(true) => StatusCode::NO_CONTENT.into_response(),
            Ok(false) => Problem::not_found().into_response(),
            Err(error) => Problem::from(error).into_response(),
        },
        Err(error) => Problem::from(error).into_response(),
    }
}
