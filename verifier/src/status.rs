//! Status lists: fetched, verified, cached (Token Status List).
//!
//! A list counts until its `ttl`, clamped by the credentials crate to [`min_refresh_s`, 12 h]. When
//! a fresh one cannot be had, the status is unknown, and what depends on it is refused.

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::Mutex;
use vouchsafe_credentials::crypto::CryptoProvider;
use vouchsafe_credentials::sd_jwt_vc::IssuerIdentity;
use vouchsafe_credentials::status_list::{
    StatusCheck, StatusRef, VerifiedStatusList, verify_status_list,
};
use vouchsafe_credentials::time::{Clock, UnixTime};
use vouchsafe_protocol::vp::verify::{StatusSource, StatusSourceError};

use crate::config::Trust;
use crate::outbound::Outbound;

/// Most lists in memory.
const MAX_LISTS: usize = 1024;

/// Where the verified lists are.
pub struct StatusLists {
    outbound: Arc<dyn Outbound>,
    crypto: Arc<dyn CryptoProvider>,
    clock: Arc<dyn Clock>,
    trust: Trust,
    min_refresh_s: i64,
    slots: Mutex<HashMap<Key, Arc<Mutex<Slot>>>>,
}

type Key = (String, IssuerIdentity);

#[derive(Default)]
struct Slot {
    list: Option<VerifiedStatusList>,
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
    pub fn new(
        outbound: Arc<dyn Outbound>,
        crypto: Arc<dyn CryptoProvider>,
        clock: Arc<dyn Clock>,
        trust: Trust,
        min_refresh_s: i64,
    ) -> Self {
        Self {
            outbound,
            crypto,
            clock,
            trust,
            min_refresh_s,
            slots: Mutex::default(),
        }
    }

    async fn slot(&self, key: Key) -> Arc<Mutex<Slot>> {
        let mut slots = self.slots.lock().await;
        if slots.len() >= MAX_LISTS && !slots.contains_key(&key) {
            // Only addresses of trusted issuers come here, so this is rare; what is dropped is
            // fetched again.
            slots.retain(|_, slot| Arc::strong_count(slot) > 1);
        }
        Arc::clone(slots.entry(key).or_default())
    }

    async fn refresh(
        &self,
        slot: &mut Slot,
        reference: &StatusRef,
        issuer: &IssuerIdentity,
    ) -> Result<VerifiedStatusList, StatusSourceError> {
        let now = self.clock.now();
        let recently = slot
            .failed_at
            .is_some_and(|at| now.since(at) >= 0 && now.since(at) < self.min_refresh_s.min(5));
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
                slot.list = Some(list.clone());
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
        let compact = self
            .outbound
            .status_list(&reference.uri)
            .await
            .map_err(|error| StatusSourceError::Unavailable(Box::new(error)))?;
        let check = StatusCheck {
            uri: &reference.uri,
            issuer,
            trust: self.trust.issuers(),
            newest_seen: slot.newest_seen,
            min_refresh_s: self.min_refresh_s,
            now: self.clock.now(),
        };
        verify_status_list(&compact, &check, self.crypto.as_ref())
            .map_err(StatusSourceError::Rejected)
    }
}

#[async_trait]
impl StatusSource for StatusLists {
    async fn list(
        &self,
        reference: &StatusRef,
        issuer: &IssuerIdentity,
    ) -> Result<VerifiedStatusList, StatusSourceError> {
        let slot = self.slot((reference.uri.clone(), issuer.clone())).await;
        // Whoever needs the same list waits for the one who fetches it.
        let mut slot = slot.lock().await;
        if let Some(list) = slot
            .list
            .as_ref()
            .filter(|list| self.clock.now() < list.refresh_at())
        {
            return Ok(list.clone());
        }
        self.refresh(&mut slot, reference, issuer).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::TrustConfig;
    use crate::outbound::OutboundError;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use url::Url;
    use vouchsafe_credentials::crypto::Portable;
    use vouchsafe_credentials::sd_jwt_vc::IssuerAuthority;
    use vouchsafe_credentials::testing::FixedClock;

    /// A host that takes the whole time of a request to fail.
    struct Hanging {
        clock: Arc<FixedClock>,
        fetches: AtomicUsize,
    }

    #[async_trait]
    impl Outbound for Hanging {
        async fn status_list(&self, _: &str) -> Result<String, OutboundError> {
            self.fetches.fetch_add(1, Ordering::SeqCst);
            self.clock.advance(5);
            Err(OutboundError::Status(504))
        }

        async fn logout(&self, _: &Url, _: &str) -> Result<(), OutboundError> {
            Err(OutboundError::Status(504))
        }
    }

    #[tokio::test]
    async fn who_waits_for_a_hanging_host_does_not_ask_it_again() {
        let clock = Arc::new(FixedClock::new(UnixTime(1_795_435_200)));
        let host = Arc::new(Hanging {
            clock: Arc::clone(&clock),
            fetches: AtomicUsize::new(0),
        });
        let trust = Trust::parse(&TrustConfig::default()).unwrap();
        let lists = StatusLists::new(host.clone(), Arc::new(Portable), clock, trust, 60);
        let reference = StatusRef {
            uri: "https://issuer.example/status/1".to_owned(),
            idx: 0,
        };
        let issuer = IssuerIdentity {
            trusted: "https://issuer.example".to_owned(),
            authority: IssuerAuthority::Did("did:example:1".to_owned()),
        };
        for _ in 0..3 {
            assert!(lists.list(&reference, &issuer).await.is_err());
        }
        assert_eq!(host.fetches.load(Ordering::SeqCst), 1);
    }
}
