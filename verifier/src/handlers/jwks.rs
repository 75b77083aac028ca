//! `GET /jwks`: the public keys of ID tokens and logout tokens.

use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};

use crate::app::App;

/// The key set. Only public members: the keys come from their public halves.
pub async fn handle(State(app): State<App>) -> Response {
    (
        [(header::CACHE_CONTROL, "public, max-age=300")],
        Json(app.tokens.jwks()),
    )
        .into_response()
}
