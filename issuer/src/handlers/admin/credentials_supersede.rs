//! `POST /v1/credentials/{id}/supersede`: a credential is replaced by another one of its record.

use axum::extract::Path;
use axum::http::HeaderMap;
use serde::Deserialize;
use utoipa::ToSchema;

use super::body::{self, Payload};
use super::caller::Call;
use super::change::{self, Act};
use super::error::{ApiError, Problem};
use super::idempotent::Reply;
use super::views::CredentialView;
use crate::domain::ids::CredentialId;
use crate::paths::ADMIN_SUPERSEDE;

/// What replaces a credential.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SupersedeCredential {
    /// Id of a valid credential of the same record.
    #[schema(example = "019370d0-7c00-7000-8000-000000000003")]
    by: String,
}

/// Mark a credential as replaced by another one of the same record.
///
/// The status list gives it as invalid; there is no way back.
#[utoipa::path(
    post, path = ADMIN_SUPERSEDE, tag = "credentials", operation_id = "supersede_credential",
    request_body = SupersedeCredential,
    params(
        ("id" = String, Path, description = "The credential that is replaced"),
        ("If-Match" = Option<String>, Header, description = "Only if the version is still this one"),
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
        (status = 422, description = "`by` is not another valid credential of the record", body = Problem),
    ),
    security(("api_key" = []))
)]
pub async fn handler(
    call: Call,
    headers: HeaderMap,
    Path(id): Path<String>,
    Payload(bytes): Payload,
) -> Result<Reply, ApiError> {
    let SupersedeCredential { by } = body::read(&headers, &bytes)?;
    let by = CredentialId::parse(&by).map_err(|_| ApiError::Successor)?;
    change::apply(&call, &headers, &id, Act::ReplacedBy(by)).await
}
