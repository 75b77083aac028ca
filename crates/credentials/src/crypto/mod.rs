//! Keys and the port behind which the cryptography stands.

use std::fmt;

use serde_json::Value;
use zeroize::Zeroizing;

use crate::random::Rng;

/// Signature algorithms of this system (RFC 7518, section 3.4; RFC 8037, section 3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// ECDSA over P-256 with SHA-256, signature `r || s` (64 bytes).
    Es256,
    /// Ed25519, signature 64 bytes.
    EdDsa,
}

impl Algorithm {
    /// The `alg` value (`ES256`, `EdDSA`).
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Es256 => "ES256",
            Self::EdDsa => "EdDSA",
        }
    }

    /// The algorithm with this `alg` value, compared byte by byte.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "ES256" => Some(Self::Es256),
            "EdDSA" => Some(Self::EdDsa),
            _ => None,
        }
    }
}

/// Why bytes or a JWK are not a key we accept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// Another key type or curve than P-256 and Ed25519.
    #[error("unsupported key type or curve")]
    Unsupported,
    /// Wrong length, wrong encoding, not on the curve, a weak point.
    #[error("invalid key")]
    Invalid,
    /// A private or symmetric JWK where a public one belongs.
    #[error("private key material where a public key is expected")]
    PrivateMaterial,
}

/// A P-256 or Ed25519 public key that is known to be a valid point.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct PublicKey(Vec<u8>);

impl PublicKey {
    /// The one algorithm this key verifies.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        unimplemented!()
    }

    /// Reads a public JWK (RFC 7517, RFC 8037). Private members are refused.
    pub fn from_jwk(_jwk: &Value) -> Result<Self, KeyError> {
        unimplemented!()
    }

    /// The JWK with its required members alone.
    #[must_use]
    pub fn to_jwk(&self) -> Value {
        unimplemented!()
    }

    /// JWK thumbprint (RFC 7638) with SHA-256, base64url.
    #[must_use]
    pub fn thumbprint(&self) -> String {
        unimplemented!()
    }

    /// Reads a DER SubjectPublicKeyInfo.
    pub fn from_spki_der(_der: &[u8]) -> Result<Self, KeyError> {
        unimplemented!()
    }

    /// P-256: uncompressed SEC1 point (65 bytes) or compressed (33 bytes).
    pub fn from_p256_sec1(_bytes: &[u8]) -> Result<Self, KeyError> {
        unimplemented!()
    }

    /// Ed25519: 32 bytes (RFC 8032).
    pub fn from_ed25519(_bytes: &[u8]) -> Result<Self, KeyError> {
        unimplemented!()
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

    /// Signs `message` (hashing is the signer's part). 64 bytes: `r || s` or Ed25519.
    async fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignerError>;
}

/// A software signing key; erased from memory when dropped.
pub struct SigningKey(());

impl SigningKey {
    /// A fresh key.
    #[must_use]
    pub fn generate(_algorithm: Algorithm, _rng: &dyn Rng) -> Self {
        unimplemented!()
    }

    /// Reads PKCS#8 DER.
    pub fn from_pkcs8_der(_der: &[u8]) -> Result<Self, KeyError> {
        unimplemented!()
    }

    /// Reads PKCS#8 PEM (`PRIVATE KEY`).
    pub fn from_pkcs8_pem(_pem: &str) -> Result<Self, KeyError> {
        unimplemented!()
    }

    /// Writes PKCS#8 DER.
    #[must_use]
    pub fn to_pkcs8_der(&self) -> Zeroizing<Vec<u8>> {
        unimplemented!()
    }

    /// Writes PKCS#8 PEM.
    #[must_use]
    pub fn to_pkcs8_pem(&self) -> Zeroizing<String> {
        unimplemented!()
    }
}

#[async_trait::async_trait]
impl Signer for SigningKey {
    fn public_key(&self) -> &PublicKey {
        unimplemented!()
    }

    async fn sign(&self, _message: &[u8]) -> Result<Vec<u8>, SignerError> {
        unimplemented!()
    }
}

/// A P-256 private key for ECDH; erased from memory when dropped.
pub struct AgreementKey(());

impl AgreementKey {
    /// A fresh key (portable arithmetic; servers use [`CryptoProvider::generate_agreement_key`]).
    #[must_use]
    pub fn generate(_rng: &dyn Rng) -> Self {
        unimplemented!()
    }

    /// The scalar, 32 bytes big endian, as [`Self::to_bytes`] gave it.
    pub fn from_bytes(_bytes: &[u8]) -> Result<Self, KeyError> {
        unimplemented!()
    }

