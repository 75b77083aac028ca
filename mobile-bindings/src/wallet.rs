//! The wallet, as an object for Kotlin and Swift.

use std::sync::Arc;

use vouchsafe_wallet_core::credential::CredentialId;
use vouchsafe_wallet_core::storage::KdfParams;
use vouchsafe_wallet_core::{Wallet, WalletError};

use crate::error::BindingError;
use crate::model::{CardRecord, HistoryRecord};
use crate::offer::OfferSession;
use crate::request::RequestSession;
use crate::settings::{TrustInput, prepare};

/// A wallet in a folder of the app.
#[derive(uniffi::Object)]
pub struct MobileWallet {
    wallet: Wallet,
    locale: String,
}

#[uniffi::export]
impl MobileWallet {
    /// Makes a wallet in an empty folder. Takes a good part of a second.
    #[uniffi::constructor]
    pub fn create(
        folder: String,
        passphrase: String,
        locale: String,
        trust: TrustInput,
    ) -> Result<Arc<Self>, BindingError> {
        let (config, ports) = prepare(&folder, &locale, &trust)?;
        let wallet = Wallet::create(config, ports, &passphrase, KdfParams::RECOMMENDED)?;
        Ok(Arc::new(Self { wallet, locale }))
    }

    /// Opens the wallet in a folder.
    #[uniffi::constructor]
    pub async fn open(
        folder: String,
        passphrase: String,
        locale: String,
        trust: TrustInput,
    ) -> Result<Arc<Self>, BindingError> {
        let (config, ports) = prepare(&folder, &locale, &trust)?;
        let wallet = Wallet::open(config, ports, &passphrase).await?;
        Ok(Arc::new(Self { wallet, locale }))
    }

    /// The cards, the latest first.
    pub fn cards(&self) -> Result<Vec<CardRecord>, BindingError> {
        Ok(self
            .wallet
            .cards(&[&self.locale])?
            .into_iter()
            .map(CardRecord::from)
            .collect())
    }

    /// Deletes a card and destroys its keys.
    pub async fn delete(&self, card: String) -> Result<(), BindingError> {
        let id = CredentialId::parse(&card).map_err(WalletError::from)?;
        Ok(self.wallet.delete(&id).await?)
    }

    /// What happened, the latest first.
    pub fn history(&self) -> Result<Vec<HistoryRecord>, BindingError> {
        Ok(self
            .wallet
            .history()?
            .into_iter()
            .map(HistoryRecord::from)
            .collect())
    }

    /// Starts to add the cards of an offer.
    pub fn offer(&self, link: String) -> Result<Arc<OfferSession>, BindingError> {
        let step = self.wallet.add(&link)?;
        Ok(OfferSession::start(self.locale.clone(), step))
    }

    /// Starts to answer a question.
    pub fn request(&self, link: String) -> Result<Arc<RequestSession>, BindingError> {
        let fetching = self.wallet.present(&link)?;
        Ok(RequestSession::start(self.locale.clone(), fetching))
    }
}
