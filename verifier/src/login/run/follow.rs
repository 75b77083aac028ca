//! A journey that runs after another one (`after`). What the first one settled is kept beside it and
//! cannot be changed: however the second one ends, the login goes on with that (decision 0053).

use std::sync::Arc;

use serde_json::{Map, Value};
use vouchsafe_credentials::time::UnixTime;

use super::{RunError, Visit, facts, taps};
use crate::app::Parts;
use crate::domain::passkey::Tapped;
use crate::domain::run::{Followed, Main};
use crate::domain::transaction::Login;
use crate::journey::{self, Instance};
use crate::journeys::{Bindings, Loaded};
use crate::login::code::{cards_end, cards_end_of};
use crate::numbers::tell;
use crate::store::sessions;

/// Whoever comes back late to a question still finds the login, so many seconds.
const GRACE_S: i64 = 300;

/// Whether the run is one that follows.
#[must_use]
pub fn follows(login: &Login) -> bool {
    let run = login.run.as_deref();
    run.is_some_and(|run| run.main.is_some())
}

/// Whether the time of a run that follows is over: the login goes on without it.
#[must_use]
pub fn is_over(app: &Parts, login: &Login) -> bool {
    let run = login.run.as_deref();
    let main = run.and_then(|run| run.main.as_deref());
    main.is_some_and(|main| app.now() >= main.until)
}

/// Whether a run that follows asks nothing any more: its time is over, or its text is lost. The login
/// goes on without it.
#[must_use]
pub fn unasked(app: &Parts, login: &Login, loaded: &Loaded) -> bool {
    follows(login) && (is_over(app, login) || super::at(login, loaded).is_none())
}

/// The journey that runs next, after a login is settled.
pub(super) async fn next(app: &Parts, login: &Login) -> Result<Option<Arc<Loaded>>, RunError> {
    let Some(next) = matching(app, login) else {
        return Ok(None);
    };
    let waits_s = i64::from(next.journey.timeout_s) + GRACE_S;
    Ok(outlasts(app, login, waits_s).await?.then_some(next))
}

/// Whether the login that is settled still counts after so many seconds. Otherwise it would be lost
/// while somebody thinks about a question.
async fn outlasts(app: &Parts, login: &Login, waits_s: i64) -> Result<bool, RunError> {
    let Some(run) = login.run.as_deref() else {
        return Ok(false);
    };
    let (request, now) = (&login.request, app.now());
    let end = now.plus(waits_s);
    // The time of a pushed request is its own (RFC 9126, section 2.2).
    if request.was_pushed() {
        return Ok(false);
    }
    let of_session = run.facts.session.as_ref().map(|session| session.age_s);
    let age_s = run.last().map(|last| now.since(last.answered_at));
    let max_age = request.asked.as_ref().and_then(|asked| asked.max_age);
    // Beside a session that counts, a login by passkey is as old as that.
    let counts = of_session.filter(|age| max_age.is_none_or(|most| *age <= most));
    let tapped = login.passkey.as_ref().map(|tapped| now.since(tapped.at));
    let tapped = tapped.map(|age| age.max(counts.unwrap_or(age)));
    let vouched = run.upstream.as_ref().map(|vouched| now.since(vouched.at));
    let age_s = age_s.or(tapped.max(vouched)).or(of_session).unwrap_or(0);
    if max_age.is_some_and(|most| age_s.saturating_add(waits_s) > most) {
        return Ok(false);
    }
    let mut shown = run.shown.iter();
    if shown.any(|shown| cards_end(&shown.answer).is_some_and(|ends| ends <= end)) {
        return Ok(false);
    }
    match (run.person(), &login.passkey, &run.session) {
        (Some(_), _, _) | (None, None, None) => Ok(true),
        (None, Some(tapped), _) => stands(app, login, tapped, end).await,
        (None, None, Some(session)) => {
            let ends = sessions::ends_at(&app.db, session, now).await?;
            Ok(ends.is_some_and(|ends| ends > end))
        }
    }
}

