//! `GET /v1/audit`: what was done, by whom, newest first.

use axum::extract::RawQuery;
use axum::http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;
use vouchsafe_service::audit::{self, Entry};

use super::caller::{Call, Scope};
use super::error::{ApiError, Problem};
use super::idempotent::Reply;
use super::query;
use super::views::rfc3339;
use crate::domain::page::Page;
use crate::paths::ADMIN_AUDIT;

/// One event of the audit log.
#[derive(Debug, Serialize, ToSchema)]
pub struct AuditEvent {
    /// Its number, from 1 without gaps.
    #[schema(example = 17)]
    seq: i64,
    /// RFC 3339, UTC.
    at: String,
    /// `key:<id>` for an API key, `operator:<id>` for an operator of the console, `command` for the command line, `system` for a job, `anonymous` where
    /// nobody is asked for a key.
    #[schema(example = "key:019370d0-7c00-7000-8000-000000000003")]
    actor: String,
    /// What was done.
    #[schema(example = "credential.revoke")]
    action: String,
    /// Id of the object.
    #[schema(example = "019370d0-7c00-7000-8000-000000000002")]
    target: String,
    /// In what way; left out where there is nothing to say.
    #[serde(skip_serializing_if = "String::is_empty")]
    detail: String,
}

impl From<Entry> for AuditEvent {
    fn from(entry: Entry) -> Self {
        let Entry {
            seq,
            at,
            actor,
            action,
            target,
            detail,
        } = entry;
        Self {
            seq,
            at: rfc3339(at),
            actor,
            action,
            target,
            detail,
        }
    }
}

/// One page of the audit log.
#[derive(Debug, Serialize, ToSchema)]
pub struct AuditPage {
    /// The events, newest first.
    items: Vec<AuditEvent>,
    /// Pass this as `before` for the next page. Absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// Read the audit log.
#[utoipa::path(
    get, path = ADMIN_AUDIT, tag = "audit", operation_id = "list_audit_events",
    params(
        ("limit" = Option<u32>, Query, description = "1 to 200, 50 by default"),
        ("before" = Option<String>, Query, description = "`next` of the page before"),
        ("target" = Option<String>, Query, description = "Only of the object with this id"),
    ),
    responses(
        (status = 200, description = "One page", body = AuditPage),
        (status = 400, description = "An unknown or malformed parameter", body = Problem),
        (status = 401, description = "No valid API key", body = Problem),
        (status = 403, description = "The key lacks `audit:read`", body = Problem),
    ),
    security(("api_key" = []))
)]
pub async fn handler(call: Call, RawQuery(raw): RawQuery) -> Result<Reply, ApiError> {
    call.require(Scope::AuditRead)?;
    let number = |text: &str| text.parse::<i64>().ok().filter(|seq| *seq > 0);
    let (request, params) = query::page(raw.as_deref(), &["target"], number)?;
    let target = params.get("target");
    // PostgreSQL has no text with a NUL, so no object is called so.
    if target.is_some_and(|id| id.chars().any(char::is_control)) {
        return Err(ApiError::Query);
    }
    let rows = audit::page(&call.core.db, request.before, target, request.limit + 1).await?;
    let page = Page::from_overfetch(rows, request.limit);
    let next = page.items.last().filter(|_| page.more);
    let next = next.map(|last| last.seq.to_string());
    let items = page.items.into_iter().map(AuditEvent::from).collect();
    Reply::json(StatusCode::OK, &AuditPage { items, next })
}
