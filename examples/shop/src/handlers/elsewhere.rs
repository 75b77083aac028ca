//! `POST /elsewhere`: a visitor of the demo pretends to be in another country, or goes home.

use axum::Form;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde::Deserialize;

use super::{from_our_page, problem, see_other, set_cookie};
use crate::Shop;

/// The cookie that the login service of a demo looks at; cookies do not know ports.
pub const ELSEWHERE_COOKIE: &str = "vs_demo_elsewhere";
/// How long somebody stays abroad, in seconds.
const STAY: u32 = 600;

/// Where the visitor wants to be seen.
#[derive(Deserialize)]
pub struct Wish {
    place: Place,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Place {
    Abroad,
    Home,
}

/// Sets the cookie; who goes abroad signs in once more, to see what happens.
pub async fn handle(
    State(shop): State<Shop>,
    headers: HeaderMap,
    Form(wish): Form<Wish>,
) -> Response {
    if !shop.parts.config.pretends {
        return problem(&shop, &headers, StatusCode::NOT_FOUND, "not-found");
    }
    if !from_our_page(&shop, &headers) {
        return problem(&shop, &headers, StatusCode::FORBIDDEN, "other-browser");
    }
    let (seconds, next) = match wish.place {
        Place::Abroad => (STAY, "/login/again"),
        Place::Home => (0, "/"),
    };
    see_other(next, &[set_cookie(&shop, ELSEWHERE_COOKIE, "1", seconds)])
}
