//! The system of the operator that is told what journeys say (`[journeys.notify]`): messages of Standard
//! Webhooks, written in the transaction of the step and delivered until they are taken.

use std::sync::Arc;

use serde_json::Value;
use vouchsafe_credentials::random::Rng;
use vouchsafe_credentials::time::UnixTime;
use vouchsafe_service::db::{DbError, Tx};
use vouchsafe_service::seal::Sealer;
use vouchsafe_service::webhooks::{self, NewEndpoint, Secrets};

use crate::app::Parts;
use crate::config::Hook;
use crate::store::webhooks as store;

/// What the ids of our endpoints begin with.
const PREFIX: &str = "journeys:";
/// Seconds after which the endpoint of another configuration is forgotten, if nobody used it.
const UNUSED_S: i64 = 86_400;

/// The endpoint of a system: another address or another secret is another endpoint.
fn endpoint(app: &Parts, hook: &Hook, now: UnixTime) -> (NewEndpoint, Secrets) {
    let (url, secret) = (&hook.webhook.url, hook.webhook.secret.expose());
    let parts: [&[u8]; 3] = [b"journeys", url.as_str().as_bytes(), secret.as_bytes()];
    let print = app.fingerprints.of(&parts);
    let print: String = print.iter().take(16).map(|b| format!("{b:02x}")).collect();
    let endpoint = NewEndpoint {
        id: format!("{PREFIX}{print}"),
        url: url.to_string(),
        events: Vec::new(),
        created_at: now,
    };
    (endpoint, Secrets::of(hook.webhook.secret.clone(), None))
}

/// Brings the endpoint in line with the configuration. `first`: one that was given up is used again.
pub(crate) async fn arrange(app: &Parts, first: bool) -> Result<(), DbError> {
    let now = app.now();
    let wanted = app.settings.told.as_ref();
    let wanted = wanted.map(|hook| endpoint(app, hook, now));
    let there = store::beginning_with(&app.db, PREFIX).await?;
    let own = wanted.as_ref().map(|(new, _)| new.id.clone());
    for id in there.iter().filter(|id| Some(*id) != own.as_ref()) {
        let (id, before) = (id.clone(), now.plus(-UNUSED_S));
        let forget = async move |tx: &mut Tx| store::remove_unused(tx, &id, before).await;
        app.db.write(forget).await?;
    }
    let Some((new, secrets)) = wanted.filter(|(new, _)| first || !there.contains(&new.id)) else {
        return Ok(());
    };
    let (sealer, rng) = (app.webhook_sealer.clone(), app.rng.clone());
    app.db
        .write(async move |tx| {
            webhooks::ensure(tx, &new, &secrets, &sealer, &*rng).await?;
            match first {
                true => store::wake(tx, &new.id).await,
                false => Ok(()),
            }
        })
        .await
}

/// A message that can be written with what it reports.
#[derive(Clone)]
pub(crate) struct Message {
    endpoint: NewEndpoint,
    secrets: Secrets,
    sealer: Sealer,
    rng: Arc<dyn Rng>,
    id: String,
    event: String,
    data: Value,
}

impl std::fmt::Debug for Message {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Message")
    }
}

/// A message for the system that is told; nothing where none is.
pub(crate) fn message(app: &Parts, event: &str, data: Value) -> Option<Message> {
    let hook = app.settings.told.as_ref()?;
    let (endpoint, secrets) = endpoint(app, hook, app.now());
    Some(Message {
        endpoint,
        secrets,
        sealer: app.webhook_sealer.clone(),
        rng: app.rng.clone(),
        id: app.ids.next_text(),
        event: event.to_owned(),
        data,
    })
}

impl Message {
    /// Writes it in the transaction of what it reports.
    pub(crate) async fn publish(&self, tx: &mut Tx, now: UnixTime) -> Result<(), DbError> {
        let seal = (&self.secrets, &self.sealer, &*self.rng);
        let named = (self.id.as_str(), self.event.as_str());
        store::publish_to(tx, &self.endpoint, seal, named, &self.data, now).await
    }
}
