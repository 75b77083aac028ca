//! Whether the lists of an issuer hide those who show its cards.
//!
//! Token Status List, "Malicious Issuers": with a list, or an address of a list, for each card an
//! issuer learns from every request where its holder is. A verifier cannot see how many cards a
//! list serves, but it can count how many lists the cards name that it is shown.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher as _, RandomState};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

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
    /// Issuers are few: those that are configured.
    herds: Mutex<HashMap<String, Arc<Herd>>>,
}

/// The cards of one issuer.
#[derive(Debug)]
struct Herd {
    issuer: String,
    most_lists: Option<usize>,
    /// Enough cards were counted.
    full: AtomicBool,
    seen: RwLock<Seen>,
}

/// Hashes, so that a few bytes for each card are enough. Only valid cards come here.
#[derive(Debug, Default)]
struct Seen {
    lists: HashSet<u64>,
    cards: HashSet<u64>,
}

/// A list of an issuer. Whoever keeps it counts the cards of the list without looking for them.
#[derive(Debug, Clone)]
pub(super) struct Counter {
    herd: Arc<Herd>,
    hasher: RandomState,
    list: u64,
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
            herds: Mutex::default(),
        }
    }

    /// Where the cards of a list are counted.
    pub(super) fn counter(&self, uri: &str, issuer: &IssuerIdentity) -> Counter {
        // The map is whole at every moment.
        let mut herds = self.herds.lock().unwrap_or_else(PoisonError::into_inner);
        let herd = match herds.get(&issuer.trusted) {
            Some(herd) => Arc::clone(herd),
            None => {
                let herd = Arc::new(Herd {
                    issuer: issuer.trusted.clone(),
                    most_lists: self.most_lists.and_then(|most| usize::try_from(most).ok()),
                    full: AtomicBool::new(false),
                    seen: RwLock::default(),
                });
                herds.insert(issuer.trusted.clone(), Arc::clone(&herd));
                herd
            }
        };
        Counter {
            herd,
            hasher: self.hasher.clone(),
            list: self.hasher.hash_one(uri),
        }
    }

    /// Counts a card that was shown, before its list is fetched.
    pub(super) fn see(
        &self,
        reference: &StatusRef,
        issuer: &IssuerIdentity,
    ) -> Result<(), TooManyLists> {
        self.counter(&reference.uri, issuer).see(reference.idx)
    }
}

impl Counter {
    /// Counts a card whose list is at hand. When enough were counted it costs nothing: counting
    /// begins anew with the next list that must be fetched. A card that was counted before is read
    /// beside others.
    pub(super) fn see_at_hand(&self, idx: u64) -> Result<(), TooManyLists> {
        if self.herd.full.load(Ordering::Relaxed) {
            return Ok(());
        }
        let card = self.card(idx);
        let known = self.herd.known(self.list, card);
        known.unwrap_or_else(|| self.herd.add(self.list, card))
    }

    /// Counts a card whose list is about to be fetched.
    fn see(&self, idx: u64) -> Result<(), TooManyLists> {
        self.herd.add(self.list, self.card(idx))
    }

    fn card(&self, idx: u64) -> u64 {
        self.hasher.hash_one((self.list, idx))
    }
}

impl Herd {
    /// What is thought of a card that was counted before.
    fn known(&self, list: u64, card: u64) -> Option<Result<(), TooManyLists>> {
        // Sets are whole at every moment.
        let seen = self.seen.read().unwrap_or_else(PoisonError::into_inner);
        let known = seen.cards.contains(&card) && seen.lists.contains(&list);
        known.then(|| seen.judge(self.most_lists))
    }

