//! Backup and restore: the wallet in one encrypted file, under a passphrase of its own.
//!
//! A private key is in the file only where its area made it to be moved
//! ([`SecureArea::export_key`]); the other cards are named in it, and wait in the restored wallet
//! until their issuers issue them anew ([`Wallet::to_reissue`]). History, confirmed issuers, cards
//! that come later and the access to their issuers come along. Making a backup reads card by card; restoring applies everything in one commit, or
//! nothing.

mod content;
mod envelope;
mod error;
mod making;
mod restoring;
#[cfg(test)]
mod tests;
pub(crate) mod waiting;

use crate::issuance::{Pending, dealing};
use crate::storage::{Collection, KdfParams};
use crate::{Wallet, WalletError};

pub use error::BackupError;
pub use making::Backup;
pub use restoring::{Restored, Restoring};
pub use waiting::Reissue;

#[cfg(doc)]
use crate::secure_area::SecureArea;

/// The least length of the passphrase of a backup, in bytes: whoever has the file tries as often as
/// they like.
pub const MIN_PASSPHRASE: usize = 12;

impl Wallet {
    /// Begins a backup.
    pub fn backup(&self, passphrase: &str, params: KdfParams) -> Result<Backup, WalletError> {
        Backup::start(self.clone(), passphrase, params)
    }

    /// Begins to take a backup in. Cards that are here already stay as they are.
    #[must_use]
    pub fn restore(&self, passphrase: &str) -> Restoring {
        Restoring::new(self.clone(), passphrase)
    }

    /// Cards that come later and whose keys cannot leave this wallet: a backup only names them.
    pub async fn left_behind_by_backups(&self) -> Result<Vec<Pending>, WalletError> {
        let mut left_behind = Vec::new();
        for id in self.vault().list(Collection::Issuance)? {
            let Some(dealing) = dealing(self.vault(), &id)? else {
                continue;
            };
            let Some(pending) = dealing.awaited(self.vault())? else {
                continue;
            };
            for key in dealing.keys()? {
                if self.secure_area().export_key(&key.id).await?.is_none() {
                    left_behind.push(pending);
                    break;
                }
            }
        }
        Ok(left_behind)
    }

    /// Cards of a restored backup that their issuers have to issue anew.
    pub fn to_reissue(&self, locales: &[&str]) -> Result<Vec<Reissue>, WalletError> {
        let mut cards = waiting::all(self.vault())?;
        cards.sort_by_key(|card| std::cmp::Reverse(card.added_at));
        Ok(cards.iter().map(|card| card.shown(locales)).collect())
    }

    /// Forgets the cards of an issuer and a type that wait to be issued anew.
    pub fn forget_reissue(&self, credential_issuer: &str, vct: &str) -> Result<(), WalletError> {
        let name = waiting::name_for(self.vault(), credential_issuer, vct);
        Ok(self.vault().delete(name)?)
    }
}

fn check_passphrase(passphrase: &str) -> Result<(), BackupError> {
    let digits = passphrase.bytes().all(|b| b.is_ascii_digit());
    if passphrase.len() < MIN_PASSPHRASE || digits {
        return Err(BackupError::WeakPassphrase);
    }
    Ok(())
}

#[cfg(any(test, feature = "testing"))]
pub(crate) fn read_header(header: &[u8]) -> Result<(), BackupError> {
    envelope::check_header(header).map(drop)
}

#[cfg(any(test, feature = "testing"))]
pub(crate) fn read_content(content: &[u8], size: usize) -> Result<usize, BackupError> {
    let mut items = content::Items::default();
    for piece in content.chunks(size.max(1)) {
        items.push(piece)?;
    }
    Ok(items.finish()?.len())
}
