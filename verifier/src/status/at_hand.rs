//! Verified lists, ready to be read by many at once.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use vouchsafe_credentials::sd_jwt_vc::IssuerIdentity;
use vouchsafe_credentials::status_list::{StatusRef, VerifiedStatusList};
use vouchsafe_credentials::time::UnixTime;

use super::MAX_LISTS;
use super::herd::Counter;

/// Verified lists by URI. A list counts for one issuer, and hardly a URI has more than one.
#[derive(Default)]
pub(super) struct AtHand(RwLock<HashMap<String, Vec<Kept>>>);

struct Kept {
    list: Arc<VerifiedStatusList>,
    /// Counts the cards of the list.
    counter: Counter,
    /// When a fresh list is fetched: a little before it is due.
    refresh_at: UnixTime,
}

impl AtHand {
    /// The list, unless a fresh one is due.
    pub(super) fn fresh(
        &self,
        uri: &str,
        issuer: &IssuerIdentity,
        now: UnixTime,
    ) -> Option<Arc<VerifiedStatusList>> {
        self.find(uri, issuer, |kept| now < kept.refresh_at)
    }

    /// The same for a card that is shown, which is counted. `None` also where its issuer has too
    /// many lists.
    pub(super) fn shown(
        &self,
        reference: &StatusRef,
        issuer: &IssuerIdentity,
        now: UnixTime,
    ) -> Option<Arc<VerifiedStatusList>> {
        self.find(&reference.uri, issuer, |kept| {
            now < kept.refresh_at && kept.counter.see_at_hand(reference.idx).is_ok()
        })
    }

    /// The list, however old it is.
    pub(super) fn last(
        &self,
        uri: &str,
        issuer: &IssuerIdentity,
    ) -> Option<Arc<VerifiedStatusList>> {
        self.find(uri, issuer, |_| true)
    }

    /// Takes the place of what was there for this issuer.
    pub(super) fn put(
        &self,
        list: Arc<VerifiedStatusList>,
        counter: Counter,
        refresh_at: UnixTime,
    ) {
        // Map and vectors are whole at every moment.
        let mut lists = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(of_uri) = lists.get_mut(list.uri()) {
            of_uri.retain(|old| old.list.issuer() != list.issuer());
        }
        if lists.values().map(Vec::len).sum::<usize>() >= MAX_LISTS {
            // Only addresses of trusted issuers come here, so this is rare; what is dropped is
            // fetched again.
            lists.clear();
        }
        let of_uri = lists.entry(list.uri().to_owned()).or_default();
        of_uri.push(Kept {
            list,
            counter,
            refresh_at,
        });
    }

    fn find(
        &self,
        uri: &str,
        issuer: &IssuerIdentity,
        wanted: impl Fn(&Kept) -> bool,
    ) -> Option<Arc<VerifiedStatusList>> {
        let lists = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let mut lists = lists.get(uri)?.iter();
        let kept = lists.find(|kept| kept.list.issuer() == issuer)?;
        wanted(kept).then(|| Arc::clone(&kept.list))
    }
}
