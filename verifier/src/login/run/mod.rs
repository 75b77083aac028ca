//! A login that a journey leads (decision 0046). The journey says which step is next; what a step does
//! is here. Nothing here knows HTTP.
//!
//! A run goes on where somebody brings something: the wallet an answer, the browser itself. What needs
//! the browser (risk, the end of a login) waits for it.

mod count;
mod facts;
mod finish;
mod follow;
mod say;
mod settle;
mod shown;

use std::sync::Arc;

use serde_json::{Map, Value};
use vouchsafe_service::db::DbError;

use crate::app::Parts;
use crate::domain::reason::{Explanation, Failure};
use crate::domain::request::LoginRequest;
use crate::domain::run::Run;
use crate::domain::transaction::Login;
use crate::journey::{
    self, Ended, InstanceError, Next, Outcome, Proof, Refusal, Step, StepKind, StepResult,
};
use crate::journeys::{self, Loaded, StepQuestion};
use crate::store::StoreError;

pub(crate) use count::over;
pub use count::{abandoned, ended};
pub use facts::{Begin, begin};
pub use follow::{is_over as follower_is_over, unasked};
pub use say::{Due, Fields, Heard, Refused, due, from_wallet, hear};
pub use settle::{Counted, Done, Turn, Was, refused, settle};
pub use shown::{allows, answered, cards, who};

/// Why a run does not go on.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// Its text is not known any more.
    #[error("the text of the run is not known")]
    Gone,
    /// It belongs to another text, or waits for nothing.
    #[error(transparent)]
    Instance(#[from] InstanceError),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<DbError> for RunError {
    fn from(error: DbError) -> Self {
        Self::Store(error.into())
    }
}

/// The browser that goes on with a run.
#[derive(Debug, Clone, Default)]
pub struct Visit {
    /// Its `User-Agent`.
    pub agent: Option<String>,
}

/// Where a run has arrived.
#[derive(Debug)]
pub enum Arrived {
    /// At a page that waits for the person.
    Page,
    /// At something that needs the browser.
    Browser,
    /// At its end: a login.
    Login(journey::Login),
    /// At its end: a refusal.
    Refused(Failure),
}

/// The text that a run belongs to.
pub async fn text(app: &Parts, login: &Login) -> Result<Arc<Loaded>, RunError> {
    let run = login.run.as_deref().ok_or(RunError::Gone)?;
    let text = journeys::of_hash(app, run.instance.hash()).await?;
    let text = match (text, run.main.as_deref()) {
        // The login goes on without what follows.
        (None, Some(main)) => journeys::of_hash(app, main.instance.hash()).await?,
        (text, _) => text,
    };
    text.ok_or(RunError::Gone)
}

/// The step whose page waits for the person.
#[must_use]
pub fn at<'l>(login: &Login, loaded: &'l Loaded) -> Option<&'l Step> {
    let step = login.run.as_deref()?.instance.waits_for(&loaded.journey)?;
    let waits = matches!(
        step.kind,
        StepKind::Present(_) | StepKind::Identify { .. } | StepKind::Ask(_)
    );
    waits.then_some(step)
}

/// Goes on until somebody must act, through the journeys that follow a login too. Without a visit
/// nothing happens that needs a browser.
pub async fn drive(
    app: &Parts,
    login: &mut Login,
    loaded: &Loaded,
    visit: Option<&Visit>,
) -> Result<Arrived, RunError> {
    let mut following: Option<Arc<Loaded>> = None;
    if let Some(run) = login.run.as_deref_mut() {
        run.at(app.now());
    }
    loop {
        let current = following.as_deref().unwrap_or(loaded);
        let done = if follow::follows(login) {
            let arrived = match follow::is_over(app, login) {
                true => Err("timeout".to_owned()),
                false => follower(app, login, current, visit).await?,
            };
            match (arrived, visit) {
                (Ok(Arrived::Login(_)), Some(_)) => follow::end(login, "success")?,
                (Ok(arrived), _) => return Ok(arrived),
                (Err(code), Some(_)) => follow::end(login, &code)?,
                (Err(_), None) => return Ok(Arrived::Browser),
            }
        } else {
            match (go(app, login, current, visit).await?, visit) {
                (Arrived::Login(done), Some(_)) => done,
                (arrived, _) => return Ok(arrived),
            }
        };
        let next = follow::next(app, login).await?.zip(visit);
        let Some((next, visit)) = next else {
            return Ok(Arrived::Login(done));
        };
        let claims = claims(app, login, current);
        follow::begin(app, login, &next, (done, claims), visit).await?;
        following = Some(next);
    }
}

/// What a run tells the application that is over with a login.
fn claims(app: &Parts, login: &Login, loaded: &Loaded) -> Map<String, Value> {
    let bindings = journeys::Bindings(&app.binding_key);
    let run = login.run.as_deref();
    let claims = run.and_then(|run| match &run.claims {
        Some(claims) => Some(claims.clone()),
        None => (run.instance).claims(&loaded.journey, &run.facts, &bindings),
    });
    claims.unwrap_or_default()
}

/// As [`go`], for a run that follows a login. Its refusal, and whatever fails in it but the database,
/// ends nothing but itself.
async fn follower(
    app: &Parts,
    login: &mut Login,
    loaded: &Loaded,
    visit: Option<&Visit>,
) -> Result<Result<Arrived, String>, RunError> {
    match go(app, login, loaded, visit).await {
        Ok(Arrived::Refused(failure)) => Ok(Err(failure.code().to_owned())),
        Ok(arrived) => Ok(Ok(arrived)),
        Err(RunError::Store(error)) => Err(RunError::Store(error)),
        Err(error) => {
            tracing::error!(%error, "a journey that follows a login does not go on");
            Ok(Err("error".to_owned()))
        }
    }
}

