//! The wallet itself: ports put together, and what can be done with them.

use std::sync::Arc;

use serde_json::Value;
use vouchsafe_credentials::crypto::CryptoProvider;
use vouchsafe_credentials::random::{self, Rng};
use vouchsafe_credentials::time::{Clock, UnixTime};
use vouchsafe_protocol::http::UrlRule;

use crate::WalletError;
use crate::credential::{Card, CredentialId, CredentialStore};
use crate::history::{EventKind, History, HistoryEntry, HistoryId, Outcome, Party};
use crate::issuance::{self, Step};
use crate::presentation::{Fetching, PageAsking, PageRefused};
use crate::secure_area::SecureArea;
use crate::secure_area::software::SoftwareSecureArea;
use crate::storage::{KdfParams, Storage, Vault, VaultBatch};
use crate::trust::TrustList;
use crate::withdrawal::Withdrawal;

/// What a host supplies.
#[derive(Clone)]
pub struct Ports {
    /// Where the encrypted records go.
    pub storage: Arc<dyn Storage>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub rng: Arc<dyn Rng>,
    /// Cryptography.
    pub crypto: Arc<dyn CryptoProvider>,
    /// Where private keys live; `None`: in software, inside the store.
    pub secure_area: Option<Arc<dyn SecureArea>>,
}

/// How a wallet behaves. Does not change while it is open.
#[derive(Debug, Clone)]
pub struct Config {
    /// Whom it believes.
    pub trust: TrustList,
    /// Which addresses it may send anything to.
    pub urls: UrlRule,
    /// Languages of the person, the favourite first.
    pub locales: Vec<String>,
    /// Where a browser comes back to after the person signed in at an issuer.
    pub redirect_uri: url::Url,
    /// The `client_id` for issuers that want one.
    pub client_id: String,
    /// The most copies of one card to ask for.
    pub batch_size: usize,
}

/// An open wallet. Cheap to clone; all clones are the same wallet.
#[derive(Clone)]
pub struct Wallet(Arc<Inner>);

struct Inner {
    config: Config,
    ports: Ports,
    vault: Arc<Vault>,
    area: Arc<dyn SecureArea>,
    store: CredentialStore,
    history: History,
}

impl std::fmt::Debug for Wallet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Wallet(..)")
    }
}

impl Wallet {
    /// Makes a new wallet under a passphrase. Deriving the key takes a good
    /// part of a second; see [`KdfParams`].
    pub fn create(
        config: Config,
        ports: Ports,
        passphrase: &str,
        params: KdfParams,
    ) -> Result<Self, WalletError> {
        check_rng(ports.rng.as_ref())?;
        let storage = Arc::clone(&ports.storage);
        let vault = Vault::create(storage, passphrase, params, Arc::clone(&ports.rng))?;
        Ok(Self::assemble(config, ports, vault))
    }

    /// Opens a wallet, and destroys keys that an interrupted issuance or
    /// deletion left without a card.
    pub async fn open(config: Config, ports: Ports, passphrase: &str) -> Result<Self, WalletError> {
        check_rng(ports.rng.as_ref())?;
        let vault = Vault::open(
            Arc::clone(&ports.storage),
            passphrase,
            Arc::clone(&ports.rng),
        )?;
        let wallet = Self::assemble(config, ports, vault);
        wallet.destroy_orphaned_keys().await?;
        Ok(wallet)
    }

    fn assemble(config: Config, ports: Ports, vault: Vault) -> Self {
        let vault = Arc::new(vault);
        let area = ports.secure_area.clone().unwrap_or_else(|| {
            Arc::new(SoftwareSecureArea::new(
                Arc::clone(&vault),
                Arc::clone(&ports.rng),
            ))
        });
        let store = CredentialStore::new(Arc::clone(&vault));
        let history = History::new(Arc::clone(&vault));
        Self(Arc::new(Inner {
            config,
            ports,
            vault,
            area,
            store,
            history,
        }))
    }

    async fn destroy_orphaned_keys(&self) -> Result<(), WalletError> {
        let mut used = Vec::new();
        for card in self.0.store.list()? {
            used.extend(card.record.copies.into_iter().map(|copy| copy.key));
        }
        for key in self.0.area.keys().await? {
            if !used.contains(&key) {
                self.0.area.delete_key(&key).await?;
            }
        }
        Ok(())
    }

    /// The cards, the latest first.
    pub fn cards(&self, locales: &[&str]) -> Result<Vec<Card>, WalletError> {
        let now = self.now();
        Ok(self
            .0
            .store
            .list()?
            .iter()
            .map(|card| card.card(now, locales))
            .collect())
    }

