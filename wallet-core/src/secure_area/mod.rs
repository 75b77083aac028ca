//! Where private keys live and sign.
//!
//! The wallet names keys and asks for signatures; it never sees a private key.
//! [`software::SoftwareSecureArea`] keeps them sealed in the wallet's own
//! store; a phone's adapter keeps them in hardware and asks for the finger.

pub mod software;

use std::sync::Arc;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use vouchsafe_credentials::crypto::{Algorithm, PublicKey, Signer, SignerError};
use zeroize::Zeroizing;

use crate::storage::{RecordId, StorageError};

/// Names a key of a [`SecureArea`].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct KeyId(RecordId);

impl KeyId {
    /// Parses a key name: 1 to 64 of `a-z`, `0-9`, `-`.
    pub fn parse(text: &str) -> Result<Self, StorageError> {
        RecordId::parse(text).map(Self)
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    pub(crate) fn record_id(&self) -> &RecordId {
        &self.0
    }
}

impl From<RecordId> for KeyId {
    fn from(id: RecordId) -> Self {
        Self(id)
    }
}

impl TryFrom<String> for KeyId {
    type Error = StorageError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

impl From<KeyId> for String {
    fn from(id: KeyId) -> Self {
        id.as_str().to_owned()
    }
}

/// A key that exists.
#[derive(Debug, Clone)]
pub struct KeyHandle {
    /// Its name.
    pub id: KeyId,
    /// Its public half.
    pub public_key: PublicKey,
}

/// What to tell the person when the key asks for consent of its own.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuthorizationHint {
    /// For example the name of who asks.
    pub title: String,
}

/// Why a key could not be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SecureAreaError {
    /// There is no such key.
    #[error("no such key")]
    UnknownKey,
    /// The area has no keys of this algorithm.
    #[error("the algorithm is not available")]
    Unsupported,
    /// The person did not unlock the key.
    #[error("the person did not unlock the key")]
    UserAuthDenied,
    /// The hardware is not there.
    #[error("the key hardware is not available")]
    HardwareUnavailable,
    /// The key can no longer be used, for example after new biometrics.
    #[error("the key was invalidated")]
    Invalidated,
    /// The stored key is damaged.
    #[error("a stored key is damaged")]
    Damaged,
    /// Storage failed.
    #[error("key storage failed")]
    Storage(#[source] StorageError),
    /// Signing failed.
    #[error("signing failed")]
    Signing(#[source] SignerError),
}

impl SecureAreaError {
    /// A stable snake_case code, also a key for translated texts.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::UnknownKey => "key_unknown",
            Self::Unsupported => "key_algorithm_unsupported",
            Self::UserAuthDenied => "user_auth_denied",
            Self::HardwareUnavailable => "hardware_unavailable",
            Self::Invalidated => "key_invalidated",
            Self::Damaged => "key_damaged",
            Self::Storage(error) => error.code(),
            Self::Signing(_) => "signing_failed",
        }
    }
}

/// Holds private keys and signs with them.
#[async_trait]
pub trait SecureArea: Send + Sync {
    /// Makes a key that nothing else uses.
    async fn create_key(&self, algorithm: Algorithm) -> Result<KeyHandle, SecureAreaError>;

    /// Signs a message: 64 bytes, `r || s` or Ed25519.
    async fn sign(
        &self,
        key: &KeyId,
        message: &[u8],
        hint: &AuthorizationHint,
    ) -> Result<Vec<u8>, SecureAreaError>;

    /// Destroys a key; a missing one is no error.
    async fn delete_key(&self, key: &KeyId) -> Result<(), SecureAreaError>;

    /// The private key (PKCS #8, DER), where it was made to be moved to another device with a backup.
    /// `None`, also where an area does not say otherwise: it never leaves, and its cards are issued
    /// anew.
    async fn export_key(
        &self,
        _key: &KeyId,
    ) -> Result<Option<Zeroizing<Vec<u8>>>, SecureAreaError> {
        Ok(None)
    }

    /// All keys, so that those without a credential can be destroyed.
    async fn keys(&self) -> Result<Vec<KeyId>, SecureAreaError>;
}

/// One key of a secure area as a [`Signer`].
pub(crate) struct AreaSigner {
    pub(crate) area: Arc<dyn SecureArea>,
    pub(crate) key: KeyHandle,
    pub(crate) hint: AuthorizationHint,
}

#[async_trait]
impl Signer for AreaSigner {
    fn public_key(&self) -> &PublicKey {
        &self.key.public_key
    }

    async fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignerError> {
        let signed = self.area.sign(&self.key.id, message, &self.hint).await;
        signed.map_err(|error| SignerError(Box::new(error)))
    }
}
