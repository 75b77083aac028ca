//! `GET /.well-known/ssf-configuration` (Shared Signals Framework 1.0, section 7.2).

use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use vouchsafe_protocol::ssf::metadata::{TransmitterEndpoints, TransmitterMetadata};

use super::{ssf_status, ssf_stream, ssf_verify};
use crate::app::App;

/// The document.
pub async fn handle(State(app): State<App>) -> Response {
    let at = |path: &str| app.settings.public_url.join(path);
    let endpoints = TransmitterEndpoints {
        jwks: at("/jwks"),
        configuration: at(ssf_stream::PATH),
        status: at(ssf_status::PATH),
        verification: at(ssf_verify::PATH),
    };
    let document = TransmitterMetadata::new(app.issuer(), endpoints);
    (
        [(header::CACHE_CONTROL, "public, max-age=300")],
        Json(document),
    )
        .into_response()
}
