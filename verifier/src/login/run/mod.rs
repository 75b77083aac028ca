//! A login that a journey leads (decision 0046). The journey says which step is next; what a step does
//! is here. Nothing here knows HTTP.
//!
//! A run goes on where somebody brings something: the wallet an answer, the browser itself. What needs
//! the browser (risk, the end of a login) waits for it.

mod agree;
mod asking;
mod beside;
mod call;
mod codes;
mod complete;
mod count;
mod drive;
mod facts;
mod finish;
mod follow;
mod hold;
mod limit;
mod newkey;
mod possible;
mod say;
mod settle;
mod share;
mod shown;
mod taps;
mod vouched;

use std::sync::Arc;

use vouchsafe_service::db::DbError;

use crate::app::{App, Parts};
use crate::domain::account_notice::NoticeKind;
use crate::domain::reason::{Explanation, Failure};
use crate::domain::request::LoginRequest;
use crate::domain::run::Run;
use crate::domain::transaction::Login;
use crate::journey::{
    self, Ended, InstanceError, Next, Outcome, Proof, Refusal, Step, StepKind, StepResult,
};
use crate::journeys::{self, Loaded, StepQuestion};
use crate::store::{StoreError, sessions};

pub use agree::{agreed, notice};
pub use beside::Beside;
pub use codes::{coded, takes_code};
use complete::{complete, complete_for};
pub use count::ended;
use drive::claims;
pub use drive::drive;
pub(super) use facts::unusual;
pub use facts::{Begin, begin};
pub use follow::{follows, is_over as follower_is_over, unasked};
pub(crate) use hold::RESUME_S;
use hold::Waits;
pub use newkey::{creation_options, made, makes_passkey, registered};
pub use say::{Due, Fields, Heard, Refused, due, from_wallet, hear};
pub use settle::{Counted, Done, Turn, Was, refused, settle};
pub use shown::{allows, answered, cards, who, would_pass};
pub use taps::{takes_passkey, tapped};
pub use vouched::{providers, sent, vouched, would_link};

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
    /// The service, where the run may ask others: it waits in the database, so that whoever begins runs
    /// without end does not make us ask without end.
    pub asks: Option<App>,
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
        StepKind::Present(_)
            | StepKind::Identify { .. }
            | StepKind::Consent { .. }
            | StepKind::Passkey { .. }
            | StepKind::Totp
            | StepKind::Upstream { .. }
            | StepKind::Wait { .. }
            | StepKind::Ask(_)
    );
    waits.then_some(step)
}

