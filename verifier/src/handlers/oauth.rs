//! How endpoints for applications answer: JSON that no cache keeps, errors as RFC 6749, section
//! 5.2, has them.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use vouchsafe_protocol::oauth::error::OAuthError;

/// An answer.
pub(super) fn answer(body: &impl Serialize) -> Response {
    (
        [
            (header::CACHE_CONTROL, "no-store"),
            (header::PRAGMA, "no-cache"),
        ],
        Json(body),
    )
        .into_response()
}

/// A refusal; `by_header` where the client tried to authenticate with the header.
pub(super) fn refusal(error: &OAuthError, by_header: bool) -> Response {
    let status = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::BAD_REQUEST);
    let mut response = (status, answer(error)).into_response();
    let headers = response.headers_mut();
    if by_header {
        headers.insert(
            header::WWW_AUTHENTICATE,
            HeaderValue::from_static("Basic realm=\"token\""),
        );
    }
    if status == StatusCode::SERVICE_UNAVAILABLE {
        headers.insert(header::RETRY_AFTER, HeaderValue::from_static("2"));
    }
    response
}
