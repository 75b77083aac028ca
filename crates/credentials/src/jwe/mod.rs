//! JSON Web Encryption, compact serialisation (RFC 7516): ECDH-ES (P-256) with AES-GCM, nothing else.

use zeroize::Zeroizing;

use crate::crypto::{AgreementKey, CryptoProvider, PublicKey};
use crate::random::Rng;

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

/// Encrypts `plaintext` with a fresh ephemeral key.
pub fn encrypt(
    _plaintext: &[u8],
    _recipient: &Recipient<'_>,
    _provider: &dyn CryptoProvider,
    _rng: &dyn Rng,
) -> Result<String, JweError> {
    unimplemented!()
}

/// A JWE that has been read but not opened.
#[derive(Debug)]
pub struct Sealed<'a>(std::marker::PhantomData<&'a str>);

impl<'a> Sealed<'a> {
    /// Checks the shape and the header.
    pub fn parse(_compact: &'a str) -> Result<Self, JweError> {
        unimplemented!()
    }

    /// The recipient key's id.
    #[must_use]
    pub fn kid(&self) -> Option<&str> {
        unimplemented!()
    }

    /// `enc` of the header.
    #[must_use]
    pub fn enc(&self) -> ContentEncryption {
        unimplemented!()
    }

    /// Decrypts. `allowed` is what the recipient announced (OpenID4VP 1.0, section 8.3).
    pub fn open(
        self,
        _key: &AgreementKey,
        _allowed: &[ContentEncryption],
        _provider: &dyn CryptoProvider,
    ) -> Result<Zeroizing<Vec<u8>>, JweError> {
        unimplemented!()
    }
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
