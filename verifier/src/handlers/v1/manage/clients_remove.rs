//! `DELETE /v1/clients/{id}`: nobody logs in to an application any more.

use axum::http::{HeaderMap, StatusCode};

use super::caller::Admin;
use super::{CLIENT, condition};
use crate::access::Scope;
use crate::clients::administer;
use crate::handlers::PathText;
use crate::handlers::v1::error::{ApiError, Problem};

/// Remove an application.
///
/// Its sessions, tokens, codes and grants end at once; it is told of each session at its
/// `backchannel_logout_uri`, as of any that ends. What people agreed to with it is over. Where the
/// configuration has its id, too, the application there and all that it was given go on.
#[utoipa::path(
    delete, path = CLIENT, tag = "clients", operation_id = "remove_client",
    params(
        ("id" = String, Path, description = "Its `client_id`"),
        ("If-Match" = Option<String>, Header, description = "Only in the state of this entity tag"),
    ),
    responses(
        (status = 204, description = "It is gone"),
        (status = 400, description = "A malformed header (`invalid_condition`)", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "No valid API key (`unauthorized`)", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "The key lacks `clients:write` (`forbidden`)", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No such application (`not_found`)", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "It is in the configuration file (`configured_client`), and nothing of this id is kept here", body = Problem, content_type = "application/problem+json"),
        (status = 412, description = "It is in another state (`version_mismatch`)", body = Problem, content_type = "application/problem+json"),
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
) -> Result<StatusCode, ApiError> {
    admin.require(Scope::ClientsWrite)?;
    let id = super::id(id)?;
    let tag = condition::if_match(&headers)?;
    administer::remove(&admin.app, &admin.actor(), &id, tag).await?;
    Ok(StatusCode::NO_CONTENT)
}
