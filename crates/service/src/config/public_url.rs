//! The address under which others reach a service: issuer identifier and root of all links.

use std::{fmt, net::IpAddr, str::FromStr};

use serde::{Deserialize, Serialize};
use url::{Host, Url};

/// An absolute http(s) address without query, fragment, user or trailing slash.
///
/// Links and issuer identifiers come from here alone, never from a `Host` or forwarded header.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PublicUrl {
    text: String,
    url: Url,
}

/// Why a text is not a public address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PublicUrlError {
    /// Not an absolute address.
    #[error("must be an absolute address such as https://issuer.example")]
    Syntax,
    /// Another scheme than https (or http on loopback).
    #[error("must be https (http only on loopback)")]
    Scheme,
    /// Query, fragment, user or password.
    #[error("must not have a query, a fragment or a user")]
    Parts,
    /// Written in another form than browsers and libraries use.
    #[error(
        "must be written in lower case, without default port, dots in the path or a trailing slash"
    )]
    NotCanonical,
}

impl PublicUrl {
    /// The address as text, without trailing slash. This is the issuer identifier.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The address of a path below. `path` begins with a slash.
    pub fn join(&self, path: &str) -> String {
        format!("{}{path}", self.text)
    }

    /// Where a well-known document of this identifier stands: the suffix goes between host and
    /// path (RFC 8414, section 3.1; OpenID4VCI 1.0, section 12.2.2).
    pub fn well_known(&self, suffix: &str) -> String {
        format!("{}/.well-known/{suffix}{}", self.origin(), self.path())
    }

    /// Path of the address without trailing slash; empty at the root.
    pub fn path(&self) -> &str {
        self.url.path().trim_end_matches('/')
    }

    /// Scheme, host and port, as browsers write them in `Origin`.
    pub fn origin(&self) -> String {
        self.url.origin().ascii_serialization()
    }

    /// Host as browsers write it.
    pub fn host(&self) -> &str {
        self.url.host_str().unwrap_or_default()
    }

    /// Whether the scheme is https.
    pub fn is_https(&self) -> bool {
        self.url.scheme() == "https"
    }

    /// Whether the host is a loopback address or `localhost`.
    pub fn is_loopback(&self) -> bool {
        is_loopback_host(&self.url)
    }

    /// The parsed address.
    pub fn url(&self) -> &Url {
        &self.url
    }
}

pub(crate) fn is_loopback_host(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(ip)) => IpAddr::V4(ip).is_loopback(),
        Some(Host::Ipv6(ip)) => IpAddr::V6(ip).is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

impl FromStr for PublicUrl {
    type Err = PublicUrlError;

    fn from_str(text: &str) -> Result<Self, PublicUrlError> {
        let url = Url::parse(text).map_err(|_| PublicUrlError::Syntax)?;
        if !url.has_host() {
            return Err(PublicUrlError::Syntax);
        }
        match url.scheme() {
            "https" => {}
            "http" if is_loopback_host(&url) => {}
            _ => return Err(PublicUrlError::Scheme),
        }
        let has_user = !url.username().is_empty() || url.password().is_some();
        if url.query().is_some() || url.fragment().is_some() || has_user {
            return Err(PublicUrlError::Parts);
        }
        let text = text.strip_suffix('/').unwrap_or(text);
        if url.as_str().trim_end_matches('/') != text {
            return Err(PublicUrlError::NotCanonical);
        }
        Ok(Self {
            text: text.to_owned(),
            url,
        })
    }
}

impl TryFrom<String> for PublicUrl {
    type Error = PublicUrlError;

    fn try_from(text: String) -> Result<Self, PublicUrlError> {
        text.parse()
    }
}

impl From<PublicUrl> for String {
    fn from(url: PublicUrl) -> Self {
        url.text
    }
}

impl fmt::Display for PublicUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for PublicUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicUrl({})", self.text)
    }
}
