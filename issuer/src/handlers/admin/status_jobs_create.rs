//! `POST /v1/status-jobs`: many credentials are suspended, resumed or revoked.

use axum::http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use vouchsafe_credentials::time::UnixTime;
use vouchsafe_service::db::Tx;

use super::body::{self, Payload};
use super::caller::{Call, Scope};
use super::error::{ApiError, BodyProblem, Problem};
use super::idempotent::{self, Reply};
use super::status_job_views::{ActionView, StatusJobView};
use super::views::from_rfc3339;
use crate::author::Author;
use crate::core::Core;
use crate::domain::ids::StatusJobId;
use crate::domain::status_job::{Action, Cursor, JobState, Plan, StatusJob};
use crate::paths::ADMIN_STATUS_JOBS;
use crate::prepare::MAX_RECORD_ID;
use crate::store::{mass, records, status_jobs};

/// Jobs that are not finished at most.
const MAX_OPEN: i64 = 20;
/// Records of a job at most.
const MAX_RECORDS: usize = 1000;
/// Longest reason, in characters.
const MAX_REASON: usize = 500;
/// Longest name of a credential type, in bytes.
const MAX_TYPE: usize = 256;

/// Which credentials: those that fit everything that is said. At least one thing must be said.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Filter {
    /// Of this type.
    #[schema(example = "membership")]
    pub credential_type: Option<String>,
    /// Issued at this moment or later, RFC 3339.
    #[schema(example = "2026-01-01T00:00:00Z")]
    pub issued_after: Option<String>,
    /// Issued before this moment, RFC 3339. What is issued after the call is left alone in any case.
    pub issued_before: Option<String>,
    /// Of these subject records, by your own identifiers, 1 to 1000. Unknown ones are passed over.
    pub record_ids: Option<Vec<String>>,
}

/// A change of many credentials.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateStatusJob {
    /// What is done to each credential.
    action: ActionView,
    /// Which credentials.
    filter: Filter,
    /// Why, for whoever looks later; no personal data. 500 characters at most.
    #[serde(default)]
    #[schema(example = "key of the signing device was lost")]
    reason: String,
    /// Whether nothing is done and the credentials are only counted.
    #[serde(default)]
    dry_run: bool,
    /// Whether webhooks tell of each credential, and not only of the end of the job.
    #[serde(default)]
    events_per_credential: bool,
}

/// How many credentials a job would be about.
#[derive(Debug, Serialize, ToSchema)]
pub struct DryRun {
    /// So many.
    total: i64,
}

/// Suspend, resume or revoke many credentials.
///
/// With `dry_run` they are counted, and nothing is changed. Otherwise a job is made that works in the
/// background, in steps, and goes on after a restart; credentials whose status does not allow the
/// action are not touched.
#[utoipa::path(
    post, path = ADMIN_STATUS_JOBS, tag = "status jobs", operation_id = "create_status_job",
    request_body = CreateStatusJob,
    params(("Idempotency-Key" = Option<String>, Header, description = "Makes a repetition safe")),
    responses(
        (status = 200, description = "The count, with `dry_run`", body = DryRun),
        (status = 202, description = "The job", body = StatusJobView),
        (status = 400, description = "Not strict JSON of this form", body = Problem),
        (status = 401, description = "No valid API key", body = Problem),
        (status = 403, description = "The key lacks `status-jobs:write`", body = Problem),
        (status = 409, description = "Twenty jobs are not finished", body = Problem),
        (status = 415, description = "Not `application/json`", body = Problem),
        (status = 422, description = "The filter or the reason is not acceptable", body = Problem),
    ),
    security(("api_key" = []))
)]
pub async fn handler(
    call: Call,
    headers: HeaderMap,
    Payload(bytes): Payload,
) -> Result<Reply, ApiError> {
    call.require(Scope::StatusJobsWrite)?;
    let key = idempotent::key(&headers)?;
    let CreateStatusJob {
        action,
        filter,
        reason,
        dry_run,
        events_per_credential,
    } = body::read(&headers, &bytes)?;
    let wish = Wish {
        action: action.into(),
        filter,
        reason,
        tell_each: events_per_credential,
    };
    let job = counted(&call.core, call.caller.actor(), wish).await?;
    if dry_run {
        return Reply::json(StatusCode::OK, &DryRun { total: job.total });
    }
    let reply = Reply {
        location: Some(format!("{ADMIN_STATUS_JOBS}/{}", job.id)),
        ..Reply::json(StatusCode::ACCEPTED, &StatusJobView::new(&job))?
    };
    let content = idempotent::content(ADMIN_STATUS_JOBS, &bytes);
    let core = call.core.clone();
    idempotent::run(&call, key, content, async move |tx| {
        begin(&core, tx, &job).await?;
        Ok(reply.clone())
    })
    .await
}

