//! What a caller's system is told without asking: that a verification ended, never a claim.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use serde_json::json;
use vouchsafe_credentials::random::Rng;
use vouchsafe_credentials::time::UnixTime;
use vouchsafe_service::db::{DbError, Tx};
use vouchsafe_service::seal::Sealer;
use vouchsafe_service::webhooks::{self, NewEndpoint, Secrets};

use crate::app::Parts;
use crate::config::{VerificationCaller, Webhook};
use crate::consents;
use crate::domain::verification::{Status, Verification};
use crate::journeys::told;
use crate::numbers::events::Event;
use crate::store::webhooks as store;

/// What the ids of our endpoints begin with. Configured ones alone: nobody else makes any.
const PREFIX: &str = "verifications:";
/// The same of the endpoint that is told of events.
const EVENTS: &str = "events:";

/// Seconds after which the endpoint of another configuration is forgotten, if nobody used it. Less and
/// two processes that run with different configurations for a while would take each other's away.
const UNUSED_S: i64 = 86_400;

/// The endpoint of a caller. Another address or another secret is another endpoint, so that a
/// message is never signed with the secret of one for the address of the other.
fn endpoint(
    app: &Parts,
    caller: &VerificationCaller,
    now: UnixTime,
) -> Option<(NewEndpoint, Secrets)> {
    let webhook = caller.webhook.as_ref()?;
    Some(endpoint_of(app, (PREFIX, caller.id.as_str()), webhook, now))
}

/// The endpoint of somebody whose endpoints have ids that begin with `prefix`.
pub(crate) fn endpoint_of(
    app: &Parts,
    (prefix, owner): (&str, &str),
    webhook: &Webhook,
    now: UnixTime,
) -> (NewEndpoint, Secrets) {
    let secret = webhook.secret.expose();
    let parts: [&[u8]; 3] = [
        owner.as_bytes(),
        webhook.url.as_str().as_bytes(),
        secret.as_bytes(),
    ];
    let print: String = app.fingerprints.of(&parts)[..16]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let endpoint = NewEndpoint {
        id: format!("{prefix}{print}"),
        url: webhook.url.to_string(),
        events: Vec::new(),
        created_at: now,
    };
    (endpoint, Secrets::of(webhook.secret.clone(), None))
}

/// Who is told of events.
pub(crate) struct EventEndpoint {
    endpoint: NewEndpoint,
    secrets: Secrets,
    sealer: Sealer,
    rng: Arc<dyn Rng>,
}

/// Who is told of events, if anybody is.
pub(crate) fn of_events(app: &Parts, webhook: Option<&Webhook>) -> Option<EventEndpoint> {
    let (endpoint, secrets) = endpoint_of(app, (EVENTS, ""), webhook?, app.now());
    Some(EventEndpoint {
        endpoint,
        secrets,
        sealer: app.webhook_sealer.clone(),
        rng: app.rng.clone(),
    })
}

impl EventEndpoint {
    /// Writes the message of an event: the envelope as everywhere (CloudEvents 1.0, JSON format).
    pub(crate) async fn publish(
        &self,
        tx: &mut Tx,
        event: &Event,
        now: UnixTime,
    ) -> Result<(), DbError> {
        let seal = (&self.secrets, &self.sealer, &*self.rng);
        let named = (event.id.as_str(), event.kind);
        store::publish_body(tx, &self.endpoint, seal, named, event.body.to_string(), now).await
    }
}

/// Brings the endpoints in line with the configuration: those that are there stay, with what waits for
/// them; those of another configuration go once nobody has used them for a day. The first time, one that
/// was given up is used again: who starts the service says that it is there.
pub async fn arrange(app: &Parts) -> Result<(), DbError> {
    let now = app.now();
    let callers = app.settings.verifications.callers().iter();
    let told = app.settings.events.as_ref();
    let told = told.and_then(|events| events.webhook.as_ref());
    let events = told.map(|webhook| endpoint_of(app, (EVENTS, ""), webhook, now));
    let events = events.into_iter().collect();
    let wanted: Vec<_> = callers
        .filter_map(|caller| endpoint(app, caller, now))
        .collect();
    let first = !app.endpoints_woken.load(Ordering::Acquire);
    told::arrange(app, first).await?;
    arrange_some(app, PREFIX, wanted, first).await?;
    arrange_some(app, EVENTS, events, first).await?;
    consents::arrange(app, first).await?;
    app.endpoints_woken.store(true, Ordering::Release);
    Ok(())
}

/// The same for the endpoints whose ids begin with `prefix`.
pub(crate) async fn arrange_some(
    app: &Parts,
    prefix: &str,
    wanted: Vec<(NewEndpoint, Secrets)>,
    first: bool,
) -> Result<(), DbError> {
    let now = app.now();
    let there = store::beginning_with(&app.db, prefix).await?;
    let foreign = |id: &&String| !wanted.iter().any(|(own, _)| own.id == **id);
    for foreign in there.iter().filter(foreign) {
        let (id, before) = (foreign.clone(), now.plus(-UNUSED_S));
        app.db
            .write(async move |tx| store::remove_unused(tx, &id, before).await)
            .await?;
    }
    for (new, secrets) in wanted {
        if !first && there.contains(&new.id) {
            continue;
        }
        let (sealer, rng) = (app.webhook_sealer.clone(), app.rng.clone());
        app.db
            .write(async move |tx| {
                webhooks::ensure(tx, &new, &secrets, &sealer, &*rng).await?;
                match first {
                    true => store::wake(tx, &new.id).await,
                    false => Ok(()),
                }
            })
            .await?;
    }
    Ok(())
}

/// A message that can be written with what it reports.
#[derive(Clone)]
pub struct Message {
    endpoint: NewEndpoint,
    secrets: Secrets,
    sealer: Sealer,
    rng: Arc<dyn Rng>,
    id: String,
    event: &'static str,
    data: serde_json::Value,
}

/// What the caller is told of a verification that has ended; nothing of one that has not, or where the
/// caller has no endpoint.
pub(super) fn message(app: &Parts, verification: &Verification, now: UnixTime) -> Option<Message> {
    let asked = verification.asked();
    let caller = app.settings.verifications.caller(asked.caller.as_str())?;
    let (endpoint, secrets) = endpoint(app, caller, now)?;
    let id = asked.id.as_str();
    let (event, data) = match (verification.status(now), verification) {
        (Status::Verified, _) => (
            "verification.completed",
            json!({ "verification_id": id, "status": "verified" }),
        ),
        (Status::Declined, _) => (
            "verification.failed",
            json!({ "verification_id": id, "status": "declined" }),
        ),
        (Status::Failed, Verification::Failed(failed)) => (
            "verification.failed",
            json!({ "verification_id": id, "status": "failed", "reason": failed.failure.code() }),
        ),
        (Status::Pending | Status::Scanned | Status::Failed | Status::Expired, _) => return None,
    };
    Some(Message {
        endpoint,
        secrets,
        sealer: app.webhook_sealer.clone(),
        rng: app.rng.clone(),
        id: app.ids.next_text(),
        event,
        data,
    })
}

/// Writes the message in the transaction of what it reports.
pub(super) async fn publish(
    tx: &mut Tx,
    message: Option<&Message>,
    now: UnixTime,
) -> Result<(), DbError> {
    let Some(message) = message else {
        return Ok(());
    };
    let named = (message.id.as_str(), message.event);
    let seal = (&message.secrets, &message.sealer, &*message.rng);
    store::publish_to(tx, &message.endpoint, seal, named, &message.data, now).await
}
