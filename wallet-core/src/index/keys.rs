//! Keys that belong to no card: while a card is fetched, and while one is deleted.
//!
//! Before the first such key is made, and in the commit that deletes a card, a marker goes to the
//! disk; it is removed when every such key is bound to a card or destroyed. A wallet that opens and
//! finds the marker was interrupted, and looks through its keys.

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;
use vouchsafe_credentials::crypto::Algorithm;
use zeroize::Zeroizing;

use super::{Index, fixed};
use crate::credential::Record;
use crate::secure_area::{AuthorizationHint, KeyHandle, KeyId, SecureArea, SecureAreaError};
use crate::storage::{RecordName, StorageError, VaultBatch};

pub(super) fn marker() -> RecordName {
    fixed("keys")
}

/// Which keys are without a card.
#[derive(Debug, Clone, Default)]
pub(super) struct Keys {
    // The marker is on the disk.
    marked: bool,
    // Only looking through all keys ends it.
    doubtful: bool,
    being_made: usize,
    unbound: BTreeSet<KeyId>,
}

impl Keys {
    /// What a wallet finds at its opening.
    pub(super) fn found(marked: bool, current: bool) -> Self {
        Self {
            marked,
            doubtful: marked || !current,
            ..Self::default()
        }
    }

    pub(super) fn is_doubtful(&self) -> bool {
        self.doubtful
    }

    /// Which keys a card had, or whether a key was made, is not known.
    pub(super) fn doubt(&mut self) {
        self.doubtful = true;
    }

    /// All keys were looked through.
    pub(super) fn settle(&mut self) {
        self.doubtful = false;
    }

    /// The keys of a card that is written.
    pub(super) fn bind(&mut self, record: &Record) {
        for copy in &record.copies {
            self.unbound.remove(&copy.key);
        }
    }

    /// The keys of a card that goes, or of copies that its successor does not have.
    pub(super) fn unbind(&mut self, old: &Record, new: Option<&Record>) {
        let kept = |key: &KeyId| new.is_some_and(|new| new.copies.iter().any(|c| c.key == *key));
        let gone = old.copies.iter().map(|copy| &copy.key);
        self.unbound.extend(gone.filter(|key| !kept(key)).cloned());
    }

    /// Adds the marker to a batch, or its removal, where it was otherwise `before`.
    pub(super) fn write(&mut self, batch: VaultBatch, before: &Self) -> VaultBatch {
        self.marked = self.doubtful || self.being_made > 0 || !self.unbound.is_empty();
        match (before.marked, self.marked) {
            (false, true) => batch.put(marker(), Zeroizing::new(vec![1])),
            (true, false) => batch.delete(marker()),
            (true, true) | (false, false) => batch,
        }
    }
}

impl Index {
    /// Changes what is known of keys, and the marker with it.
    pub(super) fn watch(&self, change: impl FnOnce(&mut Keys)) -> Result<(), StorageError> {
        let mut keys = self.keys();
        let mut after = keys.clone();
        change(&mut after);
        let batch = after.write(VaultBatch::new(), &keys);
        if !batch.changes().is_empty() {
            self.vault.commit(batch)?;
        }
        *keys = after;
        Ok(())
    }
}

/// A secure area whose keys without a card are known on disk.
pub(crate) struct KeyWatch {
    area: Arc<dyn SecureArea>,
    index: Arc<Index>,
}

impl KeyWatch {
    pub(crate) fn new(area: Arc<dyn SecureArea>, index: Arc<Index>) -> Self {
        Self { area, index }
    }
}

#[async_trait]
impl SecureArea for KeyWatch {
    async fn create_key(&self, algorithm: Algorithm) -> Result<KeyHandle, SecureAreaError> {
        self.index
            .watch(|keys| keys.being_made += 1)
            .map_err(SecureAreaError::Storage)?;
        let made = self.area.create_key(algorithm).await;
        let known = self.index.watch(|keys| {
            keys.being_made = keys.being_made.saturating_sub(1);
            match &made {
                Ok(key) => {
                    keys.unbound.insert(key.id.clone());
                }
                // It may have failed after the key was made.
                Err(_) => keys.doubt(),
            }
        });
        known.map_err(SecureAreaError::Storage)?;
        made
    }

    async fn sign(
        &self,
        key: &KeyId,
        message: &[u8],
        hint: &AuthorizationHint,
    ) -> Result<Vec<u8>, SecureAreaError> {
        self.area.sign(key, message, hint).await
    }

    async fn delete_key(&self, key: &KeyId) -> Result<(), SecureAreaError> {
        self.area.delete_key(key).await?;
        self.index
            .watch(|keys| {
                keys.unbound.remove(key);
            })
            .map_err(SecureAreaError::Storage)
    }

    async fn keys(&self) -> Result<Vec<KeyId>, SecureAreaError> {
        self.area.keys().await
    }

    async fn export_key(&self, key: &KeyId) -> Result<Option<Zeroizing<Vec<u8>>>, SecureAreaError> {
        self.area.export_key(key).await
    }
}
