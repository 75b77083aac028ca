//! `POST /v1/status-jobs/{id}/cancel`: no further step of a change of many credentials.

use axum::extract::Path;
use axum::http::{HeaderMap, StatusCode};
use vouchsafe_service::db::Tx;

use super::caller::{Call, Scope};
use super::error::{ApiError, Problem};
use super::idempotent::{self, Reply};
use super::status_job_views::StatusJobView;
use crate::core::Core;
use crate::domain::ids::StatusJobId;
use crate::domain::status_job::{JobState, StatusJob};
use crate::paths::ADMIN_STATUS_JOB_CANCEL;
use crate::status_jobs as work;
use crate::store::status_jobs;

/// Stop a status job. What was done stays done.
#[utoipa::path(
    post, path = ADMIN_STATUS_JOB_CANCEL, tag = "status jobs", operation_id = "cancel_status_job",
    params(
        ("id" = String, Path, description = "The job"),
        ("Idempotency-Key" = Option<String>, Header, description = "Makes a repetition safe"),
    ),
    responses(
        (status = 200, description = "The job as it ended", body = StatusJobView),
        (status = 401, description = "No valid API key", body = Problem),
        (status = 403, description = "The key lacks `status-jobs:write`", body = Problem),
        (status = 404, description = "No such job", body = Problem),
        (status = 409, description = "It has ended", body = Problem),
    ),
    security(("api_key" = []))
)]
pub async fn handler(
    call: Call,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Result<Reply, ApiError> {
    call.require(Scope::StatusJobsWrite)?;
    let id = StatusJobId::parse(&id).map_err(|_| ApiError::NotFound)?;
    let key = idempotent::key(&headers)?;
    let content = idempotent::content(&format!("{id} cancel"), &[]);
    let author = call.clone();
    idempotent::run(&call, key, content, async move |tx| {
        let ended = cancel(&author.core, tx, &id, author.caller.actor()).await?;
        Reply::json(StatusCode::OK, &StatusJobView::new(&ended))
    })
    .await
}

/// Stops a job, in the transaction of the caller: the API and the console.
pub async fn cancel(
    core: &Core,
    tx: &mut Tx,
    id: &StatusJobId,
    actor: String,
) -> Result<StatusJob, ApiError> {
    let found = status_jobs::find_in(tx, id).await?;
    let found = found.ok_or(ApiError::NotFound)?;
    let ended = work::end(core, tx, &found, JobState::Cancelled, actor).await?;
    ended.ok_or(ApiError::JobEnded)
}
