//! Records in memory: for tests, and for a wallet that forgets.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::{Collection, RecordId, RecordName, Storage, StorageError, Write};

/// A [`Storage`] that lives as long as the value.
#[derive(Debug, Default)]
pub struct MemoryStorage {
    records: Mutex<BTreeMap<RecordName, Vec<u8>>>,
}

impl MemoryStorage {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn records(&self) -> MutexGuard<'_, BTreeMap<RecordName, Vec<u8>>> {
        // No code panics while it holds the lock, so the map is whole.
        self.records.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Everything stored, as one byte string: for tests that search it.
    #[cfg(test)]
    pub(crate) fn dump(&self) -> Vec<u8> {
        self.records().values().flatten().copied().collect()
    }
}

impl Storage for MemoryStorage {
    fn get(&self, name: &RecordName) -> Result<Option<Vec<u8>>, StorageError> {
        Ok(self.records().get(name).cloned())
    }

    fn list(&self, collection: Collection) -> Result<Vec<RecordId>, StorageError> {
        let records = self.records();
        let names = records.keys().filter(|name| name.collection == collection);
        Ok(names.map(|name| name.id.clone()).collect())
    }

    fn commit(&self, batch: Vec<Write>) -> Result<(), StorageError> {
        let mut records = self.records();
        for write in batch {
            match write {
                Write::Put(name, bytes) => records.insert(name, bytes),
                Write::Delete(name) => records.remove(&name),
            };
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_contract() {
        crate::storage::contract::assert_storage_contract(&MemoryStorage::new());
    }
}
