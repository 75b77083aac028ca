//! Sealed records over a [`Storage`].
//!
//! A random data key seals every record with AES-256-GCM. The data key itself
//! is sealed under a key derived from the passphrase, so a new passphrase does
//! not rewrite the records. The associated data of a record binds its name,
//! the format version and its revision: a record copied over another one, or
//! with a changed revision, does not open.

use std::sync::{Arc, Mutex, PoisonError};

use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes256Gcm, Nonce};
use sha2::{Digest, Sha256};
use vouchsafe_credentials::random::Rng;
use zeroize::Zeroizing;

use super::{Collection, KdfParams, RecordId, RecordName, Storage, StorageError, Write};

const HEADER_MAGIC: &[u8; 4] = b"VSW1";
const RECORD_FORMAT: u8 = 1;
const NONCE: usize = 12;
const TAG: usize = 16;
const WRAPPED_KEY: usize = 32 + TAG;
const HEADER_BODY: usize = 4 + 12 + 16 + NONCE + WRAPPED_KEY;

/// An open wallet store: reads and writes plain records, stores sealed ones.
pub struct Vault {
    storage: Arc<dyn Storage>,
    rng: Arc<dyn Rng>,
    cipher: Aes256Gcm,
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

    /// Removes a record.
    #[must_use]
    pub fn delete(mut self, name: RecordName) -> Self {
        self.changes.push((name, None));
        self
    }
}

impl Vault {
    /// The least length of a passphrase, in bytes.
    pub const MIN_PASSPHRASE: usize = 8;

    /// Makes a new store under a passphrase. Refuses a place that has one.
    pub fn create(
        storage: Arc<dyn Storage>,
        passphrase: &str,
        params: KdfParams,
        rng: Arc<dyn Rng>,
    ) -> Result<Self, StorageError> {
        if passphrase.len() < Self::MIN_PASSPHRASE {
            return Err(StorageError::WeakPassphrase);
        }
        if storage.get(&header_name())?.is_some() {
            return Err(StorageError::AlreadyExists);
        }
        let mut data_key = Zeroizing::new([0; 32]);
        rng.fill(data_key.as_mut());
        let header = seal_header(passphrase, params, &data_key, rng.as_ref())?;
        storage.put(header_name(), header)?;
        Ok(Self::with_key(storage, rng, &data_key))
    }

    /// Opens an existing store.
    pub fn open(
        storage: Arc<dyn Storage>,
        passphrase: &str,
        rng: Arc<dyn Rng>,
    ) -> Result<Self, StorageError> {
        let header = storage.get(&header_name())?.ok_or(StorageError::NoWallet)?;
        let data_key = open_header(&header, passphrase)?;
        Ok(Self::with_key(storage, rng, &data_key))
    }