/// Goes on until somebody must act or the journey is over.
async fn go(
    app: &Parts,
    login: &mut Login,
    loaded: &Loaded,
    visit: Option<&Visit>,
) -> Result<Arrived, RunError> {
    let uncounted = limit::uncounted(app, login, loaded);
    if !uncounted.is_empty() {
        // Counted once the run is written, so that a link alone counts nothing.
        if visit.is_none_or(|visit| visit.asks.is_none()) {
            return Ok(Arrived::Browser);
        }
        if let Some(failure) = limit::count(app, login, loaded, uncounted).await? {
            return Ok(Arrived::Refused(failure));
        }
    }
    loop {
        let run = login.run.as_deref_mut().ok_or(RunError::Gone)?;
        run.at(app.now());
        let bindings = journeys::Bindings(&app.binding_key, run.pinned.as_ref());
        let next = run.instance.next(&loaded.journey, &run.facts, &bindings)?;
        let step = match next {
            Next::Ended(step, Ended::Refused(refusal)) => {
                // Nobody is told of nobody's account.
                if !refusal.notify.is_empty() && run.pinned.is_some() {
                    // A link that any site can send tells nobody anything.
                    if visit.is_some_and(|visit| visit.asks.is_none()) {
                        return Ok(Arrived::Browser);
                    }
                    let kind = NoticeKind::Refused;
                    let notify = refusal.notify.as_slice();
                    run.effects
                        .push(beside::effect(&step.id, (kind, notify), (&[], &[])));
                }
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
        // The question is put anew: an earlier yes does not answer it.
        if matches!(step.kind, StepKind::Consent { .. }) {
            agree::forget(login, (loaded, step));
        }
        let run = login.run.as_deref_mut().ok_or(RunError::Gone)?;
        let acts = match step.kind {
            StepKind::Notify { .. } | StepKind::Webhook { .. } | StepKind::Wait { .. } => true,
            StepKind::Risk { .. } => facts::is_asked_outside(app),
            _ => false,
        };
        let asks = visit.is_some_and(|visit| visit.asks.is_some());
        if acts && asks && is_over(app, run).await? {
            run.effects.clear();
            return Ok(Arrived::Refused(Failure::other_account()));
        }
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
            // Nothing was brought that could be approved.
            _ if journeys::approves(step) && login.request.approval.is_none() => {
                (Outcome::Error, None)
            }
            (StepKind::Identify { .. } | StepKind::Present(_), _) => return Ok(Arrived::Page),
            (StepKind::Consent { .. }, None) => return Ok(Arrived::Browser),
            (StepKind::Consent { .. }, Some(_)) => {
                match agree::stands(app, login, (loaded, step)).await? {
                    true => (Outcome::Ok, None),
                    false => return Ok(Arrived::Page),
                }
            }
            // The tap that said who it is is the tap that is asked for.
            (StepKind::Passkey { register: false }, _) if login.passkey.is_some() => {
                (Outcome::Ok, Some(taps::PROOF))
            }
            (StepKind::Passkey { .. } | StepKind::Upstream { .. } | StepKind::Totp, _) => {
                match possible::possible(app, login, (loaded, step)).await? {
                    true => return Ok(Arrived::Page),
                    false => (Outcome::Error, None),
                }
            }
            (StepKind::Risk { .. }, None) => return Ok(Arrived::Browser),
            (StepKind::Risk { .. }, Some(visit)) => {
                match asking::risk(app, login, step, visit).await? {
                    Some(outcome) => (outcome, (outcome == Outcome::Ok).then_some(Proof::Risk)),
                    None => return Ok(Arrived::Browser),
                }
            }
            (
                StepKind::Notify {
                    notify,
                    revoke,
                    emit,
                },
                Some(Visit { asks: Some(_), .. }),
            ) => {
                let kind = match revoke.is_empty() {
                    true => NoticeKind::Step,
                    false => NoticeKind::Ended,
                };
                // Any site can send a browser with a session through a login: nothing ends without a card.
                let may_end = revoke.is_empty() || !run.shown.is_empty();
                let effect = beside::effect(&step.id, (kind, notify), (revoke, emit));
                // The configuration may have changed since the run began.
                let is_heard = app.settings.told.is_some() || !effect.needs_system();
                match (&run.pinned, may_end && is_heard) {
                    // Of an account that is not there yet nobody is told.
                    (None, _) => (Outcome::Ok, None),
                    (Some(_), true) => {
                        run.effects.push(effect);
                        (Outcome::Ok, None)
                    }
                    (Some(_), false) => (Outcome::Error, None),
                }
            }
            (StepKind::Wait { .. }, Some(asking @ Visit { asks: Some(_), .. })) => {
                match hold::at(app, login, (loaded, step), asking).await? {
                    Waits::Ended(outcome) => (outcome, None),
                    Waits::Still => return Ok(Arrived::Page),
                    Waits::Refused(failure) => return Ok(Arrived::Refused(failure)),
                }
            }
            (StepKind::Wait { .. }, _) => return Ok(Arrived::Browser),
            // A link that any site can send tells nobody anything, and ends nothing.
            (StepKind::Notify { .. }, _) => return Ok(Arrived::Browser),
            (StepKind::Webhook { .. }, visit) => {
                let Some(app) = visit.and_then(|visit| visit.asks.as_ref()) else {
                    return Ok(Arrived::Browser);
                };
                asking::webhook(app, login, step).await?
            }
            // Reading the file excluded it.
            _ => (Outcome::Error, None),
        };
        complete(app, login, loaded, StepResult { outcome, proof })?;
    }
}

/// Whether the session is over that alone says whose run it is.
async fn is_over(app: &Parts, run: &Run) -> Result<bool, RunError> {
    match run.rests_on() {
        None => Ok(false),
        Some(session) => {
            let ends_at = sessions::ends_at(&app.db, session, app.now()).await?;
            Ok(ends_at.is_none())
        }
    }
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
    let step = at(login, loaded);
    let question = step.and_then(|step| loaded.question(&step.id));
    if let Some((run, question)) = login.run.as_deref_mut().zip(question) {
        forget(run, question);
    }
    // A no counts, whatever was said before.
    if let Some(step) = step.filter(|step| matches!(step.kind, StepKind::Consent { .. })) {
        agree::forget(login, (loaded, step));
    }
    let proof = None;
    complete(app, login, loaded, StepResult { outcome, proof })?;
    let run = login.run.as_deref_mut().ok_or(RunError::Gone)?;
    run.failure = Some(why);
    run.closes |= run.waiting.take().is_some();
    // Who they are is asked again: it may have been mistyped. What a login settled stays.
    if !follow::follows(login) {
        login.request.asserted = None;
    }
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

/// Nobody said who they are.
pub fn skipped(app: &Parts, login: &mut Login, loaded: &Loaded) -> Result<(), RunError> {
    let (outcome, proof) = (Outcome::Ok, None);
    complete(app, login, loaded, StepResult { outcome, proof }).map(drop)
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
        "declined" => last
            .filter(|last| *last == Explanation::Cancelled)
            .unwrap_or(Explanation::Declined),
        "no_credential" => Explanation::NoCard,
        "timeout" => Explanation::ExpiredLogin,
        "not_proven" | "not_authenticated" | "unmet_authentication_requirements" => {
            last.unwrap_or(Explanation::NotProven)
        }
        _ => last.unwrap_or(Explanation::Denied),
    };
    Failure::denied(code, explanation, show.as_deref())
}
