//! Whether the lists of an issuer hide those who show its cards.
//!
//! Token Status List, "Malicious Issuers": with a list, or an address of a list, for each card an
//! issuer learns from every request where its holder is. A verifier cannot see how many cards a
//! list serves, but it can count how many lists the cards name that it is shown.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher as _, RandomState};
use std::sync::{Mutex, MutexGuard, PoisonError};

use vouchsafe_credentials::sd_jwt_vc::IssuerIdentity;
use vouchsafe_credentials::status_list::StatusRef;

/// Cards of an issuer that must have been seen before it is judged.
const MIN_CARDS: usize = 20;
/// Cards of an issuer that are counted before counting begins anew.
const MAX_CARDS: usize = 4096;

/// Counts the lists and cards of each issuer.
#[derive(Debug)]
pub struct Herds {
    /// Lists among a hundred cards that are too many.
    most_lists: Option<u32>,
    hasher: RandomState,
    seen: Mutex<HashMap<String, Seen>>,
}

/// Hashes, so that a few bytes for each card are enough. Only valid cards come here.
#[derive(Debug, Default)]
struct Seen {
    lists: HashSet<u64>,
    cards: HashSet<u64>,
}

/// The issuer has about as many lists as cards.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the issuer has too many status lists for its cards")]
pub struct TooManyLists;

impl Herds {
    pub(super) fn new(most_lists: Option<u32>) -> Self {
        Self {
            most_lists,
            hasher: RandomState::new(),
            seen: Mutex::default(),
        }
    }

    /// Counts a card whose list is at hand. When enough were counted it costs a look-up: counting
    /// begins anew with the next list that must be fetched.
    pub(super) fn see_at_hand(
        &self,
        reference: &StatusRef,
        issuer: &IssuerIdentity,
    ) -> Result<(), TooManyLists> {
        let full = |seen: &Seen| seen.cards.len() >= MAX_CARDS;
        if self.lock().get(&issuer.trusted).is_some_and(full) {
            return Ok(());
        }
        self.see(reference, issuer)
    }

    /// Counts a card that was shown, before its list is fetched. Issuers are few: those that are
    /// configured.
    pub(super) fn see(
        &self,
        reference: &StatusRef,
        issuer: &IssuerIdentity,
    ) -> Result<(), TooManyLists> {
        let StatusRef { uri, idx } = reference;
        let list = self.hasher.hash_one(uri);
        let card = self.hasher.hash_one((uri, idx));
        let mut seen = self.lock();
        if !seen.contains_key(&issuer.trusted) {
            seen.insert(issuer.trusted.clone(), Seen::default());
        }
        let Some(seen) = seen.get_mut(&issuer.trusted) else {
            return Ok(());
        };
        if seen.cards.len() >= MAX_CARDS {
            *seen = Seen::default();
        }
        let known = !seen.lists.insert(list) & !seen.cards.insert(card);
        let (lists, cards) = (seen.lists.len(), seen.cards.len());
        if !known {
            #[expect(clippy::cast_precision_loss, reason = "at most 4096")]
            metrics::gauge!("vouchsafe_status_lists_per_card", "issuer" => issuer.trusted.clone())
                .set(lists as f64 / cards as f64);
        }
        let most = self.most_lists.and_then(|most| usize::try_from(most).ok());
        match most {
            // One list for all cards hides them as well as a list can.
            Some(most) if cards >= MIN_CARDS && lists > 1 && lists * 100 > cards * most => {
                Err(TooManyLists)
            }
            Some(_) | None => Ok(()),
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Seen>> {
        // Sets and map are whole at every moment.
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vouchsafe_credentials::sd_jwt_vc::IssuerAuthority;

    fn issuer(id: &str) -> IssuerIdentity {
        IssuerIdentity {
            trusted: id.to_owned(),
            authority: IssuerAuthority::Did("did:example:1".to_owned()),
        }
    }

    fn see(herds: &Herds, id: &str, list: u64, idx: u64) -> Result<(), TooManyLists> {
        let uri = format!("https://{id}/status/{list}");
        herds.see(&StatusRef { uri, idx }, &issuer(id))
    }

    #[test]
    fn cat_221_a_list_for_each_holder_is_refused_where_that_is_configured() {
        for (most_lists, refused) in [(None, false), (Some(50), true), (Some(100), false)] {
            let herds = Herds::new(most_lists);
            for card in 1..MIN_CARDS as u64 {
                assert_eq!(see(&herds, "tracker.example", card, 0), Ok(()));
            }
            let last = see(&herds, "tracker.example", 1000, 0);
            assert_eq!(last.is_err(), refused, "{most_lists:?}");
            // Other issuers are judged by their own lists.
            for card in 0..100 {
                assert_eq!(see(&herds, "honest.example", 1, card), Ok(()));
            }
        }
    }

    #[test]
    fn cat_221_the_same_card_again_says_nothing() {
        let herds = Herds::new(Some(10));
        for _ in 0..1000 {
            assert_eq!(see(&herds, "issuer.example", 1, 7), Ok(()));
        }
    }

    #[test]
    fn cat_221_an_issuer_with_one_list_is_never_refused() {
        let herds = Herds::new(Some(1));
        for card in 0..2 * MAX_CARDS as u64 {
            let at_hand = StatusRef {
                uri: "https://honest.example/status/1".to_owned(),
                idx: card,
            };
            assert_eq!(
                herds.see_at_hand(&at_hand, &issuer("honest.example")),
                Ok(())
            );
            assert_eq!(see(&herds, "honest.example", 1, card), Ok(()));
        }
        // Cards at hand are not counted for ever, and those that need a fetch are.
        for card in 0..MAX_CARDS as u64 {
            let uri = "https://other.example/status/1".to_owned();
            let at_hand = StatusRef { uri, idx: card };
            herds
                .see_at_hand(&at_hand, &issuer("other.example"))
                .unwrap();
        }
        let refused =
            (0..2 * MIN_CARDS as u64).filter(|n| see(&herds, "other.example", 10 + n, 0).is_err());
        assert!(refused.count() > 0);
    }

    #[test]
    fn cat_221_memory_is_bounded() {
        let herds = Herds::new(None);
        for card in 0..3 * MAX_CARDS as u64 {
            see(&herds, "issuer.example", card, card).unwrap();
        }
        let seen = herds.seen.lock().unwrap();
        let seen = &seen["issuer.example"];
        assert!(seen.cards.len() <= MAX_CARDS && seen.lists.len() <= MAX_CARDS);
    }
}
