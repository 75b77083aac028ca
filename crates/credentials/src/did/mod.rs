//! DIDs that contain their key: `did:key` and `did:jwk`.

pub mod jwk;
pub mod key;

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

/// The key of a `did:key` or `did:jwk` and the id of its verification method (`did#fragment`).
pub fn resolve_local(_did: &str) -> Result<(PublicKey, String), DidError> {
    unimplemented!()
}
