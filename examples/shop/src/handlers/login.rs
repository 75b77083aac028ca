//! `GET /login/{purpose}`: sends the browser to the provider.

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;

use super::{LOGIN_COOKIE, locale, problem, see_other, set_cookie};
use crate::Shop;
use crate::visitors::Purpose;

/// Starts a login: `age`, `membership` or `again`.
pub async fn handle(
    State(shop): State<Shop>,
    Path(purpose): Path<String>,
    headers: HeaderMap,
) -> Response {
    let Some(purpose) = Purpose::from_path(&purpose) else {
        return problem(&shop, &headers, StatusCode::NOT_FOUND, "not-found");
    };
    let provider = match shop.parts.provider().await {
        Ok(provider) => provider,
        Err(error) => {
            tracing::warn!(?error, "the provider cannot be used");
            return problem(&shop, &headers, StatusCode::BAD_GATEWAY, "provider");
        }
    };
    let (url, state, pending) = provider.start(purpose, locale(&headers).tag());
    let cookie = set_cookie(&shop, LOGIN_COOKIE, &state, 600);
    shop.parts.visitors.start(state, pending);
    see_other(&url, &[cookie])
}