/// Goes on until somebody must act or the journey is over.
async fn go(
    app: &Parts,
    login: &mut Login,
    loaded: &Loaded,
    visit: Option<&Visit>,
) -> Result<Arrived, RunError> {
    let bindings = journeys::Bindings(&app.binding_key);
    loop {
        let run = login.run.as_deref_mut().ok_or(RunError::Gone)?;
        run.at(app.now());
        let next = run.instance.next(&loaded.journey, &run.facts, &bindings)?;
        let step = match next {
            Next::Ended(_, Ended::Refused(refusal)) => {
                return Ok(Arrived::Refused(failure(&refusal, run.failure.as_ref())));
            }
            Next::Ended(_, Ended::Login(done)) => {
                if let Some(visit) = visit
                    && !follow::follows(login)
                    && facts::is_unusual(app, login, loaded, visit).await?
                {
                    continue;
                }
                return Ok(visit.map_or(Arrived::Browser, |_| Arrived::Login(done)));
            }
            Next::Run(step) => step,
        };
        let (outcome, proof) = match (&step.kind, visit) {
            // Who is logged in says nothing, and an application may have said it.
            (StepKind::Identify { .. }, _)
                if run.pinned.is_some() || login.request.asserted.is_some() =>
            {
                (Outcome::Ok, None)
            }
            (StepKind::Ask(ask), _) => match say::of_step(app, login, ask).is_empty() {
                true => (Outcome::Ok, None),
                false => return Ok(Arrived::Page),
            },
            (StepKind::Identify { .. } | StepKind::Present(_), _) => return Ok(Arrived::Page),
            (StepKind::Risk { .. }, None) => return Ok(Arrived::Browser),
            (StepKind::Risk { .. }, Some(visit)) => {
                let risk = facts::risk(app, login, visit).await?;
                let outcome = risk.as_ref().map_or(Outcome::Error, |_| Outcome::Ok);
                let run = login.run.as_deref_mut().ok_or(RunError::Gone)?;
                run.facts.risk = risk;
                (outcome, (outcome == Outcome::Ok).then_some(Proof::Risk))
            }
            // Reading the file excluded it.
            _ => (Outcome::Error, None),
        };
        complete(app, login, loaded, StepResult { outcome, proof })?;
    }
}

/// Tells the run how its step ended.
fn complete(
    app: &Parts,
    login: &mut Login,
    loaded: &Loaded,
    result: StepResult,
) -> Result<Outcome, RunError> {
    let bindings = journeys::Bindings(&app.binding_key);
    let run = login.run.as_deref_mut().ok_or(RunError::Gone)?;
    run.at(app.now());
    let Run {
        instance, facts, ..
    } = run;
    Ok(instance.complete(&loaded.journey, facts, &bindings, result)?)
}

/// A question is over: what an earlier answer showed under its names does not stand for this one.
fn forget(run: &mut Run, question: &StepQuestion) {
    for credential in question.query.dcql.credentials() {
        run.facts.cred.remove(credential.id().as_str());
    }
}

/// The step did not end well: the person said no, the card proves nothing, …
pub fn failed(
    app: &Parts,
    login: &mut Login,
    loaded: &Loaded,
    outcome: Outcome,
    why: Failure,
) -> Result<(), RunError> {
    let run = login.run.as_deref_mut().ok_or(RunError::Gone)?;
    if say::not_brought(run, why.clone()) {
        return Ok(());
    }
    if outcome == Outcome::Declined {
        say::declined(app, login, loaded);
    }
    let question = at(login, loaded).and_then(|step| loaded.question(&step.id));
    if let (Some(question), Some(run)) = (question, login.run.as_deref_mut()) {
        forget(run, question);
    }
    let proof = None;
    complete(app, login, loaded, StepResult { outcome, proof })?;
    let run = login.run.as_deref_mut().ok_or(RunError::Gone)?;
    run.failure = Some(why);
    // Who they are is asked again: it may have been mistyped.
    login.request.asserted = None;
    Ok(())
}

/// The person said whose account it is. Whatever they said, the next page is the same.
pub fn identified(
    app: &Parts,
    login: &mut Login,
    loaded: &Loaded,
    mac: String,
) -> Result<(), RunError> {
    let (outcome, proof) = (Outcome::Ok, None);
    complete(app, login, loaded, StepResult { outcome, proof })?;
    login.request = LoginRequest {
        asserted: Some(mac),
        ..login.request.clone()
    };
    Ok(())
}

/// What a refusal means for the login. Why the last card was refused says more than the route.
fn failure(refusal: &Refusal, last: Option<&Failure>) -> Failure {
    let Refusal {
        code,
        show,
        notify: _,
    } = refusal;
    let last = last.map(Failure::explanation);
    let explanation = match code.as_str() {
        "declined" => Explanation::Declined,
        "no_credential" => Explanation::NoCard,
        "timeout" => Explanation::ExpiredLogin,
        "not_proven" | "not_authenticated" | "unmet_authentication_requirements" => {
            last.unwrap_or(Explanation::NotProven)
        }
        _ => last.unwrap_or(Explanation::Denied),
    };
    Failure::denied(code, explanation, show.as_deref())
}
