//! From `did:web` and `did:webvh` to https addresses.

use std::fmt::Write as _;

use super::identifier::percent_decode;
use super::{ErrorCode, ResolutionError};

/// Where a document on the web is (did:web, "Read"; did:webvh 1.0, "The DID to HTTPS Transformation").
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Location {
    /// `https://host[:port]`.
    origin: String,
    /// Path segments, percent-encoded.
    path: Vec<String>,
    labels: usize,
}

fn invalid(detail: &'static str) -> ResolutionError {
    ResolutionError::new(ErrorCode::InvalidDid, detail)
}

impl Location {
    /// Reads `domain[%3Aport][:path…]`.
    pub(super) fn parse(id: &str) -> Result<Self, ResolutionError> {
        let mut parts = id.split(':');
        let domain = parts.next().unwrap_or_default();
        let domain = percent_decode(domain).ok_or(invalid("broken percent-encoding"))?;
        let (host, port) = match domain.split_once(':') {
            None => (domain.as_str(), None),
            Some((host, port)) => (host, Some(parse_port(port)?)),
        };
        let host = host.to_ascii_lowercase();
        let labels = check_host(&host)?;
        let mut origin = format!("https://{host}");
        if let Some(port) = port {
            // Writing to a string cannot fail.
            let _ = write!(origin, ":{port}");
        }
        let path: Result<Vec<_>, _> = parts.map(segment).collect();
        Ok(Self {
            origin,
            path: path?,
            labels,
        })
    }

    /// Whether the host has more than one label, as did:webvh demands.
    pub(super) fn is_qualified(&self) -> bool {
        self.labels > 1
    }

    /// The address of `file`, below `.well-known` where the DID has no path.
    pub(super) fn document(&self, file: &str) -> String {
        if self.path.is_empty() {
            format!("{}/.well-known/{file}", self.origin)
        } else {
            format!("{}/{file}", self.base())
        }
    }

    /// The address without a file, without `/` at its end.
    pub(super) fn base(&self) -> String {
        let mut base = self.origin.clone();
        for segment in &self.path {
            base.push('/');
            base.push_str(segment);
        }
        base
    }
}

fn parse_port(text: &str) -> Result<u16, ResolutionError> {
    let digits = (1..=5).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    let port = text.parse().ok().filter(|port| digits && *port > 0);
    port.ok_or(invalid("the port is not a number from 1 to 65535"))
}

/// The number of labels of a name that is no address in any spelling.
fn check_host(host: &str) -> Result<usize, ResolutionError> {
    // RFC 1035, section 2.3.4. Names beyond ASCII must be written as A-labels (RFC 5890, section
    // 2.3.2.1), so that two names that look alike are never one.
    if host.len() > 253 {
        return Err(invalid("the domain is too long"));
    }
    let mut labels = 0;
    let mut last = "";
    for label in host.split('.') {
        let good = (1..=63).contains(&label.len())
            && label
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-');
        if !good {
            return Err(invalid("the domain is not a name of ASCII labels"));
        }
        labels = usize::saturating_add(labels, 1);
        last = label;
    }
    // WHATWG URL, "ends in a number": such a host is an IPv4 address.
    let hexadecimal = |rest: &str| rest.bytes().all(|b| b.is_ascii_hexdigit());
    if last.bytes().all(|b| b.is_ascii_digit()) || last.strip_prefix("0x").is_some_and(hexadecimal)
    {
        return Err(invalid("the domain is an address"));
    }
    Ok(labels)
}

/// did:webvh 1.0, "The DID to HTTPS Transformation", step 4; for did:web alike.
fn segment(text: &str) -> Result<String, ResolutionError> {
    let decoded = percent_decode(text).ok_or(invalid("broken percent-encoding"))?;
    let bad = decoded.is_empty()
        || decoded == "."
        || decoded == ".."
        || decoded.contains(['/', '\\'])
        || decoded.chars().any(char::is_control)
        || decoded.trim() != decoded;
    if bad {
        return Err(invalid(
            "a path segment is empty, a dot segment or holds a separator",
        ));
    }
    let mut out = String::with_capacity(text.len());
    for byte in decoded.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
    Ok(out)
}
