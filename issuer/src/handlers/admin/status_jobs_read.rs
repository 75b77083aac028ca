//! `GET /v1/status-jobs/{id}`: how a change of many credentials goes.

use axum::extract::Path;
use axum::http::StatusCode;

use super::caller::{Call, Scope};
use super::error::{ApiError, Problem};
use super::idempotent::Reply;
use super::status_job_views::StatusJobView;
use crate::domain::ids::StatusJobId;
use crate::paths::ADMIN_STATUS_JOB;
use crate::store::status_jobs;

/// Read a status job.
#[utoipa::path(
    get, path = ADMIN_STATUS_JOB, tag = "status jobs", operation_id = "read_status_job",
    params(("id" = String, Path, description = "The job")),
    responses(
        (status = 200, description = "The job", body = StatusJobView),
        (status = 401, description = "No valid API key", body = Problem),
        (status = 403, description = "The key lacks `credentials:read`", body = Problem),
        (status = 404, description = "No such job", body = Problem),
    ),
    security(("api_key" = []))
)]
pub async fn handler(call: Call, Path(id): Path<String>) -> Result<Reply, ApiError> {
    call.require(Scope::CredentialsRead)?;
    let id = StatusJobId::parse(&id).map_err(|_| ApiError::NotFound)?;
    let job = status_jobs::find(&call.core.db, &id).await?;
    let job = job.ok_or(ApiError::NotFound)?;
    Reply::json(StatusCode::OK, &StatusJobView::new(&job))
}
