//! `POST /v1/webhooks/{id}/rotate-secret`: a new secret signs, the old one beside it for a day.

use axum::extract::Path;
use axum::http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;
use vouchsafe_service::webhooks;

use super::caller::{Call, Scope};
use super::error::{ApiError, Problem};
use super::idempotent::Reply;
use super::webhook_views;
use crate::paths::ADMIN_WEBHOOK_ROTATE;

/// The new secret, for the only time.
#[derive(Serialize, ToSchema)]
pub struct RotatedSecret {
    /// Signs every message from now on; the old one signs too for a day.
    #[schema(example = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")]
    secret: String,
}

/// Make a new secret. An endpoint that was given up is used again.
#[utoipa::path(
    post, path = ADMIN_WEBHOOK_ROTATE, tag = "webhooks", operation_id = "rotate_webhook_secret",
    params(("id" = String, Path, description = "The endpoint")),
    responses(
        (status = 200, description = "The secret is shown this once", body = RotatedSecret),
        (status = 401, description = "No valid API key", body = Problem),
        (status = 403, description = "The key lacks `webhooks:write`", body = Problem),
        (status = 404, description = "No such endpoint", body = Problem),
    ),
    security(("api_key" = []))
)]
pub async fn handler(call: Call, Path(id): Path<String>) -> Result<Reply, ApiError> {
    call.require(Scope::WebhooksWrite)?;
    let id = webhook_views::id(&id)?;
    let author = call.clone();
    call.core
        .db
        .write(async move |tx| {
            let core = &author.core;
            let (sealer, now) = (&core.keys.columns, core.clock.now());
            let secrets = webhooks::rotate(tx, id.as_str(), sealer, &*core.rng, now).await?;
            let secrets = secrets.ok_or(ApiError::NotFound)?;
            author.audit(tx, "webhook.rotate", id.as_str(), "").await?;
            let secret = secrets.current().expose().to_string();
            Reply::json(StatusCode::OK, &RotatedSecret { secret })
        })
        .await
}