/// What somebody wants to be done to many credentials.
#[derive(Debug)]
pub struct Wish {
    /// What is done to each.
    pub action: Action,
    /// Which.
    pub filter: Filter,
    /// Why; may be empty.
    pub reason: String,
    /// Whether an event is sent for each.
    pub tell_each: bool,
}

/// The job of a wish, with its credentials counted: the API and the console. Writes nothing.
pub async fn counted(core: &Core, actor: String, wish: Wish) -> Result<StatusJob, ApiError> {
    let Wish {
        action,
        filter,
        reason,
        tell_each,
    } = wish;
    if reason.chars().count() > MAX_REASON || reason.chars().any(char::is_control) {
        return Err(ApiError::JobReason);
    }
    let plan = plan(core, filter).await?;
    let total = mass::count(&core.db, &plan, action.change()).await?;
    Ok(StatusJob {
        id: StatusJobId::new(core.ids.next()),
        action,
        plan,
        reason,
        tell_each,
        actor,
        state: JobState::Waiting,
        cursor: Cursor::START,
        total,
        done: 0,
        created_at: core.clock.now(),
        started_at: None,
        finished_at: None,
    })
}

/// Stores a job, which begins it, in the transaction of the caller.
pub async fn begin(core: &Core, tx: &mut Tx, job: &StatusJob) -> Result<(), ApiError> {
    if status_jobs::count_open(tx).await? >= MAX_OPEN {
        return Err(ApiError::JobLimit);
    }
    status_jobs::insert(tx, job).await?;
    let detail = format!("{} {}", job.action.as_str(), job.total);
    let (author, target) = (Author::new(job.actor.clone()), job.id.as_str());
    author
        .audit(core, tx, "status_job.create", target, &detail)
        .await?;
    Ok(())
}

async fn plan(core: &Core, filter: Filter) -> Result<Plan, ApiError> {
    let Filter {
        credential_type,
        issued_after,
        issued_before,
        record_ids,
    } = filter;
    let nothing = credential_type.is_none()
        && issued_after.is_none()
        && issued_before.is_none()
        && record_ids.is_none();
    // PostgreSQL has no text with a NUL, so no type is called so.
    let odd_type = |kind: &String| {
        kind.is_empty() || kind.len() > MAX_TYPE || kind.chars().any(char::is_control)
    };
    if nothing || credential_type.as_ref().is_some_and(odd_type) {
        return Err(ApiError::JobFilter);
    }
    // To the end of this second: what was issued a moment ago belongs to it.
    let made_at = core.clock.now();
    let now = made_at.plus(1);
    let before = issued_before.as_deref().map(moment).transpose()?;
    let before = before.map_or(now, |before| before.min(now));
    let after = issued_after.as_deref().map(moment).transpose()?;
    Ok(Plan {
        credential_type,
        issued_from: after.map_or(i64::MIN, |after| after.0),
        issued_before: before.0,
        made_at: made_at.0,
        records: match record_ids {
            None => None,
            Some(names) => Some(known_records(core, &names).await?),
        },
    })
}

fn moment(text: &str) -> Result<UnixTime, ApiError> {
    from_rfc3339(text).ok_or(ApiError::Body(BodyProblem::Shape))
}

/// Our own ids of records, in their order and each once.
async fn known_records(core: &Core, names: &[String]) -> Result<Vec<String>, ApiError> {
    let odd = |name: &String| name.is_empty() || name.len() > MAX_RECORD_ID;
    if names.is_empty() || names.len() > MAX_RECORDS || names.iter().any(odd) {
        return Err(ApiError::JobFilter);
    }
    let mut known = Vec::new();
    for name in names {
        let hash = core.keys.record_hash(name);
        if let Some(id) = records::find(&core.db, &hash).await? {
            known.push(id.to_string());
        }
    }
    known.sort();
    known.dedup();
    Ok(known)
}
