//! `POST /v1/credentials/{id}/suspend`: a valid credential becomes suspended.

use axum::extract::Path;
use axum::http::HeaderMap;

use super::caller::Call;
use super::change::{self, Act};
use super::error::{ApiError, Problem};
use super::idempotent::Reply;
use super::views::CredentialView;
use crate::domain::credential::Change;
use crate::paths::ADMIN_SUSPEND;

/// Suspend a valid credential. It can be resumed.
#[utoipa::path(
    post, path = ADMIN_SUSPEND, tag = "credentials", operation_id = "suspend_credential",
    params(
        ("id" = String, Path, description = "The credential"),
        ("If-Match" = String, Header, description = "The entity tag that was read: only if the version is still this one"),
        ("Idempotency-Key" = Option<String>, Header, description = "Makes a repetition safe"),
    ),
    responses(
        (status = 200, description = "The credential after the change", body = CredentialView),
        (status = 401, description = "No valid API key", body = Problem),
        (status = 403, description = "The key lacks `credentials:write`", body = Problem),
        (status = 404, description = "No such credential", body = Problem),
        (status = 409, description = "The present status does not allow it", body = Problem),
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
    change::apply(&call, &headers, &id, Act::Now(Change::Suspend)).await
}
