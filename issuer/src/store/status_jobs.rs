//! Changes of many credentials.

use vouchsafe_credentials::time::UnixTime;
use vouchsafe_service::db::{Db, DbError, RowError, Table, Tx, each, execute};

use super::offers::AFTER_ALL_IDS;
use crate::domain::ids::StatusJobId;
use crate::domain::page::{Page, PageRequest};
use crate::domain::status_job::{Action, Cursor, JobState, StatusJob};

const TABLE: Table = Table("issuer_status_jobs");

#[derive(sqlx::FromRow)]
struct JobRow {
    id: String,
    action: String,
    plan: String,
    reason: String,
    tell_each: bool,
    actor: String,
    state: String,
    cursor: String,
    total: i64,
    done: i64,
    created_at: i64,
    started_at: Option<i64>,
    finished_at: Option<i64>,
}

macro_rules! columns {
    () => {
        "id, action, plan, reason, tell_each, actor, state, cursor, total, done, created_at, \
         started_at, finished_at"
    };
}

impl TryFrom<JobRow> for StatusJob {
    type Error = RowError;

    fn try_from(row: JobRow) -> Result<Self, RowError> {
        let JobRow {
            id,
            action,
            plan,
            reason,
            tell_each,
            actor,
            state,
            cursor,
            total,
            done,
            created_at,
            started_at,
            finished_at,
        } = row;
        Ok(Self {
            id: StatusJobId::parse(&id).map_err(|e| TABLE.invalid("id", e))?,
            action: Action::parse(&action).ok_or_else(|| TABLE.invalid("action", "unknown"))?,
            plan: serde_json::from_str(&plan).map_err(|e| TABLE.invalid("plan", e))?,
            reason,
            tell_each,
            actor,
            state: JobState::parse(&state).ok_or_else(|| TABLE.invalid("state", "unknown"))?,
            cursor: Cursor::parse(&cursor).ok_or_else(|| TABLE.invalid("cursor", "malformed"))?,
            total,
            done,
            created_at: UnixTime(created_at),
            started_at: started_at.map(UnixTime),
            finished_at: finished_at.map(UnixTime),
        })
    }
}

const BY_ID: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM issuer_status_jobs WHERE id = $1"
);
const PAGE: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM issuer_status_jobs WHERE id < $1 ORDER BY id DESC LIMIT $2"
);
const OPEN: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM issuer_status_jobs WHERE state IN ('waiting', 'running') ORDER BY id LIMIT 1"
);

const CANCEL: &str = concat!(
    "UPDATE issuer_status_jobs SET state = 'cancelled', finished_at = $1
     WHERE state IN ('waiting', 'running') RETURNING ",
    columns!()
);

/// Adds a job.
pub async fn insert(tx: &mut Tx, job: &StatusJob) -> Result<(), DbError> {
    let plan = serde_json::to_string(&job.plan).map_err(|e| TABLE.invalid("plan", e))?;
    execute!(
        tx,
        sqlx::query(
            "INSERT INTO issuer_status_jobs (id, action, plan, reason, tell_each, actor, state,
            cursor, total, done, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0, $10)"
        )
        .bind(job.id.as_str())
        .bind(job.action.as_str())
        .bind(plan)
        .bind(&job.reason)
        .bind(job.tell_each)
        .bind(&job.actor)
        .bind(job.state.as_str())
        .bind(job.cursor.text())
        .bind(job.total)
        .bind(job.created_at.0)
    )
    .map(drop)
}

/// The job with this id.
pub async fn find(db: &Db, id: &StatusJobId) -> Result<Option<StatusJob>, DbError> {
    let row = each!(db, p => sqlx::query_as::<_, JobRow>(BY_ID)
        .bind(id.as_str()).fetch_optional(p).await)?;
    Ok(row.map(StatusJob::try_from).transpose()?)
}

