//! Public keys that were checked and prepared before.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Mutex, PoisonError};

use vouchsafe_credentials::crypto::SignerError;
use vouchsafe_credentials::data_integrity::BbsSigner;

use crate::bbs::{self, BbsError, PUBLIC_KEY_LENGTH, PublicKey, SIGNATURE_LENGTH, SecretKey};

/// How many keys are kept: a verifier has a few issuers.
const KEPT: usize = 32;

/// The keys last used, the newest in front.
#[derive(Default)]
pub(super) struct PreparedKeys(Mutex<VecDeque<PublicKey>>);

impl PreparedKeys {
    pub(super) fn get(&self, bytes: &[u8; PUBLIC_KEY_LENGTH]) -> Result<PublicKey, BbsError> {
        let kept =
            |keys: &VecDeque<PublicKey>| keys.iter().find(|key| key.as_bytes() == bytes).cloned();
        if let Some(key) = kept(&self.lock()) {
            return Ok(key);
        }
        // Without the lock: this takes as long as a pairing.
        let key = PublicKey::from_bytes(bytes)?;
        let mut keys = self.lock();
        keys.truncate(KEPT - 1);
        keys.push_front(key.clone());
        Ok(key)
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.lock().len()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, VecDeque<PublicKey>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for PreparedKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PreparedKeys")
    }
}

#[async_trait::async_trait]
impl BbsSigner for SecretKey {
    fn public_key(&self) -> &[u8; PUBLIC_KEY_LENGTH] {
        self.public_key_bytes()
    }

    async fn sign(
        &self,
        header: &[u8],
        messages: &[Vec<u8>],
    ) -> Result<[u8; SIGNATURE_LENGTH], SignerError> {
        let messages: Vec<&[u8]> = messages.iter().map(Vec::as_slice).collect();
        let signature = bbs::sign(self, header, &messages);
        Ok(signature
            .map_err(|error| SignerError(error.into()))?
            .to_bytes())
    }
}
