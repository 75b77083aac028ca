//! What the administration API shows of webhooks.

use serde::Serialize;
use utoipa::ToSchema;
use vouchsafe_credentials::time::UnixTime;
use vouchsafe_service::webhooks::{DeliveryRow, Endpoint};

use super::error::ApiError;
use super::views::rfc3339;
use crate::domain::ids::WebhookId;

/// An endpoint that is told of events.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct WebhookView {
    /// Its id.
    #[schema(example = "019370d0-7c00-7000-8000-000000000004")]
    pub id: String,
    /// Where messages go.
    #[schema(example = "https://club.example/hooks/vouchsafe")]
    pub url: String,
    /// Names of the events that are sent; empty means all.
    pub events: Vec<String>,
    /// Counts changes; in quotes also the entity tag.
    pub version: i64,
    /// RFC 3339, UTC.
    pub created_at: String,
    /// Since when nothing is sent because the endpoint answered 410. A new secret wakes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disabled_at: Option<String>,
}

impl From<&Endpoint> for WebhookView {
    fn from(endpoint: &Endpoint) -> Self {
        let Endpoint {
            id,
            url,
            events,
            version,
            created_at,
            disabled_at,
        } = endpoint;
        Self {
            id: id.clone(),
            url: url.clone(),
            events: events.clone(),
            version: *version,
            created_at: rfc3339(*created_at),
            disabled_at: disabled_at.map(rfc3339),
        }
    }
}

/// A message on its way.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct WebhookDelivery {
    /// The message; the same as in the header `webhook-id`.
    pub message_id: String,
    /// Name of the event.
    #[schema(example = "credential.issued")]
    pub event: String,
    /// RFC 3339, UTC: when it happened.
    pub created_at: String,
    /// Tries so far.
    pub attempts: i64,
    /// RFC 3339, UTC: when it arrived.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delivered_at: Option<String>,
    /// RFC 3339, UTC: when it is tried next. Absent once it arrived or was given up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_attempt_at: Option<String>,
    /// What the last try gave: an HTTP status or a word.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "503")]
    pub last_result: Option<String>,
}

impl From<DeliveryRow> for WebhookDelivery {
    fn from(row: DeliveryRow) -> Self {
        let DeliveryRow {
            message_id,
            event,
            attempts,
            next_at,
            delivered_at,
            last_result,
            created_at,
        } = row;
        let time = |seconds| rfc3339(UnixTime(seconds));
        Self {
            message_id,
            event,
            created_at: time(created_at),
            attempts,
            delivered_at: delivered_at.map(time),
            next_attempt_at: next_at.map(time),
            last_result,
        }
    }
}

/// An endpoint's id from a path.
pub fn id(text: &str) -> Result<WebhookId, ApiError> {
    WebhookId::parse(text).map_err(|_| ApiError::NotFound)
}