    /// The scalar, to be sealed.
    #[must_use]
    pub fn to_bytes(&self) -> Zeroizing<[u8; 32]> {
        unimplemented!()
    }

    /// The public half.
    #[must_use]
    pub fn public_key(&self) -> &PublicKey {
        unimplemented!()
    }
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
    /// Checks a JOSE signature (64 bytes). Ed25519 strictly: no small-order points, canonical encodings.
    fn verify(&self, key: &PublicKey, message: &[u8], signature: &[u8]) -> Result<(), CryptoError>;

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

/// SHA-256.
#[must_use]
pub fn sha256(_data: &[u8]) -> [u8; 32] {
    unimplemented!()
}

/// SHA-384.
#[must_use]
pub fn sha384(_data: &[u8]) -> [u8; 48] {
    unimplemented!()
}

/// SHA-512.
#[must_use]
pub fn sha512(_data: &[u8]) -> [u8; 64] {
    unimplemented!()
}

/// HMAC-SHA-256.
#[must_use]
pub fn hmac_sha256(_key: &[u8], _data: &[u8]) -> [u8; 32] {
    unimplemented!()
}

/// Compares secrets in a time that does not depend on their content.
#[must_use]
pub fn constant_time_eq(_a: &[u8], _b: &[u8]) -> bool {
    unimplemented!()
}

/// Portable cryptography: `ed25519-dalek`, `p256`, `aes-gcm`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Portable;

impl CryptoProvider for Portable {
    fn verify(
        &self,
        _key: &PublicKey,
        _message: &[u8],
        _signature: &[u8],
    ) -> Result<(), CryptoError> {
        unimplemented!()
    }
    fn generate_agreement_key(&self, _rng: &dyn Rng) -> AgreementKey {
        unimplemented!()
    }
    fn ecdh(
        &self,
        _private: &AgreementKey,
        _peer: &PublicKey,
    ) -> Result<Zeroizing<[u8; 32]>, CryptoError> {
        unimplemented!()
    }
    fn aes_gcm_seal(
        &self,
        _key: &[u8],
        _nonce: &[u8; 12],
        _aad: &[u8],
        _buffer: &mut [u8],
    ) -> Result<[u8; 16], CryptoError> {
        unimplemented!()
    }
    fn aes_gcm_open(
        &self,
        _key: &[u8],
        _nonce: &[u8; 12],
        _aad: &[u8],
        _buffer: &mut [u8],
        _tag: &[u8; 16],
    ) -> Result<(), CryptoError> {
        unimplemented!()
    }
}

/// Cryptography of servers: `aws-lc-rs`.
#[cfg(feature = "aws-lc")]
#[derive(Clone, Copy, Debug, Default)]
pub struct AwsLc;

#[cfg(feature = "aws-lc")]
impl CryptoProvider for AwsLc {
    fn verify(
        &self,
        _key: &PublicKey,
        _message: &[u8],
        _signature: &[u8],
    ) -> Result<(), CryptoError> {
        unimplemented!()
    }
    fn generate_agreement_key(&self, _rng: &dyn Rng) -> AgreementKey {
        unimplemented!()
    }
    fn ecdh(
        &self,
        _private: &AgreementKey,
        _peer: &PublicKey,
    ) -> Result<Zeroizing<[u8; 32]>, CryptoError> {
        unimplemented!()
    }
    fn aes_gcm_seal(
        &self,
        _key: &[u8],
        _nonce: &[u8; 12],
        _aad: &[u8],
        _buffer: &mut [u8],
    ) -> Result<[u8; 16], CryptoError> {
        unimplemented!()
    }
    fn aes_gcm_open(
        &self,
        _key: &[u8],
        _nonce: &[u8; 12],
        _aad: &[u8],
        _buffer: &mut [u8],
        _tag: &[u8; 16],
    ) -> Result<(), CryptoError> {
        unimplemented!()
    }
}

/// A software signing key over `aws-lc-rs`.
#[cfg(feature = "aws-lc")]
pub struct AwsLcSigningKey(());

#[cfg(feature = "aws-lc")]
impl AwsLcSigningKey {
    /// The same key, signing with `aws-lc-rs`.
    pub fn new(_key: &SigningKey) -> Result<Self, KeyError> {
        unimplemented!()
    }
}

#[cfg(feature = "aws-lc")]
#[async_trait::async_trait]
impl Signer for AwsLcSigningKey {
    fn public_key(&self) -> &PublicKey {
        unimplemented!()
    }

    async fn sign(&self, _message: &[u8]) -> Result<Vec<u8>, SignerError> {
        unimplemented!()
    }
}
