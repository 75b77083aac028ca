//! The cards that are in the wallet.

use vouchsafe_wallet_core::Wallet as Core;

use crate::error::WalletError;
use crate::values::credential::{Credential, CredentialId};

/// The cards that are in the wallet.
#[derive(uniffi::Object)]
pub struct Credentials {
    pub(crate) core: Core,
}

#[uniffi::export]
impl Credentials {
    /// All cards, the latest first.
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

    /// Deletes a card and destroys its keys.
    pub async fn delete(&self, id: CredentialId) -> Result<(), WalletError> {
        Ok(self.core.delete(&id.to_core()?).await?)
    }
}
