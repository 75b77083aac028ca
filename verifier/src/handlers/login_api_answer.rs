//! `POST /login/{transaction}/dc-api/{request}`: what the browser's Digital Credentials API gave to
//! the page of a login (OpenID4VP 1.0, appendix A.4). Only the browser that started the login can
//! bring it, so nobody is logged in with what somebody else showed.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;
use vouchsafe_service::http::Problem;

use super::form;
use super::login_api_request::ScriptError;
use super::owned;
use crate::app::App;
use crate::domain::ids::RequestId;
use crate::login::accept::{AcceptError, accept_from_page};
use crate::login::ask::AskError;
use crate::store::StoreError;

/// Judges the answer, and says where the page goes on.
pub async fn handle(
    State(app): State<App>,
    Path((id, request)): Path<(String, String)>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let owned = match owned::find(&app, &headers, &id).await {
        Ok(owned) => owned,
        Err(error) => return ScriptError::Owned(error).into_response(),
    };
    if !form::script(&app, &headers, &owned.cookie) {
        return ScriptError::Foreign.into_response();
    }
    let login = &owned.transaction.login().id;
    match accept_from_page(&app, login, &RequestId::from_text(request), &body).await {
        // The page of the login knows what came of it: a code for the application, or why not.
        Ok(_) | Err(AcceptError::Refused { .. } | AcceptError::Changed) => (
            [(header::CACHE_CONTROL, "no-store")],
            Json(json!({ "next": format!("/login/{id}") })),
        )
            .into_response(),
        Err(error) => wire(error),
    }
}

fn wire(error: AcceptError) -> Response {
    let bad = |code| {
        let detail = "The answer of the wallet is not one to this request.";
        Problem::new(StatusCode::BAD_REQUEST, code, detail).into_response()
    };
    match error {
        AcceptError::Unknown => Problem::not_found().into_response(),
        AcceptError::AlreadyAnswered => ScriptError::Over.into_response(),
        AcceptError::Form(error) => bad(error.code()),
        AcceptError::Answer(error) => bad(error.code()),
        AcceptError::Foreign(error) => bad(error.code()),
        // Answered above: the login has ended, and its page explains why.
        AcceptError::Refused { .. } | AcceptError::Changed => ScriptError::Over.into_response(),
        AcceptError::Ask(error) => ScriptError::Ask(error).into_response(),
        AcceptError::Store(error @ (StoreError::Db(_) | StoreError::Serialise(_))) => {
            ScriptError::Ask(AskError::Store(error)).into_response()
        }
    }
}
