//! The end of a session: at once here, and within seconds at every application in it.

use vouchsafe_service::db::{DbError, Tx};

use crate::config::Settings;
use crate::domain::ids::{SessionId, SubjectId};
use crate::domain::session::{EndReason, SessionClient};
use crate::signals;
use crate::store::{logout, refresh_grants, sessions, tokens};
use vouchsafe_credentials::random::{Rng, token};
use vouchsafe_credentials::time::UnixTime;

/// Ends a session inside a transaction: its tokens die, and a logout token is queued for each
/// application that takes them. `false` if it had ended before.
pub async fn end_in(
    tx: &mut Tx,
    settings: &Settings,
    rng: &dyn Rng,
    session: &SessionId,
    reason: EndReason,
    now: UnixTime,
) -> Result<bool, DbError> {
    let Some(clients) = sessions::end(tx, session, reason, now).await? else {
        return Ok(false);
    };
    tokens::revoke_session(tx, session).await?;
    for member in clients {
        tell(tx, settings, rng, member, reason, now).await?;
    }
    Ok(true)
}

/// Ends every session of an account, one apart. Whoever calls holds the account.
pub async fn end_of_account(
    tx: &mut Tx,
    (settings, rng): (&Settings, &dyn Rng),
    (subject, but): (&SubjectId, Option<&SessionId>),
    reason: EndReason,
    now: UnixTime,
) -> Result<(), DbError> {
    for session in sessions::open_of(tx, subject).await? {
        if Some(&session) == but {
            sessions::hold(tx, &session, now).await?;
            continue;
        }
        end_in(tx, settings, rng, &session, reason, now).await?;
    }
    // Whoever redeems a code holds its session: what they began before is seen only now, and nothing
    // begins behind our back.
    for away in refresh_grants::of_subject(tx, subject).await? {
        end_in(tx, settings, rng, &away, reason, now).await?;
    }
    Ok(())
}

/// Tells an application that a session is over: its stream of events, and its logout endpoint.
pub(crate) async fn tell(
    tx: &mut Tx,
    settings: &Settings,
    rng: &dyn Rng,
    member: SessionClient,
    reason: EndReason,
    now: UnixTime,
) -> Result<(), DbError> {
    signals::session_ended(tx, settings, rng, &member, reason, now).await?;
    // Of one that is not in the configuration it is found out when the token is sent.
    let takes_tokens = settings
        .configured(&member.client)
        .is_none_or(|client| client.backchannel_logout_uri.is_some());
    if !takes_tokens {
        return Ok(());
    }
    let delivery = logout::Delivery {
        id: token(rng),
        client_id: member.client.as_str().to_owned(),
        sid: member.sid.as_str().to_owned(),
        sub: member.sub,
        attempts: 0,
    };
    logout::enqueue(tx, &delivery, now).await
}

/// Tells every application that its sessions are over, because the database is another one now;
/// how many sessions there were. They are deleted by whoever calls.
pub(crate) async fn tell_all(
    tx: &mut Tx,
    settings: &Settings,
    rng: &dyn Rng,
    now: UnixTime,
) -> Result<u64, DbError> {
    let (mut told, mut last) = (0, String::new());
    loop {
        let page = sessions::members_after(tx, &last).await?;
        let Some(end) = page.last() else {
            return Ok(told);
        };
        last = end.sid.as_str().to_owned();
        for member in page {
            tell(tx, settings, rng, member, EndReason::Restored, now).await?;
            told += 1;
        }
    }
}

/// Ends a session whose one application knows it: its tokens die, and nobody is told.
pub async fn end_quietly(
    tx: &mut Tx,
    session: &SessionId,
    reason: EndReason,
    now: UnixTime,
) -> Result<(), DbError> {
    sessions::end(tx, session, reason, now).await?;
    tokens::revoke_session(tx, session).await?;
    Ok(())
}

/// Ends a session in a transaction of its own and sends the logout tokens on their way.
pub async fn end(
    app: &crate::app::App,
    session: &SessionId,
    reason: EndReason,
) -> Result<bool, DbError> {
    let (session, parts, now) = (session.clone(), app.clone(), app.now());
    let ended = app
        .db
        .write(async move |tx| {
            end_in(
                tx,
                &parts.settings,
                parts.rng.as_ref(),
                &session,
                reason,
                now,
            )
            .await
        })
        .await?;
    if ended {
        tracing::info!(reason = reason.code(), "session ended");
    }
    Ok(ended)
}
