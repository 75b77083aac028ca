//! Bodies of the administration API: JSON, strictly, without unknown members.

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode};
use serde::de::DeserializeOwned;
use vouchsafe_credentials::json::parse_strict;

use super::error::{ApiError, BodyProblem};

/// The bytes of a body, not more than may be sent.
pub struct Payload(pub Bytes);

impl<S: Send + Sync> FromRequest<S> for Payload {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let read = Bytes::from_request(request, state).await;
        read.map(Self).map_err(|refused| match refused.status() {
            StatusCode::PAYLOAD_TOO_LARGE => ApiError::TooLarge,
            _ => ApiError::Body(BodyProblem::Cut),
        })
    }
}

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
