//! What lives through all steps of adding a card.

use vouchsafe_credentials::time::UnixTime;
use vouchsafe_protocol::vci::CredentialOffer;

use super::goal::Goal;
use crate::WalletError;
use crate::history::{EventKind, HistoryEntry, Outcome, Party};
use crate::secure_area::{KeyHandle, KeyId};
use crate::text::PlainText;
use crate::wallet::{Wallet, issuer_host};

/// The wallet, who is on the other side, and what must be undone on failure.
pub(super) struct Session {
    pub(super) wallet: Wallet,
    /// What it is all for.
    pub(super) goal: Goal,
    /// How many seconds pass before what is made now is sent.
    pub(super) ahead: i64,
    host: String,
    name: Option<PlainText>,
    unbound_keys: Vec<KeyId>,
}

impl Session {
    pub(super) fn new(wallet: Wallet, host: String) -> Self {
        Self {
            wallet,
            goal: Goal::Add,
            ahead: 0,
            host,
            name: None,
            unbound_keys: Vec::new(),
        }
    }

    /// A session with another aim than adding what is offered.
    pub(super) fn towards(wallet: Wallet, goal: Goal) -> Self {
        let mut session = Self::new(wallet, String::new());
        session.goal = goal;
        session
    }

    /// Who offers, known from the offer on.
    pub(super) fn set_offer(&mut self, offer: &CredentialOffer) {
        self.host = issuer_host(offer.credential_issuer.as_str());
    }

    pub(super) fn set_name(&mut self, name: Option<PlainText>) {
        self.name = name;
    }

    pub(super) fn host(&self) -> &str {
        &self.host
    }

    /// The key is destroyed when the issuance fails.
    pub(super) fn add_key(&mut self, key: &KeyHandle) {
        self.unbound_keys.push(key.id.clone());
    }

    /// The key belongs to a stored card now.
    pub(super) fn bind_key(&mut self, key: &KeyId) {
        self.unbound_keys.retain(|other| other != key);
    }

    /// Destroys the keys that belong to no card.
    pub(super) async fn drop_unbound_keys(&mut self) -> Result<(), WalletError> {
        for key in std::mem::take(&mut self.unbound_keys) {
            self.wallet.secure_area().delete_key(&key).await?;
        }
        Ok(())
    }

    pub(super) fn entry(
        &self,
        outcome: Outcome,
        cards: Vec<PlainText>,
        facts: Vec<PlainText>,
    ) -> HistoryEntry {
        let at = self.wallet.now();
        HistoryEntry {
            id: self.wallet.history_store().new_id(at),
            at,
            kind: EventKind::Issued,
            party: Party {
                name: self.name.clone(),
                host: self.host.clone(),
            },
            purpose: None,
            cards,
            facts,
            outcome,
            consent_uri: None,
            withdrawn_at: None,
        }
    }

    /// When what is made now is sent: the time of proofs.
    pub(super) fn sending_at(&self) -> UnixTime {
        self.wallet.now().plus(self.ahead)
    }

    /// The name of the issuer in its own words, or its host.
    pub(super) fn issuer_name(&self) -> PlainText {
        let name = self.name.clone();
        name.unwrap_or_else(|| PlainText::new(&self.host))
    }

    /// Undoes and remembers. What goes wrong here must not hide the error
    /// itself; keys that stay are destroyed when the wallet is opened.
    pub(super) async fn fail(mut self, error: &WalletError) {
        let _ = self.drop_unbound_keys().await;
        self.remember_failure(error);
    }

    /// The history of an issuance that failed before there were keys.
    pub(super) fn remember_failure(&self, error: &WalletError) {
        // What goes on in the background tries again; nobody is told of every time.
        if self.goal.is_quiet() {
            return;
        }
        let outcome = Outcome::Failed {
            code: error.code().to_owned(),
        };
        let entry = self.entry(outcome, Vec::new(), Vec::new());
        let _ = self.wallet.history_store().save(&entry);
    }

    /// The person said no.
    pub(super) fn decline(self) -> Result<(), WalletError> {
        let entry = self.entry(Outcome::Declined, Vec::new(), Vec::new());
        Ok(self.wallet.history_store().save(&entry)?)
    }
}
