//! What suspend, resume and revoke share: one conditional change in one transaction.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::http::{HeaderMap, StatusCode, header};
use vouchsafe_credentials::time::UnixTime;
use vouchsafe_service::db::{DbError, Tx};

use super::caller::{Call, Scope};
use super::error::ApiError;
use super::idempotent::{self, Reply};
use super::views::{CredentialView, etag};
use crate::domain::credential::{Change, Credential, CredentialStatus};
use crate::domain::ids::CredentialId;
use crate::events;
use crate::store::{credentials, offers, refresh_tokens, status_lists, tokens};

/// Applies a change. The status list that holds the credential is dirty in the same moment.
pub async fn apply(
    call: &Call,
    headers: &HeaderMap,
    id: &str,
    change: Change,
) -> Result<Reply, ApiError> {
    call.require(Scope::CredentialsWrite)?;
    let id = CredentialId::parse(id).map_err(|_| ApiError::NotFound)?;
    let key = idempotent::key(headers)?;
    let expected = if_match(headers)?;
    // Catalogue 395. Revoking needs none: it is for good, so it cannot undo what somebody else did.
    if expected.is_none() && change != Change::Revoke {
        return Err(ApiError::VersionMissing);
    }
    let content = idempotent::content(&format!("{id} {change:?}"), &[]);
    let (core, author) = (call.core.clone(), call.clone());
    let (now, shown) = (core.clock.now(), Arc::clone(&core.shown));
    // A kept answer is sent again without a change, and counts as none.
    let happened = Arc::new(AtomicBool::new(false));
    let mark = Arc::clone(&happened);
    let reply = idempotent::run(call, key, content, async move |tx| {
        let found = credentials::find_in(tx, &id).await?;
        // Not while it is issued anew, or its tokens are.
        offers::lock(tx, &found.ok_or(ApiError::NotFound)?.offer).await?;
        let found = credentials::find_in(tx, &id).await?;
        let found = found.ok_or(ApiError::NotFound)?;
        if expected
            .as_ref()
            .is_some_and(|tag| *tag != etag(found.version))
        {
            return Err(ApiError::Version);
        }
        let status = change.apply(found.status)?;
        // Catalogue 226, 425: of two changes at once the version lets one through.
        if !credentials::set_status(tx, &found, status, now).await? {
            return Err(ApiError::Concurrent);
        }
        status_lists::touch(tx, &found.place.list).await?;
        if change == Change::Revoke {
            // What was revoked is not issued again.
            offers::close(tx, &found.offer, now).await?;
            revoke_tokens(tx, &found, now).await?;
        }
        author.audit(tx, action(change), id.as_str(), "").await?;
        mark.store(true, Ordering::Relaxed);
        let uri = core.settings.status_uri(&found.place.list);
        let changed = Credential {
            status,
            version: found.version + 1,
            status_changed_at: now,
            ..found
        };
        events::of_credential(&core, tx, change.into(), &changed, now).await?;
        let reply = Reply::json(StatusCode::OK, &CredentialView::new(&changed, uri))?;
        Ok(Reply {
            etag: Some(etag(changed.version)),
            ..reply
        })
    })
    .await;
    shown.changed();
    let reply = reply?;
    if happened.load(Ordering::Relaxed) {
        let to = target(change);
        metrics::counter!("vouchsafe_credential_status_changes_total", "to" => to).increment(1);
        tracing::info!(to, "status changed");
    }
    Ok(reply)
}

/// Revokes the tokens of the redemption that brought a credential.
async fn revoke_tokens(tx: &mut Tx, found: &Credential, now: UnixTime) -> Result<(), DbError> {
    match &found.family {
        Some(family) => {
            tokens::revoke_family(tx, family, now).await?;
            refresh_tokens::revoke_family(tx, family, now).await?;
        }
        None => {
            tokens::revoke_of_offer(tx, &found.offer, now).await?;
            refresh_tokens::revoke_of_offer(tx, &found.offer, now).await?;
        }
    }
    Ok(())
}

fn action(change: Change) -> &'static str {
    match change {
        Change::Suspend => "credential.suspend",
        Change::Resume => "credential.resume",
        Change::Revoke => "credential.revoke",
    }
}

fn target(change: Change) -> &'static str {
    match change {
        Change::Suspend => CredentialStatus::Suspended.as_str(),
        Change::Resume => CredentialStatus::Valid.as_str(),
        Change::Revoke => CredentialStatus::Revoked.as_str(),
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
