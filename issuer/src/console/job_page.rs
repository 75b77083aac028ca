//! `/console/jobs/{id}`: how a change of many credentials goes, and its end before its time.

use axum::body::Bytes;
use axum::extract::Path;
use axum::http::HeaderMap;
use axum::response::Response;
use serde_json::{Value, json};

use super::{Failure, Managing, jobs, paths, view};
use crate::domain::ids::StatusJobId;
use crate::domain::status_job::{JobState, Plan};
use crate::handlers::admin::status_jobs_cancel;
use crate::store::status_jobs;

/// The page.
pub async fn page(
    Managing(visitor): Managing,
    Path(id): Path<String>,
) -> Result<Response, Failure> {
    let id = StatusJobId::parse(&id).map_err(|_| Failure::NotFound)?;
    let found = status_jobs::find(&visitor.console.core.db, &id).await?;
    let job = found.ok_or(Failure::NotFound)?;
    let context = json!({
        "job": jobs::row(&visitor, &job),
        "filter": filter(&job.plan),
        "reason": job.reason,
        "failed": job.failed(),
        "started_at": job.started_at.map(|at| at.0),
        "finished_at": job.finished_at.map(|at| at.0),
        "open": matches!(job.state, JobState::Waiting | JobState::Running),
        "cancel": paths::JOB_CANCEL.replace("{id}", id.as_str()),
        "recent": visitor.require_recent().is_ok(),
    });
    visitor.page("console/job", context)
}

/// Which credentials, but for their type.
pub fn filter(plan: &Plan) -> Value {
    json!({
        "from": Some(plan.issued_from).filter(|from| *from != i64::MIN),
        "before": plan.issued_before,
        "records": plan.records.as_ref().map(Vec::len),
    })
}

/// No further step. What was done stays done.
pub async fn cancel(
    Managing(visitor): Managing,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Failure> {
    visitor.form(&headers, &body).await?;
    visitor.require_recent()?;
    let id = StatusJobId::parse(&id).map_err(|_| Failure::NotFound)?;
    let core = visitor.console.core.clone();
    let (told, target) = (core.clone(), id.clone());
    let actor = visitor.session.operator.actor();
    core.db
        .write(async move |tx| {
            let actor = actor.clone();
            status_jobs_cancel::cancel(&told, tx, &target, actor).await?;
            Ok::<_, Failure>(())
        })
        .await?;
    Ok(view::see_other(&paths::JOB.replace("{id}", id.as_str())))
}
