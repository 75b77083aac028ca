//! Security events for applications (Shared Signals Framework 1.0, CAEP 1.0): an application whose
//! registration allows it manages one stream, and is told of every session of its people that ended
//! before its time. Events are written in the transaction that ends the session.

pub mod access;
pub mod deliver;
pub mod manage;
pub mod poll;

use vouchsafe_credentials::random::{Rng, token};
use vouchsafe_credentials::time::UnixTime;
use vouchsafe_protocol::ssf::SESSION_REVOKED;
use vouchsafe_protocol::ssf::set::{Event, Initiator, SessionSubject, SetClaims};
use vouchsafe_protocol::ssf::stream::delivered;
use vouchsafe_service::db::{DbError, Tx};

use crate::app::{App, Parts};
use crate::config::{IdTokenAlg, Settings};
use crate::domain::ids::ClientId;
use crate::domain::session::{EndReason, SessionClient};
use crate::store::stream_events::Waiting;
use crate::store::{StoreError, stream_events, streams};
use crate::tokens::TokenError;
use crate::views::chain;

/// Writes down that the session of an application is over, where its stream wants to know.
pub async fn session_ended(
    tx: &mut Tx,
    settings: &Settings,
    rng: &dyn Rng,
    member: &SessionClient,
    reason: EndReason,
    now: UnixTime,
) -> Result<(), DbError> {
    // Only the operator lets an application have a stream.
    let allowed = settings
        .configured(&member.client)
        .is_some_and(|client| client.security_events);
    if !allowed {
        return Ok(());
    }
    let Some((stream, requested)) = streams::that_takes(tx, &member.client).await? else {
        return Ok(());
    };
    let requested: Vec<String> = serde_json::from_str(&requested).unwrap_or_default();
    if !delivered(&requested).contains(&SESSION_REVOKED) {
        return Ok(());
    }
    let subject = SessionSubject {
        issuer: &settings.issuer,
        sub: &member.sub,
        sid: member.sid.as_str(),
    };
    let event = Event::session_revoked(subject, initiator(reason), now);
    match put(tx, rng, &stream, &event, now).await {
        Ok(()) => Ok(()),
        Err(StoreError::Db(error)) => Err(error),
        Err(error @ StoreError::Serialise(_)) => {
            // The session ends all the same.
            tracing::error!(error = %chain(&error), "security event not written");
            Ok(())
        }
    }
}

/// Deletes the streams of applications that may not have one any more.
pub async fn forget(app: &App) -> Result<(), DbError> {
    let refused = |client: &ClientId| {
        let registered = app.settings.configured(client);
        !registered.is_some_and(|client| client.security_events)
    };
    for (stream, client) in streams::all(&app.db).await? {
        if refused(&client) {
            app.db
                .write(async move |tx| streams::remove(tx, &client, &stream).await)
                .await?;
        }
    }
    Ok(())
}

/// The metric of what became of events.
const DELIVERED: &str = "vouchsafe_sets_delivered_total";

/// Puts an event into a stream.
async fn put(
    tx: &mut Tx,
    rng: &dyn Rng,
    stream: &str,
    event: &Event,
    now: UnixTime,
) -> Result<(), StoreError> {
    if !stream_events::insert(tx, &token(rng), stream, event, now).await? {
        tracing::warn!(stream, "a stream is full: a security event is dropped");
        metrics::counter!(DELIVERED, "outcome" => "dropped").increment(1);
    }
    Ok(())
}

/// CAEP 1.0, section 2: who brought it about.
fn initiator(reason: EndReason) -> Initiator {
    match reason {
        EndReason::LoggedOut
        | EndReason::ConsentWithdrawn
        | EndReason::MeansRemoved
        | EndReason::AccountDeleted
        | EndReason::Replaced
        | EndReason::GivenUp => Initiator::User,
        EndReason::Administrator => Initiator::Admin,
        EndReason::Revoked
        | EndReason::Suspended
        | EndReason::StatusUnknown
        | EndReason::ConsentExpired
        | EndReason::TokenReused
        | EndReason::ClientRemoved
        | EndReason::Journey
        | EndReason::Restored => Initiator::Policy,
    }
}

/// The token of an event, as often as it is delivered with the same name.
fn signed(app: &Parts, client: &ClientId, waiting: &Waiting) -> Result<String, TokenError> {
    let claims = SetClaims {
        iss: app.issuer().to_owned(),
        aud: client.as_str().to_owned(),
        jti: waiting.id.clone(),
        iat: waiting.created_at,
        event: waiting.event.clone(),
    };
    // CAEP Interoperability Profile 1.0, section 2.6.
    app.tokens.security_event(IdTokenAlg::RS256, &claims)
}
