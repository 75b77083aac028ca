//! Small forms of our own pages.

use axum::body::Bytes;
use axum::http::HeaderMap;
use vouchsafe_protocol::oauth::params::Params;
use vouchsafe_service::http::extract::{is_form, require_type};

use crate::app::Parts;

/// Reads a form whose hidden token fits the browser's cookie; `None` if it was not sent from one
/// of our own pages.
pub fn own(app: &Parts, headers: &HeaderMap, body: &Bytes, binding: &str) -> Option<Params> {
    if !is_form(headers) {
        return None;
    }
    let form = Params::parse_body(body).ok()?;
    let token = form.get("csrf").unwrap_or_default();
    app.csrf.check(headers, binding, token).ok()?;
    Some(form)
}

/// Where the scripts of our pages put the token of a form.
const TOKEN: &str = "x-vouchsafe-csrf";

/// Whether a request comes from a script of one of our own pages in the browser with this cookie.
/// A form of another site can set neither the content type nor the header.
pub fn script(app: &Parts, headers: &HeaderMap, binding: &str) -> bool {
    let token = headers.get(TOKEN).and_then(|value| value.to_str().ok());
    require_type(headers, "application/json").is_ok()
        && (app.csrf)
            .check(headers, binding, token.unwrap_or_default())
            .is_ok()
}
