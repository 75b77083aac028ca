//! Places in the status lists: a random one for each new credential.

use std::ops::RangeInclusive;
use std::sync::{Mutex, PoisonError};

use vouchsafe_credentials::random;

use crate::core::Core;
use crate::domain::credential::StatusPlace;
use crate::domain::ids::StatusListId;
use crate::status::StatusListError;
use crate::store::credentials;
use crate::store::status_lists::{self, CurrentList};

/// Places drawn at once: the power of two that holds what is wanted, within these. A list is left
/// for a new one when a whole draw hits taken places; for one credential that happens at about
/// three quarters full.
const DRAW: RangeInclusive<usize> = 16..=128;
/// Lists that are opened for one request at most.
const MAX_LISTS: usize = 8;

/// The list that new credentials go to, as it was last read. Where another process has opened a
/// newer one since, this one takes credentials until it is full all the same.
#[derive(Debug, Default)]
pub struct Places(Mutex<Option<CurrentList>>);

impl Places {
    /// Has the list read again.
    pub fn forget(&self) {
        self.set(None);
    }

    fn set(&self, list: Option<CurrentList>) {
        // It is replaced as a whole.
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = list;
    }

    fn get(&self) -> Option<CurrentList> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

/// Draws `count` free places. They are free when this returns; the unique index decides when
/// the credential is stored.
pub async fn pick(core: &Core, count: usize) -> Result<Vec<StatusPlace>, StatusListError> {
    let mut places = Vec::with_capacity(count);
    let mut opened = 0;
    while places.len() < count {
        let list = current(core).await?;
        let before = places.len();
        draw(core, &list, count, &mut places).await?;
        if places.len() == before {
            opened += 1;
            if opened > MAX_LISTS {
                return Err(StatusListError::Full);
            }
            leave(core, &list).await?;
        }
    }
    Ok(places)
}

/// Leaves a list that is full for a newer one, which is opened unless there is one.
async fn leave(core: &Core, full: &CurrentList) -> Result<(), StatusListError> {
    core.places.forget();
    if current(core).await?.seq <= full.seq {
        open(core, full.seq + 1).await?;
        core.places.forget();
    }
    Ok(())
}

/// One draw: uniformly random indices, without those that are taken or drawn already.
async fn draw(
    core: &Core,
    list: &CurrentList,
    count: usize,
    places: &mut Vec<StatusPlace>,
) -> Result<(), StatusListError> {
    let size = u64::try_from(list.size).map_err(|_| StatusListError::Range)?;
    let wanted = (count - places.len()).next_power_of_two();
    let wanted = wanted.clamp(*DRAW.start(), *DRAW.end());
    // Token Status List, section 12.6 ("Unlinkability"): the index is random, so it says
    // nothing about when or for whom a credential was issued.
    let candidates: Result<Vec<_>, _> = (0..wanted).map(|_| random_below(core, size)).collect();
    let candidates = candidates?;
    let taken = credentials::taken(&core.db, &list.id, &candidates).await?;
    for idx in candidates {
        let place = StatusPlace {
            list: list.id.clone(),
            idx,
        };
        if places.len() < count && !taken.contains(&idx) && !places.contains(&place) {
            places.push(place);
        }
    }
    Ok(())
}

/// A uniform number below `limit`, by rejection.
pub(crate) fn random_below(core: &Core, limit: u64) -> Result<i64, StatusListError> {
    if limit == 0 {
        return Err(StatusListError::Range);
    }
    let zone = u64::MAX - u64::MAX % limit;
    loop {
        let value = u64::from_be_bytes(random::bytes::<8>(&*core.rng));
        if value < zone {
            return i64::try_from(value % limit).map_err(|_| StatusListError::Range);
        }
    }
}

async fn current(core: &Core) -> Result<CurrentList, StatusListError> {
    if let Some(list) = core.places.get() {
        return Ok(list);
    }
    let mut list = status_lists::current(&core.db).await?;
    if list.is_none() {
        open(core, 1).await?;
        list = status_lists::current(&core.db).await?;
    }
    let list = list.ok_or(StatusListError::Full)?;
    core.places.set(Some(list.clone()));
    Ok(list)
}

async fn open(core: &Core, seq: i64) -> Result<(), StatusListError> {
    let id = StatusListId::new(core.ids.next());
    let size = i64::from(core.settings.status.list_size);
    core.db
        .write(async move |tx| status_lists::open(tx, &id, seq, size).await)
        .await?;
    Ok(())
}