/// Whether the cards that a passkey stands for hold until then, and were not shown too long before.
async fn stands(
    app: &Parts,
    login: &Login,
    tapped: &Tapped,
    end: UnixTime,
) -> Result<bool, RunError> {
    let Some(settings) = &app.settings.passkeys else {
        return Ok(false);
    };
    // The login is finished with the text of its own journey.
    let loaded = super::text(app, login).await?;
    let Some(standing) = taps::standing(app, &loaded, tapped).await? else {
        return Ok(false);
    };
    let cards_end = cards_end_of(&standing.cards, app.now());
    Ok(standing.shown_at.plus(settings.card_max_age_s) > end
        && cards_end.is_none_or(|ends| ends > end))
}

fn matching(app: &Parts, login: &Login) -> Option<Arc<Loaded>> {
    let run = login.run.as_deref()?;
    let request = &login.request;
    let asked = request.asked.as_ref();
    // Nothing may be shown; or the browser here is not where the person logs in; or nobody is known.
    let silent = asked.is_some_and(|asked| asked.prompt.iter().any(|one| one == "none"));
    let known = run.pinned.is_some() || run.person().is_some();
    if silent || !known || request.device().is_some() || request.linking().is_some() {
        return None;
    }
    let done = |one: &Loaded| {
        let mut followed = run.followed.iter();
        followed.any(|followed| followed.instance.journey() == one.journey.id)
    };
    let before = run.instance.journey();
    let bindings = Bindings(&app.binding_key, run.pinned.as_ref());
    let matches = |one: &Loaded| {
        one.journey.matches.is_none() || one.journey.matches(&run.facts, &bindings) == Some(true)
    };
    let set = app.journeys.current();
    set.all()
        .find(|one| one.journey.after.iter().any(|id| id == before) && !done(one) && matches(one))
        .map(Arc::clone)
}

/// Begins it. `claims` are those of the login that is settled.
pub(super) async fn begin(
    app: &Parts,
    login: &mut Login,
    loaded: &Loaded,
    (done, claims): (journey::Login, Map<String, Value>),
    visit: &Visit,
) -> Result<(), RunError> {
    // What was assessed before somebody was known says nothing; now somebody is.
    let risk = match login.run.as_deref().and_then(|run| run.facts.risk.clone()) {
        None => facts::risk(app, login, visit).await?,
        known => known,
    };
    let subject = login.run.as_deref().and_then(|run| run.pinned.clone());
    let mut user = match &subject {
        Some(subject) => facts::user(app, Some(subject), loaded).await?,
        None => facts::newcomer(app, loaded),
    };
    // The login that it follows counts.
    user.logins = user.logins.map(|logins| logins + 1);
    let until = app.now().plus(i64::from(loaded.journey.timeout_s));
    login.expires_at = login.expires_at.max(until.plus(GRACE_S));
    let run = login.run.as_deref_mut().ok_or(RunError::Gone)?;
    let instance = Instance::follow(&loaded.journey, &run.instance);
    let main = Main {
        instance: std::mem::replace(&mut run.instance, instance),
        login: done,
        counted: run.counted,
        until,
    };
    run.claims.get_or_insert(claims);
    run.main = Some(Box::new(main));
    (run.facts.user, run.facts.risk) = (user, risk);
    (run.counted, run.failure, run.since) = (0, None, app.now().0);
    tell::follows(app, login);
    Ok(())
}

/// It is over, however: the login that was settled before goes on.
pub(super) fn end(login: &mut Login, code: &str) -> Result<journey::Login, RunError> {
    let run = login.run.as_deref_mut().ok_or(RunError::Gone)?;
    let main = *run.main.take().ok_or(RunError::Gone)?;
    let Main {
        instance,
        login,
        counted,
        until: _,
    } = main;
    run.followed.push(Followed {
        instance: std::mem::replace(&mut run.instance, instance),
        counted: run.counted,
        code: code.to_owned(),
    });
    (run.counted, run.failure) = (counted, None);
    (run.said.asking, run.said.offered) = (None, None);
    Ok(login)
}
