//! `DELETE /v1/sessions/{id}`: a session is over.

use axum::http::StatusCode;

use super::SESSION;
use super::caller::Admin;
use crate::access::Scope;
use crate::domain::ids::SessionId;
use crate::handlers::PathText;
use crate::handlers::v1::error::{ApiError, Problem};
use crate::login::administer;

/// End a session.
///
/// Its tokens die at once; its applications get a logout token, and a security event where they take those.
#[utoipa::path(
    delete, path = SESSION, tag = "sessions", operation_id = "end_session",
    params(("id" = String, Path, description = "Its id")),
    responses(
        (status = 204, description = "It is over"),
        (status = 401, description = "No valid API key (`unauthorized`)", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "The key lacks `sessions:end` (`forbidden`)", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No such session, or it is over (`not_found`)", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "Too many requests", body = Problem, content_type = "application/problem+json"),
        (status = 500, description = "A fault of ours", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Busy or without database", body = Problem, content_type = "application/problem+json"),
    ),
    security(("api_key" = []))
)]
pub async fn handle(admin: Admin, id: PathText) -> Result<StatusCode, ApiError> {
    admin.require(Scope::SessionsEnd)?;
    let id = SessionId::parse(&super::id(id)?).ok_or(ApiError::Unknown)?;
    match administer::end(&admin.app, &admin.actor(), &id).await? {
        true => Ok(StatusCode::NO_CONTENT),
        false => Err(ApiError::Unknown),
    }
}
