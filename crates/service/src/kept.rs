//! What was fetched from somebody else and is kept for a while: key sets, metadata.

use std::sync::{Arc, PoisonError, RwLock};

use tokio::sync::Mutex;
use vouchsafe_credentials::time::UnixTime;

/// How a fetch fails.
pub trait FetchFailure: Clone {
    /// Whether the other side, or who stands before it, just does not answer. What it does say
    /// counts at once.
    fn is_no_answer(&self) -> bool;

    /// A stable word for the log.
    fn code(&self) -> &'static str;
}

/// How long it is believed, in seconds.
const KEPT_S: i64 = 3_600;
/// How long it is believed at most while its owner does not answer, in seconds. A key that was
/// withdrawn is believed no longer than this.
const STALE_S: i64 = 6 * 3_600;
/// How long a key set is not fetched again for a key that is not in it, in seconds: anybody can
/// name keys that do not exist.
const REFETCH_S: i64 = 10;
/// How long nothing is fetched after a failure, in seconds.
const RETRY_S: i64 = 5;

struct Kept<T> {
    value: Arc<T>,
    at: UnixTime,
}

struct Failed<E> {
    error: E,
    at: UnixTime,
}

/// How fetching went.
struct Fetches<E> {
    /// How it failed last.
    failed: Option<Failed<E>>,
    /// When something newer was looked for last.
    newer_at: Option<UnixTime>,
}

impl<E> Default for Fetches<E> {
    fn default() -> Self {
        Self {
            failed: None,
            newer_at: None,
        }
    }
}

/// One thing that is fetched. One caller fetches it, the others wait or take what there is.
pub struct Slot<T, E> {
    kept: RwLock<Option<Kept<T>>>,
    /// Held while somebody fetches.
    fetching: Mutex<Fetches<E>>,
}

impl<T, E> Default for Slot<T, E> {
    fn default() -> Self {
        Self {
            kept: RwLock::default(),
            fetching: Mutex::default(),
        }
    }
}

impl<T, E> std::fmt::Debug for Slot<T, E> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Slot")
    }
}

impl<T, E: FetchFailure> Slot<T, E> {
    /// The value, fetched where it is too old. Where that fails, the old one for a while.
    pub async fn value(
        &self,
        now: UnixTime,
        fetch: impl Future<Output = Result<T, E>>,
    ) -> Result<Arc<T>, E> {
        if let Some(kept) = self.within(now, KEPT_S) {
            return Ok(kept.value);
        }
        let old = self.within(now, STALE_S);
        let mut fetches = match (self.fetching.try_lock(), &old) {
            (Ok(fetches), _) => fetches,
            (Err(_), Some(old)) => return Ok(Arc::clone(&old.value)),
            (Err(_), None) => self.fetching.lock().await,
        };
        // Somebody else may have fetched it while we waited.
        if let Some(kept) = self.within(now, KEPT_S) {
            return Ok(kept.value);
        }
        match (self.fetch(&mut fetches.failed, now, fetch).await, old) {
            (Err(error), Some(old)) if error.is_no_answer() => {
                let code = error.code();
                tracing::warn!(code, "no answer: what was said before is used");
                Ok(old.value)
            }
            (fetched, _) => fetched,
        }
    }

    /// Something newer than `seen`; nothing where that was looked for a moment ago. A key set that
    /// changed right after it was fetched for the first time is found (OpenID Connect Core, section
    /// 10.1.1).
    pub async fn newer(
        &self,
        seen: &Arc<T>,
        now: UnixTime,
        fetch: impl Future<Output = Result<T, E>>,
    ) -> Result<Option<Arc<T>>, E> {
        let mut fetches = self.fetching.lock().await;
        if let Some(kept) = self.within(now, KEPT_S)
            && !Arc::ptr_eq(&kept.value, seen)
        {
            return Ok(Some(kept.value));
        }
        if fetches.newer_at.is_some_and(|at| fresh(at, now, REFETCH_S)) {
            return Ok(None);
        }
        // A fetch that failed, or that nobody waited for, is none: a key that is there must be found.
        let fetched = self.fetch(&mut fetches.failed, now, fetch).await?;
        fetches.newer_at = Some(now);
        Ok(Some(fetched))
    }

    async fn fetch(
        &self,
        failed: &mut Option<Failed<E>>,
        now: UnixTime,
        fetch: impl Future<Output = Result<T, E>>,
    ) -> Result<Arc<T>, E> {
        if let Some(failed) = failed.as_ref().filter(|one| fresh(one.at, now, RETRY_S)) {
            return Err(failed.error.clone());
        }
        let fetched = fetch.await.map(Arc::new);
        *failed = match &fetched {
            Ok(value) => {
                let value = Arc::clone(value);
                let kept = Some(Kept { value, at: now });
                *self.kept.write().unwrap_or_else(PoisonError::into_inner) = kept;
                None
            }
            Err(error) => Some(Failed {
                error: error.clone(),
                at: now,
            }),
        };
        fetched
    }

    fn within(&self, now: UnixTime, kept_s: i64) -> Option<Kept<T>> {
        let kept = self.kept.read().unwrap_or_else(PoisonError::into_inner);
        let kept = kept.as_ref().filter(|kept| fresh(kept.at, now, kept_s));
        kept.map(|kept| Kept {
            value: Arc::clone(&kept.value),
            at: kept.at,
        })
    }
}

/// A clock that went back makes nothing fresh for longer.
fn fresh(at: UnixTime, now: UnixTime, kept_s: i64) -> bool {
    (0..kept_s).contains(&now.since(at))
}
