//! Status lists, published.

use vouchsafe_credentials::cose::CoseSignError;
use vouchsafe_credentials::jws::SignError;
use vouchsafe_credentials::status_list::{
    Bits, Status, StatusCwtInput, StatusError, StatusList, StatusTokenInput, sign_status_list,
    sign_status_list_cwt,
};
use vouchsafe_service::db::DbError;

use crate::core::Core;
use crate::domain::credential::CredentialStatus;
use crate::domain::ids::StatusListId;
use crate::signing::NoKey;
use crate::store::status_lists::{self, StatusListRow};

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
    let known = match old.restored {
        true => Some(status_lists::known(&core.db, &old.id).await?),
        false => None,
    };
    let list = encode(old.size, &entries, known.as_deref())?;
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

/// Two bits an entry, so that "suspended" can be said. `known` are the places with a credential
/// where others may have one that nobody knows of: those count as revoked.
fn encode(
    size: i64,
    entries: &[(i64, CredentialStatus)],
    known: Option<&[i64]>,
) -> Result<StatusList, StatusListError> {
    let places = u64::try_from(size).map_err(|_| StatusListError::Range)?;
    let size = usize::try_from(size).map_err(|_| StatusListError::Range)?;
    let mut list = StatusList::new(Bits::Two, size)?;
    if let Some(known) = known {
        for idx in 0..places {
            list.set(idx, Status::Invalid)?;
        }
        for idx in known {
            let idx = u64::try_from(*idx).map_err(|_| StatusListError::Range)?;
            list.set(idx, Status::Valid)?;
        }
    }
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
        CredentialStatus::Revoked | CredentialStatus::Expired | CredentialStatus::Superseded => {
            Status::Invalid
        }
    }
}