    fn with_key(storage: Arc<dyn Storage>, rng: Arc<dyn Rng>, key: &[u8; 32]) -> Self {
        let cipher = Aes256Gcm::new(&(*key).into());
        Self {
            storage,
            rng,
            cipher,
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

    fn next_revision(&self, name: &RecordName) -> Result<u64, StorageError> {
        let Some(sealed) = self.storage.get(name)? else {
            return Ok(1);
        };
        let (revision, _) = self.open_record(name, &sealed)?;
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

fn header_name() -> RecordName {
    RecordName::new(Collection::Meta, RecordId::from_bytes(&[0]))
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

fn seal_header(
    passphrase: &str,
    params: KdfParams,
    data_key: &[u8; 32],
    rng: &dyn Rng,
) -> Result<Vec<u8>, StorageError> {
    let mut salt = [0; 16];
    let mut nonce = [0; NONCE];
    rng.fill(&mut salt);
    rng.fill(&mut nonce);
    let mut header = HEADER_MAGIC.to_vec();
    header.extend_from_slice(&params.to_bytes());
    header.extend_from_slice(&salt);
    let wrapping_key = params.derive(passphrase, &salt)?;
    let wrapped = Aes256Gcm::new(&(*wrapping_key).into())
        .encrypt(
            &Nonce::from(nonce),
            Payload {
                msg: data_key,
                aad: &header,
            },
        )
        .map_err(|_| StorageError::Damaged(header_name()))?;
    header.extend_from_slice(&nonce);
    header.extend_from_slice(&wrapped);
    // Tells a damaged header from a wrong passphrase.
    let checksum = Sha256::digest(&header);
    header.extend_from_slice(&checksum);
    Ok(header)
}

fn open_header(header: &[u8], passphrase: &str) -> Result<Zeroizing<[u8; 32]>, StorageError> {
    let damaged = || StorageError::Damaged(header_name());
    if !header.starts_with(HEADER_MAGIC) {
        return Err(StorageError::UnknownFormat);
    }
    let (body, checksum) = header.split_at_checked(HEADER_BODY).ok_or_else(damaged)?;
    if Sha256::digest(body)[..] != *checksum {
        return Err(damaged());
    }
    let (_, rest) = body.split_first_chunk::<4>().ok_or_else(damaged)?;
    let (params, rest) = rest.split_first_chunk::<12>().ok_or_else(damaged)?;
    let (salt, rest) = rest.split_first_chunk::<16>().ok_or_else(damaged)?;
    let (nonce, wrapped) = rest.split_first_chunk::<NONCE>().ok_or_else(damaged)?;
    let aad = body.get(..4 + 12 + 16).ok_or_else(damaged)?;
    let wrapping_key = KdfParams::from_bytes(*params)?.derive(passphrase, salt)?;
    let data_key = Aes256Gcm::new(&(*wrapping_key).into())
        .decrypt(&Nonce::from(*nonce), Payload { msg: wrapped, aad })
        .map(Zeroizing::new)
        .map_err(|_| StorageError::WrongPassphrase)?;
    <[u8; 32]>::try_from(data_key.as_slice())
        .map(Zeroizing::new)
        .map_err(|_| damaged())
}

#[cfg(test)]
mod tests {
    use vouchsafe_credentials::testing::SeededRng;

    use super::*;
    use crate::storage::MemoryStorage;

    const PASSPHRASE: &str = "correct horse";

    fn name(collection: Collection, id: &str) -> RecordName {
        RecordName::new(collection, RecordId::parse(id).unwrap())
    }

    fn new_vault() -> (Arc<MemoryStorage>, Vault) {
        let storage = Arc::new(MemoryStorage::new());
        let rng = Arc::new(SeededRng::new(7));
        let vault = Vault::create(storage.clone(), PASSPHRASE, KdfParams::MINIMUM, rng).unwrap();
        (storage, vault)
    }

    fn reopen(storage: &Arc<MemoryStorage>, passphrase: &str) -> Result<Vault, StorageError> {
        Vault::open(storage.clone(), passphrase, Arc::new(SeededRng::new(8)))
    }

    #[test]
    fn wrong_passphrase_has_its_own_error() {
        let (storage, _) = new_vault();
        assert!(matches!(
            reopen(&storage, "incorrect"),
            Err(StorageError::WrongPassphrase)
        ));
    }

    #[test]
    fn a_place_without_a_wallet_is_told_apart() {
        let storage = Arc::new(MemoryStorage::new());
        assert!(matches!(
            reopen(&storage, PASSPHRASE),
            Err(StorageError::NoWallet)
        ));
    }

    #[test]
    fn refuses_short_passphrases_and_existing_wallets() {
        let (storage, _) = new_vault();
        let create = |passphrase| {
            let rng = Arc::new(SeededRng::new(9));
            Vault::create(storage.clone(), passphrase, KdfParams::MINIMUM, rng).unwrap_err()
        };
        assert!(matches!(create("short"), StorageError::WeakPassphrase));
        assert!(matches!(create(PASSPHRASE), StorageError::AlreadyExists));
    }

    #[test]
    fn every_damaged_header_byte_is_noticed_and_is_no_wrong_passphrase() {
        let (storage, _) = new_vault();
        let good = storage.get(&header_name()).unwrap().unwrap();
        for i in 0..good.len() {
            let mut bad = good.clone();
            bad[i] ^= 1;
            storage.put(header_name(), bad).unwrap();
            let error = reopen(&storage, PASSPHRASE).unwrap_err();
            assert!(
                matches!(
                    error,
                    StorageError::Damaged(_) | StorageError::UnknownFormat
                ),
                "byte {i}: {error}"
            );
        }
    }

    #[test]
    fn cat_439_hostile_parameters_in_the_header_cost_nothing() {
        let (storage, _) = new_vault();
        let mut header = storage.get(&header_name()).unwrap().unwrap();
        for memory in [8_u32, 64 * 1024 * 1024] {
            header[4..8].copy_from_slice(&memory.to_be_bytes());
            let checksum = Sha256::digest(&header[..HEADER_BODY]);
            header[HEADER_BODY..].copy_from_slice(&checksum);
            storage.put(header_name(), header.clone()).unwrap();
            assert!(matches!(
                reopen(&storage, PASSPHRASE),
                Err(StorageError::KdfBounds)
            ));
        }
    }

    #[test]
    fn a_record_moved_or_altered_does_not_open() {
        let (storage, vault) = new_vault();
        let a = name(Collection::Credentials, "a");
        let b = name(Collection::Credentials, "b");
        vault
            .put(a.clone(), Zeroizing::new(b"secret".to_vec()))
            .unwrap();
        let sealed = storage.get(&a).unwrap().unwrap();
        storage.put(b.clone(), sealed.clone()).unwrap();
        assert!(matches!(vault.get(&b), Err(StorageError::Damaged(n)) if n == b));
        for i in 1..sealed.len() {
            let mut bad = sealed.clone();
            bad[i] ^= 1;
            storage.put(a.clone(), bad).unwrap();
            assert!(
                matches!(vault.get(&a), Err(StorageError::Damaged(_))),
                "byte {i}"
            );
        }
        for cut in 0..sealed.len() {
            storage.put(a.clone(), sealed[..cut].to_vec()).unwrap();
            assert!(vault.get(&a).is_err(), "cut {cut}");
        }
    }

    #[test]
    fn cat_434_stored_bytes_hold_nothing_in_plain() {
        let (storage, vault) = new_vault();
        let record = name(Collection::History, "a");
        vault
            .put(record.clone(), Zeroizing::new(b"CANARY-VALUE".to_vec()))
            .unwrap();
        let stored = storage.dump();
        assert!(
            !stored
                .windows(6)
                .any(|w| w == b"CANARY" || w == &PASSPHRASE.as_bytes()[..6])
        );
        let vault = reopen(&storage, PASSPHRASE).unwrap();
        assert_eq!(
            vault.get(&record).unwrap().unwrap().as_slice(),
            b"CANARY-VALUE"
        );
    }

    #[test]
    fn sealing_the_same_bytes_twice_differs() {
        let (storage, vault) = new_vault();
        let record = name(Collection::Keys, "a");
        vault
            .put(record.clone(), Zeroizing::new(b"same".to_vec()))
            .unwrap();
        let first = storage.get(&record).unwrap();
        vault
            .put(record.clone(), Zeroizing::new(b"same".to_vec()))
            .unwrap();
        assert_ne!(storage.get(&record).unwrap(), first);
    }
}
