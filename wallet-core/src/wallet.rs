//! The wallet itself: ports put together, and what can be done with them.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::Value;
use vouchsafe_credentials::crypto::CryptoProvider;
use vouchsafe_credentials::random::{self, Rng};
use vouchsafe_credentials::time::{Clock, UnixTime};
use vouchsafe_protocol::http::UrlRule;
use vouchsafe_protocol::vp::dcql::DcqlQuery;

use crate::WalletError;
use crate::credential::{Card, CredentialId, CredentialStore, StoredCredential};
use crate::history::{EventKind, History, HistoryEntry, HistoryExport, HistoryId, Outcome, Party};
use crate::index::{self, Entry, Index, KeyWatch};
use crate::issuance::{self, Step};
use crate::presentation::{Fetching, PageAsking, PageRefused};
use crate::secure_area::SecureArea;
use crate::secure_area::software::SoftwareSecureArea;
use crate::storage::{Collection, KdfParams, Lock, Storage, Vault, VaultBatch, VaultKey};
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

/// Which cards are meant; what is `None` does not matter.
#[derive(Debug, Clone, Copy, Default)]
pub struct CardFilter<'a> {
    /// `vct` or document type.
    pub kind: Option<&'a str>,
    /// Identifier of the credential issuer.
    pub issuer: Option<&'a str>,
}

/// An open wallet. Cheap to clone; all clones are the same wallet.
#[derive(Clone)]
pub struct Wallet(Arc<Inner>);

struct Inner {
    config: Config,
    ports: Ports,
    vault: Arc<Vault>,
    area: Arc<dyn SecureArea>,
    index: Arc<Index>,
    store: CredentialStore,
    history: History,
}

impl std::fmt::Debug for Wallet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Wallet(..)")
    }
}

