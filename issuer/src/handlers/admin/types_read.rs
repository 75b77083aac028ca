//! `GET /v1/credential-types/{id}`: a type in its newest version.

use axum::extract::Path;
use axum::http::StatusCode;

use super::caller::{Call, Scope};
use super::error::{ApiError, Problem};
use super::idempotent::Reply;
use super::type_views::TypeView;
use super::views::etag;
use crate::paths::ADMIN_TYPE;

/// Read a credential type.
#[utoipa::path(
    get, path = ADMIN_TYPE, tag = "credential types", operation_id = "read_credential_type",
    params(("id" = String, Path, description = "The type")),
    responses(
        (status = 200, description = "The type", body = TypeView),
        (status = 401, description = "No valid API key", body = Problem),
        (status = 403, description = "The key lacks `types:read`", body = Problem),
        (status = 404, description = "No such type", body = Problem),
    ),
    security(("api_key" = []))
)]
pub async fn handler(call: Call, Path(id): Path<String>) -> Result<Reply, ApiError> {
    call.require(Scope::TypesRead)?;
    call.core.types.refresh(&call.core).await?;
    let found = call.core.types.current(&id).ok_or(ApiError::NotFound)?;
    Ok(Reply {
        etag: Some(etag(found.version)),
        ..Reply::json(StatusCode::OK, &TypeView::new(&call.core, &found)?)?
    })
}
