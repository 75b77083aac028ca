//! Why a backup was not made or not taken in.

use crate::error::Fault;

/// Why a backup was not made or not taken in.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BackupError {
    /// The passphrase of a backup has at least 12 bytes, and is not all digits.
    #[error("the passphrase of the backup is too short")]
    WeakPassphrase,
    /// The passphrase does not open this backup.
    #[error("the passphrase does not open this backup")]
    WrongPassphrase,
    /// The file is no backup of a wallet.
    #[error("the file is no backup of a wallet")]
    NotABackup,
    /// A newer version made it.
    #[error("the backup was made by a newer version")]
    TooNew,
    /// It was cut off, or a byte of it was altered.
    #[error("the backup is damaged")]
    Damaged,
    /// The parameters of key derivation are outside the bounds.
    #[error("the key derivation parameters are out of bounds")]
    KdfBounds,
    /// It opens, but what is in it is no wallet of ours.
    #[error("the content of the backup is not acceptable")]
    Content,
    /// There is more in it than one backup holds.
    #[error("the backup is too large")]
    TooLarge,
}

impl BackupError {
    /// A stable snake_case code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::WeakPassphrase => "backup_passphrase_weak",
            Self::WrongPassphrase => "backup_passphrase_wrong",
            Self::NotABackup => "backup_unrecognized",
            Self::TooNew => "backup_too_new",
            Self::Damaged => "backup_damaged",
            Self::KdfBounds => "kdf_out_of_bounds",
            Self::Content => "backup_content_invalid",
            Self::TooLarge => "backup_too_large",
        }
    }

    pub(crate) fn fault(&self) -> Fault {
        match self {
            Self::WeakPassphrase
            | Self::WrongPassphrase
            | Self::NotABackup
            | Self::TooNew
            | Self::Damaged
            | Self::KdfBounds
            | Self::Content => Fault::Person,
            Self::TooLarge => Fault::Wallet,
        }
    }
}
