//! Status lists in memory: relying parties ask for them far more often than they change.
//!
//! A list is read again after a change that this process made, and after a second because
//! another process may have made one.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex as SyncMutex, PoisonError};

use axum::body::Bytes;
use tokio::sync::Mutex;
use vouchsafe_credentials::time::UnixTime;

use crate::core::Core;
use crate::domain::ids::StatusListId;
use crate::status::{self, StatusListError};
use crate::store::status_lists::StatusListRow;

/// Most lists in memory. The largest has two megabytes as a token.
const MAX_LISTS: usize = 64;
/// A list is read again after so many seconds.
const MAX_AGE_S: i64 = 1;

/// A published list as it is sent.
#[derive(Debug)]
pub struct Shown {
    /// The status list token.
    pub token: Bytes,
    /// The same as CWT, where mdocs are issued.
    pub cwt: Option<Bytes>,
    /// What the entity tags of both begin with.
    pub version: String,
    expires_at: UnixTime,
}

impl From<StatusListRow> for Shown {
    fn from(row: StatusListRow) -> Self {
        Self {
            version: format!("{}.{}", row.published_version, row.issued_at.0),
            token: Bytes::from(row.token),
            cwt: row.cwt.map(Bytes::from),
            expires_at: row.expires_at,
        }
    }
}

#[derive(Debug)]
struct Kept {
    shown: Arc<Shown>,
    /// What the counter of changes said before the list was read.
    changes: u64,
    read_at: UnixTime,
}

type Slot = Arc<Mutex<Option<Kept>>>;

/// The lists in memory.
#[derive(Debug, Default)]
pub struct ShownLists {
    /// Counts the changes of statuses that this process made.
    changes: AtomicU64,
    slots: SyncMutex<HashMap<StatusListId, Slot>>,
}

impl ShownLists {
    /// Says that statuses may have changed: lists that were read before are not shown any more.
    /// To be called when the transaction is over, whatever its outcome.
    pub fn changed(&self) {
        self.changes.fetch_add(1, Ordering::SeqCst);
    }

    /// The published list; `None` when there is no such list. Whoever asks while it is read waits
    /// for that, and takes it if the reading began after they came.
    pub async fn get(
        &self,
        core: &Core,
        id: &StatusListId,
    ) -> Result<Option<Arc<Shown>>, StatusListError> {
        let came = self.changes.load(Ordering::SeqCst);
        let slot = self.slot(id);
        let mut kept = slot.lock().await;
        let now = core.clock.now();
        if let Some(kept) = kept.as_ref().filter(|kept| {
            kept.changes >= came
                && (0..MAX_AGE_S).contains(&now.since(kept.read_at))
                && kept.shown.expires_at > status::soon(core)
        }) {
            return Ok(Some(Arc::clone(&kept.shown)));
        }
        let changes = self.changes.load(Ordering::SeqCst);
        let Some(row) = status::published(core, id).await? else {
            self.slots().remove(id);
            return Ok(None);
        };
        let shown = Arc::new(Shown::from(row));
        *kept = Some(Kept {
            shown: Arc::clone(&shown),
            changes,
            read_at: now,
        });
        Ok(Some(shown))
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.slots().len()
    }

    fn slot(&self, id: &StatusListId) -> Slot {
        let mut slots = self.slots();
        if slots.len() >= MAX_LISTS && !slots.contains_key(id) {
            slots.retain(|_, slot| Arc::strong_count(slot) > 1);
        }
        if slots.len() >= MAX_LISTS && !slots.contains_key(id) {
            return Slot::default();
        }
        Arc::clone(slots.entry(id.clone()).or_default())
    }

    fn slots(&self) -> std::sync::MutexGuard<'_, HashMap<StatusListId, Slot>> {
        // The map is whole at every moment, so a panic elsewhere leaves nothing half done.
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
