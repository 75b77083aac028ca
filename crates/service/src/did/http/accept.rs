//! Which form of the answer is wanted.

use axum::http::{HeaderMap, header};

/// A whole resolution result.
pub(super) const RESULT: &str = "application/did-resolution";
/// A whole dereferencing result.
pub(super) const DEREFERENCING: &str = "application/did-url-dereferencing";
/// A whole result as older drafts have it.
pub(super) const LEGACY: &str = "application/ld+json;profile=\"https://w3id.org/did-resolution\"";

/// The form of the answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Wanted {
    /// The resolution result.
    Result,
    /// The dereferencing result.
    Dereferencing,
    /// The result of older drafts.
    Legacy,
    /// The document or the part alone, as this media type.
    Document(&'static str),
    /// Addresses of services.
    UriList,
}

impl Wanted {
    /// Whether the identifier is dereferenced, given that it is a DID URL or not.
    pub(super) fn dereferences(&self, is_url: bool) -> bool {
        match self {
            Self::Result => false,
            Self::Dereferencing | Self::UriList => true,
            Self::Legacy | Self::Document(_) => is_url,
        }
    }

    /// Whether a service is answered by its address.
    pub(super) fn urls(&self) -> bool {
        matches!(self, Self::UriList | Self::Dereferencing)
    }
}

/// The first media type of `Accept` that is available (RFC 9110, section 12.5.1); the resolution result when
/// there is no `Accept`. `None` when nothing fits.
pub(super) fn negotiate(headers: &HeaderMap) -> Option<Wanted> {
    let mut present = false;
    for value in headers.get_all(header::ACCEPT) {
        present = true;
        let ranges = value.to_str().unwrap_or_default().split(',');
        if let Some(wanted) = ranges.map(str::trim).find_map(one) {
            return Some(wanted);
        }
    }
    (!present).then_some(Wanted::Result)
}

fn one(range: &str) -> Option<Wanted> {
    let mut parts = range.split(';').map(str::trim);
    let media_type = parts.next().unwrap_or_default().to_ascii_lowercase();
    let parameters: Vec<_> = parts.map(|part| part.replace(['"', ' '], "")).collect();
    if parameters.iter().any(|part| part == "q=0") {
        return None;
    }
    let profile = parameters
        .iter()
        .any(|part| part == "profile=https://w3id.org/did-resolution");
    match media_type.as_str() {
        "application/did-resolution" | "*/*" | "application/*" => Some(Wanted::Result),
        "application/did-url-dereferencing" => Some(Wanted::Dereferencing),
        "application/ld+json" if profile => Some(Wanted::Legacy),
        "application/did" => Some(Wanted::Document("application/did")),
        "application/did+ld+json" => Some(Wanted::Document("application/did+ld+json")),
        "application/did+json" => Some(Wanted::Document("application/did+json")),
        "application/ld+json" => Some(Wanted::Document("application/ld+json")),
        "application/json" => Some(Wanted::Document("application/json")),
        "text/uri-list" => Some(Wanted::UriList),
        _ => None,
    }
}
