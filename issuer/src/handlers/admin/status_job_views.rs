//! How a change of many credentials looks to the outside.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use vouchsafe_credentials::time::UnixTime;

use super::views::rfc3339;
use crate::domain::status_job::{Action, JobState, StatusJob};

/// What is done to each credential.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ActionView {
    /// Valid or suspended to revoked, for good.
    Revoke,
    /// Valid to suspended.
    Suspend,
    /// Suspended to valid.
    Resume,
}

impl From<ActionView> for Action {
    fn from(view: ActionView) -> Self {
        match view {
            ActionView::Revoke => Self::Revoke,
            ActionView::Suspend => Self::Suspend,
            ActionView::Resume => Self::Resume,
        }
    }
}

impl From<Action> for ActionView {
    fn from(action: Action) -> Self {
        match action {
            Action::Revoke => Self::Revoke,
            Action::Suspend => Self::Suspend,
            Action::Resume => Self::Resume,
        }
    }
}

/// Where a job stands.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum JobStateView {
    /// Nothing was done yet.
    Waiting,
    /// It is being worked on.
    Running,
    /// Everything was looked at.
    Done,
    /// Somebody stopped it. What was done stays done.
    Cancelled,
}

impl From<JobState> for JobStateView {
    fn from(state: JobState) -> Self {
        match state {
            JobState::Waiting => Self::Waiting,
            JobState::Running => Self::Running,
            JobState::Done => Self::Done,
            JobState::Cancelled => Self::Cancelled,
        }
    }
}

/// Which credentials a job is about.
#[derive(Debug, Serialize, ToSchema)]
pub struct FilterView {
    /// Of this type alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    credential_type: Option<String>,
    /// Issued at this moment or later, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    issued_after: Option<String>,
    /// Issued before this moment, RFC 3339.
    issued_before: String,
    /// Of so many subject records; all where it is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    records: Option<usize>,
}

/// A change of many credentials.
#[derive(Debug, Serialize, ToSchema)]
pub struct StatusJobView {
    /// Its id.
    #[schema(example = "019370d0-7c00-7000-8000-000000000004")]
    id: String,
    /// What is done to each credential.
    action: ActionView,
    /// Which credentials.
    filter: FilterView,
    /// Why.
    reason: String,
    /// Whether an event is sent for each credential.
    events_per_credential: bool,
    /// Where it stands.
    state: JobStateView,
    /// Credentials that it was about when it was made.
    total: i64,
    /// Credentials that it changed so far.
    done: i64,
    /// Credentials that had another status when their turn came. Known at the end.
    failed: i64,
    /// RFC 3339, UTC.
    created_at: String,
    /// RFC 3339, UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    started_at: Option<String>,
    /// RFC 3339, UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    finished_at: Option<String>,
}

impl StatusJobView {
    /// The view of a job.
    pub fn new(job: &StatusJob) -> Self {
        let from = job.plan.issued_from;
        Self {
            id: job.id.to_string(),
            action: job.action.into(),
            filter: FilterView {
                credential_type: job.plan.credential_type.clone(),
                issued_after: (from != i64::MIN).then(|| rfc3339(UnixTime(from))),
                issued_before: rfc3339(UnixTime(job.plan.issued_before)),
                records: job.plan.records.as_ref().map(Vec::len),
            },
            reason: job.reason.clone(),
            events_per_credential: job.tell_each,
            state: job.state.into(),
            total: job.total,
            done: job.done,
            failed: job.failed(),
            created_at: rfc3339(job.created_at),
            started_at: job.started_at.map(rfc3339),
            finished_at: job.finished_at.map(rfc3339),
        }
    }
}
