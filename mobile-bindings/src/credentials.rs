//! The cards that are in the wallet.

use std::sync::Arc;

use vouchsafe_wallet_core::Wallet as Core;
use vouchsafe_wallet_core::status::{StatusFetch, StatusStep};

use crate::error::WalletError;
use crate::ports::http::HttpTransport;
use crate::values::credential::{Credential, CredentialId};

/// The cards that are in the wallet.
#[derive(uniffi::Object)]
pub struct Credentials {
    pub(crate) core: Core,
    pub(crate) http: Arc<dyn HttpTransport>,
}

#[uniffi::export]
impl Credentials {
    /// All cards that can be read, the latest first.
    pub fn list(&self) -> Result<Vec<Credential>, WalletError> {
        let cards = self.core.cards(&self.core.preferred_locales())?;
        Ok(cards.into_iter().map(Credential::from).collect())
    }

    /// One card.
    pub fn get(&self, id: CredentialId) -> Result<Credential, WalletError> {
        let card = self
            .core
            .card(&id.to_core()?, &self.core.preferred_locales())?;
        Ok(card.into())
    }

    /// The cards that are damaged: nothing is known of them but their names, and they can only be
    /// deleted.
    pub fn damaged(&self) -> Result<Vec<CredentialId>, WalletError> {
        let damaged = self.core.unreadable_cards()?;
        Ok(damaged.iter().map(CredentialId::from).collect())
    }

    /// Asks the status lists that are due whether issuers still stand by their cards, and says whether
    /// there is something to show anew. To be called when the person looks at the cards or has just
    /// added one, and at no other time: a request while a card is shown would tell the host of the list.
    /// What cannot be had is `NotChecked`, and no error.
    pub async fn refresh_status(&self) -> Result<bool, WalletError> {
        let due = self.core.status_lists_due()?;
        let asked = !due.is_empty();
        for fetch in due {
            self.ask(fetch).await;
        }
        Ok(asked)
    }

    /// Deletes a card, damaged or not, and destroys its keys.
    pub async fn delete(&self, id: CredentialId) -> Result<(), WalletError> {
        Ok(self.core.delete(&id.to_core()?).await?)
    }
}

impl Credentials {
    /// The wallet remembers what came of it, also where that is nothing.
    async fn ask(&self, mut fetch: StatusFetch) {
        loop {
            let Ok(reply) = self.http.send(fetch.request().into()).await else {
                drop(fetch.unreachable());
                return;
            };
            match fetch.receive(&reply.into()) {
                Ok(StatusStep::Send(next)) => fetch = next,
                Ok(StatusStep::Done) | Err(_) => return,
            }
        }
    }
}
