//! `GET /status/{list}`: a status list token (Token Status List, section 8).

use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::core::Core;
use crate::domain::ids::StatusListId;
use crate::handlers::wire::{CROSS_ORIGIN_RESOURCE_POLICY, json_no_store};
use crate::status::StatusListError;

const JWT: &str = "application/statuslist+jwt";
const CWT: &str = "application/statuslist+cwt";

/// Why there is no list.
#[derive(Debug, thiserror::Error)]
pub enum StatusError {
    /// No such list.
    #[error("no such status list")]
    NotFound,
    /// The list of another time was asked for.
    #[error("lists of other times are not kept")]
    Historical,
    /// Only a CWT is wanted, and there is none.
    #[error("there is no CWT of this list")]
    NotAcceptable,
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
            Self::NotAcceptable => (StatusCode::NOT_ACCEPTABLE, "not_acceptable"),
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
    let (media_type, body, mark) = match (wants_cwt(&headers), &list.cwt) {
        (true, Some(cwt)) => (CWT, cwt, ".cwt"),
        (true, None) => return Err(StatusError::NotAcceptable),
        (false, _) => (JWT, &list.token, ""),
    };
    // RFC 9110, section 8.8.1: a strong tag is of one representation.
    let etag = format!("\"{}{mark}\"", list.version);
    let mut response = if knows(&headers, &etag) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        let kind = [(header::CONTENT_TYPE, HeaderValue::from_static(media_type))];
        (kind, body.clone()).into_response()
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
    out.insert(header::VARY, HeaderValue::from_static("Accept"));
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

/// Token Status List, section 8.1: the form is the one that `Accept` names. A CWT is sent where it
/// is preferred by name, a JWT to everybody else.
fn wants_cwt(headers: &HeaderMap) -> bool {
    let values = headers.get_all(header::ACCEPT).iter();
    let values = values.filter_map(|value| value.to_str().ok());
    let ranges = values.flat_map(|value| value.split(','));
    let (mut cwt, mut jwt) = (0, 0);
    for range in ranges {
        let mut parts = range.split(';').map(str::trim);
        let name = parts.next().unwrap_or_default().to_ascii_lowercase();
        let weight = parts.find_map(|part| part.strip_prefix("q="));
        let weight = weight.map_or(1000, thousandths);
        match name.as_str() {
            CWT => cwt = weight,
            JWT => jwt = weight,
            _ => {}
        }
    }
    cwt > jwt
}

/// RFC 9110, section 12.4.2: `0`, `1`, and up to three digits behind the point.
fn thousandths(weight: &str) -> u32 {
    match weight.split_once('.') {
        None => weight.parse::<u32>().unwrap_or(0).min(1) * 1000,
        Some((whole, _)) if whole != "0" => 1000,
        Some((_, digits)) => {
            let digits = digits.get(..digits.len().min(3)).unwrap_or_default();
            format!("{digits:0<3}").parse().unwrap_or(0)
        }
    }
}

fn asks_for_a_time(query: &str) -> bool {
    url::form_urlencoded::parse(query.as_bytes()).any(|(name, _)| name == "time")
}

/// RFC 9110, section 13.1.2: any entity tag of the lists, compared weakly, or `*`.
pub fn knows(headers: &HeaderMap, etag: &str) -> bool {
    let values = headers.get_all(header::IF_NONE_MATCH).iter();
    let values = values.filter_map(|value| value.to_str().ok());
    let mut tags = values.flat_map(|value| value.split(',')).map(str::trim);
    tags.any(|tag| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == etag)
}
