//! `DELETE /v1/verifications/{id}`: no wallet may answer any more, and nothing is kept.

use axum::http::StatusCode;

use super::caller::Call;
use super::error::{ApiError, Problem};
use super::{VERIFICATION, verification_id};
use crate::access::Scope;
use crate::handlers::PathText;
use crate::store::verifications;

/// Cancel or forget a verification.
#[utoipa::path(
    delete, path = VERIFICATION, tag = "verifications", operation_id = "remove_verification",
    params(("id" = String, Path, description = "The id of the verification")),
    responses(
        (status = 204, description = "It is gone, whatever its state was"),
        (status = 401, description = "No valid API key", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "The key lacks `verifications:write`", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No such verification of yours, or not any more", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "Too many requests", body = Problem, content_type = "application/problem+json"),
        (status = 500, description = "A fault of ours", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Busy or without database", body = Problem, content_type = "application/problem+json"),
    ),
    security(("api_key" = []))
)]
pub async fn handle(call: Call, id: PathText) -> Result<StatusCode, ApiError> {
    call.require(Scope::Write)?;
    let (id, now) = (verification_id(id)?, call.app.now());
    let (gone, caller) = (id.clone(), call.caller.id.clone());
    let removed = call
        .app
        .db
        .write(async move |tx| verifications::delete(tx, &caller, &gone, now).await)
        .await?;
    if !removed {
        return Err(ApiError::NotFound);
    }
    call.app.verification_changes.announce(&id);
    Ok(StatusCode::NO_CONTENT)
}
