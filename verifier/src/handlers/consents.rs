//! `DELETE /consents/{token}`: the wallet takes back what its owner agreed to. The address is the
//! permission: it was given to that wallet alone.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use vouchsafe_service::http::Problem;

use crate::app::App;
use crate::consents::{Withdrawal, withdraw_by_token};
use crate::domain::ids::Secret;
use crate::store::StoreError;

/// Takes the consent back. Asking twice is the same as asking once.
pub async fn handle(State(app): State<App>, Path(token): Path<String>) -> Response {
    let Some(token) = Secret::parse(&token) else {
        return Problem::not_found().into_response();
    };
    match withdraw_by_token(&app, token.digest()).await {
        Ok(Withdrawal::Done | Withdrawal::Before) => StatusCode::NO_CONTENT.into_response(),
        Ok(Withdrawal::Unknown) => Problem::not_found().into_response(),
        Err(StoreError::Db(error)) => Problem::from(error).into_response(),
        Err(StoreError::Serialise(_)) => Problem::internal().into_response(),
    }
}
