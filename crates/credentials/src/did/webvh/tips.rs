//! What was seen of each log, so that an older or another one is noticed.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};

use super::{Log, invalid};
use crate::did::ResolutionError;

/// Most DIDs that are remembered; the one that came first is forgotten first.
const MAX_DIDS: usize = 4096;

/// The `versionId` of the last version that was seen of each DID.
///
/// did:webvh 1.0, "Security and Privacy Considerations", truncation of log entries and
/// conflicting updates: whoever serves a log can leave its end away, and whoever has an old key
/// can write another one. Each is a valid log by itself.
#[derive(Debug, Default)]
pub(in crate::did) struct Tips(Mutex<Seen>);

#[derive(Debug, Default)]
struct Seen {
    tips: HashMap<String, String>,
    order: VecDeque<String>,
}

impl Tips {
    /// Refuses a log that lacks what was seen before, and remembers its end. A version id holds a
    /// hash over everything before it, so a log with the same id goes on from the same history.
    pub(in crate::did) fn check(&self, log: &Log) -> Result<(), ResolutionError> {
        let did = log.place.did().as_str();
        // Nothing is half done when a panic elsewhere poisons the lock.
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.tips.get(did).is_some_and(|tip| !log.has(tip)) {
            return Err(invalid("the log lacks a version that was seen before"));
        }
        // A log with an entry that is refused is not where later ones must go on from.
        let Some(tip) = log.tip().filter(|_| log.refused.is_none()) else {
            return Ok(());
        };
        if seen.tips.insert(did.to_owned(), tip.to_owned()).is_none() {
            seen.order.push_back(did.to_owned());
            if seen.order.len() > MAX_DIDS
                && let Some(first) = seen.order.pop_front()
            {
                seen.tips.remove(&first);
            }
        }
        Ok(())
    }
}

impl Log {
    fn has(&self, version_id: &str) -> bool {
        let mut versions = self.versions.iter();
        versions.any(|version| version.entry.version_id == version_id)
    }

    fn tip(&self) -> Option<&str> {
        let last = self.versions.last()?;
        Some(last.entry.version_id.as_str())
    }
}
