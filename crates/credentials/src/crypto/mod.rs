//! Keys and the port behind which the cryptography stands.
//!
//! JOSE and SD-JWT code never names a crypto crate: it verifies, agrees and encrypts
//! through a [`CryptoProvider`] and signs through a [`Signer`].

mod agreement;
#[cfg(feature = "aws-lc")]
mod aws_lc;
mod curve;
mod hash;
mod key_use;
pub mod multikey;
mod portable;
mod public_key;
mod published;
mod signing_key;
#[cfg(test)]
pub(crate) mod tests;

use std::fmt;

use zeroize::Zeroizing;

use crate::random::Rng;

pub use agreement::AgreementKey;
#[cfg(feature = "aws-lc")]
pub use aws_lc::{AwsLc, AwsLcSigningKey};
pub use hash::{constant_time_eq, hmac_sha256, sha256, sha384, sha512};
pub use key_use::KeyUse;
pub use multikey::Multikey;
pub use portable::Portable;
pub use public_key::{KeyMaterial, PublicKey, has_private_members};
pub use published::is_published;
pub use signing_key::SigningKey;

/// Signature algorithms of this system (RFC 7518, section 3.4; RFC 8037, section 3.1; RFC 9864, section 2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// ECDSA over P-256 with SHA-256, signature `r || s` (64 bytes).
    Es256,
    /// ECDSA over P-384 with SHA-384, signature `r || s` (96 bytes).
    Es384,
    /// ECDSA over P-521 with SHA-512, signature `r || s` (132 bytes).
    Es512,
    /// Ed25519, signature 64 bytes.
    EdDsa,
}

impl Algorithm {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Es256, Self::Es384, Self::Es512, Self::EdDsa];

    /// Every `alg` value that [`Self::from_name`] reads, for metadata.
    pub const ALL_NAMES: [&'static str; 5] = ["ES256", "ES384", "ES512", "EdDSA", "Ed25519"];

    /// The `alg` value written by us (`ES256`, `ES384`, `ES512`, `EdDSA`).
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Es256 => "ES256",
            Self::Es384 => "ES384",
            Self::Es512 => "ES512",
            Self::EdDsa => "EdDSA",
        }
    }

    /// The algorithm with this `alg` value, compared byte by byte.
    /// `Ed25519` is the fully specified name of what `EdDSA` means with our keys (RFC 9864, section 2.2).
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "ES256" => Some(Self::Es256),
            "ES384" => Some(Self::Es384),
            "ES512" => Some(Self::Es512),
            "EdDSA" | "Ed25519" => Some(Self::EdDsa),
            _ => None,
        }
    }

    /// Length of a signature in bytes.
    #[must_use]
    pub const fn signature_length(self) -> usize {
        match self {
            Self::Es256 | Self::EdDsa => 64,
            Self::Es384 => 96,
            Self::Es512 => 132,
        }
    }
}

/// Why bytes or a JWK are not a key we accept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// Another key type or curve than P-256, P-384, P-521 and Ed25519.
    #[error("unsupported key type or curve")]
    Unsupported,
    /// Wrong length, wrong encoding, not on the curve, a weak point.
    #[error("invalid key")]
    Invalid,
    /// A private or symmetric JWK where a public one belongs.
    #[error("private key material where a public key is expected")]
    PrivateMaterial,
    /// `use`, `key_ops` or `alg` of a JWK do not allow what it is to be used for.
    #[error("the key is meant for something else")]
    OtherUse,
}

impl KeyError {
    /// Stable code for logs and interfaces.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Unsupported => "key_unsupported",
            Self::Invalid => "key_invalid",
            Self::PrivateMaterial => "key_private",
            Self::OtherUse => "key_other_use",
        }
    }
}

/// Why a signature could not be made.
#[derive(Debug, thiserror::Error)]
#[error("the signer failed")]
pub struct SignerError(#[source] pub Box<dyn std::error::Error + Send + Sync>);

/// A private key that signs: in software, in a module, in the hardware of a phone.
#[async_trait::async_trait]
pub trait Signer: Send + Sync {
    /// The public half.
    fn public_key(&self) -> &PublicKey;

    /// The algorithm, always the one of the public key.
    fn algorithm(&self) -> Algorithm {
        self.public_key().algorithm()
    }

    /// Signs `message` (hashing is the signer's part): `r || s` or Ed25519, [`Algorithm::signature_length`] bytes.
    async fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignerError>;
}

/// Signature algorithms of certificates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CertificateAlgorithm {
    /// ECDSA, P-256, SHA-256.
    EcdsaP256Sha256,
    /// ECDSA, P-384, SHA-384.
    EcdsaP384Sha384,
    /// ECDSA, P-521, SHA-512.
    EcdsaP521Sha512,
    /// Ed25519.
    Ed25519,
}

/// Why a cryptographic operation failed. Deliberately without detail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CryptoError {
    /// The signature does not belong to this key and message.
    #[error("signature verification failed")]
    BadSignature,
    /// The ciphertext, its tag or its associated data were altered, or the key is another.
    #[error("decryption failed")]
    BadCiphertext,
    /// A key that does not fit the operation.
    #[error("unsuitable key")]
    BadKey,
}

/// Verification, key agreement and AEAD: the cryptography that is not behind a [`Signer`].
pub trait CryptoProvider: Send + Sync + fmt::Debug {
    /// Checks a JOSE signature with the one algorithm of the key: `r || s` or Ed25519. Ed25519 strictly: no small-order points, canonical encodings.
    fn verify(&self, key: &PublicKey, message: &[u8], signature: &[u8]) -> Result<(), CryptoError>;

    /// Checks the signature of a certificate. `key` is the content of `subjectPublicKey`; ECDSA signatures are DER.
    fn verify_certificate(
        &self,
        algorithm: CertificateAlgorithm,
        key: &[u8],
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), CryptoError>;

    /// A fresh key for ECDH.
    fn generate_agreement_key(&self, rng: &dyn Rng) -> AgreementKey;

    /// The x coordinate of the shared P-256 point.
    fn ecdh(
        &self,
        private: &AgreementKey,
        peer: &PublicKey,
    ) -> Result<Zeroizing<[u8; 32]>, CryptoError>;

    /// AES-GCM (key of 16 or 32 bytes): encrypts in place, gives the tag.
    fn aes_gcm_seal(
        &self,
        key: &[u8],
        nonce: &[u8; 12],
        aad: &[u8],
        buffer: &mut [u8],
    ) -> Result<[u8; 16], CryptoError>;

    /// AES-GCM: checks the tag and decrypts in place. On failure the buffer is worthless.
    fn aes_gcm_open(
        &self,
        key: &[u8],
        nonce: &[u8; 12],
        aad: &[u8],
        buffer: &mut [u8],
        tag: &[u8; 16],
    ) -> Result<(), CryptoError>;
}
