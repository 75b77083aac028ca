//! `GET /v1/status-jobs`: changes of many credentials, newest first.

use axum::extract::RawQuery;
use axum::http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use super::caller::{Call, Scope};
use super::error::{ApiError, Problem};
use super::idempotent::Reply;
use super::query;
use super::status_job_views::StatusJobView;
use crate::domain::ids::StatusJobId;
use crate::paths::ADMIN_STATUS_JOBS;
use crate::store::status_jobs;

/// One page of status jobs.
#[derive(Serialize, ToSchema)]
pub struct StatusJobPage {
    /// The jobs, newest first.
    items: Vec<StatusJobView>,
    /// Pass this as `before` for the next page. Absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// List status jobs.
#[utoipa::path(
    get, path = ADMIN_STATUS_JOBS, tag = "status jobs", operation_id = "list_status_jobs",
    params(
        ("limit" = Option<u32>, Query, description = "1 to 200, 50 by default"),
        ("before" = Option<String>, Query, description = "`next` of the page before"),
    ),
    responses(
        (status = 200, description = "One page", body = StatusJobPage),
        (status = 400, description = "An unknown or malformed parameter", body = Problem),
        (status = 401, description = "No valid API key", body = Problem),
        (status = 403, description = "The key lacks `credentials:read`", body = Problem),
    ),
    security(("api_key" = []))
)]
pub async fn handler(call: Call, RawQuery(raw): RawQuery) -> Result<Reply, ApiError> {
    call.require(Scope::CredentialsRead)?;
    let parse = |text: &str| StatusJobId::parse(text).ok();
    let (request, _) = query::page(raw.as_deref(), &[], parse)?;
    let page = status_jobs::page(&call.core.db, &request).await?;
    let last = page.items.last().filter(|_| page.more);
    let next = last.map(|last| last.id.to_string());
    let items = page.items.iter().map(StatusJobView::new).collect();
    Reply::json(StatusCode::OK, &StatusJobPage { items, next })
}
