//! Keys that do not leave the device they were made on.

use std::sync::Arc;

use anyhow::Result;
use async_trait::async_trait;
use vouchsafe_credentials::crypto::Algorithm;
use vouchsafe_service::random::OsRandom;
use vouchsafe_wallet_core::secure_area::software::SoftwareSecureArea;
use vouchsafe_wallet_core::secure_area::{
    AuthorizationHint, KeyHandle, KeyId, SecureArea, SecureAreaError,
};
use vouchsafe_wallet_core::storage::{KdfParams, MemoryStorage, Vault};

/// As the hardware of a phone: a store of its own, and no way out of it.
pub struct Hardware(SoftwareSecureArea);

impl Hardware {
    /// Hardware without keys.
    pub fn new() -> Result<Self> {
        let (storage, rng) = (Arc::new(MemoryStorage::new()), Arc::new(OsRandom));
        let lock = "a passphrase of tests";
        let vault = Vault::create(storage, lock, KdfParams::MINIMUM, rng.clone())?;
        Ok(Self(SoftwareSecureArea::new(Arc::new(vault), rng)))
    }
}

#[async_trait]
impl SecureArea for Hardware {
    async fn create_key(&self, algorithm: Algorithm) -> Result<KeyHandle, SecureAreaError> {
        self.0.create_key(algorithm).await
    }

    async fn sign(
        &self,
        key: &KeyId,
        message: &[u8],
        hint: &AuthorizationHint,
    ) -> Result<Vec<u8>, SecureAreaError> {
        self.0.sign(key, message, hint).await
    }

    async fn delete_key(&self, key: &KeyId) -> Result<(), SecureAreaError> {
        self.0.delete_key(key).await
    }

    async fn keys(&self) -> Result<Vec<KeyId>, SecureAreaError> {
        self.0.keys().await
    }
}
