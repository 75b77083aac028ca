//! What becomes of a consent: it is withdrawn, or its time is over. Either way nothing that rests on
//! it goes on, and its application is told.
//!
//! Lock order on PostgreSQL: the account, the consent, its sessions, then messages and the audit log.

mod notify;
pub mod receipt;

use vouchsafe_credentials::time::UnixTime;
use vouchsafe_service::audit::{self, Event};
use vouchsafe_service::db::{DbError, Tx};

use crate::app::{App, Parts};
use crate::domain::consent::{Consent, State};
use crate::domain::ids::{ConsentId, SecretDigest, SessionId};
use crate::domain::session::{EndReason, Session};
use crate::login::end::end_in;
use crate::numbers::tell;
use crate::store::{StoreError, consents, refresh_grants, sessions, subjects};

pub use notify::arrange;

/// What became of a wish to withdraw.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Withdrawal {
    /// It is withdrawn now.
    Done,
    /// It was over before.
    Before,
    /// There is no such consent.
    Unknown,
}

/// Takes a consent back, by the token that the wallet holds.
pub async fn withdraw_by_token(app: &App, token: SecretDigest) -> Result<Withdrawal, StoreError> {
    let found = consents::of_token(&app.db, &token).await?;
    withdraw(app, found).await
}

/// Takes a consent back on the account page of its owner.
pub async fn withdraw_own(
    app: &App,
    id: &ConsentId,
    owner: &Session,
) -> Result<Withdrawal, StoreError> {
    let found = consents::own(&app.db, id, owner.subject.as_ref(), &owner.id).await?;
    withdraw(app, found).await
}

async fn withdraw(app: &App, found: Option<Consent>) -> Result<Withdrawal, StoreError> {
    let Some(consent) = found else {
        return Ok(Withdrawal::Unknown);
    };
    match over(app, consent, State::Withdrawn).await? {
        true => Ok(Withdrawal::Done),
        false => Ok(Withdrawal::Before),
    }
}

/// Ends consents whose time is over.
pub async fn lapse(app: &App) -> Result<(), StoreError> {
    loop {
        let lapsed = consents::lapsed(&app.db, app.now()).await?;
        if lapsed.is_empty() {
            return Ok(());
        }
        for consent in lapsed {
            over(app, consent, State::Expired).await?;
        }
    }
}

/// Deletes records of what has been over for long enough.
pub async fn purge(app: &App) -> Result<(), DbError> {
    let before = app.now().plus(-app.settings.consents.keep_days * 86_400);
    app.db
        .write_in_steps(async move |tx| consents::purge(tx, before).await)
        .await
        .map(drop)
}

/// Ends a consent with all that rests on it; `false` if it was over before.
async fn over(app: &App, consent: Consent, state: State) -> Result<bool, StoreError> {
    let message = notify::message(app, &consent, state).await?;
    let (parts, now) = (app.clone(), app.now());
    let ended = app
        .db
        .write(async move |tx| {
            // A login may have tied it to an account meanwhile.
            let Some(current) = consents::find(tx, &consent.id).await? else {
                return Ok::<Vec<_>, DbError>(Vec::new());
            };
            if let Some(subject) = &current.subject {
                subjects::hold(tx, subject).await?;
            }
            let all = consents::end(tx, &current, state, now).await?;
            for ended in &all {
                stop(tx, &parts, ended, state, now).await?;
                notify::publish(tx, &parts, message.as_ref(), ended, now).await?;
                audit::append(tx, &parts.audit_key, &event(ended, state, now)).await?;
            }
            Ok(all.into_iter().map(|ended| ended.client).collect())
        })
        .await?;
    for client in &ended {
        tell::consent_over(app, client, state);
        tracing::info!(state = state.name(), "a consent is over");
    }
    Ok(!ended.is_empty())
}

fn event(ended: &Consent, state: State, now: UnixTime) -> Event {
    let (action, actor) = match (state, &ended.subject) {
        (State::Expired, _) => ("consent.expire", "system".to_owned()),
        (_, Some(subject)) => ("consent.withdraw", format!("subject:{}", subject.as_str())),
        // A guest, whose wallet alone has the address.
        (_, None) => ("consent.withdraw", "anonymous".to_owned()),
    };
    Event {
        at: now,
        actor,
        action,
        target: ended.id.to_string(),
        detail: format!("client {}", ended.client),
    }
}

/// Ends the session that rests on a consent, and what the application goes on with while the person is
/// away. A withdrawal ends every session of the person in which the application takes part.
async fn stop(
    tx: &mut Tx,
    app: &Parts,
    ended: &Consent,
    state: State,
    now: UnixTime,
) -> Result<(), DbError> {
    let reason = match state {
        State::Expired => EndReason::ConsentExpired,
        State::Revoked => EndReason::ClientRemoved,
        State::Given | State::Withdrawn | State::Replaced => EndReason::ConsentWithdrawn,
    };
    let mut resting: Vec<SessionId> = ended.session.iter().cloned().collect();
    if let Some(subject) = ended.subject.as_ref().filter(|_| state != State::Expired) {
        resting.extend(sessions::with_client(tx, subject, &ended.client).await?);
    }
    resting.sort();
    resting.dedup();
    let (settings, rng) = (&app.settings, app.rng.as_ref());
    for login in resting {
        // The session first: whoever redeems a code holds it, so no grant begins behind our back.
        end_in(tx, settings, rng, &login, reason, now).await?;
        // What applications go on with rests on the same consent, and may outlive the session.
        for session in refresh_grants::of_login(tx, &login).await? {
            end_in(tx, settings, rng, &session, reason, now).await?;
        }
    }
    Ok(())
}
