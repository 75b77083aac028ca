//! `GET /v1/clients/{id}`: an application.

use axum::response::Response;

use super::CLIENT;
use super::caller::Admin;
use super::client_views::{self, ClientView};
use crate::access::Scope;
use crate::clients::managed;
use crate::domain::ids::ClientId;
use crate::handlers::PathText;
use crate::handlers::v1::error::{ApiError, Problem};

/// Read an application.
///
/// Its secret is never told again. The entity tag is for changes; one of the configuration has none.
#[utoipa::path(
    get, path = CLIENT, tag = "clients", operation_id = "read_client",
    params(("id" = String, Path, description = "Its `client_id`")),
    responses(
        (status = 200, description = "The application", body = ClientView,
            headers(("ETag" = String, description = "The state it is in: for `If-Match`; one of the configuration has none"))),
        (status = 401, description = "No valid API key (`unauthorized`)", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "The key lacks `clients:read` (`forbidden`)", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No such application (`not_found`)", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "Too many requests", body = Problem, content_type = "application/problem+json"),
        (status = 500, description = "A fault of ours", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Busy or without database", body = Problem, content_type = "application/problem+json"),
    ),
    security(("api_key" = []))
)]
pub async fn handle(admin: Admin, id: PathText) -> Result<Response, ApiError> {
    admin.require(Scope::ClientsRead)?;
    let id = super::id(id)?;
    let found = managed::find(&admin.app, &ClientId::from_text(id)).await?;
    Ok(client_views::answer(found.ok_or(ApiError::Unknown)?))
}
