//! Decentralized identifiers: DIDs, DID URLs, DID documents and how they resolve.
//!
//! [`LocalResolver`] resolves the methods that need nothing but the DID, [`WebResolver`] also those
//! whose documents are fetched, through the port [`DidFetch`].
//!
//! ```
//! use vouchsafe_credentials::did::{DidUrl, LocalResolver, Relationship, ResolutionOptions};
//!
//! let did = "did:key:z6MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDooWp";
//! let resolution = LocalResolver::resolve_now(did, &ResolutionOptions::default());
//! let document = resolution.active()?;
//!
//! // The key that a signature names, if it is one for credentials.
//! let url = DidUrl::parse(&format!("{did}#z6MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDooWp"))?;
//! let method = document.method(&url, Relationship::AssertionMethod)?;
//! assert!(method.signature_key().is_some());
//! assert!(document.method(&url, Relationship::KeyAgreement).is_err());
//!
//! // Errors have the names of DID Resolution.
//! let wrong = LocalResolver::resolve_now("did:key:zTjsVPtY", &ResolutionOptions::default());
//! assert_eq!(wrong.active().unwrap_err().code(), "invalid_public_key_length");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![cfg_attr(
    not(test),
    deny(
        clippy::arithmetic_side_effects,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic,
        clippy::string_slice,
        clippy::unwrap_used
    )
)]

mod datetime;
mod document;
mod fetch;
mod identifier;
pub mod jwk;
pub mod key;
mod local;
mod location;
mod peer;
mod pkh;
mod resolution;
#[cfg(test)]
mod tests;
mod web;
pub mod webvh;

pub use crate::crypto::Multikey;
pub use datetime::parse as parse_time;
pub use document::{
    DidDocument, DocumentError, KeyFormat, MAX_DOCUMENT, MAX_METHODS, MethodError, Relationship,
    Service, VerificationMethod,
};
pub use fetch::{DidFetch, DidFetchError, Fetched};
pub use identifier::{Did, DidUrl};
pub use local::LocalResolver;
pub use resolution::{
    DocumentMetadata, ErrorCode, Resolution, ResolutionError, ResolutionMetadata,
    ResolutionOptions, Resolver,
};
pub use web::{WebResolver, web_document_url};

use crate::crypto::PublicKey;

/// Why a DID is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DidError {
    /// Not a DID, too long, or with path, query or fragment.
    #[error("not a DID")]
    Malformed,
    /// A method that needs more than the DID itself.
    #[error("unsupported DID method")]
    UnsupportedMethod,
    /// The key in the DID is unacceptable.
    #[error("invalid key in the DID")]
    InvalidKey,
}

/// Longest accepted DID in bytes.
pub const MAX_LENGTH: usize = 2048;

/// The key of a `did:key` or `did:jwk` and the id of its verification method (`did#fragment`).
///
/// Takes a DID, not a DID URL: whoever holds a `kid` compares it with the id given here.
pub fn resolve_local(did: &str) -> Result<(PublicKey, String), DidError> {
    let rest = did.strip_prefix("did:").ok_or(DidError::Malformed)?;
    let (method, id) = rest.split_once(':').ok_or(DidError::Malformed)?;
    if did.len() > MAX_LENGTH
        || id.is_empty()
        || !id
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    {
        return Err(DidError::Malformed);
    }
    match method {
        "key" => Ok((key::decode(id)?, format!("{did}#{id}"))),
        "jwk" => Ok((jwk::decode(id)?, format!("{did}#0"))),
        _ => Err(DidError::UnsupportedMethod),
    }
}
