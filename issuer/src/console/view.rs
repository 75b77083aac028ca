//! What all pages share.

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use vouchsafe_pages::Locale;
use vouchsafe_service::operators::Role;

use super::{Console, Failure, Visitor};

/// The language of a browser.
pub fn locale(headers: &HeaderMap) -> Locale {
    let accept = headers.get(header::ACCEPT_LANGUAGE);
    Locale::negotiate(None, accept.and_then(|value| value.to_str().ok()))
}

/// A page for somebody who is not signed in.
pub fn outside(
    console: &Console,
    locale: Locale,
    name: &str,
    context: Value,
) -> Result<Response, Failure> {
    let shared = json!({
        "issuer": console.core.settings.name(locale.tag()),
        "passkeys": console.operators.has_passkeys(),
        "upstream": console.provider.as_ref().map(|provider| provider.name.as_str()),
    });
    let html = console
        .core
        .pages
        .render(name, locale, with(shared, context))?;
    Ok(html.into_response())
}

impl Visitor {
    /// A page for who is signed in.
    pub fn page(&self, name: &str, context: Value) -> Result<Response, Failure> {
        self.page_with(StatusCode::OK, name, context)
    }

    /// The same with another status.
    pub fn page_with(
        &self,
        status: StatusCode,
        name: &str,
        context: Value,
    ) -> Result<Response, Failure> {
        let operator = &self.session.operator;
        let section = name.strip_prefix("console/").unwrap_or(name);
        let shared = json!({
            "me": {
                "name": operator.name,
                "role": operator.role.as_str(),
                "acts": operator.role >= Role::Operator,
                "manages": operator.role >= Role::Admin,
            },
            "csrf": self.console.csrf.token(&self.cookie),
            "section": section,
        });
        let page = outside(&self.console, self.locale, name, with(shared, context))?;
        Ok((status, page).into_response())
    }
}

/// 303: a form is not sent again by a reload.
pub fn see_other(location: &str) -> Response {
    match HeaderValue::from_str(location) {
        Ok(location) => (StatusCode::SEE_OTHER, [(header::LOCATION, location)]).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// Joins two JSON objects.
pub fn with(mut base: Value, more: Value) -> Value {
    if let (Some(base), Value::Object(more)) = (base.as_object_mut(), more) {
        base.extend(more);
    }
    base
}
