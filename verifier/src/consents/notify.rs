//! An application is told that a person withdrew, or that a consent ran out (Standard Webhooks 1.0.0).

use serde_json::json;
use vouchsafe_credentials::time::UnixTime;
use vouchsafe_protocol::oidc::subject::pairwise_sub;
use vouchsafe_service::db::{DbError, Tx};
use vouchsafe_service::webhooks::{NewEndpoint, Secrets};

use crate::app::Parts;
use crate::config::{Client, Webhook};
use crate::domain::consent::{Consent, State};
use crate::store::{StoreError, webhooks as store};
use crate::verification::webhook;

/// What the ids of our endpoints begin with.
const PREFIX: &str = "consents:";

/// A message that waits for the end of a consent.
#[derive(Clone)]
pub(super) struct Message {
    endpoint: NewEndpoint,
    secrets: Secrets,
    event: &'static str,
    client: std::sync::Arc<Client>,
}

fn endpoint(app: &Parts, client: &str, hook: &Webhook, now: UnixTime) -> (NewEndpoint, Secrets) {
    webhook::endpoint_of(app, (PREFIX, client), hook, now)
}

/// What the application is told, if it wants to be.
pub(super) async fn message(
    app: &Parts,
    consent: &Consent,
    state: State,
) -> Result<Option<Message>, StoreError> {
    let event = match state {
        State::Withdrawn => "consent.withdrawn",
        State::Expired => "consent.expired",
        State::Given | State::Replaced | State::Revoked => return Ok(None),
    };
    let client = app.settings.configured(&consent.client).cloned();
    let Some(client) = client else {
        return Ok(None);
    };
    let Some(hook) = &client.consent.webhook else {
        return Ok(None);
    };
    let (endpoint, secrets) = endpoint(app, client.id.as_str(), hook, app.now());
    Ok(Some(Message {
        endpoint,
        secrets,
        event,
        client,
    }))
}

/// Writes the message in the transaction of what it reports. The person is who the application knows;
/// of a guest it knows nobody.
pub(super) async fn publish(
    tx: &mut Tx,
    app: &Parts,
    message: Option<&Message>,
    ended: &Consent,
    now: UnixTime,
) -> Result<(), DbError> {
    let Some(message) = message else {
        return Ok(());
    };
    let sub = ended.subject.as_ref();
    let sub = sub.map(|subject| pairwise_sub(&app.pairwise_key, &message.client.sector, subject));
    let data = json!({
        "consent_id": ended.id.as_str(),
        "client_id": ended.client.as_str(),
        "sub": sub,
    });
    let id = app.ids.next_text();
    let named = (id.as_str(), message.event);
    let seal = (&message.secrets, &app.webhook_sealer, app.rng.as_ref());
    store::publish_to(tx, &message.endpoint, seal, named, &data, now).await
}

/// Brings the endpoints in line with the configuration.
pub async fn arrange(app: &Parts, first: bool) -> Result<(), DbError> {
    let now = app.now();
    let wanted = app.settings.clients().iter().filter_map(|client| {
        let hook = client.consent.webhook.as_ref()?;
        Some(endpoint(app, client.id.as_str(), hook, now))
    });
    webhook::arrange_some(app, PREFIX, wanted.collect(), first).await
}
