//! `wait`: the run is kept until a time, and whoever has the account can stop it until it goes on. What was
//! believed when it began to wait is looked at again: a card may be revoked meanwhile, or lead elsewhere.

use vouchsafe_credentials::time::UnixTime;

use super::{RunError, Visit, beside, facts, newkey};
use crate::app::Parts;
use crate::domain::account_notice::NoticeKind;
use crate::domain::reason::{Explanation, Failure};
use crate::domain::run::Waiting;
use crate::domain::transaction::Login;
use crate::journey::{Outcome, Step, StepKind};
use crate::journeys::Loaded;
use crate::login::{passkey, resolve};
use crate::store::{journey_holds as holds, sessions};

/// So long after its time a run can be gone on with, in seconds.
pub(crate) const RESUME_S: i64 = 86_400;

/// What a `wait` step comes to.
pub(super) enum Waits {
    /// Its time has not come.
    Still,
    /// It ended.
    Ended(Outcome),
    /// The whole run ends.
    Refused(Failure),
}

/// Where a run is that waits.
pub(super) async fn at(
    app: &Parts,
    login: &mut Login,
    (loaded, step): (&Loaded, &Step),
    visit: &Visit,
) -> Result<Waits, RunError> {
    let StepKind::Wait {
        seconds, notify, ..
    } = &step.kind
    else {
        return Ok(Waits::Ended(Outcome::Error));
    };
    let now = app.now();
    let run = login.run.as_deref().ok_or(RunError::Gone)?;
    let Some(waiting) = run.waiting else {
        let until = now.plus(i64::from(*seconds));
        return Ok(begin(app, login, (loaded, step), (notify, until)));
    };
    if now < waiting.until {
        return Ok(Waits::Still);
    }
    if !holds::is_open(&app.db, &login.id).await? {
        let run = login.run.as_deref_mut().ok_or(RunError::Gone)?;
        run.waiting = None;
        // Whoever has the account has the last word: no route leads past it.
        return Ok(Waits::Refused(stopped()));
    }
    if is_too_old(login, now) {
        let run = login.run.as_deref_mut().ok_or(RunError::Gone)?;
        run.closes |= run.waiting.take().is_some();
        return Ok(Waits::Refused(too_old()));
    }
    if let Some(why) = doubt(app, login, loaded).await? {
        let run = login.run.as_deref_mut().ok_or(RunError::Gone)?;
        run.closes |= run.waiting.take().is_some();
        return Ok(Waits::Refused(why));
    }
    // What was assessed then says nothing of this browser now.
    let judged = login.run.as_deref().is_some_and(|run| run.assessed);
    let risk = match judged {
        true => facts::risk(app, login, visit).await?,
        false => None,
    };
    let run = login.run.as_deref_mut().ok_or(RunError::Gone)?;
    let before = run.facts.risk.as_ref().map(|risk| risk.level);
    run.assessed(risk);
    let after = run.facts.risk.as_ref().map(|risk| risk.level);
    // What was believed is worth less than when it began to wait, or nobody can say.
    if judged && (after.is_none() || after > before) {
        run.closes |= run.waiting.take().is_some();
        return Ok(Waits::Refused(riskier()));
    }
    run.waiting = None;
    run.resumes = true;
    login.expires_at = now.plus(i64::from(loaded.journey.timeout_s));
    Ok(Waits::Ended(Outcome::Ok))
}

/// The run begins to wait. What the cards said is not kept for so long; a pushed request is used up with
/// the turn that is written (see [`beside::Beside`]).
fn begin(
    app: &Parts,
    login: &mut Login,
    (loaded, step): (&Loaded, &Step),
    (notify, until): (&[String], UnixTime),
) -> Waits {
    // A device has not so much time (RFC 8628, section 3.2, `expires_in`).
    let on_device = login.request.device().is_some();
    let effect = beside::effect(&step.id, (NoticeKind::Waiting, notify), (&[], &[]));
    // The configuration may have changed since the run began: nobody waits of whom nobody hears.
    let is_heard = app.settings.told.is_some() || !effect.needs_system();
    let in_vain = waits_in_vain(app, login, (loaded, step));
    let Some(run) = login.run.as_deref_mut() else {
        return Waits::Ended(Outcome::Error);
    };
    // Nobody could stop what is about nobody.
    if run.pinned.is_none() || on_device || !is_heard || in_vain {
        return Waits::Ended(Outcome::Error);
    }
    run.waiting = Some(Waiting {
        until,
        begins: true,
    });
    run.forget_claims();
    run.effects.push(effect.until(until));
    login.expires_at = until.plus(RESUME_S);
    Waits::Still
}

/// Whether after the wait a passkey is demanded that what was shown so far does not lead to.
fn waits_in_vain(app: &Parts, login: &Login, (loaded, step): (&Loaded, &Step)) -> bool {
    let journey = &loaded.journey;
    let Some(at) = journey.position(&step.id) else {
        return true;
    };
    let after = journey.after(at);
    let mut after = after.iter().filter_map(|at| journey.steps.get(*at));
    let (mut demanded, mut shows) = (false, false);
    for step in after.by_ref() {
        demanded |= step.demands_passkey();
        shows |= matches!(step.kind, StepKind::Present(_));
    }
    demanded && !shows && !newkey::possible(app, login, loaded)
}

/// OpenID Connect Core 1.0, section 3.1.2.1, `max_age`: what was shown is older than the application takes.
fn is_too_old(login: &Login, now: UnixTime) -> bool {
    let Some(run) = login.run.as_deref() else {
        return true;
    };
    let shown = run.last().map(|answer| answer.answered_at);
    let shown = shown.unwrap_or(login.started_at);
    let most = run.facts.request.max_age;
    most.is_some_and(|most| now.since(shown) > most)
}

/// Whether what proves the person holds no more: fails closed.
async fn doubt(app: &Parts, login: &Login, loaded: &Loaded) -> Result<Option<Failure>, RunError> {
    let run = login.run.as_deref().ok_or(RunError::Gone)?;
    // What the account was known by when a check compared it: it goes with the consent that it rests on.
    let user = facts::user(app, run.pinned.as_ref(), loaded).await?;
    if user.binding != run.facts.user.binding {
        return Ok(Some(Failure::unmatched()));
    }
    // A session that stood for a step, beside the cards.
    if let Some(session) = run.session.as_ref().filter(|_| run.instance.used_session())
        && sessions::ends_at(&app.db, session, app.now())
            .await?
            .is_none()
    {
        return Ok(Some(Failure::other_account()));
    }
    let now = app.now();
    for card in run.shown.iter().flat_map(|shown| &shown.answer.cards) {
        // Token Status List, section 8.3: a card whose status is not known is not taken.
        if !passkey::holds(app, card, now).await {
            return Ok(Some(Failure::new("card_over", Explanation::NotProven)));
        }
    }
    let Some(person) = run.person() else {
        return Ok(None);
    };
    let found = resolve::found(app, &person.answer.evidence).await?;
    Ok(match found == run.pinned {
        true => None,
        false => Some(Failure::other_account()),
    })
}

/// Whoever has the account said no.
fn stopped() -> Failure {
    Failure::new("stopped", Explanation::Cancelled)
}

fn riskier() -> Failure {
    Failure::new("risk_grew", Explanation::NotProven)
}

fn too_old() -> Failure {
    Failure::new("max_age", Explanation::ExpiredLogin)
}
