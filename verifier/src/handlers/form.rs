//! Small forms of our own pages.

use axum::body::Bytes;
use axum::http::HeaderMap;
use vouchsafe_protocol::oauth::params::Params;

use crate::app::Parts;

/// Reads a form whose hidden token fits the browser's cookie; `None` if it was not sent from one
/// of our own pages.
pub fn own(app: &Parts, headers: &HeaderMap, body: &Bytes, binding: &str) -> Option<Params> {
    let form = Params::parse_body(body).ok()?;
    let token = form.get("csrf").unwrap_or_default();
    app.csrf.check(headers, binding, token).ok()?;
    Some(form)
}
