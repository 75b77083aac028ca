//! Records as files in a folder of the person's own.
//!
//! One record is one file, replaced by writing beside it, forcing it to disk
//! and renaming. What is being written has one fixed name in each folder, so
//! that opening looks at a few names and lists nothing, however many records there are. A batch of several changes first goes as a whole into a
//! journal the same way; the rename of the journal is the moment it counts.
//! An interrupted batch is finished when the folder is opened again.

mod disk;
mod journal;
#[cfg(test)]
mod sim;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use disk::{Disk, RealDisk};

use super::{Collection, RecordId, RecordName, Storage, StorageError, Write};

/// Records are small; a larger file is not ours.
const MAX_RECORD: u64 = 16 * 1024 * 1024;
/// A batch is as large as a wallet that is restored.
const MAX_JOURNAL: u64 = 512 * 1024 * 1024;

const JOURNAL: &str = "journal";
/// A file that is being written. An earlier version put it behind the name of the record.
const TEMPORARY: &str = ".tmp";
const ROOT: &str = ".";

/// A [`Storage`] over a folder, open in one process at a time.
pub struct FileStorage {
    disk: Box<dyn Disk>,
    state: Mutex<State>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Healthy,
    // A write failed after its point of no return; only opening again, which
    // replays the journal, tells what holds.
    NeedsRecovery,
}

impl FileStorage {
    /// Opens a folder, making it when it is missing, and finishes what an
    /// interrupted process left behind.
    pub fn open(folder: &Path) -> Result<Self, StorageError> {
        let folders = Collection::ALL.map(Collection::as_str);
        let disk = RealDisk::open(folder, &folders)
            .map_err(StorageError::Io)?
            .ok_or(StorageError::Locked)?;
        Self::recover(Box::new(disk))
    }

    fn recover(disk: Box<dyn Disk>) -> Result<Self, StorageError> {
        let storage = Self {
            disk,
            state: Mutex::new(State::Healthy),
        };
        storage.remove_temporary_files().map_err(StorageError::Io)?;
        if let Some(bytes) = storage
            .disk
            .read(JOURNAL, MAX_JOURNAL)
            .map_err(StorageError::Io)?
        {
            storage
                .apply_journal(&journal::decode(&bytes)?)
                .map_err(StorageError::Io)?;
        }
        // What is readable from here on must also survive the next crash.
        for folder in [ROOT]
            .into_iter()
            .chain(Collection::ALL.map(Collection::as_str))
        {
            storage.disk.sync_folder(folder).map_err(StorageError::Io)?;
        }
        Ok(storage)
    }

    fn remove_temporary_files(&self) -> std::io::Result<()> {
        for folder in [ROOT]
            .into_iter()
            .chain(Collection::ALL.map(Collection::as_str))
        {
            self.disk.remove(&join(folder, TEMPORARY))?;
        }
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn apply_journal(&self, batch: &[Write]) -> std::io::Result<()> {
        let mut folders = BTreeSet::new();
        for write in batch {
            let folder = match write {
                Write::Put(name, bytes) => {
                    self.stage(name.collection.as_str(), bytes)?;
                    self.put_in_place(&path_of(name), name.collection.as_str())?;
                    name.collection
                }
                Write::Delete(name) => {
                    self.disk.remove(&path_of(name))?;
                    name.collection
                }
            };
            folders.insert(folder);
        }
        for folder in folders {
            self.disk.sync_folder(folder.as_str())?;
        }
        self.disk.remove(JOURNAL)?;
        // Until this is on disk a crash would replay old changes over newer.
        self.disk.sync_folder(ROOT)
    }

    fn stage(&self, folder: &str, bytes: &[u8]) -> std::io::Result<()> {
        let temporary = join(folder, TEMPORARY);
        self.disk.write_synced(&temporary, bytes).inspect_err(|_| {
            // Nothing counts yet; a file that stays is removed at the next start.
            let _ = self.disk.remove(&temporary);
        })
    }

    fn put_in_place(&self, path: &str, folder: &str) -> std::io::Result<()> {
        self.disk.rename(&join(folder, TEMPORARY), path)
    }

    fn publish(&self, path: &str, folder: &str) -> std::io::Result<()> {
        self.put_in_place(path, folder)?;
        self.disk.sync_folder(folder)
    }

    fn commit_one(&self, write: &Write, state: &mut State) -> Result<(), StorageError> {
        if let Write::Put(name, bytes) = write {
            self.stage(name.collection.as_str(), bytes)
                .map_err(StorageError::Io)?;
        }
        *state = State::NeedsRecovery;
        match write {
            Write::Put(name, _) => self.publish(&path_of(name), name.collection.as_str()),
            Write::Delete(name) => self
                .disk
                .remove(&path_of(name))
                .and_then(|()| self.disk.sync_folder(name.collection.as_str())),
        }
        .map_err(StorageError::Io)?;
        *state = State::Healthy;
        Ok(())
    }

    fn commit_many(&self, batch: &[Write], state: &mut State) -> Result<(), StorageError> {
        let journal = journal::encode(batch);
        if journal.len() as u64 > MAX_JOURNAL {
            return Err(StorageError::TooLarge);
        }
        self.stage(ROOT, &journal).map_err(StorageError::Io)?;
        *state = State::NeedsRecovery;
        self.publish(JOURNAL, ROOT).map_err(StorageError::Io)?;
        self.apply_journal(batch).map_err(StorageError::Io)?;
        *state = State::Healthy;
        Ok(())
    }
}

impl Storage for FileStorage {
    fn get(&self, name: &RecordName) -> Result<Option<Vec<u8>>, StorageError> {
        let state = self.lock();
        if *state == State::NeedsRecovery {
            return Err(StorageError::NeedsRecovery);
        }
        self.disk
            .read(&path_of(name), MAX_RECORD)
            .map_err(StorageError::Io)
    }

    fn list(&self, collection: Collection) -> Result<Vec<RecordId>, StorageError> {
        let state = self.lock();
        if *state == State::NeedsRecovery {
            return Err(StorageError::NeedsRecovery);
        }
        let files = self
            .disk
            .list(collection.as_str())
            .map_err(StorageError::Io)?;
        // What an earlier version left behind when it was stopped while it wrote.
        let stale = |file: &&String| file.ends_with(TEMPORARY);
        for file in files.iter().filter(stale) {
            let _ = self.disk.remove(&join(collection.as_str(), file));
        }
        let records = files.iter().filter(|file| !stale(file));
        let mut ids = records
            .map(|file| RecordId::parse(file))
            .collect::<Result<Vec<_>, _>>()?;
        ids.sort();
        Ok(ids)
    }

    fn commit(&self, batch: Vec<Write>) -> Result<(), StorageError> {
        let mut state = self.lock();
        if *state == State::NeedsRecovery {
            return Err(StorageError::NeedsRecovery);
        }
        let large = |write: &Write| matches!(write, Write::Put(_, bytes) if bytes.len() as u64 > MAX_RECORD);
        if batch.iter().any(large) {
            return Err(StorageError::TooLarge);
        }
        match batch.as_slice() {
            [] => Ok(()),
            [write] => self.commit_one(write, &mut state),
            many => self.commit_many(many, &mut state),
        }
    }
}

impl std::fmt::Debug for FileStorage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("FileStorage(..)")
    }
}

fn path_of(name: &RecordName) -> String {
    join(name.collection.as_str(), name.id.as_str())
}

fn join(folder: &str, file: &str) -> String {
    if folder == ROOT {
        file.to_owned()
    } else {
        format!("{folder}/{file}")
    }
}

#[cfg(test)]
mod tests;
