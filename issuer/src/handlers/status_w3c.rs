//! `GET /status/{list}/{purpose}`: a status list credential (Bitstring Status List 1.0, section 2.2).

use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::status::knows;
use super::wire::{CROSS_ORIGIN_RESOURCE_POLICY, json_no_store};
use crate::bitstring::{self, BitstringError, Purpose};
use crate::core::Core;
use crate::domain::ids::StatusListId;

/// Why there is no list.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No such list, or no such purpose.
    #[error("no such status list")]
    NotFound,
    /// It cannot be read or signed.
    #[error("the status list cannot be published")]
    List(#[from] BitstringError),
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let (status, code) = match &self {
            Self::NotFound => (StatusCode::NOT_FOUND, "not_found"),
            Self::List(error) => {
                tracing::error!(
                    error = error as &dyn std::error::Error,
                    "status list failed"
                );
                (StatusCode::SERVICE_UNAVAILABLE, "temporarily_unavailable")
            }
        };
        json_no_store(status, &json!({ "error": code }))
    }
}

/// Answers with the list, or with 304 where the caller has it.
pub async fn handler(
    State(core): State<Core>,
    Path((list, purpose)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, Error> {
    let id = StatusListId::parse(&list).map_err(|_| Error::NotFound)?;
    let purpose = Purpose::parse(&purpose).ok_or(Error::NotFound)?;
    let list = bitstring::published(&core, &id, purpose).await?;
    let list = list.ok_or(Error::NotFound)?;
    let mut response = if knows(&headers, &list.etag) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        let kind = HeaderValue::from_static(list.media_type);
        ([(header::CONTENT_TYPE, kind)], list.body.clone()).into_response()
    };
    let ttl = core.settings.status.ttl_s;
    let out = response.headers_mut();
    // Lists are public, for scripts of any origin too.
    let any = HeaderValue::from_static("*");
    out.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, any);
    let cross_origin = HeaderValue::from_static("cross-origin");
    out.insert(CROSS_ORIGIN_RESOURCE_POLICY, cross_origin);
    for (name, value) in [
        (header::ETAG, list.etag.clone()),
        (header::CACHE_CONTROL, format!("public, max-age={ttl}")),
    ] {
        if let Ok(value) = HeaderValue::try_from(value) {
            out.insert(name, value);
        }
    }
    Ok(response)
}
