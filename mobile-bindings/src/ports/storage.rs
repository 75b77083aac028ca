//! Where the sealed records go.

use std::io;
use std::path::Path;
use std::sync::Arc;

use vouchsafe_wallet_core::storage::file::FileStorage;
use vouchsafe_wallet_core::storage::{
    Collection, RecordId, RecordName, Storage, StorageError, Write,
};

use crate::error::WalletError;

/// A small transactional store. It only ever sees sealed records; it need not hide them.
#[uniffi::export(with_foreign)]
pub trait StorageDriver: Send + Sync {
    /// The bytes of a record, or none where there is no such record.
    fn get(&self, key: StorageKey) -> Result<Option<Vec<u8>>, StorageFault>;

    /// The ids in a collection, ascending.
    fn keys(&self, collection: String) -> Result<Vec<String>, StorageFault>;

    /// Applies all changes in order, or none. After it returned they survive a crash.
    fn transaction(&self, changes: Vec<StorageChange>) -> Result<(), StorageFault>;
}

/// Names a record: both parts are 1 to 64 of `a-z`, `0-9`, `-`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, uniffi::Record)]
pub struct StorageKey {
    /// The collection.
    pub collection: String,
    /// The id in there.
    pub id: String,
}

/// A change of a [`StorageDriver::transaction`].
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Enum)]
pub enum StorageChange {
    /// Creates or replaces a record.
    Put {
        /// Its name.
        key: StorageKey,
        /// Its bytes.
        value: Vec<u8>,
    },
    /// Removes a record; a missing one is no error.
    Delete {
        /// Its name.
        key: StorageKey,
    },
}

/// Why the store did not do it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error, uniffi::Error)]
pub enum StorageFault {
    /// There is no room.
    #[error("full")]
    Full,
    /// Another program has it open, or the device is locked.
    #[error("locked")]
    Locked,
    /// A record that was there is damaged.
    #[error("damaged")]
    Damaged,
    /// Anything else.
    #[error("failed")]
    Failed,
}

impl From<uniffi::UnexpectedUniFFICallbackError> for StorageFault {
    fn from(_: uniffi::UnexpectedUniFFICallbackError) -> Self {
        Self::Failed
    }
}

/// The store that comes with the wallet: sealed records in files of a folder, with a journal, so
/// that a transaction survives a crash whole or not at all.
#[uniffi::export]
pub fn file_storage(folder: String) -> Result<Arc<dyn StorageDriver>, WalletError> {
    let storage = FileStorage::open(Path::new(&folder));
    let storage = storage.map_err(vouchsafe_wallet_core::WalletError::from)?;
    Ok(Arc::new(CoreStorage(storage)))
}

/// The driver of the app as the port of the core.
pub(crate) struct StorageAdapter(pub(crate) Arc<dyn StorageDriver>);

impl Storage for StorageAdapter {
    fn get(&self, name: &RecordName) -> Result<Option<Vec<u8>>, StorageError> {
        self.0
            .get(key_of(name))
            .map_err(|fault| to_core(fault, name))
    }

    fn list(&self, collection: Collection) -> Result<Vec<RecordId>, StorageError> {
        let ids = self.0.keys(collection.as_str().to_owned());
        let mut ids = ids
            .map_err(plain)?
            .iter()
            .map(|id| RecordId::parse(id))
            .collect::<Result<Vec<_>, _>>()?;
        // The order of history entries is that of their names.
        ids.sort_by(|one, other| one.as_str().cmp(other.as_str()));
        Ok(ids)
    }

    fn commit(&self, batch: Vec<Write>) -> Result<(), StorageError> {
        let changes = batch.into_iter().map(|write| match write {
            Write::Put(name, value) => StorageChange::Put {
                key: key_of(&name),
                value,
            },
            Write::Delete(name) => StorageChange::Delete { key: key_of(&name) },
        });
        self.0.transaction(changes.collect()).map_err(plain)
    }
}

/// A store of the core as a driver, for apps that bring none.
pub(crate) struct CoreStorage<S>(pub(crate) S);

impl<S: Storage> StorageDriver for CoreStorage<S> {
    fn get(&self, key: StorageKey) -> Result<Option<Vec<u8>>, StorageFault> {
        self.0.get(&name_of(key)?).map_err(|error| to_fault(&error))
    }

    fn keys(&self, collection: String) -> Result<Vec<String>, StorageFault> {
        let ids = self.0.list(collection_of(&collection)?);
        let ids = ids.map_err(|error| to_fault(&error))?;
        Ok(ids.iter().map(|id| id.as_str().to_owned()).collect())
    }

    fn transaction(&self, changes: Vec<StorageChange>) -> Result<(), StorageFault> {
        let batch = changes.into_iter().map(|change| match change {
            StorageChange::Put { key, value } => Ok(Write::Put(name_of(key)?, value)),
            StorageChange::Delete { key } => Ok(Write::Delete(name_of(key)?)),
        });
        let batch = batch.collect::<Result<_, StorageFault>>()?;
        self.0.commit(batch).map_err(|error| to_fault(&error))
    }
}

fn key_of(name: &RecordName) -> StorageKey {
    StorageKey {
        collection: name.collection.as_str().to_owned(),
        id: name.id.as_str().to_owned(),
    }
}

fn collection_of(name: &str) -> Result<Collection, StorageFault> {
    let known = Collection::ALL.into_iter();
    let mut named = known.filter(|collection| collection.as_str() == name);
    named.next().ok_or(StorageFault::Failed)
}

fn name_of(key: StorageKey) -> Result<RecordName, StorageFault> {
    let id = RecordId::parse(&key.id).map_err(|_| StorageFault::Failed)?;
    Ok(RecordName::new(collection_of(&key.collection)?, id))
}

fn to_core(fault: StorageFault, name: &RecordName) -> StorageError {
    match fault {
        StorageFault::Damaged => StorageError::Damaged(name.clone()),
        other => plain(other),
    }
}

fn plain(fault: StorageFault) -> StorageError {
    match fault {
        StorageFault::Full => StorageError::Io(io::Error::from(io::ErrorKind::StorageFull)),
        StorageFault::Locked => StorageError::Locked,
        StorageFault::Damaged => StorageError::DamagedJournal,
        StorageFault::Failed => StorageError::Io(io::Error::other("the store of the app failed")),
    }
}

fn to_fault(error: &StorageError) -> StorageFault {
    match error {
        StorageError::Io(io) if io.kind() == io::ErrorKind::StorageFull => StorageFault::Full,
        StorageError::Locked => StorageFault::Locked,
        StorageError::Damaged(_) | StorageError::DamagedJournal => StorageFault::Damaged,
        _ => StorageFault::Failed,
    }
}
