//! `GET /.well-known/did.json`: the document of the service's `did:web`, where wallets know it so.

use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use vouchsafe_service::http::Problem;

use crate::app::App;

/// Answers with the document; 404 where there is none.
pub async fn handle(State(app): State<App>) -> Response {
    match app.identity.did_document() {
        Some(document) => (
            [(header::CACHE_CONTROL, "public, max-age=60")],
            Json(document),
        )
            .into_response(),
        None => Problem::not_found().into_response(),
    }
}
