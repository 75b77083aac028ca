//! `GET /v1/verifications/{id}`: where a verification stands, and its result.

use axum::Json;
use axum::http::header;
use axum::response::{IntoResponse, Response};

use super::caller::Call;
use super::error::{ApiError, Problem};
use super::views::VerificationView;
use super::{VERIFICATION, verification_id};
use crate::access::Scope;
use crate::domain::ids::VerificationId;
use crate::domain::verification::Verification;
use crate::handlers::PathText;
use crate::store::verifications;

/// Read a verification.
///
/// The result is there for a short time after the answer, then the verification is forgotten as a whole.
#[utoipa::path(
    get, path = VERIFICATION, tag = "verifications", operation_id = "read_verification",
    params(("id" = String, Path, description = "The id of the verification")),
    responses(
        (status = 200, description = "The verification", body = VerificationView),
        (status = 401, description = "No valid API key", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "The key lacks `verifications:read`", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No such verification of yours, or not any more", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "Too many requests", body = Problem, content_type = "application/problem+json"),
        (status = 500, description = "A fault of ours", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Busy or without database", body = Problem, content_type = "application/problem+json"),
    ),
    security(("api_key" = []))
)]
pub async fn handle(call: Call, id: PathText) -> Result<Response, ApiError> {
    call.require(Scope::Read)?;
    let found = find(&call, &verification_id(id)?).await?;
    Ok(shown(&call, &found))
}

/// A verification of this caller; no other exists for it.
pub(super) async fn find(call: &Call, id: &VerificationId) -> Result<Verification, ApiError> {
    let (app, caller) = (&call.app, &call.caller.id);
    let found = verifications::find(&app.db, &app.vault, caller, id, app.now()).await?;
    found.ok_or(ApiError::NotFound)
}

/// The answer that shows it.
pub(super) fn shown(call: &Call, verification: &Verification) -> Response {
    let view = VerificationView::new(verification, call.app.now());
    ([(header::CACHE_CONTROL, "no-store")], Json(view)).into_response()
}
