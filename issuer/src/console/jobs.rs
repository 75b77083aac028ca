//! `/console/jobs`: changes of many credentials, newest first, for admins.

use axum::extract::RawQuery;
use axum::response::Response;
use serde_json::{Value, json};

use super::{Failure, Managing, Visitor, cards, paths, query};
use crate::domain::ids::StatusJobId;
use crate::domain::status_job::StatusJob;
use crate::store::status_jobs;

/// The list.
pub async fn page(
    Managing(visitor): Managing,
    RawQuery(raw): RawQuery,
) -> Result<Response, Failure> {
    let params = query::params(raw.as_deref())?;
    let request = query::page(&params, |text| StatusJobId::parse(text).ok())?;
    let page = status_jobs::page(&visitor.console.core.db, &request).await?;
    let next = page.items.last().filter(|_| page.more);
    let next = next.map(|last| query::next(paths::JOBS, &params, last.id.as_str()));
    let rows: Vec<Value> = page.items.iter().map(|job| row(&visitor, job)).collect();
    visitor.page("console/jobs", json!({ "jobs": rows, "next": next }))
}

/// What pages show of a job.
pub fn row(visitor: &Visitor, job: &StatusJob) -> Value {
    let core = &visitor.console.core;
    let kind = job.plan.credential_type.as_ref();
    let kind = kind.map(|id| cards::name(core, id, visitor.locale.tag()));
    json!({
        "id": job.id.as_str(),
        "link": paths::JOB.replace("{id}", job.id.as_str()),
        "action": job.action.as_str(),
        "type": kind,
        "state": job.state.as_str(),
        "done": job.done,
        "total": job.total,
        "created_at": job.created_at.0,
    })
}
