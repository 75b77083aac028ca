//! The wallet, as an object for Kotlin and Swift.

use std::sync::Arc;

use vouchsafe_wallet_core::Wallet as Core;

use crate::config::WalletConfig;
use crate::credentials::Credentials;
use crate::error::WalletError;
use crate::history::History;
use crate::issuance::Issuance;
use crate::ports::Ports;
use crate::ports::http::HttpTransport;
use crate::presentation::Presentation;

/// An open wallet. There may be several, each on a store of its own.
#[derive(uniffi::Object)]
pub struct Wallet {
    core: Core,
    http: Arc<dyn HttpTransport>,
}

#[uniffi::export]
impl Wallet {
    /// Makes a wallet in an empty store. The passphrase has at least 8 bytes; to derive the key
    /// from it takes a good part of a second.
    #[uniffi::constructor]
    pub async fn create(
        config: WalletConfig,
        ports: Ports,
        passphrase: String,
    ) -> Result<Arc<Self>, WalletError> {
        let (settings, core) = (config.to_core()?, ports.to_core(config.keys)?);
        let core = Core::create(settings, core, &passphrase, config.key_derivation.to_core())?;
        Ok(Arc::new(Self {
            core,
            http: ports.http,
        }))
    }

    /// Opens the wallet of a store, and destroys keys that an interrupted session left without a
    /// card.
    #[uniffi::constructor]
    pub async fn open(
        config: WalletConfig,
        ports: Ports,
        passphrase: String,
    ) -> Result<Arc<Self>, WalletError> {
        let (settings, core) = (config.to_core()?, ports.to_core(config.keys)?);
        let core = Core::open(settings, core, &passphrase).await?;
        Ok(Arc::new(Self {
            core,
            http: ports.http,
        }))
    }

    /// The cards that are here.
    pub fn credentials(&self) -> Arc<Credentials> {
        Arc::new(Credentials {
            core: self.core.clone(),
            http: Arc::clone(&self.http),
        })
    }

    /// Adding cards.
    pub fn issuance(&self) -> Arc<Issuance> {
        Arc::new(Issuance {
            core: self.core.clone(),
            http: Arc::clone(&self.http),
        })
    }

    /// Showing cards.
    pub fn presentation(&self) -> Arc<Presentation> {
        Arc::new(Presentation {
            core: self.core.clone(),
            http: Arc::clone(&self.http),
        })
    }

    /// What happened.
    pub fn history(&self) -> Arc<History> {
        Arc::new(History {
            core: self.core.clone(),
            http: Arc::clone(&self.http),
        })
    }
}
