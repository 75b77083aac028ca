//! `POST /v1/webhooks`: a system of the organisation is told of events.

use axum::http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};
use url::Url;
use utoipa::ToSchema;
use vouchsafe_service::webhooks::{self, Endpoint, MAX_URL, NewEndpoint, Secrets};

use super::body::{self, Payload};
use super::caller::{Call, Scope};
use super::error::{ApiError, Problem};
use super::idempotent::{self, Reply};
use super::webhook_views::WebhookView;
use crate::events::Event;
use crate::paths::ADMIN_WEBHOOKS;
use crate::store;

/// Endpoints at most.
const MAX_ENDPOINTS: i64 = 50;

/// An endpoint to be told.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateWebhook {
    /// Where messages go: https on port 443, a public host, unless the configuration allows more. In
    /// ASCII (RFC 3986), without a fragment.
    #[schema(example = "https://club.example/hooks/vouchsafe")]
    url: String,
    /// Names of the events to send; empty or absent means all: `offer.opened`, `offer.accepted`,
    /// `offer.expired`, `offer.locked`, `offer.waiting`, `credential.issued`, `credential.suspended`,
    /// `credential.resumed`, `credential.revoked`, `credential.expired`, `credential.superseded`,
    /// `status_job.finished`.
    #[serde(default)]
    events: Vec<String>,
}

/// The endpoint, and its secret for the only time.
#[derive(Serialize, ToSchema)]
pub struct CreatedWebhook {
    #[serde(flatten)]
    webhook: WebhookView,
    /// Signs every message (Standard Webhooks).
    #[schema(example = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")]
    secret: String,
}

/// Add an endpoint.
#[utoipa::path(
    post, path = ADMIN_WEBHOOKS, tag = "webhooks", operation_id = "create_webhook",
    request_body = CreateWebhook,
    params(("Idempotency-Key" = Option<String>, Header, description = "Makes a repetition safe")),
    responses(
        (status = 201, description = "The endpoint; its secret is shown this once", body = CreatedWebhook),
        (status = 400, description = "Not strict JSON of this form", body = Problem),
        (status = 401, description = "No valid API key", body = Problem),
        (status = 403, description = "The key lacks `webhooks:write`", body = Problem),
        (status = 409, description = "There are fifty endpoints already", body = Problem),
        (status = 415, description = "Not `application/json`", body = Problem),
        (status = 422, description = "The address is refused or an event is unknown", body = Problem),
    ),
    security(("api_key" = []))
)]
pub async fn handler(
    call: Call,
    headers: HeaderMap,
    Payload(bytes): Payload,
) -> Result<Reply, ApiError> {
    call.require(Scope::WebhooksWrite)?;
    let key = idempotent::key(&headers)?;
    let CreateWebhook { url, events } = body::read(&headers, &bytes)?;
    // Catalogue 398. The address is looked at again, resolved, whenever something is sent.
    if !is_plain(&url) || call.core.outbound.allows(&url).is_err() {
        return Err(ApiError::WebhookUrl);
    }
    let known = |name: &String| Event::ALL.iter().any(|event| event.as_str() == name);
    if !events.iter().all(known) {
        return Err(ApiError::WebhookEvent);
    }
    let new = NewEndpoint {
        id: call.core.ids.next_text(),
        url,
        events,
        created_at: call.core.clock.now(),
    };
    let secrets = Secrets::generate(&*call.core.rng);
    let reply = reply(&new, &secrets)?;
    let content = idempotent::content(ADMIN_WEBHOOKS, &bytes);
    let author = call.clone();
    idempotent::run(&call, key, content, async move |tx| {
        let core = &author.core;
        // After the claim of the key: a request that is sent again gets its answer.
        if store::webhooks::count(tx).await? >= MAX_ENDPOINTS {
            return Err(ApiError::WebhookLimit);
        }
        webhooks::create(tx, &new, &secrets, &core.keys.columns, &*core.rng).await?;
        let detail = detail(&new);
        author.audit(tx, "webhook.create", &new.id, &detail).await?;
        Ok(reply.clone())
    })
    .await
}

/// RFC 3986, section 2: a URI is visible ASCII, and what comes behind `#` is never sent (section 3.5).
/// A parser of URLs leaves out line breaks, so what is checked and called would be another text than
/// the one that is kept and printed (catalogue 118, 403).
fn is_plain(url: &str) -> bool {
    url.len() <= MAX_URL
        && url
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && byte != b'#')
}

/// Who is told of what. The rest of an address may be a secret of its host.
fn detail(new: &NewEndpoint) -> String {
    let url = Url::parse(&new.url).ok();
    let host = url.as_ref().and_then(Url::host_str).unwrap_or_default();
    let events = match new.events.as_slice() {
        [] => "all events".to_owned(),
        names => names.join(" "),
    };
    format!("{host}: {events}")
}

fn reply(new: &NewEndpoint, secrets: &Secrets) -> Result<Reply, ApiError> {
    let webhook = WebhookView::from(&Endpoint {
        id: new.id.clone(),
        url: new.url.clone(),
        events: new.events.clone(),
        version: 1,
        created_at: new.created_at,
        disabled_at: None,
    });
    let body = CreatedWebhook {
        webhook,
        secret: secrets.current().expose().to_string(),
    };
    Ok(Reply {
        location: Some(format!("{ADMIN_WEBHOOKS}/{}", new.id)),
        ..Reply::json(StatusCode::CREATED, &body)?
    })
}
