//! Status lists: a random place for each new credential, and publishing.

use vouchsafe_credentials::cose::CoseSignError;
use vouchsafe_credentials::jws::SignError;
use vouchsafe_credentials::random;
use vouchsafe_credentials::status_list::{
    Bits, Status, StatusCwtInput, StatusError, StatusList, StatusTokenInput, sign_status_list,
    sign_status_list_cwt,
};
use vouchsafe_service::db::DbError;

use crate::core::Core;
use crate::domain::credential::{CredentialStatus, StatusPlace};
use crate::domain::ids::StatusListId;
use crate::signing::NoKey;
use crate::store::credentials;
use crate::store::status_lists::{self, StatusListRow};

/// Places drawn at once. A list is left for a new one when a whole draw hits taken places,
/// which happens at about three quarters full.
const DRAW: usize = 16;
/// Lists that are opened for one request at most.
const MAX_LISTS: usize = 8;

/// How often a list is signed for one request when other processes publish it in between.
const MAX_PUBLISH: usize = 8;

/// Why there is no place or no token.
#[derive(Debug, thiserror::Error)]
pub enum StatusListError {
    /// The database failed.
    #[error("the database failed")]
    Db(#[from] DbError),
    /// The list could not be encoded.
    #[error("the status list could not be encoded")]
    Encode(#[from] StatusError),
    /// The token could not be signed.
    #[error("the status list could not be signed")]
    Sign(#[from] SignError),
    /// The token could not be signed as CWT.
    #[error("the status list could not be signed as CWT")]
    SignCwt(#[from] CoseSignError),
    /// Every key is retired, or not in use yet.
    #[error(transparent)]
    NoKey(#[from] NoKey),
    /// A stored size or index is out of range.
    #[error("a stored size or index is out of range")]
    Range,
    /// No free place was found.
    #[error("no free place was found")]
    Full,
}

/// Draws `count` free places. They are free when this returns; the unique index decides when
/// the credential is stored.
pub async fn pick(core: &Core, count: usize) -> Result<Vec<StatusPlace>, StatusListError> {
    let mut places = Vec::with_capacity(count);
    let mut opened = 0;
    while places.len() < count {
        let (list, size, seq) = current(core).await?;
        let before = places.len();
        draw(core, &list, size, count, &mut places).await?;
        if places.len() == before {
            opened += 1;
            if opened > MAX_LISTS {
                return Err(StatusListError::Full);
            }
            open(core, seq + 1).await?;
        }
    }
    Ok(places)
}

/// One draw: uniformly random indices, without those that are taken or drawn already.
async fn draw(
    core: &Core,
    list: &StatusListId,
    size: i64,
    count: usize,
    places: &mut Vec<StatusPlace>,
) -> Result<(), StatusListError> {
    let size = u64::try_from(size).map_err(|_| StatusListError::Range)?;
    let mut candidates = [0i64; DRAW];
    for candidate in &mut candidates {
        // Token Status List, section 12.6 ("Unlinkability"): the index is random, so it says
        // nothing about when or for whom a credential was issued.
        *candidate = random_below(core, size)?;
    }
    let taken = credentials::taken(&core.db, list, &candidates).await?;
    for idx in candidates {
        let place = StatusPlace {
            list: list.clone(),
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

async fn current(core: &Core) -> Result<(StatusListId, i64, i64), StatusListError> {
    if let Some(list) = status_lists::current(&core.db).await? {
        return Ok(list);
    }
    open(core, 1).await?;
    status_lists::current(&core.db)
        .await?
        .ok_or(StatusListError::Full)
}

async fn open(core: &Core, seq: i64) -> Result<(), StatusListError> {
    let id = StatusListId::new(core.ids.next());
    let size = i64::from(core.settings.status.list_size);
    core.db
        .write(async move |tx| status_lists::open(tx, &id, seq, size).await)
        .await?;
    Ok(())
}

/// The published list, signed anew if a status changed or the token ends soon. `None`: there is
/// no such list.
pub async fn published(
    core: &Core,
    id: &StatusListId,
) -> Result<Option<StatusListRow>, StatusListError> {
    for _ in 0..MAX_PUBLISH {
        let Some(row) = status_lists::find(&core.db, id).await? else {
            return Ok(None);
        };
        let complete = row.cwt.is_some() || core.signing.mdoc.is_empty();
        if complete && !row.is_dirty() && row.expires_at > soon(core) {
            return Ok(Some(row));
        }
        // Where another process was faster, its list is looked at again: it may be older than
        // the change that is to be shown.
        if let Some(new) = publish(core, row).await? {
            return Ok(Some(new));
        }
    }
    Ok(status_lists::find(&core.db, id).await?)
}

/// Publishes every list that is due; returns how many.
pub async fn publish_due(core: &Core) -> Result<usize, StatusListError> {
    let due = status_lists::due(&core.db, soon(core)).await?;
    for id in &due {
        published(core, id).await?;
    }
    Ok(due.len())
}

/// Tokens that end before this moment are signed again: half of their life is over.
pub(crate) fn soon(core: &Core) -> vouchsafe_credentials::time::UnixTime {
    core.clock.now().plus(core.settings.status.lifetime_s / 2)
}

/// Signs a list as it stands and publishes it. `None`: another process published it meanwhile.
async fn publish(
    core: &Core,
    old: StatusListRow,
) -> Result<Option<StatusListRow>, StatusListError> {
    // The version was read before the entries: a change in between leaves the list dirty.
    let entries = status_lists::not_valid(&core.db, &old.id).await?;
    let list = encode(old.size, &entries)?;
    // A clock that goes back must not make `iat` go back: relying parties refuse that.
    let now = core.clock.now();
    let issued_at = now.max(old.issued_at);
    let expires_at = issued_at.plus(core.settings.status.lifetime_s);
    let uri = core.settings.status_uri(&old.id);
    let ttl_s = core.settings.status.ttl_s;
    let key = core.signing.status.at(now)?;
    let input = StatusTokenInput {
        uri: &uri,
        issuer: key.iss.as_deref(),
        list: &list,
        issued_at,
        expires_at,
        ttl_s,
        key: key.name.as_issuer_key(),
    };
    let token = sign_status_list(&input, &*key.signer).await?;
    let cwt = match core.signing.status_cwt(now)? {
        None => None,
        Some((signer, chain)) => {
            let input = StatusCwtInput {
                uri: &uri,
                list: &list,
                issued_at,
                expires_at,
                ttl_s,
                chain,
            };
            Some(sign_status_list_cwt(&input, signer).await?)
        }
    };
    let new = StatusListRow {
        published_version: old.version,
        token,
        cwt,
        issued_at,
        expires_at,
        ..old.clone()
    };
    let stored = new.clone();
    let won = core
        .db
        .write(async move |tx| status_lists::publish(tx, &old, &stored).await)
        .await?;
    Ok(won.then_some(new))
}

/// Two bits an entry, so that "suspended" can be said.
fn encode(size: i64, entries: &[(i64, CredentialStatus)]) -> Result<StatusList, StatusListError> {
    let size = usize::try_from(size).map_err(|_| StatusListError::Range)?;
    let mut list = StatusList::new(Bits::Two, size)?;
    for (idx, status) in entries {
        let idx = u64::try_from(*idx).map_err(|_| StatusListError::Range)?;
        list.set(idx, wire_status(*status))?;
    }
    Ok(list)
}

/// Token Status List, section 7.1: the values of the status types.
fn wire_status(status: CredentialStatus) -> Status {
    match status {
        CredentialStatus::Valid => Status::Valid,
        CredentialStatus::Suspended => Status::Suspended,
        CredentialStatus::Revoked => Status::Invalid,
    }
}
