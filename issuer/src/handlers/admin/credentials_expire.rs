//! `POST /v1/credentials/{id}/expire`: a valid or suspended credential ends before its signed end.

use axum::extract::Path;
use axum::http::HeaderMap;
use serde::Deserialize;
use utoipa::ToSchema;

use super::body::{self, Payload};
use super::caller::Call;
use super::change::{self, Act};
use super::error::{ApiError, BodyProblem, Problem};
use super::idempotent::Reply;
use super::views::{CredentialView, from_rfc3339};
use crate::domain::credential::Change;
use crate::paths::ADMIN_EXPIRE;

/// When a credential ends.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ExpireCredential {
    /// RFC 3339; a moment to come, before the signed end. Absent: now.
    #[schema(example = "2027-06-30T22:00:00Z")]
    at: Option<String>,
}

/// End a credential early, now or at a moment to come.
///
/// The end that was signed into the credential (`exp`, `validUntil`) cannot be changed any more, and
/// nobody can reach into a wallet. So the status list says it: from that moment on it gives the
/// credential as invalid, and relying parties that look there refuse it. It is not issued again from
/// the moment of this call. As long as its end is still to come it can be said anew; there is no way
/// back from `expired`.
#[utoipa::path(
    post, path = ADMIN_EXPIRE, tag = "credentials", operation_id = "expire_credential",
    request_body = inline(Option<ExpireCredential>),
    params(
        ("id" = String, Path, description = "The credential"),
        ("If-Match" = Option<String>, Header, description = "Only if the version is still this one; required with `at`"),
        ("Idempotency-Key" = Option<String>, Header, description = "Makes a repetition safe"),
    ),
    responses(
        (status = 200, description = "The credential after the change", body = CredentialView),
        (status = 400, description = "Not strict JSON of this form", body = Problem),
        (status = 401, description = "No valid API key", body = Problem),
        (status = 403, description = "The key lacks `credentials:write`", body = Problem),
        (status = 404, description = "No such credential", body = Problem),
        (status = 409, description = "The present status does not allow it", body = Problem),
        (status = 412, description = "Another version", body = Problem),
        (status = 415, description = "Not `application/json`", body = Problem),
        (status = 422, description = "The moment is over, or behind the signed end", body = Problem),
        (status = 428, description = "`at` without `If-Match`", body = Problem),
    ),
    security(("api_key" = []))
)]
pub async fn handler(
    call: Call,
    headers: HeaderMap,
    Path(id): Path<String>,
    Payload(bytes): Payload,
) -> Result<Reply, ApiError> {
    let ExpireCredential { at } = match bytes.is_empty() {
        true => ExpireCredential::default(),
        false => body::read(&headers, &bytes)?,
    };
    let act = match at {
        None => Act::Now(Change::Expire),
        Some(text) => Act::EndAt(from_rfc3339(&text).ok_or(ApiError::Body(BodyProblem::Shape))?),
    };
    change::apply(&call, &headers, &id, act).await
}
