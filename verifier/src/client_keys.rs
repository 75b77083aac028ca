//! The public keys that clients publish at addresses of their own (`jwks_uri`), kept for a while.

use std::collections::HashMap;
use std::sync::Arc;

use url::Url;
use vouchsafe_credentials::jwks::JwkSet;
use vouchsafe_credentials::time::UnixTime;
use vouchsafe_service::kept::{FetchFailure, Slot};

use crate::config::{Authentication, ClientKeys, Settings};
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

/// The key sets of all clients that publish them.
pub struct PublishedKeys {
    slots: HashMap<Url, Slot<JwkSet, KeySetError>>,
    outbound: Arc<dyn Outbound>,
}

impl PublishedKeys {
    /// One place for each address of the configuration; no other is ever asked.
    pub fn new(settings: &Settings, outbound: Arc<dyn Outbound>) -> Self {
        let published = settings.authentications().filter_map(|one| match one {
            Authentication::PrivateKeyJwt(ClientKeys::At(uri)) => Some(uri.clone()),
            Authentication::PrivateKeyJwt(ClientKeys::Listed(_))
            | Authentication::Secret(_)
            | Authentication::None => None,
        });
        Self {
            slots: published.map(|uri| (uri, Slot::default())).collect(),
            outbound,
        }
    }

    /// The keys at an address.
    pub async fn keys(&self, uri: &Url, now: UnixTime) -> Result<Arc<JwkSet>, KeySetError> {
        let slot = self.slots.get(uri).ok_or(KeySetError::NoAnswer)?;
        slot.value(now, self.fetch(uri)).await
    }

    /// The keys once more, for a signature that none of `seen` made: the client may have a new
    /// one. Nothing where they were fetched a moment ago.
    pub async fn newer(
        &self,
        uri: &Url,
        seen: &Arc<JwkSet>,
        now: UnixTime,
    ) -> Result<Option<Arc<JwkSet>>, KeySetError> {
        let slot = self.slots.get(uri).ok_or(KeySetError::NoAnswer)?;
        slot.newer(seen, now, self.fetch(uri)).await
    }

    async fn fetch(&self, uri: &Url) -> Result<JwkSet, KeySetError> {
        let bytes = self.outbound.key_set(uri).await.map_err(|error| {
            tracing::warn!(error = %chain(&error), "key set of a client not available");
            KeySetError::NoAnswer
        })?;
        JwkSet::parse_usable(&bytes).map_err(|_| KeySetError::Malformed)
    }
}
