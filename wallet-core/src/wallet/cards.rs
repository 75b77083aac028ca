//! The cards of a wallet: listed, shown, deleted.

use vouchsafe_protocol::vp::dcql::DcqlQuery;

use super::{CardFilter, Wallet, issuer_host};
use crate::WalletError;
use crate::credential::{Card, CredentialId, CredentialStore, StoredCredential, readable};
use crate::history::{EventKind, History, HistoryEntry, Outcome, Party};
use crate::secure_area::KeyId;
use crate::storage::VaultBatch;
use crate::{index, issuance, status};

impl Wallet {
    /// The cards that may answer a query of a verifier and have a valid copy, the latest first; each
    /// by the copy that the verifier will see.
    pub(crate) fn answering(
        &self,
        query: &DcqlQuery,
        verifier: &str,
    ) -> Result<Vec<StoredCredential>, WalletError> {
        let now = self.now();
        let entries = self.0.index.answering(query)?;
        let mut cards = Vec::with_capacity(entries.len());
        for entry in entries.iter().filter(|entry| !entry.has_ended(now)) {
            let card = readable(self.0.store.get_for(entry.id(), verifier, now))?.flatten();
            cards.extend(match card {
                Some(card) if card.record.unchecked => self.checked(entry.id(), verifier)?,
                card => card,
            });
        }
        Ok(cards)
    }

    /// A card out of a backup, where its issuer can be checked by now.
    fn checked(
        &self,
        id: &CredentialId,
        verifier: &str,
    ) -> Result<Option<StoredCredential>, WalletError> {
        let _changing = self.changing_cards();
        let mut record = self.0.store.record(id)?;
        let Some(issuer) = issuance::recheck(self, &record, None)? else {
            return Ok(None);
        };
        record.issuer = issuer;
        record.unchecked = false;
        let (name, bytes) = CredentialStore::encode(&record)?;
        self.commit(VaultBatch::new().put(name, bytes))?;
        self.0.store.get_for(id, verifier, self.now())
    }

    /// The cards, the latest first.
    pub fn cards(&self, locales: &[&str]) -> Result<Vec<Card>, WalletError> {
        let (now, mut statuses) = (self.now(), self.statuses());
        let cards = self.0.store.list(now)?;
        let cards = cards.iter();
        Ok(cards
            .map(|card| card.card(statuses.of(card), now, locales))
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
        let cards = entries.iter();
        let cards = cards.map(|entry| self.0.store.get(entry.id(), now));
        let cards = cards.filter_map(|card| readable(card).transpose());
        // A card with many types is on a list of its own.
        let is_meant = |card: &StoredCredential| kind.is_none_or(|kind| index::is_of(card, kind));
        let cards = cards.filter(|card| card.as_ref().map_or(true, is_meant));
        let mut statuses = self.statuses();
        let mut view = |card: StoredCredential| card.card(statuses.of(&card), now, locales);
        cards.map(|card| Ok(view(card?))).collect()
    }

    /// The cards that are damaged: nothing is known of them but their names, and they can only be
    /// deleted. The other cards are listed without them.
    pub fn unreadable_cards(&self) -> Result<Vec<CredentialId>, WalletError> {
        self.0.store.unreadable(self.now())
    }

    /// One card.
    pub fn card(&self, id: &CredentialId, locales: &[&str]) -> Result<Card, WalletError> {
        let now = self.now();
        let card = self.0.store.get(id, now)?;
        Ok(card.card(self.statuses().of(&card), now, locales))
    }

    /// Deletes a card, readable or not, and destroys its keys.
    pub async fn delete(&self, id: &CredentialId) -> Result<(), WalletError> {
        // A crash from here on leaves keys alone, which the next opening destroys.
        for key in self.delete_record(id)? {
            self.0.area.delete_key(&key).await?;
        }
        issuance::sweep(self)?;
        Ok(())
    }

    /// Deletes a card, and says which keys it leaves.
    fn delete_record(&self, id: &CredentialId) -> Result<Vec<KeyId>, WalletError> {
        let _changing = self.changing_cards();
        let at = self.now();
        let card = match self.0.store.get(id, at) {
            Ok(card) => Some(card),
            Err(error) if error.is_unreadable_card() => None,
            Err(error) => return Err(error),
        };
        let locales = self.locales();
        let host = |card: &StoredCredential| issuer_host(&card.record.credential_issuer);
        let entry = HistoryEntry {
            id: self.0.history.new_id(at),
            at,
            kind: EventKind::Deleted,
            party: Party {
                name: card.as_ref().map(|card| card.issuer_name(&locales)),
                host: card.as_ref().map(host).unwrap_or_default(),
            },
            purpose: None,
            cards: card.iter().map(|card| card.title(&locales)).collect(),
            facts: Vec::new(),
            outcome: Outcome::Completed,
            consent_uri: None,
            withdrawn_at: None,
        };
        let (name, bytes) = History::record(&entry)?;
        let batch = VaultBatch::new()
            .delete(CredentialStore::name_of(id)?)
            .put(name, bytes);
        let batch = match &card {
            Some(card) => status::forgotten(self.vault(), &card.record, batch)?,
            None => batch,
        };
        let batch = issuance::deleted(self, id, batch)?;
        self.commit(batch)?;
        // The keys of a card that cannot be read are found at the next opening: no other has them.
        let copies = card.into_iter().flat_map(|card| card.record.copies);
        Ok(copies.map(|copy| copy.key).collect())
    }
}
