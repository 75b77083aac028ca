//! Status lists: fetched, verified, cached (Token Status List).
//!
//! A list counts until its `ttl`, clamped by the credentials crate to [`min_refresh_s`, 12 h]. When
//! a fresh one cannot be had, the status is unknown, and what depends on it is refused; an operator
//! may let a login rest on the last good list for a while longer, never beyond its `exp`.
//!
//! A check against a list at hand looks it up and reads its bits: it waits for no network and, for
//! a card that was counted before, allocates nothing.

mod at_hand;
mod herd;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::Mutex;
use vouchsafe_credentials::crypto::CryptoProvider;
use vouchsafe_credentials::random::{self, Rng};
use vouchsafe_credentials::sd_jwt_vc::IssuerIdentity;
use vouchsafe_credentials::status_list::{
    StatusCheck, StatusRef, VerifiedStatusList, verify_status_list, verify_status_list_cwt,
};
use vouchsafe_credentials::time::{Clock, UnixTime};
use vouchsafe_protocol::vp::verify::{StatusSource, StatusSourceError};

use self::at_hand::AtHand;
use self::herd::Herds;
use crate::config::Trust;
use crate::outbound::{Outbound, StatusToken};

/// Most lists in memory.
const MAX_LISTS: usize = 1024;

/// How lists are used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StatusPolicy {
    /// A list is fetched again after so many seconds at the earliest.
    pub min_refresh_s: i64,
    /// A login may rest on the last good list so long after a fresh one was due.
    pub stale_grace_s: i64,
    /// Of a hundred cards of one issuer, how many may stand in lists of their own.
    pub most_lists: Option<u32>,
}

/// The outside world, as far as lists need it.
pub struct StatusPorts {
    /// Network.
    pub outbound: Arc<dyn Outbound>,
    /// Verification.
    pub crypto: Arc<dyn CryptoProvider>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Spreads the times of fetching.
    pub rng: Arc<dyn Rng>,
}

/// Where the verified lists are.
pub struct StatusLists {
    outbound: Arc<dyn Outbound>,
    crypto: Arc<dyn CryptoProvider>,
    clock: Arc<dyn Clock>,
    rng: Arc<dyn Rng>,
    trust: Trust,
    policy: StatusPolicy,
    herds: Herds,
    at_hand: AtHand,
    slots: Mutex<HashMap<Key, Arc<Mutex<Slot>>>>,
}

type Key = (String, IssuerIdentity);

/// What is known of a list whether or not it is at hand.
#[derive(Default)]
struct Slot {
    newest_seen: Option<UnixTime>,
    failed_at: Option<UnixTime>,
}

/// A recent attempt failed, and it is too early for another one.
#[derive(Debug, thiserror::Error)]
#[error("the status list was unavailable a moment ago")]
struct RecentlyUnavailable;

impl std::fmt::Debug for StatusLists {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("StatusLists")
    }
}

impl StatusLists {
    /// An empty cache.
    pub fn new(ports: StatusPorts, trust: Trust, policy: StatusPolicy) -> Self {
        let StatusPorts {
            outbound,
            crypto,
            clock,
            rng,
        } = ports;
        Self {
            outbound,
            crypto,
            clock,
            rng,
            trust,
            policy,
            herds: Herds::new(policy.most_lists),
            at_hand: AtHand::default(),
            slots: Mutex::default(),
        }
    }

    /// A list that is not older than its `ttl` allows.
    pub async fn fresh(
        &self,
        reference: &StatusRef,
        issuer: &IssuerIdentity,
    ) -> Result<Arc<VerifiedStatusList>, StatusSourceError> {
        let slot = self.slot((reference.uri.clone(), issuer.clone())).await;
        // Whoever needs the same list waits for the one who fetches it.
        let mut slot = slot.lock().await;
        self.current(&mut slot, reference, issuer).await
    }

    async fn current(
        &self,
        slot: &mut Slot,
        reference: &StatusRef,
        issuer: &IssuerIdentity,
    ) -> Result<Arc<VerifiedStatusList>, StatusSourceError> {
        match self.at_hand.fresh(&reference.uri, issuer, self.clock.now()) {
            Some(list) => Ok(list),
            None => self.refresh(slot, reference, issuer).await,
        }
    }

    /// The list of before, where the operator allows it and it has not expired.
    fn stale(
        &self,
        reference: &StatusRef,
        issuer: &IssuerIdentity,
    ) -> Option<Arc<VerifiedStatusList>> {
        let list = self.at_hand.last(&reference.uri, issuer)?;
        let now = self.clock.now();
        let until = list.refresh_at().plus(self.policy.stale_grace_s);
        // Token Status List, "Expiration and Caching": never used after `exp`.
        let expired = list.expires_at().is_some_and(|exp| exp <= now);
        (now < until && !expired).then_some(list)
    }

