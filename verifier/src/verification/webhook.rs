//! What a caller's system is told without asking: that a verification ended, never a claim.

use serde_json::json;
use vouchsafe_credentials::time::UnixTime;
use vouchsafe_service::db::{DbError, Tx};
use vouchsafe_service::webhooks::{self, NewEndpoint, Secrets};

use crate::app::Parts;
use crate::config::VerificationCaller;
use crate::domain::verification::{Status, Verification};
use crate::store::webhooks as store;

/// What the ids of our endpoints begin with. Configured ones alone: nobody else makes any.
const PREFIX: &str = "verifications:";

/// The endpoint of a caller. Another address or another secret is another endpoint, so that a
/// message is never signed with the secret of one for the address of the other.
fn endpoint(app: &Parts, caller: &VerificationCaller) -> Option<String> {
    let webhook = caller.webhook.as_ref()?;
    let secret = webhook.secret.expose();
    let parts: [&[u8]; 3] = [
        caller.id.as_str().as_bytes(),
        webhook.url.as_str().as_bytes(),
        secret.as_bytes(),
    ];
    let print: String = app.fingerprints.of(&parts)[..16]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    Some(format!("{PREFIX}{print}"))
}

/// Brings the endpoints in line with the configuration: those that are there stay, with what waits for
/// them; those of another configuration go.
pub async fn arrange(app: &Parts) -> Result<(), DbError> {
    let mut wanted = Vec::new();
    for caller in app.settings.verifications.callers() {
        if let (Some(id), Some(webhook)) = (endpoint(app, caller), &caller.webhook) {
            wanted.push((id, webhook.clone()));
        }
    }
    let there = store::beginning_with(&app.db, PREFIX).await?;
    let now = app.now();
    for gone in there
        .iter()
        .filter(|id| !wanted.iter().any(|(own, _)| own == *id))
    {
        let gone = gone.clone();
        app.db
            .write(async move |tx| webhooks::remove(tx, &gone).await)
            .await?;
    }
    for (id, webhook) in wanted.into_iter().filter(|(id, _)| !there.contains(id)) {
        let new = NewEndpoint {
            id,
            url: webhook.url.to_string(),
            events: Vec::new(),
            created_at: now,
        };
        let secrets = Secrets::of(webhook.secret, None);
        let (sealer, rng) = (app.webhook_sealer.clone(), app.rng.clone());
        let made = app
            .db
            .write(async move |tx| webhooks::create(tx, &new, &secrets, &sealer, &*rng).await)
            .await;
        match made {
            // Another process was quicker.
            Ok(()) | Err(DbError::Duplicate) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// A message that can be written with what it reports.
#[derive(Debug, Clone)]
pub struct Message {
    endpoint: String,
    id: String,
    event: &'static str,
    data: serde_json::Value,
}

/// What the caller is told of a verification that has ended; nothing of one that has not, or where the
/// caller has no endpoint.
pub(super) fn message(app: &Parts, verification: &Verification, now: UnixTime) -> Option<Message> {
    let asked = verification.asked();
    let caller = app.settings.verifications.caller(asked.caller.as_str())?;
    let endpoint = endpoint(app, caller)?;
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
    store::publish_to(tx, &message.endpoint, named, &message.data, now).await
}
