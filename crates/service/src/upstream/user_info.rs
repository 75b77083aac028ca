//! UserInfo (OpenID Connect Core 1.0, section 5.3).

use http::{HeaderMap, HeaderValue, Method, header};
use serde_json::{Map, Value};
use vouchsafe_credentials::json::parse_object;
use zeroize::Zeroizing;

use super::UpstreamError;
use crate::fetch::{Fetcher, Limits, Request};

/// The claims of UserInfo about `subject`.
pub(super) async fn claims(
    fetcher: &Fetcher,
    endpoint: &str,
    access_token: &str,
    subject: &str,
) -> Result<Map<String, Value>, UpstreamError> {
    let malformed = || UpstreamError::Malformed("UserInfo response");
    let value = Zeroizing::new(format!("Bearer {access_token}"));
    let mut value = HeaderValue::from_str(&value).map_err(|_| malformed())?;
    value.set_sensitive(true);
    let mut headers = HeaderMap::new();
    headers.insert(header::AUTHORIZATION, value);
    headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
    let answer = fetcher.send(Request {
        method: Method::GET,
        url: endpoint,
        headers,
        body: None,
        limits: Limits::EXCHANGE,
    });
    let answer = answer.await?;
    if !answer.is_success() {
        return Err(UpstreamError::Status(answer.status));
    }
    if !answer.is("application/json") {
        return Err(malformed());
    }
    let claims = parse_object(&answer.body).map_err(|_| malformed())?;
    // Section 5.3.2: `sub` MUST exactly match the one of the ID token, or nothing is used.
    match claims.get("sub").and_then(Value::as_str) {
        Some(sub) if sub == subject => Ok(claims),
        Some(_) | None => Err(UpstreamError::OtherSubject),
    }
}
