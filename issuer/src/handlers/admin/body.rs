//! Bodies of the administration API: JSON, strictly, without unknown members.

use axum::body::Bytes;
use axum::http::HeaderMap;
use axum::http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use serde::de::DeserializeOwned;
use vouchsafe_credentials::json::parse_strict;

use super::error::{ApiError, BodyProblem};

/// Reads a JSON body; `T` refuses unknown members.
pub fn read<T: DeserializeOwned>(headers: &HeaderMap, body: &Bytes) -> Result<T, ApiError> {
    if !is_json(headers) {
        return Err(ApiError::MediaType);
    }
    let value = parse_strict(body).map_err(|_| ApiError::Body(BodyProblem::Json))?;
    serde_json::from_value(value).map_err(|_| ApiError::Body(BodyProblem::Shape))
}

/// Catalogue 112, 113: no compressed body, no form that a foreign page could send.
pub fn is_json(headers: &HeaderMap) -> bool {
    is_media_type(headers, "application/json")
}

/// Whether the body is of a media type, without content encoding.
pub fn is_media_type(headers: &HeaderMap, media_type: &str) -> bool {
    let plain = !headers.contains_key(CONTENT_ENCODING);
    let mut types = headers.get_all(CONTENT_TYPE).iter();
    let right = match (types.next(), types.next()) {
        (Some(value), None) => value.to_str().is_ok_and(|value| {
            let essence = value.split(';').next().unwrap_or_default().trim();
            essence.eq_ignore_ascii_case(media_type)
        }),
        _ => false,
    };
    plain && right
}
