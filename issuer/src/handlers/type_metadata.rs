//! `GET /types/…`: type metadata at the `vct` of a type (SD-JWT VC, "Retrieving Type Metadata").

use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::status::knows;
use super::wire::{CROSS_ORIGIN_RESOURCE_POLICY, json_no_store};
use crate::core::Core;
use crate::paths::TYPES;

/// No type has this URL as its `vct`.
#[derive(Debug, thiserror::Error)]
#[error("no such type")]
pub struct NotFound;

impl IntoResponse for NotFound {
    fn into_response(self) -> Response {
        json_no_store(StatusCode::NOT_FOUND, &json!({ "error": "not_found" }))
    }
}

/// Answers with the document, byte for byte the one that `vct#integrity` is the hash of.
pub async fn handler(
    State(core): State<Core>,
    Path(rest): Path<String>,
    headers: HeaderMap,
) -> Result<Response, NotFound> {
    let vct = core.settings.url(&format!("{TYPES}{rest}"));
    let found = core.types.by_vct(&vct).ok_or(NotFound)?;
    let published = found.metadata.as_ref().ok_or(NotFound)?;
    let etag = format!("\"{}\"", published.integrity);
    let mut response = if knows(&headers, &etag) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        let json = HeaderValue::from_static("application/json");
        ([(header::CONTENT_TYPE, json)], published.document.clone()).into_response()
    };
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CACHE_CONTROL, "public, max-age=3600"),
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
        (CROSS_ORIGIN_RESOURCE_POLICY, "cross-origin"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if let Ok(etag) = HeaderValue::try_from(etag) {
        headers.insert(header::ETAG, etag);
    }
    Ok(response)
}