    /// A time in the last tenth before a fresh list is due: verifiers that hold the same list,
    /// which ends for all of them at one `exp`, do not ask for the next one in the same second.
    fn spread(&self, now: UnixTime, due: UnixTime) -> UnixTime {
        let left = due.since(now);
        let tenth = (left / 10).min(left - self.policy.min_refresh_s).max(0);
        let sample = u32::from_be_bytes(random::bytes(self.rng.as_ref()));
        due.plus(-(i64::from(sample) % (tenth + 1)))
    }

    async fn slot(&self, key: Key) -> Arc<Mutex<Slot>> {
        let mut slots = self.slots.lock().await;
        if slots.len() >= MAX_LISTS && !slots.contains_key(&key) {
            // Only addresses of trusted issuers come here, so this is rare.
            slots.retain(|_, slot| Arc::strong_count(slot) > 1);
        }
        Arc::clone(slots.entry(key).or_default())
    }

    async fn refresh(
        &self,
        slot: &mut Slot,
        reference: &StatusRef,
        issuer: &IssuerIdentity,
    ) -> Result<Arc<VerifiedStatusList>, StatusSourceError> {
        let now = self.clock.now();
        let recently = slot.failed_at.is_some_and(|at| {
            now.since(at) >= 0 && now.since(at) < self.policy.min_refresh_s.min(5)
        });
        if recently {
            return Err(StatusSourceError::Unavailable(Box::new(
                RecentlyUnavailable,
            )));
        }
        let fetched = self.fetch(slot, reference, issuer).await;
        match fetched {
            Ok(list) => {
                slot.newest_seen = Some(list.issued_at());
                slot.failed_at = None;
                let list = Arc::new(list);
                let due = self.spread(now, list.refresh_at());
                let counter = self.herds.counter(list.uri(), list.issuer());
                self.at_hand.put(Arc::clone(&list), counter, due);
                Ok(list)
            }
            Err(error) => {
                // After the attempt: whoever waited for it while the host was silent must not
                // ask it again, one after the other.
                slot.failed_at = Some(self.clock.now());
                Err(error)
            }
        }
    }

    async fn fetch(
        &self,
        slot: &Slot,
        reference: &StatusRef,
        issuer: &IssuerIdentity,
    ) -> Result<VerifiedStatusList, StatusSourceError> {
        let token = self
            .outbound
            .status_list(&reference.uri)
            .await
            .map_err(|error| StatusSourceError::Unavailable(Box::new(error)))?;
        let check = StatusCheck {
            uri: &reference.uri,
            issuer,
            trust: self.trust.issuers(),
            newest_seen: slot.newest_seen,
            min_refresh_s: self.policy.min_refresh_s,
            now: self.clock.now(),
        };
        let crypto = self.crypto.as_ref();
        let list = match &token {
            StatusToken::Jwt(compact) => verify_status_list(compact, &check, crypto),
            StatusToken::Cwt(bytes) => verify_status_list_cwt(bytes, &check, crypto),
        };
        list.map_err(StatusSourceError::Rejected)
    }
}

#[async_trait]
impl StatusSource for StatusLists {
    fn at_hand(
        &self,
        reference: &StatusRef,
        issuer: &IssuerIdentity,
    ) -> Option<Arc<VerifiedStatusList>> {
        // What is refused is refused by `list`.
        self.at_hand.shown(reference, issuer, self.clock.now())
    }

    async fn list(
        &self,
        reference: &StatusRef,
        issuer: &IssuerIdentity,
    ) -> Result<Arc<VerifiedStatusList>, StatusSourceError> {
        // Before the fetch: it is what would tell the issuer.
        self.herds
            .see(reference, issuer)
            .map_err(|error| StatusSourceError::Refused(Box::new(error)))?;
        // Whoever needs the same list waits for the one who fetches it, and finds it then.
        let slot = self.slot((reference.uri.clone(), issuer.clone())).await;
        let mut slot = slot.lock().await;
        match self.current(&mut slot, reference, issuer).await {
            Err(StatusSourceError::Unavailable(error)) => match self.stale(reference, issuer) {
                Some(list) => {
                    tracing::warn!(
                        error = %crate::views::chain(error.as_ref()),
                        "a login rests on the last good status list"
                    );
                    metrics::counter!("vouchsafe_status_lists_stale_total").increment(1);
                    Ok(list)
                }
                None => Err(StatusSourceError::Unavailable(error)),
            },
            outcome => outcome,
        }
    }
}
