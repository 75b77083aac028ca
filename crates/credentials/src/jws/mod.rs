//! JSON Web Signatures, compact serialisation (RFC 7515), with the rules of RFC 8725.
//!
//! A token is read in two steps: [`Unverified::parse`] checks its shape and gives
//! only what is needed to choose a key; [`Unverified::verify`] gives the claims.

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

mod sign;
#[cfg(test)]
mod tests;
mod token_type;
mod unverified;

use serde_json::{Map, Value};

use crate::json::JsonError;
use crate::x509::X509Error;

pub use sign::{Header, SignError, sign, sign_bytes};
pub use token_type::TokenType;
pub use unverified::Unverified;

/// Longest accepted header in bytes, decoded, of most types ([`TokenType::max_header`]).
pub const MAX_HEADER: usize = 8 * 1024;

/// Why a token is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JwsError {
    /// Not three base64url parts.
    #[error("not a compact JWS")]
    Malformed,
    /// Too long, as a whole ([`TokenType::max_length`]) or in its header ([`TokenType::max_header`]).
    #[error("token or header too large")]
    TooLarge,
    /// The header is not an acceptable JSON object.
    #[error("header is not acceptable JSON")]
    HeaderJson(#[source] JsonError),
    /// The payload is not an acceptable JSON object.
    #[error("payload is not acceptable JSON")]
    PayloadJson(#[source] JsonError),
    /// `alg` missing or not on the list.
    #[error("algorithm not allowed")]
    Algorithm,
    /// `typ` is not the one of this token type.
    #[error("wrong token type")]
    WrongType,
    /// `crit`, `b64`, `jku`, `x5u`, `zip` or `enc` present.
    #[error("header parameter not supported")]
    UnsupportedHeader,
    /// A header member has the wrong JSON type, or the embedded key is unacceptable.
    #[error("invalid header parameter")]
    InvalidHeader,
    /// `x5c` is not a certificate chain.
    #[error("invalid certificate chain in the header")]
    Chain(#[source] X509Error),
    /// No key of the set fits algorithm and `kid`.
    #[error("no key fits the token")]
    NoKey,
    /// The signature is not of this key, or `alg` does not fit the key.
    #[error("signature verification failed")]
    Signature,
}

impl JwsError {
    /// Stable code for logs and interfaces.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Malformed => "jws_malformed",
            Self::TooLarge => "jws_too_large",
            Self::HeaderJson(_) => "jws_header_json",
            Self::PayloadJson(_) => "jws_payload_json",
            Self::Algorithm => "jws_algorithm",
            Self::WrongType => "jws_wrong_type",
            Self::UnsupportedHeader => "jws_unsupported_header",
            Self::InvalidHeader => "jws_invalid_header",
            Self::Chain(_) => "jws_x5c",
            Self::NoKey => "jws_no_key",
            Self::Signature => "jws_signature",
        }
    }
}

/// What a verified token says.
#[derive(Clone, Debug, PartialEq)]
pub struct Payload {
    /// The protected header.
    pub header: Map<String, Value>,
    /// The claims.
    pub claims: Map<String, Value>,
}
