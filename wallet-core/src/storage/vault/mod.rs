//! Sealed records over a [`Storage`].
//!
//! A random data key seals every record with AES-256-GCM. The data key itself
//! is sealed under a key derived from the passphrase, so a new passphrase does
//! not rewrite the records. The associated data of a record binds its name,
//! the format version and its revision: a record copied over another one, or
//! with a changed revision, does not open.

mod attempts;
mod header;
mod key;
mod lock;
#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex, PoisonError};

use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes256Gcm, Nonce};
use vouchsafe_credentials::random::Rng;
use vouchsafe_credentials::time::Clock;
use zeroize::Zeroizing;

use super::{Collection, KdfParams, RecordId, RecordName, Storage, StorageError, Write};
use header::Header;
use key::Names;

pub use key::VaultKey;
pub use lock::Lock;

const RECORD_FORMAT: u8 = 1;
const NONCE: usize = 12;

/// An open wallet store: reads and writes plain records, stores sealed ones.
pub struct Vault {
    storage: Arc<dyn Storage>,
    rng: Arc<dyn Rng>,
    cipher: Aes256Gcm,
    names: Names,
    // Held while a batch reads revisions and commits.
    writing: Mutex<()>,
}

/// Changes that [`Vault::commit`] applies together.
#[derive(Default)]
pub struct VaultBatch {
    changes: Vec<(RecordName, Option<Zeroizing<Vec<u8>>>)>,
}

impl VaultBatch {
    /// An empty batch.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Creates or replaces a record.
    #[must_use]
    pub fn put(mut self, name: RecordName, plain: Zeroizing<Vec<u8>>) -> Self {
        self.changes.push((name, Some(plain)));
        self
    }

    /// The same changes in batches of at most `size`, for changes that need not hold together.
    pub(crate) fn split(self, size: usize) -> Vec<Self> {
        let mut batches = vec![Self::new()];
        for change in self.changes {
            match batches.last_mut() {
                Some(last) if last.changes.len() < size => last.changes.push(change),
                _ => batches.push(Self {
                    changes: vec![change],
                }),
            }
        }
        batches
    }

    /// What it changes: `None` removes.
    pub(crate) fn changes(&self) -> &[(RecordName, Option<Zeroizing<Vec<u8>>>)] {
        &self.changes
    }

    /// Removes a record.
    #[must_use]
    pub fn delete(mut self, name: RecordName) -> Self {
        self.changes.push((name, None));
        self
    }
}

impl Vault {
    /// The least length of a passphrase, in bytes. Up to 12 digits are a PIN and no passphrase.
    pub const MIN_PASSPHRASE: usize = 8;

