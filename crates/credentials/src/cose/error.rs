//! Why a COSE message is refused.

use thiserror::Error;

use crate::cbor::CborError;
use crate::crypto::{CryptoError, KeyError, SignerError};
use crate::x509::X509Error;

/// Why a COSE message or key is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum CoseError {
    /// Not acceptable as CBOR.
    #[error("not acceptable CBOR")]
    Cbor(#[from] CborError),
    /// Another structure than this message has, or another tag.
    #[error("not a message of this kind")]
    Structure,
    /// A header parameter of the wrong type.
    #[error("a malformed header parameter")]
    Header,
    /// The same label in both headers (RFC 9052, section 3).
    #[error("a header parameter stands in both headers")]
    BothHeaders,
    /// No `alg` in the protected header.
    #[error("no algorithm in the protected header")]
    AlgorithmMissing,
    /// An algorithm that is not allowed here.
    #[error("an algorithm that is not allowed")]
    Algorithm,
    /// `alg` is not the algorithm of the key.
    #[error("the algorithm does not fit the key")]
    AlgorithmMismatch,
    /// `crit` is malformed or names a parameter that is not understood.
    #[error("a critical header parameter is not understood")]
    Critical,
    /// There is a payload where it must be detached, or none where it must be there.
    #[error("the payload is missing, or is not detached")]
    Payload,
    /// The signature or the authentication code is wrong.
    #[error("the signature is wrong")]
    Signature(#[source] CryptoError),
    /// `x5chain` is no acceptable chain.
    #[error("`x5chain` is not acceptable")]
    Chain(#[source] X509Error),
    /// Not an acceptable public key.
    #[error("not an acceptable key")]
    Key(#[source] KeyError),
}

impl CoseError {
    /// A stable code for logs and interfaces.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Cbor(error) => error.code(),
            Self::Structure => "cose_structure",
            Self::Header => "cose_header",
            Self::BothHeaders => "cose_both_headers",
            Self::AlgorithmMissing => "cose_alg_missing",
            Self::Algorithm => "cose_alg",
            Self::AlgorithmMismatch => "cose_alg_mismatch",
            Self::Critical => "cose_crit",
            Self::Payload => "cose_payload",
            Self::Signature(_) => "cose_signature",
            Self::Chain(_) => "cose_x5chain",
            Self::Key(_) => "cose_key",
        }
    }
}

/// Why a COSE message could not be made.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CoseSignError {
    /// The header holds `alg` or `crit`, which are set here, or a label twice.
    #[error("a header parameter that may not be set, or twice")]
    Header,
    /// More than a reader of this kind of message accepts.
    #[error("the message would be too large")]
    TooLarge,
    /// The signer failed.
    #[error("the message could not be signed")]
    Signer(#[from] SignerError),
}

impl CoseSignError {
    /// A stable code for logs and interfaces.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Header => "cose_header",
            Self::TooLarge => "cose_too_large",
            Self::Signer(_) => "signing_failed",
        }
    }
}
