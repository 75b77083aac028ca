//! "Pretend that I am in another country": the demo's browser says where it wants to be seen, and its login service
//! believes that. Only on one machine, where nobody else is.

use std::path::Path;

use anyhow::{Context, Result};
use axum::Router;
use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue, header};
use axum::middleware::{Next, from_fn};
use axum::response::Response;

/// Networks of documentation (RFC 5737) in two countries, in the MaxMind DB format 2.0.
const PLACES: &[u8] = include_bytes!("places.mmdb");
const AT_HOME: HeaderValue = HeaderValue::from_static("192.0.2.7");
const ABROAD: HeaderValue = HeaderValue::from_static("198.51.100.7");
const FORWARDED: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The configuration of a login service that looks where somebody is, and shows its numbers.
///
/// # Errors
///
/// The database of places cannot be written.
pub fn configure(verifier: &str, folder: &Path) -> Result<String> {
    let places = folder.join("places.mmdb");
    std::fs::write(&places, PLACES).context("cannot write the database of places")?;
    let places = toml::Value::from(places.to_str().context("a path that is not text")?);
    let proxies = "[http]\ntrusted_proxies = [\"127.0.0.1\", \"::1\"]\n";
    let text = verifier.replacen("[http]\n", proxies, 1);
    // Who comes back without asking for facts is asked for the membership card.
    let asked = "[[client]]\ndefault_query = \"membership\"\n";
    let text = text.replacen("[[client]]\n", asked, 1);
    Ok(format!(
        "{text}\n[risk]\nplaces = {places}\nfailed_burst = 0\n\n[numbers]\n"
    ))
}

/// Lets a browser choose between home and abroad, by the shop's cookie.
pub fn choose(router: Router) -> Router {
    router.layer(from_fn(seen_from))
}

async fn seen_from(mut request: Request, next: Next) -> Response {
    let cookies = request.headers().get_all(header::COOKIE).iter();
    let abroad = format!("{}=1", vouchsafe_shop::ELSEWHERE_COOKIE);
    let is_abroad = cookies
        .filter_map(|cookies| cookies.to_str().ok())
        .flat_map(|cookies| cookies.split(';'))
        .any(|cookie| cookie.trim() == abroad);
    let address = if is_abroad { ABROAD } else { AT_HOME };
    request.headers_mut().insert(FORWARDED, address);
    next.run(request).await
}
