//! Documents through the guarded fetcher.

use async_trait::async_trait;
use vouchsafe_credentials::did::{DidFetch, DidFetchError, Fetched};

use crate::fetch::{FetchError, Fetcher, Limits, Refused};

const ACCEPT: &str = "application/did, application/did+json, application/json, text/jsonl";

/// Fetches DID documents and logs: https to public addresses, no redirects, capped in size and time.
#[derive(Debug, Clone)]
pub struct GuardedFetch {
    fetcher: Fetcher,
}

impl GuardedFetch {
    /// Fetches through `fetcher`.
    pub fn new(fetcher: Fetcher) -> Self {
        Self { fetcher }
    }
}

#[async_trait]
impl DidFetch for GuardedFetch {
    async fn fetch(&self, url: &str, limit: usize) -> Result<Fetched, DidFetchError> {
        let limits = Limits {
            body: limit,
            ..Limits::DID_DOCUMENT
        };
        let response = self
            .fetcher
            .get(url, ACCEPT, limits)
            .await
            .map_err(reason)?;
        match response.status {
            200 => Ok(Fetched {
                content_type: response.header("content-type").map(str::to_owned),
                body: response.body,
            }),
            404 | 410 => Err(DidFetchError::NotFound),
            // did:web, "Read": a redirect is no document, and it is not followed.
            _ => Err(DidFetchError::Unavailable),
        }
    }
}

fn reason(error: FetchError) -> DidFetchError {
    match error {
        FetchError::Refused(Refused::Unresolved) => DidFetchError::Unavailable,
        FetchError::Refused(_) => DidFetchError::Refused,
        FetchError::TooLarge => DidFetchError::TooLarge,
        FetchError::Unreachable
        | FetchError::Timeout
        | FetchError::Redirect
        | FetchError::Encoded
        | FetchError::Setup => DidFetchError::Unavailable,
    }
}
