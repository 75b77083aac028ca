//! `/console/jobs/new`: many credentials are suspended, resumed or revoked. First they are counted; a
//! second form, which shows how many, begins the job.

use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde_json::json;
use vouchsafe_credentials::random::token;
use vouchsafe_credentials::time::UnixTime;
use vouchsafe_service::http::Params;

use super::claims_form::Problems;
use super::offer_new::Sent;
use super::{Failure, Managing, Visitor, cards, job_page, jobs, moment, paths, query, view};
use crate::domain::status_job::{Action, StatusJob};
use crate::handlers::admin::error::ApiError;
use crate::handlers::admin::status_jobs_create::{Filter, Wish, begin, counted};
use crate::handlers::admin::views::rfc3339;

/// What can be done, in the order of the form.
const ACTIONS: [Action; 3] = [Action::Suspend, Action::Resume, Action::Revoke];

/// The form.
pub async fn page(Managing(visitor): Managing) -> Result<Response, Failure> {
    form(
        &visitor,
        &Params::default(),
        &Problems::new(),
        StatusCode::OK,
    )
    .await
}

/// Counts, goes back to the form, or begins what was counted.
pub async fn send(
    Managing(visitor): Managing,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Failure> {
    let typed = visitor.form(&headers, &body).await?;
    visitor.require_recent()?;
    match typed.get("do").unwrap_or_default() {
        "edit" => form(&visitor, &typed, &Problems::new(), StatusCode::OK).await,
        "count" => match counted_job(&visitor, &typed, "before").await? {
            Ok(job) => confirm(&visitor, &typed, &job, StatusCode::OK),
            Err(problems) => refused(&visitor, &typed, &problems).await,
        },
        "begin" => begin_counted(&visitor, &typed).await,
        _ => Err(Failure::Malformed),
    }
}

/// Begins the job, if it is still about as many credentials as the page said. What was issued since
/// that page is left alone.
async fn begin_counted(visitor: &Visitor, typed: &Params) -> Result<Response, Failure> {
    let total: Option<i64> = typed.get("total").and_then(|text| text.parse().ok());
    let total = total.ok_or(Failure::Malformed)?;
    query::filter(typed, "until").ok_or(Failure::Malformed)?;
    let job = match counted_job(visitor, typed, "until").await? {
        Ok(job) => job,
        Err(problems) => return refused(visitor, typed, &problems).await,
    };
    if job.total != total || job.total == 0 {
        return confirm(visitor, typed, &job, StatusCode::CONFLICT);
    }
    let page = paths::JOB.replace("{id}", job.id.as_str());
    let core = visitor.console.core.clone();
    let (told, sent) = (core.clone(), Sent::of(visitor, typed)?);
    core.db
        .write(async move |tx| {
            sent.first(tx).await?;
            begin(&told, tx, &job).await?;
            Ok::<_, Failure>(())
        })
        .await?;
    Ok(view::see_other(&page))
}

/// The job that a form asks for, or what is wrong with the form. `before` is the field that says until
/// when credentials were issued.
async fn counted_job(
    visitor: &Visitor,
    typed: &Params,
    before: &'static str,
) -> Result<Result<StatusJob, Problems>, Failure> {
    let wish = match wish(typed, before)? {
        Ok(wish) => wish,
        Err(problems) => return Ok(Err(problems)),
    };
    let actor = visitor.session.operator.actor();
    let one = |name: &str, code| Ok(Err(Problems::from([(name.to_owned(), code)])));
    match counted(&visitor.console.core, actor, wish).await {
        Ok(job) => Ok(Ok(job)),
        Err(ApiError::JobFilter) => one("", "job-filter"),
        Err(ApiError::JobReason) => one("reason", "job-reason"),
        Err(error) => Err(error.into()),
    }
}

fn wish(typed: &Params, before: &'static str) -> Result<Result<Wish, Problems>, Failure> {
    let action = typed.get("action").and_then(Action::parse);
    let action = action.ok_or(Failure::Malformed)?;
    let mut problems = Problems::new();
    let mut time = |name: &'static str| {
        let text = query::filter(typed, name)?;
        let found = moment::read(text);
        if found.is_none() {
            problems.insert(name.to_owned(), "moment");
        }
        found.map(rfc3339)
    };
    let (issued_after, issued_before) = (time("after"), time(before));
    if !problems.is_empty() {
        return Ok(Err(problems));
    }
    let records = query::filter(typed, "records").map(|text| {
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        lines.map(str::to_owned).collect()
    });
    Ok(Ok(Wish {
        action,
        filter: Filter {
            credential_type: query::filter(typed, "type").map(str::to_owned),
            issued_after,
            issued_before,
            record_ids: records,
        },
        reason: query::filter(typed, "reason")
            .unwrap_or_default()
            .to_owned(),
        tell_each: false,
    }))
}

async fn refused(
    visitor: &Visitor,
    typed: &Params,
    problems: &Problems,
) -> Result<Response, Failure> {
    form(visitor, typed, problems, StatusCode::UNPROCESSABLE_ENTITY).await
}

async fn form(
    visitor: &Visitor,
    typed: &Params,
    problems: &Problems,
    status: StatusCode,
) -> Result<Response, Failure> {
    let core = &visitor.console.core;
    core.types.refresh(core).await?;
    let context = json!({
        "typed": fields(typed),
        "actions": ACTIONS.map(Action::as_str),
        "types": cards::all(visitor),
        "problems": problems,
        "form_problem": problems.get(""),
        "recent": visitor.require_recent().is_ok(),
    });
    visitor.page_with(status, "console/job_new", context)
}

fn confirm(
    visitor: &Visitor,
    typed: &Params,
    job: &StatusJob,
    status: StatusCode,
) -> Result<Response, Failure> {
    let until = moment::written(UnixTime(job.plan.issued_before));
    let context = json!({
        "typed": fields(typed),
        "until": until,
        "once": token(&*visitor.console.core.rng),
        "job": jobs::row(visitor, job),
        "filter": job_page::filter(&job.plan),
        "reason": job.reason,
        "moved": status == StatusCode::CONFLICT,
    });
    visitor.page_with(status, "console/job_confirm", context)
}

/// What was typed, for both forms.
fn fields(typed: &Params) -> serde_json::Value {
    let text = |name: &str| typed.get(name).unwrap_or_default();
    json!({
        "action": text("action"),
        "type": text("type"),
        "after": text("after"),
        "before": text("before"),
        "records": text("records"),
        "reason": text("reason"),
    })
}
