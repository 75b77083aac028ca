//! Status lists of others: through the guarded fetcher, kept for a while.

use std::time::Duration;

use moka::future::Cache;
use vouchsafe_credentials::bitstring_status_list::{FetchedList, RetrievalError, StatusListSource};

use crate::fetch::{FetchError, Fetcher, Limits};

/// How long a list is kept.
const KEPT: Duration = Duration::from_secs(60);
/// Bytes that are kept in all.
const BYTES: u64 = 64 * 1024 * 1024;
/// What is asked for; Bitstring Status List 1.0 leaves the securing mechanism to the issuer.
const ACCEPT: &str = "application/vc, application/vc+jwt;q=0.9, application/ld+json;q=0.8";

/// Fetches status list credentials: https, public addresses, capped, cached.
#[derive(Clone)]
pub struct GuardedLists {
    fetcher: Fetcher,
    cache: Cache<String, FetchedList>,
}

/// Why a list could not be had.
#[derive(Debug, thiserror::Error)]
enum ListError {
    #[error(transparent)]
    Fetch(#[from] FetchError),
    #[error("the host answered with an error")]
    Status,
}

impl GuardedLists {
    /// Lists through this fetcher.
    #[must_use]
    pub fn new(fetcher: Fetcher) -> Self {
        let weigh = |url: &String, list: &FetchedList| {
            u32::try_from(url.len() + list.body.len()).unwrap_or(u32::MAX)
        };
        let cache = Cache::builder()
            .weigher(weigh)
            .max_capacity(BYTES)
            .time_to_live(KEPT)
            .build();
        Self { fetcher, cache }
    }

    async fn get(&self, url: &str) -> Result<FetchedList, ListError> {
        let response = self.fetcher.get(url, ACCEPT, Limits::STATUS_LIST).await?;
        if response.status != 200 {
            return Err(ListError::Status);
        }
        let kind = response.header("content-type").unwrap_or_default();
        let kind = kind.split(';').next().unwrap_or_default().trim();
        Ok(FetchedList {
            media_type: kind.to_ascii_lowercase(),
            body: response.body,
        })
    }
}

#[async_trait::async_trait]
impl StatusListSource for GuardedLists {
    async fn fetch(&self, url: &str) -> Result<FetchedList, RetrievalError> {
        if let Some(list) = self.cache.get(url).await {
            return Ok(list);
        }
        let list = self
            .get(url)
            .await
            .map_err(|error| RetrievalError(Box::new(error)))?;
        self.cache.insert(url.to_owned(), list.clone()).await;
        Ok(list)
    }
}

impl std::fmt::Debug for GuardedLists {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("GuardedLists")
    }
}
