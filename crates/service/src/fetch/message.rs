//! Requests, answers and what an answer may cost.

use std::time::Duration;

use http::{HeaderMap, Method};

/// What an answer may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Largest body in bytes.
    pub body: usize,
    /// Time for everything, redirects included.
    pub total: Duration,
    /// Redirects to follow; each target is checked like the first address.
    pub redirects: u8,
}

impl Limits {
    const fn new(body: usize, redirects: u8) -> Self {
        Self {
            body,
            total: Duration::from_secs(5),
            redirects,
        }
    }

    /// DID documents.
    pub const DID_DOCUMENT: Self = Self::new(64 * 1024, 0);
    /// Key sets.
    pub const JWKS: Self = Self::new(256 * 1024, 0);
    /// Metadata of issuers, authorization servers and providers.
    pub const METADATA: Self = Self::new(512 * 1024, 0);
    /// Type metadata of credentials.
    pub const TYPE_METADATA: Self = Self::new(512 * 1024, 3);
    /// Lists of trusted entities; national ones have up to 5 MB.
    pub const TRUST_LIST: Self = Self {
        body: 16 * 1024 * 1024,
        total: Duration::from_secs(30),
        redirects: 3,
    };
    /// Status lists.
    pub const STATUS_LIST: Self = Self::new(4 * 1024 * 1024, 3);
    /// Request objects and credential offers; the wallet follows no redirect.
    pub const REQUEST_OBJECT: Self = Self::new(256 * 1024, 0);
    /// Token, credential and response endpoints, logout notifications.
    pub const EXCHANGE: Self = Self::new(512 * 1024, 0);
}

/// A request.
#[derive(Debug, Clone)]
pub struct Request<'a> {
    /// GET or POST.
    pub method: Method,
    /// Where to.
    pub url: &'a str,
    /// Further headers. They are not sent on to another origin after a redirect.
    pub headers: HeaderMap,
    /// Body and its content type.
    pub body: Option<(Vec<u8>, &'static str)>,
    /// What the answer may cost.
    pub limits: Limits,
}

/// An answer, of whatever status.
#[derive(Clone)]
pub struct Response {
    /// HTTP status.
    pub status: u16,
    /// Headers.
    pub headers: HeaderMap,
    /// Body, complete.
    pub body: Vec<u8>,
}

impl Response {
    /// Whether the status is 2xx.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// A header as text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// Whether the content type is this media type, parameters aside.
    pub fn is(&self, media_type: &str) -> bool {
        let own = self.header("content-type").unwrap_or_default();
        let own = own.split(';').next().unwrap_or_default().trim();
        own.eq_ignore_ascii_case(media_type)
    }
}

impl std::fmt::Debug for Response {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Response({}, {} bytes)", self.status, self.body.len())
    }
}
