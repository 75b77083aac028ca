//! `POST /v1/webhooks/{id}/deliveries/{message}/replay`: a message is sent again.

use axum::extract::Path;
use axum::http::StatusCode;
use vouchsafe_service::webhooks::{self, Replay};

use super::caller::{Call, Scope};
use super::error::{ApiError, Problem};
use super::webhook_views;
use crate::paths::ADMIN_WEBHOOK_REPLAY;

/// Send a message again, under the same id.
#[utoipa::path(
    post, path = ADMIN_WEBHOOK_REPLAY, tag = "webhooks", operation_id = "replay_webhook_message",
    params(
        ("id" = String, Path, description = "The endpoint"),
        ("message" = String, Path, description = "The message, `message_id` of a delivery"),
    ),
    responses(
        (status = 202, description = "It is sent in the next seconds"),
        (status = 401, description = "No valid API key", body = Problem),
        (status = 403, description = "The key lacks `webhooks:write`", body = Problem),
        (status = 404, description = "No such endpoint or message", body = Problem),
        (status = 409, description = "The endpoint said that it is gone", body = Problem),
    ),
    security(("api_key" = []))
)]
pub async fn handler(
    call: Call,
    Path((id, message)): Path<(String, String)>,
) -> Result<StatusCode, ApiError> {
    call.require(Scope::WebhooksWrite)?;
    let (id, message) = (webhook_views::id(&id)?, webhook_views::id(&message)?);
    let author = call.clone();
    call.core
        .db
        .write(async move |tx| {
            let now = author.core.clock.now();
            match webhooks::replay(tx, id.as_str(), message.as_str(), now).await? {
                Replay::Due => {}
                Replay::Unknown => return Err(ApiError::NotFound),
                Replay::Disabled => return Err(ApiError::WebhookDisabled),
            }
            author
                .audit(tx, "webhook.replay", id.as_str(), message.as_str())
                .await?;
            Ok(StatusCode::ACCEPTED)
        })
        .await
}
