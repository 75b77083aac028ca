//! `GET /v1/credentials/{id}`: one issued credential.

use axum::extract::Path;
use axum::http::StatusCode;

use super::caller::{Call, Scope};
use super::error::{ApiError, Problem};
use super::idempotent::Reply;
use super::views::{CredentialView, etag, record_name};
use crate::domain::ids::CredentialId;
use crate::paths::ADMIN_CREDENTIAL;
use crate::store::credentials;

/// Read a credential.
#[utoipa::path(
    get, path = ADMIN_CREDENTIAL, tag = "credentials", operation_id = "read_credential",
    params(("id" = String, Path, description = "The credential")),
    responses(
        (status = 200, description = "What is kept of the credential", body = CredentialView),
        (status = 401, description = "No valid API key", body = Problem),
        (status = 403, description = "The key lacks `credentials:read`", body = Problem),
        (status = 404, description = "No such credential", body = Problem),
    ),
    security(("api_key" = []))
)]
pub async fn handler(call: Call, Path(id): Path<String>) -> Result<Reply, ApiError> {
    call.require(Scope::CredentialsRead)?;
    let id = CredentialId::parse(&id).map_err(|_| ApiError::NotFound)?;
    let found = credentials::find(&call.core.db, &id)
        .await?
        .ok_or(ApiError::NotFound)?;
    let uri = call.core.settings.status_uri(&found.place.list);
    let mut view = CredentialView::new(&found, uri);
    view.record_id = record_name(&call.core, &found.record).await?;
    let reply = Reply::json(StatusCode::OK, &view)?;
    Ok(Reply {
        etag: Some(etag(found.version)),
        ..reply
    })
}
