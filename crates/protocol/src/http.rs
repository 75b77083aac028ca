//! Requests and answers as plain data, so that the machines of this crate and of
//! the wallet can be driven by any transport, and the rule which URLs they touch.
//!
//! A transport that sends an [`HttpRequest`] never follows redirects: a redirect
//! is an answer like any other and the machine decides.

use serde::Serialize;
use url::Url;

mod retry_after;
mod url_rule;

pub use retry_after::{MAX_WAIT, retry_after};
pub use url_rule::{MAX_ENDPOINT_BYTES, UrlRefused, UrlRule, is_loopback_url};

/// Request methods the protocols use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Read.
    Get,
    /// Send.
    Post,
    /// Remove.
    Delete,
}

impl Method {
    /// Name on the wire, also the DPoP `htm` value.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Delete => "DELETE",
        }
    }
}

/// Header fields in order; names are kept in lower case.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Headers(Vec<(String, String)>);

/// A header that may occur once occurs more often.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a header that may occur once occurs more often")]
pub struct RepeatedHeader;

impl Headers {
    /// No fields.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends a field.
    pub fn push(&mut self, name: &str, value: impl Into<String>) {
        self.0.push((name.to_ascii_lowercase(), value.into()));
    }

    /// First value of the field, names compared without case.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.all(name).next()
    }

    /// All values of the field.
    pub fn all<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a str> {
        let name = name.to_ascii_lowercase();
        self.0
            .iter()
            .filter(move |(n, _)| *n == name)
            .map(|(_, v)| v.as_str())
    }

    /// The only value of a field that may occur once.
    ///
    /// # Errors
    /// [`RepeatedHeader`] where it occurs twice or more.
    pub fn at_most_one(&self, name: &str) -> Result<Option<&str>, RepeatedHeader> {
        let mut values = self.all(name);
        let first = values.next();
        match values.next() {
            Some(_) => Err(RepeatedHeader),
            None => Ok(first),
        }
    }

    /// Fields in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(n, v)| (n.as_str(), v.as_str()))
    }
}

impl<N: AsRef<str>, V: Into<String>> FromIterator<(N, V)> for Headers {
    fn from_iter<T: IntoIterator<Item = (N, V)>>(fields: T) -> Self {
        let mut headers = Self::new();
        for (name, value) in fields {
            headers.push(name.as_ref(), value);
        }
        headers
    }
}

/// A request to send.
#[derive(Clone, PartialEq, Eq)]
pub struct HttpRequest {
    /// Method.
    pub method: Method,
    /// Absolute target.
    pub url: Url,
    /// Header fields.
    pub headers: Headers,
    /// Body, empty where there is none.
    pub body: Vec<u8>,
}

// Bodies, query strings and headers carry codes and tokens: none of them is printed.
impl std::fmt::Debug for HttpRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HttpRequest")
            .field("method", &self.method)
            .field("host", &self.url.host_str())
            .field("body_bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

impl HttpRequest {
    /// A request without a body.
    #[must_use]
    pub fn new(method: Method, url: Url) -> Self {
        Self {
            method,
            url,
            headers: Headers::new(),
            body: Vec::new(),
        }
    }

    /// GET that accepts JSON.
    #[must_use]
    pub fn get_json(url: Url) -> Self {
        Self::new(Method::Get, url).header("accept", "application/json")
    }

    /// POST with a form body.
    #[must_use]
    pub fn post_form(url: Url, fields: &[(&str, &str)]) -> Self {
        let body = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(fields)
            .finish();
        let mut request = Self::new(Method::Post, url)
            .header("content-type", "application/x-www-form-urlencoded")
            .header("accept", "application/json");
        request.body = body.into_bytes();
        request
    }

    /// POST with a JSON body.
    ///
    /// # Errors
    /// If the value does not serialise.
    pub fn post_json(url: Url, value: &impl Serialize) -> Result<Self, serde_json::Error> {
        let mut request = Self::new(Method::Post, url)
            .header("content-type", "application/json")
            .header("accept", "application/json");
        request.body = serde_json::to_vec(value)?;
        Ok(request)
    }

    /// Adds a header field.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push(name, value);
        self
    }
}

/// An answer that came back.
#[derive(Clone, PartialEq, Eq)]
pub struct HttpResponse {
    /// Status code, 100 to 599.
    pub status: u16,
    /// Header fields.
    pub headers: Headers,
    /// Body as received, already cut off at the transport's limit.
    pub body: Vec<u8>,
}

impl std::fmt::Debug for HttpResponse {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HttpResponse")
            .field("status", &self.status)
            .field("body_bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

impl HttpResponse {
    /// Status 200 to 299.
    #[must_use]
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// Whether `Content-Type` names this media type (parameters ignored, RFC 9110, section 8.3.1).
    #[must_use]
    pub fn is_media_type(&self, media_type: &str) -> bool {
        self.headers
            .at_most_one("content-type")
            .ok()
            .flatten()
            .and_then(|v| v.split(';').next())
            .is_some_and(|v| v.trim().eq_ignore_ascii_case(media_type))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeated_headers_are_seen() {
        let headers: Headers = [("DPoP", "a"), ("dpop", "b")].into_iter().collect();
        assert_eq!(headers.at_most_one("DPoP"), Err(RepeatedHeader));
        assert_eq!(headers.at_most_one("accept"), Ok(None));
    }

    #[test]
    fn debug_output_holds_no_secret() {
        let url = Url::parse("https://a.example.com/cb?code=SECRET").unwrap();
        let request =
            HttpRequest::post_form(url, &[("code", "SECRET")]).header("authorization", "SECRET");
        assert!(!format!("{request:?}").contains("SECRET"));
    }
}
