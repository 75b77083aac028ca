//! `If-Match` and `If-None-Match` (RFC 9110, section 13.1): no change that somebody else made is lost
//! (catalogue 395).

use axum::http::{HeaderMap, HeaderName, header};

use crate::clients::administer::Condition;
use crate::handlers::v1::error::ApiError;

/// An entity tag.
pub fn etag(revision: &str) -> String {
    format!("\"{revision}\"")
}

/// The one value of a header.
fn one(headers: &HeaderMap, name: HeaderName) -> Result<Option<&str>, ApiError> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => value.to_str().map(Some).map_err(|_| ApiError::Condition),
        (Some(_), Some(_)) => Err(ApiError::Condition),
    }
}

/// The state that `If-Match` names: one strong entity tag.
pub fn if_match(headers: &HeaderMap) -> Result<Option<String>, ApiError> {
    let Some(text) = one(headers, header::IF_MATCH)? else {
        return Ok(None);
    };
    let inner = text
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'));
    match inner {
        Some(inner) if !inner.is_empty() && !inner.contains('"') => Ok(Some(inner.to_owned())),
        Some(_) | None => Err(ApiError::Condition),
    }
}

/// What is demanded of the state before a change.
pub fn read(headers: &HeaderMap) -> Result<Condition, ApiError> {
    match (if_match(headers)?, one(headers, header::IF_NONE_MATCH)?) {
        (None, None) => Ok(Condition::Unsaid),
        (Some(tag), None) => Ok(Condition::Is(tag)),
        (None, Some("*")) => Ok(Condition::Absent),
        (_, Some(_)) => Err(ApiError::Condition),
    }
}
