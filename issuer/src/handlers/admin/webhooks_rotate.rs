//! `POST /v1/webhooks/{id}/rotate-secret`: a new secret signs, the old one beside it for a day.

use axum::extract::Path;
use axum::http::{HeaderMap, StatusCode};
use serde::Serialize;
use utoipa::ToSchema;
use vouchsafe_service::webhooks::{self, Rotated};

use super::caller::{Call, Scope};
use super::change;
use super::error::{ApiError, Problem};
use super::idempotent::{self, Reply};
use super::views::etag;
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
    params(
        ("id" = String, Path, description = "The endpoint"),
        ("If-Match" = String, Header, description = "The entity tag, the version in quotes: a repetition cannot drop a secret that is in use"),
        ("Idempotency-Key" = Option<String>, Header, description = "Makes a repetition safe"),
    ),
    responses(
        (status = 200, description = "The secret is shown this once", body = RotatedSecret),
        (status = 401, description = "No valid API key", body = Problem),
        (status = 403, description = "The key lacks `webhooks:write`", body = Problem),
        (status = 404, description = "No such endpoint", body = Problem),
        (status = 412, description = "Another version", body = Problem),
        (status = 428, description = "No `If-Match`", body = Problem),
    ),
    security(("api_key" = []))
)]
pub async fn handler(
    call: Call,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Result<Reply, ApiError> {
    call.require(Scope::WebhooksWrite)?;
    let id = webhook_views::id(&id)?;
    let key = idempotent::key(&headers)?;
    let tag = change::if_match(&headers)?.ok_or(ApiError::VersionMissing)?;
    let version = tag
        .trim_matches('"')
        .parse()
        .map_err(|_| ApiError::Version)?;
    let content = idempotent::content(&format!("rotate {id} {version}"), &[]);
    let author = call.clone();
    idempotent::run(&call, key, content, async move |tx| {
        let core = &author.core;
        let (sealer, now) = (&core.keys.columns, core.clock.now());
        let done = webhooks::rotate(tx, id.as_str(), version, sealer, &*core.rng, now).await?;
        let (secrets, version) = match done {
            Rotated::Done(secrets, version) => (secrets, version),
            Rotated::Unknown => return Err(ApiError::NotFound),
            Rotated::OtherVersion => return Err(ApiError::Version),
        };
        author.audit(tx, "webhook.rotate", id.as_str(), "").await?;
        let secret = secrets.current().expose().to_string();
        Ok(Reply {
            etag: Some(etag(version)),
            ..Reply::json(StatusCode::OK, &RotatedSecret { secret })?
        })
    })
    .await
}
