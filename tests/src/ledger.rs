//! What clients were told, written down outside the system under test.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};

use anyhow::Result;
use serde::{Deserialize, Serialize};

/// An append-only file of JSON lines; an entry is on the disk before
/// [`Ledger::record`] returns.
#[derive(Debug)]
pub struct Ledger {
    path: PathBuf,
    file: File,
}

/// One thing that a client was told.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(tag = "told", rename_all = "snake_case")]
pub enum Entry {
    /// A credential was handed out.
    Issued {
        /// The offer it came from.
        offer: String,
        /// The thumbprint of the key that it is bound to.
        key: String,
        /// Its place in the status list: `uri#index`.
        status: String,
    },
    /// A code was exchanged.
    Redeemed {
        /// A name of the code, never the code.
        code: String,
    },
    /// An attempt ended without an answer.
    Unknown {
        /// What was attempted.
        attempt: String,
    },
}

impl Ledger {
    /// Opens a new ledger.
    pub fn create(path: &Path) -> Result<Self> {
        let file = OpenOptions::new()
            .create_new(true)
            .append(true)
            .open(path)?;
        Ok(Self {
            path: path.to_owned(),
            file,
        })
    }

    /// Writes an entry and waits for the disk.
    pub fn record(&mut self, entry: &Entry) -> Result<()> {
        let mut line = serde_json::to_vec(entry)?;
        line.push(b'\n');
        self.file.write_all(&line)?;
        self.file.sync_data()?;
        Ok(())
    }

    /// Every entry so far, in order.
    pub fn entries(&self) -> Result<Vec<Entry>> {
        BufReader::new(File::open(&self.path)?)
            .lines()
            .map(|line| Ok(serde_json::from_str(&line?)?))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_recorded_is_read_back_in_order() {
        let folder = tempfile::tempdir().unwrap();
        let mut ledger = Ledger::create(&folder.path().join("ledger")).unwrap();
        let entries = [
            Entry::Unknown {
                attempt: "token".into(),
            },
            Entry::Redeemed {
                code: "first".into(),
            },
        ];
        for entry in &entries {
            ledger.record(entry).unwrap();
        }
        assert_eq!(ledger.entries().unwrap(), entries);
        assert!(Ledger::create(&folder.path().join("ledger")).is_err());
    }
}