    fn add(&self, list: u64, card: u64) -> Result<(), TooManyLists> {
        let mut seen = self.seen.write().unwrap_or_else(PoisonError::into_inner);
        if seen.cards.len() >= MAX_CARDS {
            *seen = Seen::default();
        }
        let known = !seen.lists.insert(list) & !seen.cards.insert(card);
        let full = seen.cards.len() >= MAX_CARDS;
        self.full.store(full, Ordering::Relaxed);
        if !known {
            #[expect(clippy::cast_precision_loss, reason = "at most 4096")]
            metrics::gauge!("vouchsafe_status_lists_per_card", "issuer" => self.issuer.clone())
                .set(seen.lists.len() as f64 / seen.cards.len() as f64);
        }
        seen.judge(self.most_lists)
    }
}

impl Seen {
    fn judge(&self, most: Option<usize>) -> Result<(), TooManyLists> {
        let (lists, cards) = (self.lists.len(), self.cards.len());
        match most {
            // One list for all cards hides them as well as a list can.
            Some(most) if cards >= MIN_CARDS && lists > 1 && lists * 100 > cards * most => {
                Err(TooManyLists)
            }
            Some(_) | None => Ok(()),
        }
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

    fn see_at_hand(herds: &Herds, card: &StatusRef, id: &str) -> Result<(), TooManyLists> {
        herds.counter(&card.uri, &issuer(id)).see_at_hand(card.idx)
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
            assert_eq!(see_at_hand(&herds, &at_hand, "honest.example"), Ok(()));
            assert_eq!(see(&herds, "honest.example", 1, card), Ok(()));
        }
        // Cards at hand are not counted for ever, and those that need a fetch are.
        for card in 0..MAX_CARDS as u64 {
            let uri = "https://other.example/status/1".to_owned();
            let at_hand = StatusRef { uri, idx: card };
            see_at_hand(&herds, &at_hand, "other.example").unwrap();
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
        let counter = herds.counter("https://issuer.example/status/0", &issuer("issuer.example"));
        let seen = counter.herd.seen.read().unwrap();
        assert!(seen.cards.len() <= MAX_CARDS && seen.lists.len() <= MAX_CARDS);
    }

    /// A list at hand keeps its counter for hours: it must not count in a herd of its own.
    #[test]
    fn cat_221_counters_of_one_issuer_count_together() {
        let herds = Herds::new(Some(50));
        let at_hand: Vec<_> = (0..MIN_CARDS as u64)
            .map(|list| {
                let uri = format!("https://tracker.example/status/{list}");
                herds.counter(&uri, &issuer("tracker.example"))
            })
            .collect();
        for (counted, counter) in at_hand.iter().enumerate() {
            let refused = counter.see_at_hand(0).is_err();
            assert_eq!(refused, counted + 1 == MIN_CARDS);
        }
        // The verdict holds for cards that were counted before it, at hand or not.
        for (list, counter) in at_hand.iter().enumerate() {
            assert_eq!(counter.see_at_hand(0), Err(TooManyLists));
            let list = list as u64;
            assert_eq!(see(&herds, "tracker.example", list, 0), Err(TooManyLists));
        }
        let other = herds.counter("https://tracker.example/status/0", &issuer("other.example"));
        assert_eq!(other.see_at_hand(0), Ok(()));
    }

    #[test]
    fn cat_221_counting_begins_anew_with_the_next_list_that_is_fetched() {
        let herds = Herds::new(Some(10));
        let counter = herds.counter("https://a.example/status/1", &issuer("a.example"));
        for card in 0..MAX_CARDS as u64 {
            assert!(!counter.herd.full.load(Ordering::Relaxed));
            counter.see_at_hand(card).unwrap();
        }
        counter.see_at_hand(MAX_CARDS as u64).unwrap();
        let counted = |herd: &Herd| herd.seen.read().unwrap().cards.len();
        assert_eq!(counted(&counter.herd), MAX_CARDS);
        see(&herds, "a.example", 2, 0).unwrap();
        assert_eq!(counted(&counter.herd), 1);
        counter.see_at_hand(0).unwrap();
        assert_eq!(counted(&counter.herd), 2);
    }
}
