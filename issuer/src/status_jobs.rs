//! Jobs that change many credentials, step by step.
//!
//! A step is one transaction: it takes its place (a conditional statement over the cursor), changes
//! the credentials of one window, and counts. So a step happens once however many processes try,
//! a process that is killed leaves nothing half done, and the next one goes on where it stopped.
//! Between steps other writers have their turn.

use std::collections::BTreeSet;

use serde_json::json;
use vouchsafe_service::audit;
use vouchsafe_service::db::{DbError, Table, Tx};
use vouchsafe_service::shutdown::Shutdown;

use crate::core::Core;
use crate::domain::credential::Change;
use crate::domain::status_job::{Action, Cursor, JobState, StatusJob};
use crate::events::{self, Event};
use crate::store::mass::{self, Changed, Window};
use crate::store::{status_jobs, status_lists};

const TABLE: Table = Table("issuer_status_jobs");
/// Rows that a step looks at.
const WINDOW: u16 = 1000;
/// Windows without work that are passed by before the cursor is written down.
const PASSED: u32 = 500;

/// What is to be done next.
enum Next {
    /// Change what fits in a window; these are the offers that it came from.
    Window(Window, Vec<String>),
    /// Nothing for a long way: write down where.
    Nothing(Cursor),
    /// Everything was looked at.
    End,
}

/// Works on the open jobs until there is none or the service stops.
pub async fn run(core: &Core, shutdown: &Shutdown) -> Result<(), DbError> {
    while !shutdown.is_requested() {
        if !step(core).await? {
            return Ok(());
        }
    }
    Ok(())
}

/// One step of the oldest open job. False: there is none.
pub async fn step(core: &Core) -> Result<bool, DbError> {
    let Some(job) = status_jobs::open(&core.db).await? else {
        return Ok(false);
    };
    match next(core, &job).await? {
        Next::Window(window, offers) => change(core, job, window, offers).await?,
        Next::Nothing(cursor) => {
            let now = core.clock.now();
            let work =
                async move |tx: &mut Tx| status_jobs::take_step(tx, &job, &cursor, now).await;
            core.db.write(work).await?;
        }
        Next::End => finish(core, job).await?,
    }
    Ok(true)
}

/// Looks for work, on a reader.
async fn next(core: &Core, job: &StatusJob) -> Result<Next, DbError> {
    let change = job.action.change();
    let mut cursor = job.cursor.clone();
    for _ in 0..PASSED {
        let place = job.plan.place(&cursor);
        if place.map_err(|e| TABLE.invalid("plan", e))?.is_none() {
            return Ok(Next::End);
        }
        let (db, plan) = (&core.db, &job.plan);
        let Some(window) = mass::window(db, plan, &cursor, WINDOW).await? else {
            cursor = Cursor {
                records: cursor.records + 1,
                after: None,
            };
            continue;
        };
        let offers = mass::offers(db, plan, change, &window).await?;
        if !offers.is_empty() {
            return Ok(Next::Window(window, offers));
        }
        cursor.after = Some(window.last);
    }
    Ok(Next::Nothing(cursor))
}

async fn change(
    core: &Core,
    job: StatusJob,
    window: Window,
    offers: Vec<String>,
) -> Result<(), DbError> {
    let told = core.clone();
    let to = job.action.change().target().as_str();
    let changed = core
        .db
        .write(async move |tx| perform(&told, tx, &job, &window, &offers).await)
        .await;
    // Whether a transaction with an error counts is not known here.
    core.shown.changed();
    metrics::counter!("vouchsafe_credential_status_changes_total", "to" => to)
        .increment(changed? as u64);
    Ok(())
}

/// One step; returns how many credentials it changed.
async fn perform(
    core: &Core,
    tx: &mut Tx,
    job: &StatusJob,
    window: &Window,
    offers: &[String],
) -> Result<usize, DbError> {
    let now = core.clock.now();
    let next = Cursor {
        records: window.records,
        after: Some(window.last.clone()),
    };
    if !status_jobs::take_step(tx, job, &next, now).await? {
        return Ok(0);
    }
    // As for one credential: not while it is issued anew, or its tokens are.
    let names: Vec<String> = offers.iter().map(|id| format!("offer {id}")).collect();
    tx.lock_all(names).await?;
    let change = job.action.change();
    let changed = mass::update(tx, &job.plan, change, &job.id, window, now).await?;
    let lists: BTreeSet<_> = changed.iter().map(|one| &one.list).collect();
    for list in lists {
        status_lists::touch(tx, list).await?;
    }
    if job.action == Action::Revoke {
        mass::stop_issuing(tx, &job.id, window, now).await?;
    }
    if job.tell_each {
        for one in &changed {
            tell(core, tx, change, one).await?;
        }
    }
    let count = i64::try_from(changed.len()).unwrap_or(i64::MAX);
    status_jobs::count(tx, &job.id, count).await?;
    Ok(changed.len())
}

async fn tell(core: &Core, tx: &mut Tx, change: Change, one: &Changed) -> Result<(), DbError> {
    let data = json!({
        "credential_id": one.id.as_str(),
        "offer_id": one.offer,
        "credential_type": one.credential_type,
    });
    let now = core.clock.now();
    events::publish(core, tx, change.into(), &data, now).await
}

async fn finish(core: &Core, job: StatusJob) -> Result<(), DbError> {
    let told = core.clone();
    core.db
        .write(async move |tx| {
            end(&told, tx, &job, JobState::Done, "system".to_owned())
                .await
                .map(drop)
        })
        .await
}

/// Ends a job, and tells of it. The job as it is then; `None` where it was ended before.
pub async fn end(
    core: &Core,
    tx: &mut Tx,
    job: &StatusJob,
    state: JobState,
    actor: String,
) -> Result<Option<StatusJob>, DbError> {
    let now = core.clock.now();
    if !status_jobs::finish(tx, &job.id, state, now).await? {
        return Ok(None);
    }
    let Some(job) = status_jobs::find_in(tx, &job.id).await? else {
        return Ok(None);
    };
    let data = json!({
        "status_job_id": job.id.as_str(),
        "action": job.action.as_str(),
        "state": job.state.as_str(),
        "total": job.total,
        "done": job.done,
        "failed": job.failed(),
    });
    events::publish(core, tx, Event::StatusJobFinished, &data, now).await?;
    let event = audit::Event {
        at: now,
        actor,
        action: match state {
            JobState::Cancelled => "status_job.cancel",
            JobState::Waiting | JobState::Running | JobState::Done => "status_job.finish",
        },
        target: job.id.to_string(),
        detail: format!("{} {} of {}", job.action.as_str(), job.done, job.total),
    };
    audit::append(tx, &core.keys.audit, &event).await?;
    Ok(Some(job))
}
