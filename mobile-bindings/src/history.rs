//! What happened.

use std::sync::Arc;

use vouchsafe_wallet_core::presentation::PresentationError;
use vouchsafe_wallet_core::{Wallet as Core, WalletError as CoreError};

use crate::error::WalletError;
use crate::ports::http::HttpTransport;
use crate::values::history::{HistoryEntry, HistoryId};

/// What happened: who saw what, never the values of facts.
#[derive(uniffi::Object)]
pub struct History {
    pub(crate) core: Core,
    pub(crate) http: Arc<dyn HttpTransport>,
}

#[uniffi::export]
impl History {
    /// All entries that can be read, the latest first.
    pub fn list(&self) -> Result<Vec<HistoryEntry>, WalletError> {
        let entries = self.core.history()?;
        Ok(entries.into_iter().map(HistoryEntry::from).collect())
    }

    /// The entries that are damaged: nothing is known of them but their names, and they can only be
    /// deleted.
    pub fn damaged(&self) -> Result<Vec<HistoryId>, WalletError> {
        let damaged = self.core.unreadable_history()?;
        Ok(damaged.iter().map(HistoryId::from).collect())
    }

    /// Deletes an entry that is damaged; another one stays (`history_entry_readable`).
    pub fn delete_damaged(&self, id: HistoryId) -> Result<(), WalletError> {
        Ok(self.core.delete_unreadable_entry(&id.to_core()?)?)
    }

    /// One entry.
    pub fn get(&self, id: HistoryId) -> Result<HistoryEntry, WalletError> {
        Ok(self.core.history_entry(&id.to_core()?)?.into())
    }

    /// Withdraws the consent that was given with an entry, at who got the card.
    pub async fn withdraw(&self, id: HistoryId) -> Result<HistoryEntry, WalletError> {
        let withdrawal = self.core.withdraw(&id.to_core()?)?;
        let reply = self.http.send(withdrawal.request().into()).await;
        let reply = reply.map_err(|_| CoreError::from(PresentationError::Unreachable))?;
        Ok(withdrawal.receive(&reply.into())?.into())
    }
}
