//! `DELETE /v1/webhooks/{id}`: an endpoint is told nothing any more.

use axum::extract::Path;
use axum::http::StatusCode;
use vouchsafe_service::webhooks;

use super::caller::{Call, Scope};
use super::error::{ApiError, Problem};
use super::webhook_views;
use crate::paths::ADMIN_WEBHOOK;

/// Remove an endpoint, with what is on its way to it.
#[utoipa::path(
    delete, path = ADMIN_WEBHOOK, tag = "webhooks", operation_id = "delete_webhook",
    params(("id" = String, Path, description = "The endpoint")),
    responses(
        (status = 204, description = "It is gone"),
        (status = 401, description = "No valid API key", body = Problem),
        (status = 403, description = "The key lacks `webhooks:write`", body = Problem),
        (status = 404, description = "No such endpoint", body = Problem),
    ),
    security(("api_key" = []))
)]
pub async fn handler(call: Call, Path(id): Path<String>) -> Result<StatusCode, ApiError> {
    call.require(Scope::WebhooksWrite)?;
    let id = webhook_views::id(&id)?;
    let author = call.clone();
    call.core
        .db
        .write(async move |tx| {
            if !webhooks::remove(tx, id.as_str()).await? {
                return Err(ApiError::NotFound);
            }
            author.audit(tx, "webhook.delete", id.as_str(), "").await?;
            Ok(StatusCode::NO_CONTENT)
        })
        .await
}
