//! JSON Web Encryption, compact serialisation (RFC 7516): ECDH-ES (P-256) with AES-GCM, nothing else.

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

mod encrypt;
mod kdf;
mod sealed;
#[cfg(test)]
mod tests;

use zeroize::Zeroizing;

use crate::crypto::{AgreementKey, CryptoProvider, PublicKey};

pub use encrypt::encrypt;
pub use sealed::Sealed;

/// Longest accepted header in bytes, decoded.
pub const MAX_HEADER: usize = 8 * 1024;

/// Longest accepted compact serialisation in bytes.
pub const MAX_LENGTH: usize = 1024 * 1024;

/// Content encryption (RFC 7518, section 5.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ContentEncryption {
    /// `A128GCM`.
    A128Gcm,
    /// `A256GCM`.
    A256Gcm,
}

impl ContentEncryption {
    /// The `enc` value.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::A128Gcm => "A128GCM",
            Self::A256Gcm => "A256GCM",
        }
    }

    /// Length of the key in bytes.
    #[must_use]
    pub const fn key_length(self) -> usize {
        match self {
            Self::A128Gcm => 16,
            Self::A256Gcm => 32,
        }
    }

    /// The encryption with this `enc` value.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "A128GCM" => Some(Self::A128Gcm),
            "A256GCM" => Some(Self::A256Gcm),
            _ => None,
        }
    }
}

/// Why a JWE is refused or could not be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JweError {
    /// Not five base64url parts, or not empty where ECDH-ES wants it empty.
    #[error("not a compact JWE")]
    Malformed,
    /// Too long, as a whole or in its header.
    #[error("token or header too large")]
    TooLarge,
    /// The header is not acceptable JSON, or a member has the wrong type.
    #[error("invalid header")]
    InvalidHeader,
    /// `alg` is not `ECDH-ES`.
    #[error("key management algorithm not allowed")]
    Algorithm,
    /// `enc` is not on the list.
    #[error("content encryption not allowed")]
    Encryption,
    /// `zip`, `crit`, `jku` or `x5u` present.
    #[error("header parameter not supported")]
    UnsupportedHeader,
    /// `epk` is not a valid P-256 public key, or the recipient's key is not one.
    #[error("invalid key")]
    Key,
    /// The key is another one, or something was altered.
    #[error("decryption failed")]
    Decryption,
}

impl JweError {
    /// Stable code for logs and interfaces.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Malformed => "jwe_malformed",
            Self::TooLarge => "jwe_too_large",
            Self::InvalidHeader => "jwe_invalid_header",
            Self::Algorithm => "jwe_algorithm",
            Self::Encryption => "jwe_encryption",
            Self::UnsupportedHeader => "jwe_unsupported_header",
            Self::Key => "jwe_key",
            Self::Decryption => "jwe_decryption",
        }
    }
}

/// To whom and how to encrypt.
#[derive(Clone, Copy, Debug)]
pub struct Recipient<'a> {
    /// P-256 key of the recipient.
    pub key: &'a PublicKey,
    /// `kid` of that key, copied into the header.
    pub kid: Option<&'a str>,
    /// Content encryption.
    pub enc: ContentEncryption,
    /// `apu`, the bytes before base64url; empty: left out.
    pub apu: &'a [u8],
    /// `apv`, likewise.
    pub apv: &'a [u8],
}

/// [`Sealed::parse`] and [`Sealed::open`] in one.
pub fn decrypt(
    compact: &str,
    key: &AgreementKey,
    allowed: &[ContentEncryption],
    provider: &dyn CryptoProvider,
) -> Result<Zeroizing<Vec<u8>>, JweError> {
    Sealed::parse(compact)?.open(key, allowed, provider)
}
