//! `GET /pictures/{name}`: a logo or a background, under the name that its bytes have.

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::wire::{CROSS_ORIGIN_RESOURCE_POLICY, json_no_store};
use crate::core::Core;

/// No type has this picture.
#[derive(Debug, thiserror::Error)]
#[error("no such picture")]
pub struct NotFound;

impl IntoResponse for NotFound {
    fn into_response(self) -> Response {
        json_no_store(StatusCode::NOT_FOUND, &json!({ "error": "not_found" }))
    }
}

/// Answers with the picture.
pub async fn handler(
    State(core): State<Core>,
    Path(name): Path<String>,
) -> Result<Response, NotFound> {
    let picture = core.types.picture(&name).ok_or(NotFound)?;
    let mut response = Bytes::copy_from_slice(picture.bytes()).into_response();
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_TYPE, picture.media_type()),
        // Another picture has another name.
        (header::CACHE_CONTROL, "public, max-age=31536000, immutable"),
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
        (CROSS_ORIGIN_RESOURCE_POLICY, "cross-origin"),
        // Opened by itself an SVG is a document: this one runs nothing and fetches nothing.
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; style-src 'unsafe-inline'; sandbox",
        ),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    Ok(response)
}