impl Wallet {
    /// Makes a new wallet under a passphrase, or a PIN. Deriving the key takes a good
    /// part of a second; see [`KdfParams`].
    pub fn create<'a>(
        config: Config,
        ports: Ports,
        lock: impl Into<Lock<'a>>,
        params: KdfParams,
    ) -> Result<Self, WalletError> {
        check_rng(ports.rng.as_ref())?;
        let storage = Arc::clone(&ports.storage);
        let vault = Vault::create(storage, lock, params, Arc::clone(&ports.rng))?;
        let wallet = Self::assemble(config, ports, vault)?;
        // There was no wallet that could have been interrupted.
        wallet.0.index.no_orphans()?;
        Ok(wallet)
    }

    /// Opens a wallet, and destroys keys that an interrupted issuance or
    /// deletion left without a card.
    pub async fn open(config: Config, ports: Ports, passphrase: &str) -> Result<Self, WalletError> {
        check_rng(ports.rng.as_ref())?;
        let key = Self::unlock(&ports, passphrase)?;
        Self::open_with_key(config, ports, &key).await
    }

    /// The key of a wallet, for a host that keeps it in a keystore of the device. Each attempt counts;
    /// after a few wrong ones each next one has to wait.
    pub fn unlock(ports: &Ports, passphrase: &str) -> Result<VaultKey, WalletError> {
        let (storage, rng) = (ports.storage.as_ref(), ports.rng.as_ref());
        Ok(Vault::unlock(
            storage,
            passphrase,
            rng,
            ports.clock.as_ref(),
        )?)
    }

    /// As [`Wallet::open`], with the key that [`Wallet::unlock`] gave.
    pub async fn open_with_key(
        config: Config,
        ports: Ports,
        key: &VaultKey,
    ) -> Result<Self, WalletError> {
        check_rng(ports.rng.as_ref())?;
        let storage = Arc::clone(&ports.storage);
        let vault = Vault::open_with_key(storage, key, Arc::clone(&ports.rng))?;
        let wallet = Self::assemble(config, ports, vault)?;
        if wallet.0.index.may_have_orphans() {
            wallet.destroy_orphaned_keys().await?;
        }
        Ok(wallet)
    }

    /// Locks the wallet with another passphrase or a PIN. What somebody copied before opens with the
    /// old one.
    pub fn change_passphrase<'a>(
        &self,
        old: &str,
        new: impl Into<Lock<'a>>,
        params: KdfParams,
    ) -> Result<(), WalletError> {
        let clock = self.0.ports.clock.as_ref();
        Ok(self.0.vault.change_lock(old, new, params, clock)?)
    }

    fn assemble(config: Config, ports: Ports, vault: Vault) -> Result<Self, WalletError> {
        let vault = Arc::new(vault);
        let area = ports.secure_area.clone().unwrap_or_else(|| {
            Arc::new(SoftwareSecureArea::new(
                Arc::clone(&vault),
                Arc::clone(&ports.rng),
            ))
        });
        let store = CredentialStore::new(Arc::clone(&vault));
        let index = Arc::new(Index::open(Arc::clone(&vault), store.clone())?);
        let history = History::new(Arc::clone(&vault));
        Ok(Self(Arc::new(Inner {
            area: Arc::new(KeyWatch::new(area, Arc::clone(&index))),
            config,
            ports,
            vault,
            index,
            store,
            history,
        })))
    }

    /// What the cards name is read from the cards: a list that is wrong destroys no key.
    async fn destroy_orphaned_keys(&self) -> Result<(), WalletError> {
        let mut used = BTreeSet::new();
        for id in self.0.vault.list(Collection::Credentials)? {
            let record = self.0.store.record(&CredentialId::from(id))?;
            used.extend(record.copies.into_iter().map(|copy| copy.key));
        }
        for key in self.0.area.keys().await? {
            if !used.contains(&key) {
                self.0.area.delete_key(&key).await?;
            }
        }
        Ok(self.0.index.no_orphans()?)
    }

    /// The cards that may answer a query, the latest first.
    pub(crate) fn answering(
        &self,
        query: &DcqlQuery,
    ) -> Result<Vec<StoredCredential>, WalletError> {
        self.open_cards(self.0.index.answering(query)?)
    }

    /// Opens cards that have not ended.
    fn open_cards(&self, entries: Vec<Entry>) -> Result<Vec<StoredCredential>, WalletError> {
        let now = self.now();
        let open = entries.iter().filter(|entry| !entry.has_ended(now));
        open.map(|entry| self.0.store.get(entry.id())).collect()
    }

    /// As [`Wallet::commit`], with cards of a backup: what waits for an issuer goes on waiting.
    pub(crate) fn commit_restored(&self, batch: VaultBatch) -> Result<(), WalletError> {
        self.0.index.commit_restored(batch)
    }

    /// Whether keys are kept in the store, and can be put there.
    pub(crate) fn has_software_keys(&self) -> bool {
        self.0.ports.secure_area.is_none()
    }

    /// Applies a batch, and what it changes in the index, all or nothing.
    pub(crate) fn commit(&self, batch: VaultBatch) -> Result<(), WalletError> {
        self.0.index.commit(batch)
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

    /// The cards of a type (`vct` or document type), or of an issuer, or of both: the latest first.
    pub fn cards_where(
        &self,
        filter: &CardFilter<'_>,
        locales: &[&str],
    ) -> Result<Vec<Card>, WalletError> {
        let CardFilter { kind, issuer } = *filter;
        let entries = match (kind, issuer) {
            (None, None) => return self.cards(locales),
            (Some(kind), None) => self.0.index.of_type(kind)?,
            (None, Some(issuer)) => self.0.index.of_issuer(issuer)?,
            (Some(kind), Some(issuer)) => {
                let of_issuer = self.0.index.of_issuer(issuer)?;
                let mut entries = self.0.index.of_type(kind)?;
                entries.retain(|entry| of_issuer.contains(entry));
                entries
            }
        };
        let now = self.now();
        let cards = entries.iter().map(|entry| self.0.store.get(entry.id()));
        // A card with many types is on a list of its own.
        let is_meant = |card: &StoredCredential| kind.is_none_or(|kind| index::is_of(card, kind));
        let cards = cards.filter(|card| card.as_ref().map_or(true, is_meant));
        cards.map(|card| Ok(card?.card(now, locales))).collect()
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
        self.commit(batch)?;
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

    /// What happened with a party, by its host or a part of its name, the latest first.
    pub fn history_with(&self, party: &str) -> Result<Vec<HistoryEntry>, WalletError> {
        let mut entries = self.history()?;
        entries.retain(|entry| entry.party.is_meant_by(party));
        Ok(entries)
    }

    /// The history to take along: of one party, or all of it.
    pub fn export_history(&self, party: Option<&str>) -> Result<HistoryExport, WalletError> {
        let entries = match party {
            Some(party) => self.history_with(party)?,
            None => self.history()?,
        };
        Ok(HistoryExport::new(self.now(), party, entries))
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

    #[cfg(test)]
    pub(crate) fn index(&self) -> &Index {
        &self.0.index
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
