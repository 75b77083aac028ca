//! The software signing key.

use std::fmt;

use ed25519_dalek::Signer as _;
use ed25519_dalek::pkcs8::{DecodePrivateKey as _, EncodePrivateKey as _};
use p256::pkcs8::{LineEnding, SecretDocument};
use zeroize::Zeroizing;

use super::{Algorithm, KeyError, PublicKey, Signer, SignerError, curve};
use crate::random::Rng;

/// A software signing key; erased from memory when dropped.
pub struct SigningKey {
    inner: Inner,
    public: PublicKey,
}

/// All types erase themselves when dropped.
enum Inner {
    P256(curve::p256::SecretKey),
    P384(curve::p384::SecretKey),
    P521(curve::p521::SecretKey),
    Ed25519(ed25519_dalek::SigningKey),
}

impl SigningKey {
    /// A fresh key.
    #[must_use]
    pub fn generate(algorithm: Algorithm, rng: &dyn Rng) -> Self {
        let inner = match algorithm {
            Algorithm::Es256 => Inner::P256(curve::p256::generate(rng).into()),
            Algorithm::Es384 => Inner::P384(curve::p384::generate(rng).into()),
            Algorithm::Es512 => Inner::P521(curve::p521::generate(rng).into()),
            Algorithm::EdDsa => {
                let mut seed = Zeroizing::new([0; 32]);
                rng.fill(&mut *seed);
                Inner::Ed25519(ed25519_dalek::SigningKey::from_bytes(&seed))
            }
        };
        Self::new(inner).expect("the public key of a fresh private key is a valid point")
    }

    fn new(inner: Inner) -> Result<Self, KeyError> {
        let public = match &inner {
            Inner::P256(key) => PublicKey::new(curve::p256::public(key)?),
            Inner::P384(key) => PublicKey::new(curve::p384::public(key)?),
            Inner::P521(key) => PublicKey::new(curve::p521::public(key)?),
            Inner::Ed25519(key) => PublicKey::from_ed25519(key.verifying_key().as_bytes())?,
        };
        Ok(Self { inner, public })
    }

    /// Reads PKCS#8 DER.
    pub fn from_pkcs8_der(der: &[u8]) -> Result<Self, KeyError> {
        // Each refuses the identifiers of the others.
        let ed25519 = |der| ed25519_dalek::SigningKey::from_pkcs8_der(der).ok();
        let inner = (curve::p256::from_pkcs8(der).map(Inner::P256))
            .or_else(|| ed25519(der).map(Inner::Ed25519))
            .or_else(|| curve::p384::from_pkcs8(der).map(Inner::P384))
            .or_else(|| curve::p521::from_pkcs8(der).map(Inner::P521));
        Self::new(inner.ok_or(KeyError::Invalid)?)
    }

    /// Reads PKCS#8 PEM (`PRIVATE KEY`).
    pub fn from_pkcs8_pem(pem: &str) -> Result<Self, KeyError> {
        let (label, document) =
            SecretDocument::from_pem(pem.trim()).map_err(|_| KeyError::Invalid)?;
        if label != "PRIVATE KEY" {
            return Err(KeyError::Unsupported);
        }
        Self::from_pkcs8_der(document.as_bytes())
    }

    /// Writes PKCS#8 DER.
    #[must_use]
    pub fn to_pkcs8_der(&self) -> Zeroizing<Vec<u8>> {
        self.to_pkcs8().to_bytes()
    }

    /// Writes PKCS#8 PEM.
    #[must_use]
    pub fn to_pkcs8_pem(&self) -> Zeroizing<String> {
        let pem = self.to_pkcs8().to_pem("PRIVATE KEY", LineEnding::LF);
        pem.expect("a PKCS#8 document fits PEM")
    }

    fn to_pkcs8(&self) -> SecretDocument {
        let document = match &self.inner {
            Inner::P256(key) => curve::p256::to_pkcs8(key),
            Inner::P384(key) => curve::p384::to_pkcs8(key),
            Inner::P521(key) => curve::p521::to_pkcs8(key),
            // RFC 8410, section 7: the form without the public key, which OpenSSL reads too.
            Inner::Ed25519(key) => ed25519_dalek::pkcs8::KeypairBytes {
                secret_key: key.to_bytes(),
                public_key: None,
            }
            .to_pkcs8_der(),
        };
        document.expect("a key of fixed size fits PKCS#8")
    }

    /// The private scalar in the full width of the curve, or the seed of Ed25519.
    #[cfg(feature = "aws-lc")]
    pub(super) fn secret_bytes(&self) -> Zeroizing<Vec<u8>> {
        match &self.inner {
            Inner::P256(key) => curve::p256::scalar(key),
            Inner::P384(key) => curve::p384::scalar(key),
            Inner::P521(key) => curve::p521::scalar(key),
            Inner::Ed25519(key) => Zeroizing::new(key.to_bytes().to_vec()),
        }
    }

    fn sign_now(&self, message: &[u8]) -> Vec<u8> {
        match &self.inner {
            Inner::P256(key) => curve::p256::sign(key, message),
            Inner::P384(key) => curve::p384::sign(key, message),
            Inner::P521(key) => curve::p521::sign(key, message),
            Inner::Ed25519(key) => key.sign(message).to_bytes().to_vec(),
        }
    }
}

#[async_trait::async_trait]
impl Signer for SigningKey {
    fn public_key(&self) -> &PublicKey {
        &self.public
    }

    async fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignerError> {
        Ok(self.sign_now(message))
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey")
            .field("public", &self.public)
            .finish_non_exhaustive()
    }
}
