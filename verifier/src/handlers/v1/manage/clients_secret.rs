//! `POST /v1/clients/{id}/secret`: another secret, the one of before beside it for a while.

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::http::HeaderMap;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::caller::Admin;
use super::{CLIENT_SECRET, condition};
use crate::access::Scope;
use crate::clients::administer;
use crate::clients::managed::ManageError;
use crate::handlers::PathText;
use crate::handlers::v1::error::{ApiError, Problem};
use crate::handlers::v1::views::rfc3339;
use crate::handlers::v1::{idempotent, start};

/// Seconds in which both secrets count, unless asked otherwise.
const OVERLAP_S: i64 = 86_400;
/// So many at most.
const LONGEST_S: i64 = 30 * 86_400;

/// How the secret is changed.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RotateSecret {
    /// Seconds for which the secret of before counts, too: 0 to 30 days, a day without it. One that still
    /// counted from an earlier change ends at once.
    #[serde(default)]
    #[schema(minimum = 0, maximum = 2_592_000, example = 86_400)]
    overlap_s: Option<i64>,
}

/// The new secret, for the only time.
#[derive(Serialize, ToSchema)]
pub struct RotatedSecret {
    /// It.
    client_secret: String,
    /// Until when the one of before counts.
    previous_secret_until: String,
    /// The entity tag of the application now.
    etag: String,
}

/// Give an application another secret.
#[utoipa::path(
    post, path = CLIENT_SECRET, tag = "clients", operation_id = "rotate_client_secret",
    request_body = RotateSecret,
    params(
        ("id" = String, Path, description = "Its `client_id`"),
        ("If-Match" = Option<String>, Header, description = "The entity tag that was read; needed: a repetition cannot end a secret that is in use"),
        ("Idempotency-Key" = Option<String>, Header, description = "Makes a repetition safe: for a day it gets the same answer"),
    ),
    responses(
        (status = 201, description = "The secret is shown this once", body = RotatedSecret),
        (status = 400, description = "Not strict JSON of this form (`invalid_body`), or a malformed header (`invalid_condition`, `invalid_idempotency_key`)", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "No valid API key (`unauthorized`)", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "The key lacks `clients:write` (`forbidden`)", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No such application (`not_found`)", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "It is in the configuration file (`configured_client`), or has no secret (`no_secret`)", body = Problem, content_type = "application/problem+json"),
        (status = 412, description = "It is in another state (`version_mismatch`)", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "The body is too long (`body_too_long`)", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "Not `application/json` (`unsupported_media_type`)", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "The time is out of range (`invalid_overlap`), or the idempotency key was used for another request (`idempotency_key_reused`)", body = Problem, content_type = "application/problem+json"),
        (status = 428, description = "No `If-Match` (`if_match_required`)", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "Too many requests", body = Problem, content_type = "application/problem+json"),
        (status = 500, description = "A fault of ours", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Busy or without database", body = Problem, content_type = "application/problem+json"),
    ),
    security(("api_key" = []))
)]
pub async fn handle(
    admin: Admin,
    headers: HeaderMap,
    id: PathText,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, ApiError> {
    admin.require(Scope::ClientsWrite)?;
    let id = super::id(id)?;
    let key = idempotent::key(&headers)?;
    let tag = condition::if_match(&headers)?;
    let bytes = start::bytes(body)?;
    let RotateSecret { overlap_s } = start::read(&headers, &bytes)?;
    let overlap_s = overlap_s.unwrap_or(OVERLAP_S);
    if !(0..=LONGEST_S).contains(&overlap_s) {
        return Err(ApiError::Overlap);
    }
    administer::has_secret(&admin.app, &id).await?;
    let tag = tag.ok_or(ManageError::TagMissing)?;
    let owner = format!("administration {}", admin.actor());
    let parts: [&[u8]; 4] = [
        b"POST /v1/clients/secret",
        id.as_bytes(),
        tag.as_bytes(),
        &bytes,
    ];
    let (app, actor, name) = (admin.app.clone(), admin.actor(), id.clone());
    let state = tag.clone();
    let text = idempotent::run((&admin.app, owner), key, &parts, async move |tx| {
        let rotated = administer::rotate(tx, &app, &actor, &name, (&state, overlap_s)).await?;
        let answer = RotatedSecret {
            client_secret: rotated.secret.reveal().to_owned(),
            previous_secret_until: rfc3339(rotated.previous_until),
            etag: condition::etag(&rotated.revision),
        };
        serde_json::to_string(&answer)
            .map_err(|_| ApiError::Internal("an answer does not serialise"))
    })
    .await?;
    Ok(start::created(text))
}
