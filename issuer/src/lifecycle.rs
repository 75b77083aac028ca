//! What follows when a credential ends or is replaced.

use std::collections::BTreeSet;

use vouchsafe_credentials::time::UnixTime;
use vouchsafe_service::audit;
use vouchsafe_service::db::{DbError, Tx};

use crate::core::Core;
use crate::domain::credential::{Credential, CredentialStatus};
use crate::domain::ids::{CredentialId, OfferId};
use crate::events::{self, Event};
use crate::issue::{CommitError, IssueError};
use crate::status::{self, StatusListError};
use crate::store::{credentials, offers, refresh_tokens, renewals, status_lists, tokens};

/// Credentials that are ended in one transaction.
const SLICE: u8 = 200;

/// What was taken back or has ended is not issued again: its offer is closed, its tokens are
/// revoked, and an offer that was made in its place is gone.
pub async fn stop_issuing(tx: &mut Tx, found: &Credential, now: UnixTime) -> Result<(), DbError> {
    offers::close(tx, &found.offer, now).await?;
    renewals::end_of(tx, &found.id, now).await?;
    revoke_tokens(tx, found, now).await
}

/// Revokes the tokens of the redemption that brought a credential.
pub async fn revoke_tokens(tx: &mut Tx, found: &Credential, now: UnixTime) -> Result<(), DbError> {
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

/// Locks an offer and that of the credential which it renews, if it renews one.
pub(crate) async fn lock_both(
    tx: &mut Tx,
    offer: &OfferId,
    renews: Option<&CredentialId>,
) -> Result<(), DbError> {
    let Some(old) = renews else {
        return offers::lock(tx, offer).await;
    };
    let found = credentials::find_in(tx, old).await?;
    let of_old = found.iter().map(|found| &found.offer);
    offers::lock_all(tx, of_old.chain([offer])).await
}

/// Whether a card, or a copy of it from the same redemption, is suspended: it is not renewed
/// until it is resumed.
pub async fn is_card_suspended(tx: &mut Tx, card: &Credential) -> Result<bool, DbError> {
    let suspended = credentials::suspended_of_offer(tx, &card.offer).await?;
    let is_copy = |(of, _): &(Option<String>, String)| of.is_some() && *of == card.family;
    Ok(card.status == CredentialStatus::Suspended || suspended.iter().any(is_copy))
}

/// The new card was issued: the old one is superseded with it, in the same transaction and once.
/// How many changed their status.
pub(crate) async fn replace(
    core: &Core,
    tx: &mut Tx,
    old: &CredentialId,
    new: &Credential,
    now: UnixTime,
) -> Result<usize, CommitError> {
    let refused = |error: IssueError| CommitError::from(Box::new(error));
    let old = credentials::find_in(tx, old).await?;
    let old = old.ok_or_else(|| refused(IssueError::UsedUp))?;
    if let Some(by) = &old.superseded_by {
        // Further copies and formats of the same new card.
        let by = credentials::find_in(tx, by).await?;
        let same = by.is_some_and(|by| by.offer == new.offer);
        return same.then_some(0).ok_or(refused(IssueError::UsedUp));
    }
    if is_card_suspended(tx, &old).await? {
        return Err(refused(IssueError::Suspended));
    }
    if old.check_renewable().is_err() {
        return Err(refused(IssueError::UsedUp));
    }
    let replaced = credentials::supersede_card(tx, &old, &new.id, now).await?;
    if !replaced.iter().any(|one| one.id == old.id) {
        return Err(refused(IssueError::UsedUp));
    }
    revoke_tokens(tx, &old, now).await?;
    let ended = replaced.iter();
    let ended = ended.filter(|one| one.status == CredentialStatus::Superseded);
    let mut reports = Vec::new();
    for one in ended {
        status_lists::touch(tx, &one.place.list).await?;
        events::of_credential(core, tx, Event::CredentialSuperseded, one, now).await?;
        reports.push(by_system(
            one,
            "credential.supersede",
            format!("by {}", new.id),
            now,
        ));
    }
    audit::append_all(tx, &core.keys.audit, &reports).await?;
    Ok(reports.len())
}

/// A change that nobody asked for in that moment, for the audit log.
fn by_system(one: &Credential, action: &'static str, detail: String, at: UnixTime) -> audit::Event {
    audit::Event {
        at,
        actor: "system".to_owned(),
        action,
        target: one.id.to_string(),
        detail,
    }
}

/// Counts changes that are committed.
pub(crate) fn count(to: CredentialStatus, changes: usize) {
    if changes > 0 {
        metrics::counter!("vouchsafe_credential_status_changes_total", "to" => to.as_str())
            .increment(changes as u64);
    }
}

/// Ends what is due, then publishes status lists that are due. That the one fails does not stop
/// the other.
pub async fn end_and_publish(core: &Core) -> Result<(), StatusListError> {
    let ended = end_due(core).await;
    let published = status::publish_due(core).await;
    ended?;
    published.map(drop)
}

/// Ends the credentials whose end, as the organisation said ahead, has come.
pub async fn end_due(core: &Core) -> Result<(), DbError> {
    let now = core.clock.now();
    while credentials::is_any_due(&core.db, now).await? {
        let told = core.clone();
        let ended = core
            .db
            .write(async move |tx| {
                let ended = credentials::end_due(tx, now, SLICE).await?;
                let lists: BTreeSet<_> = ended.iter().map(|one| &one.place.list).collect();
                for list in lists {
                    status_lists::touch(tx, list).await?;
                }
                for one in &ended {
                    events::of_credential(&told, tx, Event::CredentialExpired, one, now).await?;
                }
                let report =
                    |one: &Credential| by_system(one, "credential.expire", "due".to_owned(), now);
                let reports: Vec<_> = ended.iter().map(report).collect();
                audit::append_all(tx, &told.keys.audit, &reports).await?;
                Ok::<_, DbError>(ended.len())
            })
            .await;
        core.shown.changed();
        let ended = ended?;
        count(CredentialStatus::Expired, ended);
        if ended == 0 {
            // Another process ended them.
            return Ok(());
        }
    }
    Ok(())
}
