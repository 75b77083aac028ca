//! Chains that were verified before: the same bytes below the same anchors give the same answer
//! as long as every certificate is valid.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::{Chain, VerifiedCertificate};
use crate::crypto::sha256;
use crate::time::UnixTime;

/// Chains remembered per set of anchors.
pub const MAX_CACHED_CHAINS: usize = 256;

/// SHA-256 over the certificates of a chain, each with its length in front.
type Key = [u8; 32];

/// Verified chains of one set of anchors. A change of the anchors starts with an empty one, so
/// an answer never outlives the anchors it was given for; the role is that of the anchors.
/// Refusals are not kept: they cost the sender more than us, and their reason depends on time.
#[derive(Debug, Default)]
pub(super) struct ChainCache {
    entries: Mutex<Entries>,
}

#[derive(Debug, Default)]
struct Entries {
    by_key: HashMap<Key, Entry>,
    /// Oldest first.
    order: VecDeque<Key>,
}

#[derive(Debug)]
struct Entry {
    certificate: VerifiedCertificate,
    window: Window,
}

/// When every certificate of a path is valid; both ends belong to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Window {
    pub not_before: UnixTime,
    pub not_after: UnixTime,
}

impl Window {
    /// The time in both.
    pub(super) fn and(self, other: Self) -> Self {
        Self {
            not_before: self.not_before.max(other.not_before),
            not_after: self.not_after.min(other.not_after),
        }
    }

    pub(super) fn contains(self, now: UnixTime) -> bool {
        self.not_before <= now && now <= self.not_after
    }
}

pub(super) fn key(chain: &Chain) -> Key {
    let mut bytes = Vec::with_capacity(4096);
    for der in chain.certificates() {
        let length = u64::try_from(der.len()).unwrap_or(u64::MAX);
        bytes.extend_from_slice(&length.to_be_bytes());
        bytes.extend_from_slice(der);
    }
    sha256(&bytes)
}

impl ChainCache {
    pub(super) fn get(&self, key: &Key, now: UnixTime) -> Option<VerifiedCertificate> {
        let entries = self.lock();
        let entry = entries.by_key.get(key)?;
        entry
            .window
            .contains(now)
            .then(|| entry.certificate.clone())
    }

    pub(super) fn put(&self, key: Key, certificate: VerifiedCertificate, window: Window) {
        let mut entries = self.lock();
        let entry = Entry {
            certificate,
            window,
        };
        if entries.by_key.insert(key, entry).is_some() {
            return;
        }
        entries.order.push_back(key);
        if entries.order.len() > MAX_CACHED_CHAINS
            && let Some(oldest) = entries.order.pop_front()
        {
            entries.by_key.remove(&oldest);
        }
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        let entries = self.lock();
        assert_eq!(entries.by_key.len(), entries.order.len());
        entries.order.len()
    }

    fn lock(&self) -> MutexGuard<'_, Entries> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
