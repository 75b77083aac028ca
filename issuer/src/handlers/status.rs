//! `GET /status/{list}`: a status list token (Token Status List, section 8).

use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::core::Core;
use crate::domain::ids::StatusListId;
use crate::handlers::wire::{CROSS_ORIGIN_RESOURCE_POLICY, json_no_store};
use crate::status::{self, StatusListError};

const MEDIA_TYPE: &str = "application/statuslist+jwt";

/// Why there is no list.
#[derive(Debug, thiserror::Error)]
pub enum StatusError {
    /// No such list.
    #[error("no such status list")]
    NotFound,
    /// It cannot be read or signed.
    #[error("the status list cannot be published")]
    List(#[from] StatusListError),
}

impl IntoResponse for StatusError {
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

/// Answers with the token, or with 304 where the caller has it.
pub async fn handler(
    State(core): State<Core>,
    Path(list): Path<String>,
    headers: HeaderMap,
) -> Result<Response, StatusError> {
    let id = StatusListId::parse(&list).map_err(|_| StatusError::NotFound)?;
    let list = status::published(&core, &id)
        .await?
        .ok_or(StatusError::NotFound)?;
    let etag = format!("\"{}.{}\"", list.published_version, list.issued_at.0);
    let known = headers
        .get(header::IF_NONE_MATCH)
        .is_some_and(|value| value.as_bytes() == etag.as_bytes());
    let mut response = if known {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        let kind = [(header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE))];
        (kind, list.token).into_response()
    };
    let ttl = core.settings.status.ttl_s;
    let out = response.headers_mut();
    // Token Status List, section 8.1: lists are public, for scripts of any origin too.
    out.insert(
        header::ACCESS_CONTROL_ALLOW_ORIGIN,
        HeaderValue::from_static("*"),
    );
    out.insert(
        CROSS_ORIGIN_RESOURCE_POLICY,
        HeaderValue::from_static("cross-origin"),
    );
    for (name, value) in [
        (header::ETAG, etag),
        (header::CACHE_CONTROL, format!("public, max-age={ttl}")),
    ] {
        if let Ok(value) = HeaderValue::try_from(value) {
            out.insert(name, value);
        }
    }
    Ok(response)
}
