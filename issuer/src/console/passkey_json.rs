//! What the script of passkeys sends and gets: JSON, with the token of the page in a header.

use axum::Json;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use vouchsafe_credentials::json::parse_strict;
use vouchsafe_service::http::extract::require_type;

use super::{Console, Failure};

const TOKEN: &str = "x-vouchsafe-csrf";

/// Checks where a request of the script comes from.
pub fn check(console: &Console, headers: &HeaderMap, binding: &str) -> Result<(), Failure> {
    require_type(headers, "application/json").map_err(|_| Failure::Malformed)?;
    let token = headers.get(TOKEN).and_then(|value| value.to_str().ok());
    let own = console
        .csrf
        .check(headers, binding, token.unwrap_or_default());
    own.map_err(|_| Failure::Form)
}

/// Reads what a passkey answers.
pub fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Failure> {
    let value = parse_strict(body).map_err(|_| Failure::Malformed)?;
    serde_json::from_value(value).map_err(|_| Failure::Malformed)
}

/// What the browser needs.
pub fn options(options: &Value) -> Response {
    Json(json!({ "publicKey": options })).into_response()
}

/// Where to go on, with a cookie where one is to be set.
pub fn go_on(next: &str, cookie: Option<HeaderValue>) -> Response {
    let mut response = Json(json!({ "next": next })).into_response();
    if let Some(cookie) = cookie {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}
