//! One request a minute for each address, whatever is asked about the DID behind it.
//!
//! Versions of a did:webvh are all in one log: they are read from the log that was fetched.

use std::sync::Arc;

use async_trait::async_trait;
use moka::future::Cache;
use vouchsafe_credentials::{
    did::{DidFetch, DidFetchError, Fetched},
    time::{Clock, UnixTime},
};

use super::PATIENCE;

/// Bytes of answers that are remembered.
const CAPACITY: u64 = 32 * 1024 * 1024;
/// What an entry costs beside its body.
const OVERHEAD: usize = 512;

struct Answer {
    result: Result<Fetched, DidFetchError>,
    asked: UnixTime,
}

/// A fetcher that remembers every answer, failures included, for a minute.
pub struct PatientFetch<F> {
    inner: F,
    clock: Arc<dyn Clock>,
    answers: Cache<(String, usize), Arc<Answer>>,
}

impl<F: DidFetch> PatientFetch<F> {
    /// Remembers what `inner` fetches.
    pub fn new(inner: F, clock: Arc<dyn Clock>) -> Self {
        let weight = |(url, _): &(String, usize), answer: &Arc<Answer>| {
            let content = answer.result.as_ref().map_or(0, |it| {
                it.body.capacity() + it.content_type.as_ref().map_or(0, String::capacity)
            });
            u32::try_from(url.len() + content + OVERHEAD).unwrap_or(u32::MAX)
        };
        let answers = Cache::builder()
            .max_capacity(CAPACITY)
            .weigher(weight)
            .build();
        Self {
            inner,
            clock,
            answers,
        }
    }
}

#[async_trait]
impl<F: DidFetch> DidFetch for PatientFetch<F> {
    async fn fetch(&self, url: &str, limit: usize) -> Result<Fetched, DidFetchError> {
        let now = self.clock.now();
        let stale = |answer: &Arc<Answer>| now.since(answer.asked) >= PATIENCE;
        let ask = async {
            let result = self.inner.fetch(url, limit).await;
            Arc::new(Answer { result, asked: now })
        };
        let entry = self.answers.entry((url.to_owned(), limit));
        let entry = entry.or_insert_with_if(ask, stale).await;
        entry.into_value().result.clone()
    }
}
