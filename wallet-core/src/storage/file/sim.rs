//! A simulated disk that loses what was not forced to it.
//!
//! Directory changes (create, rename, remove) wait in a queue per folder until
//! the folder is synced. A crash happens at a chosen operation: it and all
//! later ones fail. What then survives is the synced state plus a chosen
//! number of the waiting changes of each folder, in order.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex};

use super::disk::Disk;

#[derive(Clone)]
enum Change {
    Link(String, Vec<u8>),
    Rename(String, String),
    Remove(String),
}

#[derive(Default)]
struct Contents {
    visible: BTreeMap<String, Vec<u8>>,
    durable: BTreeMap<String, Vec<u8>>,
    waiting: BTreeMap<String, Vec<Change>>,
    operations_left: Option<usize>,
}

/// Shared handle: the storage owns one, the test another.
#[derive(Clone, Default)]
pub(super) struct SimDisk(Arc<Mutex<Contents>>);

impl SimDisk {
    pub(super) fn crash_after(&self, operations: usize) {
        self.0.lock().unwrap().operations_left = Some(operations);
    }

    /// The disk as found after power returns; `luck` chooses how many of the
    /// waiting changes made it.
    pub(super) fn after_crash(&self, luck: usize) -> Self {
        let contents = self.0.lock().unwrap();
        let mut survived = contents.durable.clone();
        for (i, changes) in contents.waiting.values().enumerate() {
            let kept = (luck >> (4 * (i % 8))) % (changes.len() + 1);
            changes
                .iter()
                .take(kept)
                .for_each(|change| apply(&mut survived, change.clone()));
        }
        let contents = Contents {
            visible: survived.clone(),
            durable: survived,
            ..Contents::default()
        };
        Self(Arc::new(Mutex::new(contents)))
    }

    fn operate<T>(
        &self,
        crashing: impl FnOnce(&mut Contents),
        working: impl FnOnce(&mut Contents) -> T,
    ) -> io::Result<T> {
        let mut contents = self.0.lock().unwrap();
        match contents.operations_left {
            Some(0) => return Err(io::Error::other("powered off")),
            Some(1) => {
                contents.operations_left = Some(0);
                crashing(&mut contents);
                return Err(io::Error::other("power cut"));
            }
            Some(n) => contents.operations_left = Some(n - 1),
            None => {}
        }
        Ok(working(&mut contents))
    }
}

fn folder_of(path: &str) -> String {
    path.split_once('/')
        .map_or(".", |(folder, _)| folder)
        .to_owned()
}

fn apply(files: &mut BTreeMap<String, Vec<u8>>, change: Change) {
    match change {
        Change::Link(path, bytes) => {
            files.insert(path, bytes);
        }
        Change::Rename(from, to) => {
            if let Some(bytes) = files.remove(&from) {
                files.insert(to, bytes);
            }
        }
        Change::Remove(path) => {
            files.remove(&path);
        }
    }
}

impl Contents {
    fn change(&mut self, folder: String, change: Change) {
        apply(&mut self.visible, change.clone());
        self.waiting.entry(folder).or_default().push(change);
    }

    fn write(&mut self, path: &str, bytes: &[u8]) {
        // Rewriting a file that exists changes it in place.
        if let Some(durable) = self.durable.get_mut(path) {
            *durable = bytes.to_vec();
        }
        self.change(
            folder_of(path),
            Change::Link(path.to_owned(), bytes.to_vec()),
        );
    }
}

impl Disk for SimDisk {
    fn read(&self, path: &str, _most: u64) -> io::Result<Option<Vec<u8>>> {
        self.operate(|_| (), |c| c.visible.get(path).cloned())
    }

    fn list(&self, folder: &str) -> io::Result<Vec<String>> {
        let inside = |c: &mut Contents| {
            let paths = c.visible.keys().filter(|path| folder_of(path) == folder);
            paths
                .map(|path| path.rsplit('/').next().unwrap().to_owned())
                .collect()
        };
        self.operate(|_| (), inside)
    }

    fn write_synced(&self, path: &str, bytes: &[u8]) -> io::Result<()> {
        self.operate(
            |c| c.write(path, &bytes[..bytes.len() / 2]),
            |c| c.write(path, bytes),
        )
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let change = Change::Rename(from.to_owned(), to.to_owned());
        let both = |c: &mut Contents| c.change(folder_of(to), change.clone());
        self.operate(both, both)
    }

    fn remove(&self, path: &str) -> io::Result<()> {
        let both = |c: &mut Contents| c.change(folder_of(path), Change::Remove(path.to_owned()));
        self.operate(both, both)
    }

    fn sync_folder(&self, folder: &str) -> io::Result<()> {
        self.operate(
            |_| (),
            |c| {
                for change in c.waiting.remove(folder).unwrap_or_default() {
                    apply(&mut c.durable, change);
                }
            },
        )
    }
}
