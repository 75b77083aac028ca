//! How much one request may make the service do.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use vouchsafe_credentials::bitstring_status_list::{FetchedList, RetrievalError, StatusListSource};
use vouchsafe_credentials::did::{
    ErrorCode, Resolution, ResolutionError, ResolutionOptions, Resolver,
};

/// Keys that are looked up and status lists that are fetched for one request, together. Each
/// proof, envelope and status entry needs one, so this bounds the signatures that are checked too.
const LOOKUPS: u32 = 96;
/// How long one request is worked on.
const TIME: Duration = Duration::from_secs(20);

/// What is left for one request.
pub(super) struct Budget {
    left: AtomicU32,
    until: Instant,
}

#[derive(Debug, thiserror::Error)]
#[error("the request needs more work than one may")]
struct Spent;

impl Budget {
    /// A whole one, from now.
    pub(super) fn new() -> Self {
        Self {
            left: AtomicU32::new(LOOKUPS),
            until: Instant::now() + TIME,
        }
    }

    fn spend(&self) -> Result<Duration, Spent> {
        let time = self.until.saturating_duration_since(Instant::now());
        let one = |left: u32| left.checked_sub(1);
        let left = self
            .left
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, one);
        match left {
            Ok(_) if !time.is_zero() => Ok(time),
            _ => Err(Spent),
        }
    }
}

/// A resolver, or a source of lists, that works while the budget lasts.
pub(super) struct Within<'a, T: ?Sized> {
    pub budget: &'a Budget,
    pub inner: &'a T,
}

#[async_trait::async_trait]
impl Resolver for Within<'_, dyn Resolver> {
    async fn resolve(&self, did: &str, options: &ResolutionOptions) -> Resolution {
        let spent = || {
            let detail = "the request needs more work than one may";
            Resolution::failed(ResolutionError::new(ErrorCode::InternalError, detail))
        };
        let Ok(time) = self.budget.spend() else {
            return spent();
        };
        let resolution = tokio::time::timeout(time, self.inner.resolve(did, options));
        resolution.await.unwrap_or_else(|_| spent())
    }
}

#[async_trait::async_trait]
impl StatusListSource for Within<'_, dyn StatusListSource> {
    async fn fetch(&self, url: &str) -> Result<FetchedList, RetrievalError> {
        let spent = || RetrievalError(Box::new(Spent));
        let time = self.budget.spend().map_err(|_| spent())?;
        let list = tokio::time::timeout(time, self.inner.fetch(url));
        list.await.unwrap_or_else(|_| Err(spent()))
    }
}

#[cfg(test)]
mod tests {
    use vouchsafe_credentials::did::LocalResolver;

    use super::*;

    #[tokio::test]
    async fn a_request_that_asks_too_often_is_answered_no_more() {
        let budget = Budget::new();
        let inner: &dyn Resolver = &LocalResolver;
        let resolver = Within {
            budget: &budget,
            inner,
        };
        let did = "did:key:z6MkpTHR8VNsBxYAAWHut2Geadd9jSwuBV8xRoAnwWsdvktH";
        let resolves = async || {
            let options = ResolutionOptions::default();
            resolver.resolve(did, &options).await.active().is_ok()
        };
        for at in 0..LOOKUPS {
            assert!(resolves().await, "{at}");
        }
        assert!(!resolves().await);
        let late = Budget {
            left: AtomicU32::new(1),
            until: Instant::now(),
        };
        assert!(late.spend().is_err());
    }
}
