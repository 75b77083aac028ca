//! The private key of a key agreement.

use std::fmt;
use std::sync::OnceLock;

use zeroize::Zeroizing;

use super::{KeyError, PublicKey, curve};
use crate::random::Rng;

/// A P-256 private key for ECDH; erased from memory when dropped.
pub struct AgreementKey {
    scalar: Zeroizing<[u8; 32]>,
    public: OnceLock<PublicKey>,
}

impl AgreementKey {
    /// A fresh key (portable arithmetic; servers use [`super::CryptoProvider::generate_agreement_key`]).
    #[must_use]
    pub fn generate(rng: &dyn Rng) -> Self {
        let scalar = Zeroizing::new(curve::p256::generate(rng).to_bytes().into());
        Self {
            scalar,
            public: OnceLock::new(),
        }
    }

    /// The scalar, 32 bytes big endian, as [`Self::to_bytes`] gave it.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, KeyError> {
        let scalar: [u8; 32] = bytes.try_into().map_err(|_| KeyError::Invalid)?;
        let scalar = Zeroizing::new(scalar);
        p256::SecretKey::from_slice(&*scalar).map_err(|_| KeyError::Invalid)?;
        Ok(Self {
            scalar,
            public: OnceLock::new(),
        })
    }

    /// The scalar, to be sealed.
    #[must_use]
    pub fn to_bytes(&self) -> Zeroizing<[u8; 32]> {
        self.scalar.clone()
    }

    /// The public half.
    #[must_use]
    pub fn public_key(&self) -> &PublicKey {
        self.public.get_or_init(|| {
            let material = curve::p256::material(&self.secret_key().public_key());
            PublicKey::new(material.expect("the public key of a valid scalar is a valid point"))
        })
    }

    #[cfg(feature = "aws-lc")]
    pub(super) fn set_public(&self, public: PublicKey) {
        // A second value could only be the same one.
        let _ = self.public.set(public);
    }

    pub(super) fn secret_key(&self) -> p256::SecretKey {
        p256::SecretKey::from_slice(&*self.scalar).expect("checked when the key was made")
    }
}

impl fmt::Debug for AgreementKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AgreementKey")
    }
}
