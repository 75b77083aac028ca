//! What the verbs on a credential share: one conditional change in one transaction.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::http::{HeaderMap, StatusCode, header};
use vouchsafe_credentials::time::UnixTime;
use vouchsafe_service::db::Tx;

use super::caller::{Call, Scope};
use super::error::ApiError;
use super::idempotent::{self, Reply};
use super::views::{CredentialView, etag, rfc3339};
use crate::author::Author;
use crate::core::Core;
use crate::domain::credential::{Change, Credential, CredentialStatus};
use crate::domain::ids::CredentialId;
use crate::store::{credentials, offers, renewals, status_lists};
use crate::{events, lifecycle};

/// What is done to a credential.
#[derive(Debug, Clone)]
pub enum Act {
    /// Suspend, resume, revoke or expire, now.
    Now(Change),
    /// Expire at a moment to come.
    EndAt(UnixTime),
    /// Supersede by this credential of the same record.
    ReplacedBy(CredentialId),
}

impl Act {
    /// The change that it is, at once or when the moment has come.
    pub fn change(&self) -> Change {
        match self {
            Self::Now(change) => *change,
            Self::EndAt(_) => Change::Expire,
            Self::ReplacedBy(_) => Change::Supersede,
        }
    }

    /// Catalogue 395. What is for good needs no version: it cannot undo what somebody else did. A
    /// moment to come can be said anew.
    fn needs_version(&self) -> bool {
        match self {
            Self::Now(change) => !change.is_final(),
            Self::EndAt(_) => true,
            Self::ReplacedBy(_) => false,
        }
    }

    fn successor(&self) -> Option<&CredentialId> {
        match self {
            Self::ReplacedBy(by) => Some(by),
            Self::Now(_) | Self::EndAt(_) => None,
        }
    }

    /// For the audit log and the idempotency key.
    fn detail(&self) -> String {
        match self {
            Self::Now(_) => String::new(),
            Self::EndAt(at) => format!("at {}", rfc3339(*at)),
            Self::ReplacedBy(by) => format!("by {by}"),
        }
    }
}

/// Applies a change. The status list that holds the credential is dirty in the same moment.
pub async fn apply(
    call: &Call,
    headers: &HeaderMap,
    id: &str,
    act: Act,
) -> Result<Reply, ApiError> {
    call.require(Scope::CredentialsWrite)?;
    let id = CredentialId::parse(id).map_err(|_| ApiError::NotFound)?;
    let key = idempotent::key(headers)?;
    let expected = if_match(headers)?;
    let change = act.change();
    if expected.is_none() && act.needs_version() {
        return Err(ApiError::VersionMissing);
    }
    let content = idempotent::content(&format!("{id} {change:?} {}", act.detail()), &[]);
    let (core, author) = (call.core.clone(), call.author());
    // A kept answer is sent again without a change, and counts as none.
    let happened = Arc::new(AtomicBool::new(false));
    let mark = Arc::clone(&happened);
    let reply = idempotent::run(call, key, content, async move |tx| {
        let changed = perform(&core, tx, &author, &id, expected.as_deref(), &act).await?;
        mark.store(changed.status == change.target(), Ordering::Relaxed);
        let uri = core.settings.status_uri(&changed.place.list);
        let reply = Reply::json(StatusCode::OK, &CredentialView::new(&changed, uri))?;
        Ok(Reply {
            etag: Some(etag(changed.version)),
            ..reply
        })
    })
    .await;
    if happened.load(Ordering::Relaxed) && reply.is_ok() {
        count(change);
    }
    call.core.shown.changed();
    reply
}

/// One change and its report, in the transaction of the caller: the API and the console. `expected` is
/// the entity tag of the version that the caller saw.
pub async fn perform(
    core: &Core,
    tx: &mut Tx,
    author: &Author,
    id: &CredentialId,
    expected: Option<&str>,
    act: &Act,
) -> Result<Credential, ApiError> {
    let (now, change) = (core.clock.now(), act.change());
    let found = locked(tx, id, act.successor(), expected).await?;
    let changed = set(tx, found, act, now).await?;
    let detail = act.detail();
    author
        .audit(core, tx, action(change), id.as_str(), &detail)
        .await?;
    if changed.status == change.target() {
        events::of_credential(core, tx, change.into(), &changed, now).await?;
    }
    Ok(changed)
}

