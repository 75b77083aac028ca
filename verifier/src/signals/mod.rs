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

use crate::app::Parts;
use crate::config::{IdTokenAlg, Settings};
use crate::domain::session::{EndReason, SessionClient};
use crate::store::stream_events::Waiting;
use crate::store::{stream_events, streams};
use crate::tokens::TokenError;

/// Writes down that the session of an application is over, where its stream wants to know.
pub async fn session_ended(
    tx: &mut Tx,
    settings: &Settings,
    rng: &dyn Rng,
    member: &SessionClient,
    reason: EndReason,
    now: UnixTime,
) -> Result<(), DbError> {
    let allowed = settings
        .client(&member.client)
        .is_some_and(|client| client.security_events);
    if !allowed {
        return Ok(());
    }
    let Some((stream, requested)) = streams::that_take(tx, &member.client).await? else {
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
    let event = Event::session_revoked(subject, initiator(reason), reason.code(), now);
    put(tx, rng, &stream, &event, now).await
}

/// Puts an event into a stream.
async fn put(
    tx: &mut Tx,
    rng: &dyn Rng,
    stream: &str,
    event: &Event,
    now: UnixTime,
) -> Result<(), DbError> {
    let text = serde_json::to_string(event).unwrap_or_default();
    stream_events::insert(tx, &token(rng), stream, &text, now).await
}

/// CAEP 1.0, section 2: who brought it about.
fn initiator(reason: EndReason) -> Initiator {
    match reason {
        EndReason::Revoked | EndReason::Suspended => Initiator::Admin,
        EndReason::LoggedOut
        | EndReason::ConsentWithdrawn
        | EndReason::Replaced
        | EndReason::GivenUp => Initiator::User,
        EndReason::StatusUnknown | EndReason::TokenReused => Initiator::Policy,
    }
}

/// The token of an event, as often as it is delivered with the same name.
fn signed(app: &Parts, waiting: &Waiting) -> Result<String, TokenError> {
    let claims = SetClaims {
        iss: app.issuer().to_owned(),
        aud: waiting.client_id.clone(),
        jti: waiting.id.clone(),
        iat: waiting.created_at,
        event: waiting.event.clone(),
    };
    // CAEP Interoperability Profile 1.0, section 2.6.
    app.tokens.security_event(IdTokenAlg::RS256, &claims)
}