    /// Makes a new store under a passphrase or a PIN. Refuses a place that has one.
    pub fn create<'a>(
        storage: Arc<dyn Storage>,
        lock: impl Into<Lock<'a>>,
        params: KdfParams,
        rng: Arc<dyn Rng>,
    ) -> Result<Self, StorageError> {
        let lock = lock.into();
        let (secret, limit) = lock.checked()?;
        if storage.get(&header::name())?.is_some() {
            return Err(StorageError::AlreadyExists);
        }
        let mut bytes = [0; 32];
        rng.fill(&mut bytes);
        let key = VaultKey::from_bytes(bytes);
        let header = header::seal(secret, limit, params, &key, rng.as_ref())?;
        storage.commit(vec![attempts::none(), Write::Put(header::name(), header)])?;
        Ok(Self::with_key(storage, rng, &key))
    }

    /// Opens an existing store.
    pub fn open(
        storage: Arc<dyn Storage>,
        secret: &str,
        rng: Arc<dyn Rng>,
        clock: &dyn Clock,
    ) -> Result<Self, StorageError> {
        let key = Self::unlock(storage.as_ref(), secret, rng.as_ref(), clock)?;
        Ok(Self::with_key(storage, rng, &key))
    }

    /// The data key of an existing store. The attempt is counted before the key is derived.
    pub fn unlock(
        storage: &dyn Storage,
        secret: &str,
        rng: &dyn Rng,
        clock: &dyn Clock,
    ) -> Result<VaultKey, StorageError> {
        let bytes = storage
            .get(&header::name())?
            .ok_or(StorageError::NoWallet)?;
        let header = Header::parse(&bytes)?;
        let count = attempts::begin(storage, header.limit(), header.is_old(), clock.now())?;
        let wrapping = header.derive(secret)?;
        let opened = header.open(&wrapping);
        let _counting = attempts::counting();
        let stored = storage.get(&header::name())?;
        match opened {
            Ok(key) => {
                let mut writes = vec![attempts::none()];
                if header.is_old() {
                    let renewed = header.renewed(&key, &wrapping, rng)?;
                    writes.push(Write::Put(header::name(), renewed));
                } else if stored.as_deref().is_some_and(header::is_erased) {
                    // The last wrong attempt ended while the right one was under way.
                    writes.push(Write::Put(header::name(), bytes));
                }
                storage.commit(writes)?;
                Ok(key)
            }
            Err(error) => {
                let used_up = header
                    .limit()
                    .is_some_and(|limit| count >= u32::from(limit));
                if used_up && stored.as_deref() == Some(&bytes) {
                    storage.put(header::name(), header::erased())?;
                }
                Err(error)
            }
        }
    }

    /// Opens an existing store with the key that [`Vault::unlock`] gave.
    pub fn open_with_key(
        storage: Arc<dyn Storage>,
        key: &VaultKey,
        rng: Arc<dyn Rng>,
    ) -> Result<Self, StorageError> {
        let bytes = storage
            .get(&header::name())?
            .ok_or(StorageError::NoWallet)?;
        if !Header::parse(&bytes)?.is_key(key) {
            return Err(StorageError::WrongPassphrase);
        }
        Ok(Self::with_key(storage, rng, key))
    }

    /// Locks the store with another secret. No record is rewritten: a copy of the store that
    /// somebody made before still opens with the old one.
    pub fn change_lock<'a>(
        &self,
        old: &str,
        new: impl Into<Lock<'a>>,
        params: KdfParams,
        clock: &dyn Clock,
    ) -> Result<(), StorageError> {
        let new = new.into();
        let (secret, limit) = new.checked()?;
        let (storage, rng) = (self.storage.as_ref(), self.rng.as_ref());
        let key = Self::unlock(storage, old, rng, clock)?;
        let header = header::seal(secret, limit, params, &key, rng)?;
        let _counting = attempts::counting();
        storage.commit(vec![attempts::none(), Write::Put(header::name(), header)])
    }

    fn with_key(storage: Arc<dyn Storage>, rng: Arc<dyn Rng>, key: &VaultKey) -> Self {
        let cipher = Aes256Gcm::new(&(*key.expose_secret()).into());
        Self {
            storage,
            rng,
            cipher,
            names: key.names(),
            writing: Mutex::new(()),
        }
    }

    /// The record's plain bytes, or `None` when there is no such record.
    pub fn get(&self, name: &RecordName) -> Result<Option<Zeroizing<Vec<u8>>>, StorageError> {
        match self.storage.get(name)? {
            None => Ok(None),
            Some(sealed) => Ok(Some(self.open_record(name, &sealed)?.1)),
        }
    }

    /// The ids in a collection, ascending.
    pub fn list(&self, collection: Collection) -> Result<Vec<RecordId>, StorageError> {
        self.storage.list(collection)
    }

    /// Applies all changes of the batch, or none.
    pub fn commit(&self, batch: VaultBatch) -> Result<(), StorageError> {
        let _writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut writes = Vec::with_capacity(batch.changes.len());
        for (name, plain) in batch.changes {
            writes.push(match plain {
                None => Write::Delete(name),
                Some(plain) => {
                    let revision = self.next_revision(&name)?;
                    let sealed = self.seal_record(&name, revision, &plain)?;
                    Write::Put(name, sealed)
                }
            });
        }
        self.storage.commit(writes)
    }

    /// Creates or replaces one record.
    pub fn put(&self, name: RecordName, plain: Zeroizing<Vec<u8>>) -> Result<(), StorageError> {
        self.commit(VaultBatch::new().put(name, plain))
    }

    /// Removes one record.
    pub fn delete(&self, name: RecordName) -> Result<(), StorageError> {
        self.commit(VaultBatch::new().delete(name))
    }

    /// A fresh random record id.
    #[must_use]
    pub fn new_id(&self) -> RecordId {
        let mut bytes = [0; 16];
        self.rng.fill(&mut bytes);
        RecordId::from_bytes(&bytes)
    }

    /// A name for what `parts` say, the same each time; it says nothing without the key.
    pub(crate) fn name_for(&self, parts: &[&str]) -> RecordId {
        self.names.of(parts)
    }

    fn next_revision(&self, name: &RecordName) -> Result<u64, StorageError> {
        let Some(sealed) = self.storage.get(name)? else {
            return Ok(1);
        };
        let revision = match self.open_record(name, &sealed) {
            // An index is made anew: what does not read may be replaced.
            Err(StorageError::Damaged(_)) if name.collection == Collection::Index => 0,
            opened => opened?.0,
        };
        revision
            .checked_add(1)
            .ok_or_else(|| StorageError::Damaged(name.clone()))
    }

    fn seal_record(
        &self,
        name: &RecordName,
        revision: u64,
        plain: &[u8],
    ) -> Result<Vec<u8>, StorageError> {
        let mut nonce = [0; NONCE];
        self.rng.fill(&mut nonce);
        let aad = record_aad(name, revision);
        let sealed = self
            .cipher
            .encrypt(
                &Nonce::from(nonce),
                Payload {
                    msg: plain,
                    aad: &aad,
                },
            )
            .map_err(|_| StorageError::Damaged(name.clone()))?;
        let mut out = vec![RECORD_FORMAT];
        out.extend_from_slice(&revision.to_be_bytes());
        out.extend_from_slice(&nonce);
        out.extend_from_slice(&sealed);
        Ok(out)
    }

    fn open_record(
        &self,
        name: &RecordName,
        sealed: &[u8],
    ) -> Result<(u64, Zeroizing<Vec<u8>>), StorageError> {
        let damaged = || StorageError::Damaged(name.clone());
        let (format, rest) = sealed.split_first().ok_or_else(damaged)?;
        if *format != RECORD_FORMAT {
            return Err(StorageError::UnknownFormat);
        }
        let (revision, rest) = rest.split_first_chunk::<8>().ok_or_else(damaged)?;
        let (nonce, ciphertext) = rest.split_first_chunk::<NONCE>().ok_or_else(damaged)?;
        let revision = u64::from_be_bytes(*revision);
        let aad = record_aad(name, revision);
        let plain = self
            .cipher
            .decrypt(
                &Nonce::from(*nonce),
                Payload {
                    msg: ciphertext,
                    aad: &aad,
                },
            )
            .map_err(|_| damaged())?;
        Ok((revision, Zeroizing::new(plain)))
    }
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Vault(..)")
    }
}

fn record_aad(name: &RecordName, revision: u64) -> Vec<u8> {
    let mut aad = b"vouchsafe wallet record".to_vec();
    aad.push(RECORD_FORMAT);
    for part in [name.collection.as_str(), name.id.as_str()] {
        // Names are at most 64 bytes long, so the length always fits.
        aad.push(u8::try_from(part.len()).unwrap_or(u8::MAX));
        aad.extend_from_slice(part.as_bytes());
    }
    aad.extend_from_slice(&revision.to_be_bytes());
    aad
}
