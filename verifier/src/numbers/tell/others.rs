//! What is counted beside logins and their steps: attempts with a factor, consents, risk, answers to the
//! one question.

use super::super::counts::Key;
use super::super::of::{Of, client};
use super::super::{NO_JOURNEY, scores, what};
use super::is_login;
use crate::app::Parts;
use crate::domain::consent::State;
use crate::domain::ids::ClientId;
use crate::domain::transaction::Login;
use crate::risk::Assessment;
use crate::risk::levels::WARM_UP;

/// One attempt with a factor in a login. `error` is from a closed list.
pub(crate) fn attempted(
    app: &Parts,
    login: &Login,
    (method, outcome): (&'static str, &'static str),
    error: &str,
) {
    if is_login(&login.request) {
        authenticated(&Of::login(app, login), (method, outcome), error);
    }
}

pub(super) fn authenticated(
    of: &Of<'_>,
    (method, outcome): (&'static str, &'static str),
    error: &str,
) {
    metrics::counter!("vouchsafe_authentications_total", "method" => method, "outcome" => outcome, "error" => error.to_owned()).increment(1);
    of.add(Key {
        method: method.to_owned(),
        outcome: outcome.to_owned(),
        ..of.key(what::AUTHENTICATION)
    });
}

/// Somebody agreed in a login, or said no: `granted`, `denied`.
pub(crate) fn consent(app: &Parts, login: &Login, action: &'static str) {
    metrics::counter!("vouchsafe_consents_total", "action" => action).increment(1);
    if is_login(&login.request) {
        let of = Of::login(app, login);
        of.add(Key {
            outcome: action.to_owned(),
            ..of.key(what::CONSENT)
        });
    }
}

/// A consent is over. In which journey it was given is not known any more.
pub(crate) fn consent_over(app: &Parts, id: &ClientId, state: State) {
    metrics::counter!("vouchsafe_consents_total", "action" => state.name()).increment(1);
    let of = Of::named(app, NO_JOURNEY, client(app, id.as_str()));
    of.add(Key {
        outcome: state.name().to_owned(),
        journey: String::new(),
        stage: String::new(),
        ..of.key(what::CONSENT)
    });
}

/// A login was judged, and this was decided. Of nobody: of which application it was is not counted.
pub(crate) fn assessed(app: &Parts, assessment: &Assessment, decision: &'static str) {
    let level = assessment.level.name();
    metrics::counter!("vouchsafe_risk_evaluations_total", "level" => level, "decision" => decision)
        .increment(1);
    let add = |what: &str, outcome: &str, method: &str, seconds: i64| {
        let key = Key {
            what: what.to_owned(),
            outcome: outcome.to_owned(),
            method: method.to_owned(),
            seconds,
            ..Key::default()
        };
        app.numbers.counts.add(app.now(), key);
    };
    add(what::RISK, level, decision, 0);
    for sign in &assessment.reasons {
        add(what::SIGN, sign.code(), "", 0);
    }
    // While few logins are counted a score says little, and no threshold is chosen by it.
    if let Some(score) = assessment
        .score
        .filter(|_| assessment.all_logins >= WARM_UP)
    {
        add(what::SCORE, "", "", i64::from(scores::class(score)));
    }
}

/// Somebody answered the one question, from 1 to 5. Nobody knows who: it shows with four others, is counted
/// by the hour, and no event tells when it was.
pub(crate) fn satisfied(app: &Parts, answer: &'static str) {
    for answer in app.numbers.answers.add(answer) {
        metrics::counter!("vouchsafe_satisfaction_total", "answer" => answer).increment(1);
        answered(app, answer);
    }
}

/// The process ends: what waited for others waits no longer.
pub(crate) fn rest(app: &Parts) {
    for answer in app.numbers.answers.rest() {
        answered(app, answer);
    }
}

fn answered(app: &Parts, answer: &'static str) {
    let key = Key {
        what: what::SATISFACTION.to_owned(),
        outcome: answer.to_owned(),
        ..Key::default()
    };
    app.numbers.counts.add(app.now(), key);
}
