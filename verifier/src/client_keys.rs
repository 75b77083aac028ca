//! The public keys that clients publish at addresses of their own (`jwks_uri`), kept for a while.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use url::Url;
use vouchsafe_credentials::jwks::JwkSet;
use vouchsafe_credentials::time::UnixTime;
use vouchsafe_service::kept::{FetchFailure, Slot};

use crate::outbound::Outbound;
use crate::views::chain;

/// Why there are no keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeySetError {
    /// The client does not answer.
    #[error("the client's key set cannot be had")]
    NoAnswer,
    /// What it answers is no key set, or has a private key in it.
    #[error("the client's key set cannot be read")]
    Malformed,
}

impl FetchFailure for KeySetError {
    fn is_no_answer(&self) -> bool {
        *self == Self::NoAnswer
    }

    fn code(&self) -> &'static str {
        match self {
            Self::NoAnswer => "client_keys_unreachable",
            Self::Malformed => "client_keys_malformed",
        }
    }
}

/// So many addresses are remembered before those are forgotten that nobody asks for now.
const REMEMBERED: usize = 1000;

type Place = Arc<Slot<JwkSet, KeySetError>>;

/// The key sets of clients that publish them. Only addresses of applications that are served are
/// asked.
pub struct PublishedKeys {
    slots: Mutex<HashMap<Url, Place>>,
    outbound: Arc<dyn Outbound>,
}

impl PublishedKeys {
    /// Nothing is fetched yet.
    pub fn new(outbound: Arc<dyn Outbound>) -> Self {
        Self {
            slots: Mutex::default(),
            outbound,
        }
    }

    fn slot(&self, uri: &Url) -> Place {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        if slots.len() >= REMEMBERED && !slots.contains_key(uri) {
            slots.retain(|_, slot| Arc::strong_count(slot) > 1);
        }
        Arc::clone(slots.entry(uri.clone()).or_default())
    }

    /// The keys at an address.
    pub async fn keys(&self, uri: &Url, now: UnixTime) -> Result<Arc<JwkSet>, KeySetError> {
        self.slot(uri).value(now, self.fetch(uri)).await
    }

    /// The keys once more, for a signature that none of `seen` made: the client may have a new
    /// one. Nothing where they were fetched a moment ago.
    pub async fn newer(
        &self,
        uri: &Url,
        seen: &Arc<JwkSet>,
        now: UnixTime,
    ) -> Result<Option<Arc<JwkSet>>, KeySetError> {
        self.slot(uri).newer(seen, now, self.fetch(uri)).await
    }

    async fn fetch(&self, uri: &Url) -> Result<JwkSet, KeySetError> {
        let bytes = self.outbound.key_set(uri).await.map_err(|error| {
            tracing::warn!(error = %chain(&error), "key set of a client not available");
            KeySetError::NoAnswer
        })?;
        JwkSet::parse_usable(&bytes).map_err(|_| KeySetError::Malformed)
    }
}
