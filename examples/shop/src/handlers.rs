//! One page or endpoint per file.

pub mod backchannel_logout;
pub mod callback;
pub mod club;
pub mod elsewhere;
pub mod events;
pub mod home;
pub mod login;
pub mod logout;

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::json;
use vouchsafe_pages::{CONTENT_SECURITY_POLICY, Locale};

use crate::Shop;

/// The cookie of a visitor's session.
pub const SESSION_COOKIE: &str = "vs_shop_session";
/// The cookie that ties a login to the browser that started it.
pub const LOGIN_COOKIE: &str = "vs_shop_login";

/// The person's language, by their browser.
pub fn locale(headers: &HeaderMap) -> Locale {
    let accepted = headers
        .get(header::ACCEPT_LANGUAGE)
        .and_then(|value| value.to_str().ok());
    Locale::negotiate(None, accepted)
}

/// A cookie that the browser sent.
pub fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .find_map(|pair| pair.trim().strip_prefix(name)?.strip_prefix('='))
}

/// A `Set-Cookie` value; `seconds` of zero removes the cookie.
pub fn set_cookie(shop: &Shop, name: &str, value: &str, seconds: u32) -> String {
    let secure = if shop.parts.config.public_url.scheme() == "https" {
        "; Secure"
    } else {
        ""
    };
    format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax; Max-Age={seconds}{secure}")
}

/// A page of the shop.
pub fn page(shop: &Shop, headers: &HeaderMap, name: &str, context: impl Serialize) -> Response {
    let mut members = serde_json::to_value(context).unwrap_or_default();
    members["shop_name"] = json!(shop.parts.config.name);
    members["wallet_url"] = json!(shop.parts.config.wallet);
    members["pretends"] = json!(shop.parts.config.pretends);
    members["has_club"] = json!(shop.parts.config.club.is_some());
    match shop
        .parts
        .pages
        .render(&format!("shop/{name}"), locale(headers), members)
    {
        Ok(html) => (
            [
                (
                    header::CONTENT_SECURITY_POLICY,
                    HeaderValue::from_static(CONTENT_SECURITY_POLICY),
                ),
                (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
                (
                    header::REFERRER_POLICY,
                    HeaderValue::from_static("no-referrer"),
                ),
                (
                    header::X_CONTENT_TYPE_OPTIONS,
                    HeaderValue::from_static("nosniff"),
                ),
            ],
            html,
        )
            .into_response(),
        Err(error) => {
            tracing::error!(%error, page = name, "a page cannot be rendered");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// A page that says what went wrong, by the key of its text.
pub fn problem(shop: &Shop, headers: &HeaderMap, status: StatusCode, key: &str) -> Response {
    let mut response = page(shop, headers, "problem", json!({ "problem": key }));
    *response.status_mut() = status;
    response
}

/// Whether a form was sent from a page of ours. Browsers say where a request
/// comes from (Fetch Metadata); older ones name the origin of every POST.
pub fn from_our_page(shop: &Shop, headers: &HeaderMap) -> bool {
    if let Some(site) = headers.get("sec-fetch-site") {
        return site.as_bytes() == b"same-origin";
    }
    let ours = shop.parts.config.public_url.origin().ascii_serialization();
    headers
        .get(header::ORIGIN)
        .is_some_and(|origin| origin.as_bytes() == ours.as_bytes())
}

/// Another page, by GET.
pub fn see_other(location: &str, cookies: &[String]) -> Response {
    let mut response = (
        StatusCode::SEE_OTHER,
        [(header::LOCATION, location.to_owned())],
    )
        .into_response();
    for cookie in cookies {
        if let Ok(value) = HeaderValue::from_str(cookie) {
            response.headers_mut().append(header::SET_COOKIE, value);
        }
    }
    response
}
