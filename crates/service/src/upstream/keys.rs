//! What was fetched from a provider and is kept for a while: metadata and keys.

use std::sync::Arc;

use vouchsafe_credentials::time::UnixTime;

use super::discovery::{Metadata, location};
use super::{DiscoveryError, UpstreamError};
use crate::fetch::{Fetcher, Limits, Response};
use crate::jose::Jwks;
use crate::kept::{FetchFailure, Slot};

impl FetchFailure for UpstreamError {
    fn is_no_answer(&self) -> bool {
        matches!(
            self,
            Self::Unreachable(_) | Self::Status(_) | Self::Discovery(DiscoveryError::Json)
        )
    }

    fn code(&self) -> &'static str {
        Self::code(self)
    }
}

/// Metadata and keys of one provider.
#[derive(Default)]
pub(super) struct Cache {
    metadata: Slot<Metadata, UpstreamError>,
    keys: Slot<Jwks, UpstreamError>,
}

impl Cache {
    pub(super) async fn metadata(
        &self,
        fetcher: &Fetcher,
        issuer: &str,
        now: UnixTime,
    ) -> Result<Arc<Metadata>, UpstreamError> {
        let url = location(issuer);
        let fetch = async {
            let answer = fetcher.get(&url, "application/json", Limits::METADATA);
            Ok(Metadata::parse(&body(answer.await?)?, issuer)?)
        };
        self.metadata.value(now, fetch).await
    }

    pub(super) async fn keys(
        &self,
        fetcher: &Fetcher,
        jwks_uri: &str,
        now: UnixTime,
    ) -> Result<Arc<Jwks>, UpstreamError> {
        self.keys.value(now, key_set(fetcher, jwks_uri)).await
    }

    /// The key set once more, for a token that no key of `seen` fits; nothing where it was fetched a
    /// moment ago.
    pub(super) async fn newer_keys(
        &self,
        fetcher: &Fetcher,
        (jwks_uri, seen): (&str, &Arc<Jwks>),
        now: UnixTime,
    ) -> Result<Option<Arc<Jwks>>, UpstreamError> {
        self.keys.newer(seen, now, key_set(fetcher, jwks_uri)).await
    }
}

async fn key_set(fetcher: &Fetcher, jwks_uri: &str) -> Result<Jwks, UpstreamError> {
    let answer = fetcher.get(jwks_uri, "application/json", Limits::JWKS);
    let keys = Jwks::parse_usable(&body(answer.await?)?);
    keys.map_err(|_| UpstreamError::Malformed("key set"))
}

fn body(answer: Response) -> Result<Vec<u8>, UpstreamError> {
    match answer.is_success() {
        true => Ok(answer.body),
        false => Err(UpstreamError::Status(answer.status)),
    }
}
