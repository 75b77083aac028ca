//! Where a wallet keeps its records.
//!
//! [`Storage`] is the port a host supplies: a small transactional key-value
//! store that only ever sees encrypted records. [`Vault`] stands on top of it
//! and seals each record with a key derived from the passphrase.
//!
//! To add an adapter: implement [`Storage`] and run
//! `storage::contract::assert_storage_contract` on it in a test.

#[cfg(feature = "file-storage")]
pub mod file;
mod kdf;
pub mod memory;
mod name;
mod vault;

#[cfg(test)]
pub(crate) mod contract;

pub use kdf::KdfParams;
pub use memory::MemoryStorage;
pub use name::{Collection, RecordId, RecordName};
pub use vault::{Lock, Vault, VaultBatch, VaultKey};

/// One change inside a [`Storage::commit`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Write {
    /// Create or replace the record.
    Put(RecordName, Vec<u8>),
    /// Remove the record; a missing record is no error.
    Delete(RecordName),
}

/// A transactional store of encrypted records, supplied by the host.
///
/// When [`Storage::commit`] has returned `Ok`, every change of the batch
/// survives a crash; when it has not, either all or none of them do.
pub trait Storage: Send + Sync {
    /// The record's bytes, or `None` when there is no such record.
    fn get(&self, name: &RecordName) -> Result<Option<Vec<u8>>, StorageError>;

    /// The ids present in a collection, in ascending order.
    fn list(&self, collection: Collection) -> Result<Vec<RecordId>, StorageError>;

    /// Applies all changes, or none.
    fn commit(&self, batch: Vec<Write>) -> Result<(), StorageError>;

    /// Creates or replaces one record.
    fn put(&self, name: RecordName, bytes: Vec<u8>) -> Result<(), StorageError> {
        self.commit(vec![Write::Put(name, bytes)])
    }

    /// Removes one record.
    fn delete(&self, name: RecordName) -> Result<(), StorageError> {
        self.commit(vec![Write::Delete(name)])
    }
}

/// Why records could not be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StorageError {
    /// There is no wallet in this place.
    #[error("there is no wallet here")]
    NoWallet,
    /// There is a wallet in this place already.
    #[error("there is a wallet here already")]
    AlreadyExists,
    /// The passphrase does not open this wallet.
    #[error("the passphrase does not open this wallet")]
    WrongPassphrase,
    /// A passphrase is shorter than [`Vault::MIN_PASSPHRASE`] bytes.
    #[error("the passphrase is too short")]
    WeakPassphrase,
    /// There were too many attempts with a wrong passphrase.
    #[error("too many wrong attempts: wait {wait_s} seconds")]
    TooManyAttempts {
        /// So long until the next one.
        wait_s: u64,
    },
    /// The attempts are used up; the key is destroyed.
    #[error("the attempts are used up")]
    AttemptsExhausted,
    /// A PIN needs a limit of 1 to 10 attempts.
    #[error("a PIN needs a limit of attempts")]
    PinLimit,
    /// A record or a batch is larger than can be read back.
    #[error("the change is too large")]
    TooLarge,
    /// Another process has the wallet open.
    #[error("the wallet is open in another program")]
    Locked,
    /// The parameters of key derivation are outside the bounds.
    #[error("the key derivation parameters are out of bounds")]
    KdfBounds,
    /// The wallet was written in a format this version does not know.
    #[error("the wallet has an unknown format")]
    UnknownFormat,
    /// A record was altered or is damaged.
    #[error("a stored record is damaged: {0}")]
    Damaged(RecordName),
    /// The journal of an interrupted transaction is damaged.
    #[error("the journal is damaged")]
    DamagedJournal,
    /// A record name or stored file name is not one of ours.
    #[error("a record has an invalid name")]
    InvalidName,
    /// An earlier write failed half-way; open the wallet again to recover.
    #[error("storage must be opened again after a failed write")]
    NeedsRecovery,
    /// The disk or the host's store failed.
    #[error("storage failed")]
    Io(#[source] std::io::Error),
}

impl StorageError {
    /// A stable snake_case code, also a key for translated texts.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoWallet => "no_wallet",
            Self::AlreadyExists => "wallet_exists",
            Self::WrongPassphrase => "wrong_passphrase",
            Self::WeakPassphrase => "weak_passphrase",
            Self::TooManyAttempts { .. } => "too_many_attempts",
            Self::AttemptsExhausted => "attempts_exhausted",
            Self::PinLimit => "pin_limit",
            Self::TooLarge => "change_too_large",
            Self::Locked => "wallet_locked",
            Self::KdfBounds => "kdf_out_of_bounds",
            Self::UnknownFormat => "unknown_wallet_format",
            Self::Damaged(_) => "record_damaged",
            Self::DamagedJournal => "journal_damaged",
            Self::InvalidName => "record_name_invalid",
            Self::NeedsRecovery => "storage_needs_recovery",
            Self::Io(_) => "storage_failed",
        }
    }
}