/// The job with this id, inside a transaction.
pub async fn find_in(tx: &mut Tx, id: &StatusJobId) -> Result<Option<StatusJob>, DbError> {
    let row = each!(tx, c => sqlx::query_as::<_, JobRow>(BY_ID)
        .bind(id.as_str()).fetch_optional(c).await)?;
    Ok(row.map(StatusJob::try_from).transpose()?)
}

/// The oldest job that is not finished.
pub async fn open(db: &Db) -> Result<Option<StatusJob>, DbError> {
    let row = each!(db, p => sqlx::query_as::<_, JobRow>(OPEN).fetch_optional(p).await)?;
    Ok(row.map(StatusJob::try_from).transpose()?)
}

/// Cancels every job that is not finished; which ones.
pub async fn cancel_open(tx: &mut Tx, now: UnixTime) -> Result<Vec<StatusJob>, DbError> {
    let rows = each!(tx, c => sqlx::query_as::<_, JobRow>(CANCEL)
        .bind(now.0).fetch_all(c).await)?;
    let jobs = rows.into_iter().map(StatusJob::try_from);
    let mut jobs: Vec<StatusJob> = jobs.collect::<Result<_, _>>()?;
    jobs.sort_by(|one, other| one.id.as_str().cmp(other.id.as_str()));
    Ok(jobs)
}

/// How many jobs are not finished.
pub async fn count_open(tx: &mut Tx) -> Result<i64, DbError> {
    each!(tx, c => sqlx::query_scalar::<_, i64>(
        "SELECT COUNT(*) FROM issuer_status_jobs WHERE state IN ('waiting', 'running')")
        .fetch_one(c).await)
}

/// One page of jobs, newest first.
pub async fn page(db: &Db, request: &PageRequest<StatusJobId>) -> Result<Page<StatusJob>, DbError> {
    let before = request
        .before
        .as_ref()
        .map_or(AFTER_ALL_IDS, StatusJobId::as_str);
    let rows = each!(db, p => sqlx::query_as::<_, JobRow>(PAGE)
        .bind(before).bind(i64::from(request.limit) + 1).fetch_all(p).await)?;
    let jobs = rows.into_iter().map(StatusJob::try_from);
    Ok(Page::from_overfetch(
        jobs.collect::<Result<_, _>>()?,
        request.limit,
    ))
}

/// Takes the step that begins where `job` stands. True for exactly one caller; a job that was
/// cancelled has no further step. It comes first in its transaction.
pub async fn take_step(
    tx: &mut Tx,
    job: &StatusJob,
    next: &Cursor,
    now: UnixTime,
) -> Result<bool, DbError> {
    let rows = execute!(
        tx,
        sqlx::query(
            "UPDATE issuer_status_jobs SET cursor = $3, state = 'running',
            started_at = COALESCE(started_at, $4)
         WHERE id = $1 AND cursor = $2 AND state IN ('waiting', 'running')"
        )
        .bind(job.id.as_str())
        .bind(job.cursor.text())
        .bind(next.text())
        .bind(now.0)
    )?;
    Ok(rows == 1)
}

/// Adds what a step changed.
pub async fn count(tx: &mut Tx, id: &StatusJobId, done: i64) -> Result<(), DbError> {
    execute!(
        tx,
        sqlx::query("UPDATE issuer_status_jobs SET done = done + $2 WHERE id = $1")
            .bind(id.as_str())
            .bind(done)
    )
    .map(drop)
}

/// Ends a job that is not finished. True for exactly one caller.
pub async fn finish(
    tx: &mut Tx,
    id: &StatusJobId,
    state: JobState,
    now: UnixTime,
) -> Result<bool, DbError> {
    let rows = execute!(
        tx,
        sqlx::query(
            "UPDATE issuer_status_jobs SET state = $2, finished_at = $3,
            started_at = COALESCE(started_at, $3)
         WHERE id = $1 AND state IN ('waiting', 'running')"
        )
        .bind(id.as_str())
        .bind(state.as_str())
        .bind(now.0)
    )?;
    Ok(rows == 1)
}
