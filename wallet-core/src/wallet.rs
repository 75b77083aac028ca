//! The wallet itself: ports put together, and what can be done with them.

mod cards;
mod opening;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::Value;
use vouchsafe_credentials::crypto::CryptoProvider;
use vouchsafe_credentials::random::Rng;
use vouchsafe_credentials::time::{Clock, UnixTime};
use vouchsafe_protocol::http::UrlRule;

use crate::WalletError;
use crate::attestation::Attestations;
use crate::credential::{CredentialId, CredentialStore};
use crate::history::{History, HistoryEntry, HistoryExport, HistoryId};
use crate::index::Index;
use crate::issuance::{self, IssuancePolicy, Pending, PendingId, Step};
use crate::presentation::{self, Asking, Fetching, PageAsking, PageRefused, Refused};
use crate::secure_area::SecureArea;
use crate::status::StatusPolicy;
use crate::storage::{Storage, Vault, VaultBatch};
use crate::trust::TrustList;
use crate::verifiers::{KnownVerifier, VerifierId, Verifiers};
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
    /// Who vouches for the wallet and for keys in software.
    pub attestations: Attestations,
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
    /// How it gets its cards and how often it shows one copy.
    pub issuance: IssuancePolicy,
    /// Whether it asks for status lists.
    pub status: StatusPolicy,
    /// Whether the host shows [`ConsentRequest::approvals`](crate::consent::ConsentRequest::approvals);
    /// where it does not, requests with transaction data are refused.
    pub transactions: bool,
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
    verifiers: Verifiers,
    changing: Mutex<()>,
}

impl std::fmt::Debug for Wallet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Wallet(..)")
    }
}

impl Wallet {
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

    /// Identifiers of the issuers on the wallet's list.
    #[must_use]
    pub fn listed_issuers(&self) -> Vec<&str> {
        let issuers = self.0.config.trust.issuers.iter();
        issuers
            .map(|known| known.credential_issuer.as_str())
            .collect()
    }

    /// What happened, the latest first. Entries that cannot be read are left out.
    pub fn history(&self) -> Result<Vec<HistoryEntry>, WalletError> {
        Ok(self.0.history.list()?.0)
    }

    /// The entries of the history that cannot be read: nothing is known of them but their names, and
    /// they can only be deleted.
    pub fn unreadable_history(&self) -> Result<Vec<HistoryId>, WalletError> {
        Ok(self.0.history.list()?.1)
    }

    /// Deletes an entry of the history that cannot be read.
    pub fn delete_unreadable_entry(&self, id: &HistoryId) -> Result<(), WalletError> {
        self.0.history.delete_unreadable(id)
    }

    /// What happened with a party, by its host or a part of its name, the latest first.
    pub fn history_with(&self, party: &str) -> Result<Vec<HistoryEntry>, WalletError> {
        let mut entries = self.history()?;
        entries.retain(|entry| entry.party.is_meant_by(party));
        Ok(entries)
    }

    /// The history to take along: of one party, or all of it.
    pub fn export_history(&self, party: Option<&str>) -> Result<HistoryExport, WalletError> {
        let (mut entries, unreadable) = self.0.history.list()?;
        if let Some(party) = party {
            entries.retain(|entry| entry.party.is_meant_by(party));
        }
        let unreadable = unreadable.len();
        Ok(HistoryExport::new(self.now(), party, entries, unreadable))
    }

    /// One entry of the history.
    pub fn history_entry(&self, id: &HistoryId) -> Result<HistoryEntry, WalletError> {
        self.0.history.get(id)
    }

    /// The verifiers that a card was shown to and those that may not ask, the latest first.
    pub fn verifiers(&self) -> Result<Vec<KnownVerifier>, WalletError> {
        self.0.verifiers.list()
    }

    /// Refuses every request of this verifier from now on, before any question.
    pub fn block_verifier(&self, id: &VerifierId) -> Result<(), WalletError> {
        self.0.verifiers.set_blocked(id, Some(self.now()))
    }

    /// Lets a verifier ask again.
    pub fn unblock_verifier(&self, id: &VerifierId) -> Result<(), WalletError> {
        self.0.verifiers.set_blocked(id, None)
    }

    /// Starts to withdraw the consent given with an entry of the history.
    pub fn withdraw(&self, id: &HistoryId) -> Result<Withdrawal, WalletError> {
        Withdrawal::start(self.clone(), id)
    }

    /// Starts to add the cards of an offer: a link or the text of a QR code.
    pub fn add(&self, link: &str) -> Result<Step, WalletError> {
        issuance::start(self.clone(), link)
    }

    /// Starts to ask an issuer for a card that it has not offered. Without a `type_id`, a key of
    /// the issuer's `credential_configurations_supported`, the person chooses.
    pub fn request(&self, issuer: &str, type_id: Option<&str>) -> Result<Step, WalletError> {
        issuance::request(self.clone(), issuer, type_id)
    }

    /// Cards that issuers deliver later, the oldest first.
    pub fn pending(&self) -> Result<Vec<Pending>, WalletError> {
        issuance::pending(self)
    }

    /// Asks for a card that was to come later. A restart in between costs nothing.
    pub fn resume(&self, id: &PendingId) -> Result<Step, WalletError> {
        issuance::resume(self.clone(), id)
    }

    /// Gives up a card that was to come later, and destroys its keys.
    pub async fn forget(&self, id: &PendingId) -> Result<(), WalletError> {
        issuance::forget(self, id).await
    }

    /// Cards that have few fresh copies left or end soon, and whose issuer can be asked again
    /// without the person.
    pub fn cards_to_top_up(&self) -> Result<Vec<CredentialId>, WalletError> {
        issuance::cards_to_top_up(self)
    }

    /// Gets new copies of a card, without the person.
    pub fn renew(&self, id: &CredentialId) -> Result<Step, WalletError> {
        issuance::renew(self.clone(), id)
    }

    /// What an issuer is to hear of its cards and has not heard yet: the first that is due.
    /// Call it after cards were added or deleted, and now and then, until it gives `None`.
    pub async fn notify(&self) -> Result<Option<Step>, WalletError> {
        issuance::notify(self.clone()).await
    }

    /// Starts to answer a request to show a card.
    pub fn present(&self, link: &str) -> Result<Fetching, WalletError> {
        Fetching::start(self.clone(), link)
    }

    /// Takes a request to show a card that stands in a link itself and that nobody signed; `None`: the
    /// link names a request, for [`Wallet::present`] to fetch.
    pub fn present_by_value(&self, link: &str) -> Option<Result<Asking, Box<Refused>>> {
        presentation::by_value(self, link)
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

    pub(crate) fn attestations(&self) -> &Attestations {
        &self.0.ports.attestations
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

    pub(crate) fn index(&self) -> &Index {
        &self.0.index
    }

    /// Held from reading a card to writing it: an answer, new copies and a deletion never mix.
    pub(crate) fn changing_cards(&self) -> MutexGuard<'_, ()> {
        self.0
            .changing
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn verifier_store(&self) -> &Verifiers {
        &self.0.verifiers
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
