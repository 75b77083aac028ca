//! `GET /`: the shop, and what it knows about the visitor.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use serde_json::json;

use super::elsewhere::ELSEWHERE_COOKIE;
use super::{SESSION_COOKIE, cookie, page};
use crate::Shop;

/// Shows the shop; with a session also what the shop has learned.
pub async fn handle(State(shop): State<Shop>, headers: HeaderMap) -> Response {
    let visitor =
        cookie(&headers, SESSION_COOKIE).and_then(|session| shop.parts.visitors.get(session));
    let abroad = cookie(&headers, ELSEWHERE_COOKIE).is_some();
    let told = json!({ "visitor": visitor, "abroad": abroad });
    page(&shop, &headers, "home", told)
}