/// Counts a change that is committed.
pub fn count(change: Change) {
    let to = change.target().as_str();
    metrics::counter!("vouchsafe_credential_status_changes_total", "to" => to).increment(1);
    tracing::info!(to, "status changed");
}

/// The credential, with everything that happens to its offer held off, and to that of its successor,
/// in the version that the caller saw.
pub(super) async fn locked(
    tx: &mut Tx,
    id: &CredentialId,
    successor: Option<&CredentialId>,
    expected: Option<&str>,
) -> Result<Credential, ApiError> {
    let found = credentials::find_in(tx, id).await?;
    let found = found.ok_or(ApiError::NotFound)?;
    let by = match successor {
        Some(by) => credentials::find_in(tx, by).await?,
        None => None,
    };
    // Not while it is issued anew, or its tokens are, nor while its successor ends.
    let both = [Some(&found), by.as_ref()];
    offers::lock_all(tx, both.into_iter().flatten().map(|one| &one.offer)).await?;
    let found = credentials::find_in(tx, id).await?;
    let found = found.ok_or(ApiError::NotFound)?;
    if expected.is_some_and(|tag| *tag != etag(found.version)) {
        return Err(ApiError::Version);
    }
    Ok(found)
}

/// One change; returns the credential as it is then.
async fn set(
    tx: &mut Tx,
    found: Credential,
    act: &Act,
    now: UnixTime,
) -> Result<Credential, ApiError> {
    let change = act.change();
    let status = change.apply(found.status)?;
    let mut changed = Credential {
        version: found.version + 1,
        job: None,
        ..found.clone()
    };
    // Catalogue 226, 425: of two changes at once the version lets one through.
    let won = match act {
        Act::Now(_) => credentials::set_status(tx, &found, status, now).await?,
        Act::EndAt(at) => {
            if *at <= now || *at >= found.expires_at {
                return Err(ApiError::EndTime);
            }
            changed.ends_at = Some(*at);
            changed.job = found.job.clone();
            credentials::end_at(tx, &found, *at).await?
        }
        Act::ReplacedBy(by) => {
            let by = successor(tx, &found, by).await?;
            changed.superseded_by = Some(by.id.clone());
            let won = credentials::supersede(tx, &found, &by.id, now).await?;
            // It is renewed no more: an offer for that would lead nowhere.
            renewals::end_of(tx, &found.id, now).await?;
            if by.family.is_none() || by.family != found.family {
                lifecycle::revoke_tokens(tx, &found, now).await?;
            }
            won
        }
    };
    if !won {
        return Err(ApiError::Concurrent);
    }
    if matches!(change, Change::Revoke | Change::Expire) {
        lifecycle::stop_issuing(tx, &found, now).await?;
    }
    if !matches!(act, Act::EndAt(_)) {
        status_lists::touch(tx, &found.place.list).await?;
        changed.status = status;
        changed.status_changed_at = now;
        if status.is_final() {
            changed.ends_at = None;
        }
    }
    Ok(changed)
}

/// What replaces a credential: another one, valid, of the same record.
async fn successor(
    tx: &mut Tx,
    found: &Credential,
    by: &CredentialId,
) -> Result<Credential, ApiError> {
    let by = credentials::find_in(tx, by).await?;
    by.filter(|by| {
        by.id != found.id && by.record == found.record && by.status == CredentialStatus::Valid
    })
    .ok_or(ApiError::Successor)
}

fn action(change: Change) -> &'static str {
    match change {
        Change::Suspend => "credential.suspend",
        Change::Resume => "credential.resume",
        Change::Revoke => "credential.revoke",
        Change::Expire => "credential.expire",
        Change::Supersede => "credential.supersede",
    }
}

/// RFC 9110, section 13.1.1: `If-Match` compares strongly; lists and `*` are not supported.
pub(super) fn if_match(headers: &HeaderMap) -> Result<Option<String>, ApiError> {
    let mut values = headers.get_all(header::IF_MATCH).iter();
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => {
            let text = value.to_str().map_err(|_| ApiError::IfMatch)?;
            let inner = text
                .strip_prefix('"')
                .and_then(|rest| rest.strip_suffix('"'));
            match inner {
                Some(inner) if !inner.contains('"') => Ok(Some(text.to_owned())),
                Some(_) | None => Err(ApiError::IfMatch),
            }
        }
        (Some(_), Some(_)) => Err(ApiError::IfMatch),
    }
}