    /// One card.
    pub fn card(&self, id: &CredentialId, locales: &[&str]) -> Result<Card, WalletError> {
        Ok(self.0.store.get(id)?.card(self.now(), locales))
    }

    /// Deletes a card and destroys its keys.
    pub async fn delete(&self, id: &CredentialId) -> Result<(), WalletError> {
        let card = self.0.store.get(id)?;
        let at = self.now();
        let locales = self.locales();
        let entry = HistoryEntry {
            id: self.0.history.new_id(at),
            at,
            kind: EventKind::Deleted,
            party: Party {
                name: Some(card.issuer_name(&locales)),
                host: issuer_host(&card.record.credential_issuer),
            },
            purpose: None,
            cards: vec![card.title(&locales)],
            facts: Vec::new(),
            outcome: Outcome::Completed,
            consent_uri: None,
            withdrawn_at: None,
        };
        let (name, bytes) = History::record(&entry)?;
        let batch = VaultBatch::new()
            .delete(CredentialStore::name_of(id)?)
            .put(name, bytes);
        self.0.vault.commit(batch)?;
        // A crash from here on leaves keys alone, which the next opening destroys.
        for copy in &card.record.copies {
            self.0.area.delete_key(&copy.key).await?;
        }
        Ok(())
    }

    /// Identifiers of the issuers on the wallet's list.
    #[must_use]
    pub fn listed_issuers(&self) -> Vec<&str> {
        let issuers = self.0.config.trust.issuers.iter();
        issuers
            .map(|known| known.credential_issuer.as_str())
            .collect()
    }

    /// What happened, the latest first.
    pub fn history(&self) -> Result<Vec<HistoryEntry>, WalletError> {
        self.0.history.list()
    }

    /// One entry of the history.
    pub fn history_entry(&self, id: &HistoryId) -> Result<HistoryEntry, WalletError> {
        self.0.history.get(id)
    }

    /// Starts to withdraw the consent given with an entry of the history.
    pub fn withdraw(&self, id: &HistoryId) -> Result<Withdrawal, WalletError> {
        Withdrawal::start(self.clone(), id)
    }

    /// Starts to add the cards of an offer: a link or the text of a QR code.
    pub fn add(&self, link: &str) -> Result<Step, WalletError> {
        issuance::start(self.clone(), link)
    }

    /// Starts to answer a request to show a card.
    pub fn present(&self, link: &str) -> Result<Fetching, WalletError> {
        Fetching::start(self.clone(), link)
    }

    /// Takes a request to show a card that the browser passes on for a page: its `protocol` and
    /// `data` (Digital Credentials API), and the origin of the page, which the browser vouches for.
    pub fn present_to_page(
        &self,
        origin: &str,
        protocol: &str,
        data: &Value,
    ) -> Result<PageAsking, Box<PageRefused>> {
        PageAsking::start(self.clone(), origin, protocol, data)
    }

    pub(crate) fn now(&self) -> UnixTime {
        self.0.ports.clock.now()
    }

    pub(crate) fn rng(&self) -> &dyn Rng {
        self.0.ports.rng.as_ref()
    }

    pub(crate) fn crypto(&self) -> &dyn CryptoProvider {
        self.0.ports.crypto.as_ref()
    }

    pub(crate) fn secure_area(&self) -> &Arc<dyn SecureArea> {
        &self.0.area
    }

    pub(crate) fn vault(&self) -> &Arc<Vault> {
        &self.0.vault
    }

    pub(crate) fn store(&self) -> &CredentialStore {
        &self.0.store
    }

    pub(crate) fn history_store(&self) -> &History {
        &self.0.history
    }

    pub(crate) fn config(&self) -> &Config {
        &self.0.config
    }

    pub(crate) fn trust(&self) -> &TrustList {
        &self.0.config.trust
    }

    pub(crate) fn urls(&self) -> UrlRule {
        self.0.config.urls
    }

    /// Languages of the person, the favourite first.
    #[must_use]
    pub fn preferred_locales(&self) -> Vec<&str> {
        self.locales()
    }

    pub(crate) fn locales(&self) -> Vec<&str> {
        self.0.config.locales.iter().map(String::as_str).collect()
    }
}

pub(crate) fn issuer_host(credential_issuer: &str) -> String {
    match url::Url::parse(credential_issuer) {
        Ok(url) => crate::net::host_of(&url),
        Err(_) => String::new(),
    }
}

/// A source that repeats itself or gives only zeros would give away every key.
fn check_rng(rng: &dyn Rng) -> Result<(), WalletError> {
    let (first, second) = (random::bytes::<32>(rng), random::bytes::<32>(rng));
    if first == second || first == [0; 32] || second == [0; 32] {
        return Err(WalletError::BrokenRng);
    }
    Ok(())
}
