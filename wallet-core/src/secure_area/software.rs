//! Keys in software, sealed in the wallet's store.

use std::sync::Arc;

use async_trait::async_trait;
use vouchsafe_credentials::crypto::{Algorithm, Signer, SigningKey};
use vouchsafe_credentials::random::Rng;

use super::{AuthorizationHint, KeyHandle, KeyId, SecureArea, SecureAreaError};
use crate::storage::{Collection, RecordName, Vault};

/// A [`SecureArea`] without hardware: each key is its own sealed record and is
/// in memory only while it signs.
pub struct SoftwareSecureArea {
    vault: Arc<Vault>,
    rng: Arc<dyn Rng>,
}

impl SoftwareSecureArea {
    /// Keys inside an open wallet store.
    #[must_use]
    pub fn new(vault: Arc<Vault>, rng: Arc<dyn Rng>) -> Self {
        Self { vault, rng }
    }
}

fn name_of(key: &KeyId) -> RecordName {
    RecordName::new(Collection::Keys, key.record_id().clone())
}

#[async_trait]
impl SecureArea for SoftwareSecureArea {
    async fn create_key(&self, algorithm: Algorithm) -> Result<KeyHandle, SecureAreaError> {
        let key = SigningKey::generate(algorithm, self.rng.as_ref());
        let id = KeyId::from(self.vault.new_id());
        // Durable before it is ever named to an issuer.
        self.vault
            .put(name_of(&id), key.to_pkcs8_der())
            .map_err(SecureAreaError::Storage)?;
        Ok(KeyHandle {
            id,
            public_key: key.public_key().clone(),
        })
    }

    async fn sign(
        &self,
        key: &KeyId,
        message: &[u8],
        _hint: &AuthorizationHint,
    ) -> Result<Vec<u8>, SecureAreaError> {
        let stored = self
            .vault
            .get(&name_of(key))
            .map_err(SecureAreaError::Storage)?;
        let der = stored.ok_or(SecureAreaError::UnknownKey)?;
        let key = SigningKey::from_pkcs8_der(&der).map_err(|_| SecureAreaError::Damaged)?;
        key.sign(message).await.map_err(SecureAreaError::Signing)
    }

    async fn delete_key(&self, key: &KeyId) -> Result<(), SecureAreaError> {
        self.vault
            .delete(name_of(key))
            .map_err(SecureAreaError::Storage)
    }

    async fn keys(&self) -> Result<Vec<KeyId>, SecureAreaError> {
        let ids = self
            .vault
            .list(Collection::Keys)
            .map_err(SecureAreaError::Storage)?;
        Ok(ids.into_iter().map(KeyId::from).collect())
    }
}
