//! The software signing key.

use std::fmt;

use ed25519_dalek::Signer as _;
use p256::pkcs8::{DecodePrivateKey, EncodePrivateKey, LineEnding, SecretDocument};
use zeroize::Zeroizing;

use super::{Algorithm, KeyError, PublicKey, Signer, SignerError};
use crate::random::Rng;

/// A software signing key; erased from memory when dropped.
pub struct SigningKey {
    inner: Inner,
    public: PublicKey,
}

/// Both types erase themselves when dropped.
enum Inner {
    P256(p256::ecdsa::SigningKey),
    Ed25519(ed25519_dalek::SigningKey),
}

impl SigningKey {
    /// A fresh key.
    #[must_use]
    pub fn generate(algorithm: Algorithm, rng: &dyn Rng) -> Self {
        let made = match algorithm {
            Algorithm::Es256 => Self::from_p256(&random_scalar(rng)),
            Algorithm::EdDsa => {
                let mut seed = Zeroizing::new([0; 32]);
                rng.fill(&mut *seed);
                Self::from_ed25519(ed25519_dalek::SigningKey::from_bytes(&seed))
            }
        };
        made.expect("the public key of a fresh private key is a valid point")
    }

    /// Reads PKCS#8 DER.
    pub fn from_pkcs8_der(der: &[u8]) -> Result<Self, KeyError> {
        if let Ok(key) = p256::SecretKey::from_pkcs8_der(der) {
            return Self::from_p256(&key);
        }
        let key = ed25519_dalek::SigningKey::from_pkcs8_der(der).map_err(|_| KeyError::Invalid)?;
        Self::from_ed25519(key)
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
            Inner::P256(key) => key.to_pkcs8_der(),
            Inner::Ed25519(key) => key.to_pkcs8_der(),
        };
        document.expect("a key of fixed size fits PKCS#8")
    }

    /// The private scalar (P-256) or seed (Ed25519).
    #[cfg(feature = "aws-lc")]
    pub(super) fn secret_bytes(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(match &self.inner {
            Inner::P256(key) => key.to_bytes().into(),
            Inner::Ed25519(key) => key.to_bytes(),
        })
    }

    fn from_p256(key: &p256::SecretKey) -> Result<Self, KeyError> {
        let public = PublicKey::from_p256(&key.public_key())?;
        Ok(Self {
            inner: Inner::P256(key.into()),
            public,
        })
    }

    fn from_ed25519(key: ed25519_dalek::SigningKey) -> Result<Self, KeyError> {
        let public = PublicKey::from_ed25519(key.verifying_key().as_bytes())?;
        Ok(Self {
            inner: Inner::Ed25519(key),
            public,
        })
    }

    fn sign_now(&self, message: &[u8]) -> Vec<u8> {
        match &self.inner {
            Inner::P256(key) => {
                // RFC 6979: deterministic, so no random source can leak the key.
                let signature: p256::ecdsa::Signature = key.sign(message);
                signature.to_bytes().to_vec()
            }
            Inner::Ed25519(key) => key.sign(message).to_bytes().to_vec(),
        }
    }
}

/// A uniform private scalar of P-256.
pub(super) fn random_scalar(rng: &dyn Rng) -> p256::SecretKey {
    let mut bytes = Zeroizing::new([0; 32]);
    loop {
        rng.fill(&mut *bytes);
        // Fails for zero and for values not below the group order: once in 2^32.
        if let Ok(key) = p256::SecretKey::from_slice(&*bytes) {
            return key;
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
