//! Keys in software, sealed in the wallet's store.

use std::sync::Arc;

use async_trait::async_trait;
use vouchsafe_credentials::crypto::{Algorithm, Signer, SigningKey};
use vouchsafe_credentials::random::Rng;
use zeroize::Zeroizing;

use super::{AuthorizationHint, KeyHandle, KeyId, SecureArea, SecureAreaError};
use crate::storage::{Collection, RecordName, Vault};

/// Before a key that may move to another device; the first byte of one that may not is the `SEQUENCE`
/// of PKCS #8. Keys of earlier versions have no mark: nobody was told that they might move.
const MOVABLE: u8 = 1;

/// A [`SecureArea`] without hardware: each key is its own sealed record and is
/// in memory only while it signs. Nothing but the passphrase protects these keys, so they
/// may move to another device in a backup, which a passphrase protects as well.
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

/// The record of a key that another wallet made, to be written with its card.
pub(crate) fn moved_in(key: &KeyId, pkcs8: &[u8]) -> (RecordName, Zeroizing<Vec<u8>>) {
    (name_of(key), marked(pkcs8))
}

fn marked(pkcs8: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut stored = Zeroizing::new(Vec::with_capacity(1 + pkcs8.len()));
    stored.push(MOVABLE);
    stored.extend_from_slice(pkcs8);
    stored
}

impl SoftwareSecureArea {
    fn stored(&self, key: &KeyId) -> Result<Zeroizing<Vec<u8>>, SecureAreaError> {
        let stored = self.vault.get(&name_of(key));
        stored
            .map_err(SecureAreaError::Storage)?
            .ok_or(SecureAreaError::UnknownKey)
    }
}

#[async_trait]
impl SecureArea for SoftwareSecureArea {
    async fn create_key(&self, algorithm: Algorithm) -> Result<KeyHandle, SecureAreaError> {
        let key = SigningKey::generate(algorithm, self.rng.as_ref());
        let id = KeyId::from(self.vault.new_id());
        // Durable before it is ever named to an issuer.
        self.vault
            .put(name_of(&id), marked(&key.to_pkcs8_der()))
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
        let stored = self.stored(key)?;
        let der = stored.strip_prefix(&[MOVABLE]).unwrap_or(&stored);
        let key = SigningKey::from_pkcs8_der(der).map_err(|_| SecureAreaError::Damaged)?;
        key.sign(message).await.map_err(SecureAreaError::Signing)
    }

    async fn delete_key(&self, key: &KeyId) -> Result<(), SecureAreaError> {
        self.vault
            .delete(name_of(key))
            .map_err(SecureAreaError::Storage)
    }

    async fn export_key(&self, key: &KeyId) -> Result<Option<Zeroizing<Vec<u8>>>, SecureAreaError> {
        let stored = self.stored(key)?;
        let movable = stored.strip_prefix(&[MOVABLE]);
        Ok(movable.map(|der| Zeroizing::new(der.to_vec())))
    }

    async fn keys(&self) -> Result<Vec<KeyId>, SecureAreaError> {
        let ids = self
            .vault
            .list(Collection::Keys)
            .map_err(SecureAreaError::Storage)?;
        Ok(ids.into_iter().map(KeyId::from).collect())
    }
}
