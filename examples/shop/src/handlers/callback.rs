//! `GET /callback`: the browser comes back from the provider.

use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use openidconnect::CsrfToken;
use serde::Deserialize;

use super::{LOGIN_COOKIE, SESSION_COOKIE, cookie, problem, see_other, set_cookie};
use crate::Shop;

/// An authorization response (RFC 6749, section 4.1.2; RFC 9207).
#[derive(Deserialize)]
pub struct Parameters {
    state: String,
    iss: Option<String>,
    code: Option<String>,
    error: Option<String>,
}

/// Finishes a login, or says why it ended.
pub async fn handle(
    State(shop): State<Shop>,
    Query(parameters): Query<Parameters>,
    headers: HeaderMap,
) -> Response {
    let Parameters {
        state,
        iss,
        code,
        error,
    } = parameters;
    // RFC 9700, section 2.1.2: the response must come to the browser that asked.
    let pending = match cookie(&headers, LOGIN_COOKIE) {
        Some(started) if started == state => shop.parts.visitors.take(&state),
        _ => None,
    };
    let Some(pending) = pending else {
        return problem(&shop, &headers, StatusCode::BAD_REQUEST, "other-browser");
    };
    // RFC 9207, section 2.4: the response must come from the provider that was asked.
    let provider_id = shop.parts.config.provider.as_str().trim_end_matches('/');
    if iss.as_deref() != Some(provider_id) {
        return problem(&shop, &headers, StatusCode::BAD_REQUEST, "provider");
    }
    let Some(code) = code else {
        let key = if error.as_deref() == Some("access_denied") {
            "declined"
        } else {
            "provider"
        };
        return problem(&shop, &headers, StatusCode::OK, key);
    };
    let visitor = match shop.parts.provider().await {
        Ok(provider) => provider.finish(code, pending).await,
        Err(error) => Err(error),
    };
    match visitor {
        Ok(visitor) => {
            // A fresh secret for every session: nobody can fix it beforehand.
            let session = CsrfToken::new_random_len(32).secret().clone();
            shop.parts.visitors.open(session.clone(), visitor);
            let cookies = [
                set_cookie(&shop, SESSION_COOKIE, &session, 3600),
                set_cookie(&shop, LOGIN_COOKIE, "", 0),
            ];
            see_other("/", &cookies)
        }
        Err(error) => {
            tracing::warn!(%error, "a login failed");
            problem(&shop, &headers, StatusCode::BAD_GATEWAY, "provider")
        }
    }
}
