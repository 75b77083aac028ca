//! `GET /status/{list}`: a status list token (Token Status List, section 8).

use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::core::Core;
use crate::domain::ids::StatusListId;
use crate::handlers::wire::{CROSS_ORIGIN_RESOURCE_POLICY, json_no_store};
use crate::status::StatusListError;

const MEDIA_TYPE: &str = "application/statuslist+jwt";

/// Why there is no list.
#[derive(Debug, thiserror::Error)]
pub enum StatusError {
    /// No such list.
    #[error("no such status list")]
    NotFound,
    /// The list of another time was asked for.
    #[error("lists of other times are not kept")]
    Historical,
    /// It cannot be read or signed.
    #[error("the status list cannot be published")]
    List(#[from] StatusListError),
}

impl IntoResponse for StatusError {
    fn into_response(self) -> Response {
        let (status, code) = match &self {
            Self::NotFound => (StatusCode::NOT_FOUND, "not_found"),
            // Token Status List, "Historical Resolution": 501 where it is not supported.
            Self::Historical => (StatusCode::NOT_IMPLEMENTED, "not_supported"),
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
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, StatusError> {
    let id = StatusListId::parse(&list).map_err(|_| StatusError::NotFound)?;
    // The list of now would be a wrong answer.
    if query.is_some_and(|query| asks_for_a_time(&query)) {
        return Err(StatusError::Historical);
    }
    let list = core.shown.get(&core, &id).await?;
    let list = list.ok_or(StatusError::NotFound)?;
    let mut response = if knows(&headers, &list.etag) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        let kind = [(header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE))];
        (kind, list.token.clone()).into_response()
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
        (header::ETAG, list.etag.clone()),
        (header::CACHE_CONTROL, format!("public, max-age={ttl}")),
    ] {
        if let Ok(value) = HeaderValue::try_from(value) {
            out.insert(name, value);
        }
    }
    Ok(response)
}

fn asks_for_a_time(query: &str) -> bool {
    url::form_urlencoded::parse(query.as_bytes()).any(|(name, _)| name == "time")
}

/// RFC 9110, section 13.1.2: any entity tag of the lists, compared weakly, or `*`.
fn knows(headers: &HeaderMap, etag: &str) -> bool {
    let values = headers.get_all(header::IF_NONE_MATCH).iter();
    let values = values.filter_map(|value| value.to_str().ok());
    let mut tags = values.flat_map(|value| value.split(',')).map(str::trim);
    tags.any(|tag| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == etag)
}
