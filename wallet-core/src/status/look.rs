//! What is known of the cards that somebody looks at.

use std::collections::HashMap;

use super::CardStatus;
use super::known::{Known, ListId};
use super::reference::{Reference, references};
use crate::credential::StoredCredential;
use crate::wallet::Wallet;

/// One look at the statuses of cards: what is known of a list is read once, however many cards stand
/// in it.
pub(crate) struct Statuses<'w> {
    wallet: &'w Wallet,
    known: HashMap<ListId, Option<Known>>,
}

impl Statuses<'_> {
    /// What is known of the status of the copy that stands for a card. What cannot be read is not
    /// known.
    pub(crate) fn of(&mut self, card: &StoredCredential) -> CardStatus {
        let unknown = CardStatus::NotChecked { valid_at: None };
        let names = references(&card.held);
        // Token Status List, "Validation Rules": the card is validated first.
        if card.record.unchecked && !names.is_empty() {
            return unknown;
        }
        let now = self.wallet.now();
        let of = |name: &Reference| {
            let list = ListId::of(name, &card.record.issuer);
            let vault = self.wallet.vault();
            let known = (self.known.entry(list))
                .or_insert_with_key(|list| Known::read(vault, list).ok().flatten());
            let known = known.as_ref();
            known.map_or(unknown, |known| known.status(&name.place(), now))
        };
        names.iter().map(of).fold(CardStatus::None, CardStatus::and)
    }
}

impl Wallet {
    /// Looks at the statuses of cards.
    pub(crate) fn statuses(&self) -> Statuses<'_> {
        Statuses {
            wallet: self,
            known: HashMap::new(),
        }
    }
}
