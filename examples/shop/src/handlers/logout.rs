//! `POST /logout`: the visitor leaves the shop.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;

use super::{SESSION_COOKIE, cookie, from_our_page, problem, see_other, set_cookie};
use crate::Shop;

/// Ends the shop's own session; the provider's stays.
pub async fn handle(State(shop): State<Shop>, headers: HeaderMap) -> Response {
    if !from_our_page(&shop, &headers) {
        return problem(&shop, &headers, StatusCode::FORBIDDEN, "other-browser");
    }
    if let Some(session) = cookie(&headers, SESSION_COOKIE) {
        shop.parts.visitors.close(session);
    }
    see_other("/", &[set_cookie(&shop, SESSION_COOKIE, "", 0)])
}
