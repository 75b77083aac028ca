//! What is counted of the steps of a run.

use super::super::counts::{Key, coarse};
use super::super::of::Of;
use super::super::{events, what};
use super::{assessed, authenticated, float, outcome_of_run, presentation, step_up_required};
use crate::app::Parts;
use crate::domain::run::Run;
use crate::domain::transaction::Login;
use crate::journey::{Instance, Line, Outcome, What};

/// How the login was judged, and steps that were reached or ended, since it was last written. Called when
/// it was written.
pub(crate) fn steps(app: &Parts, login: &Login) {
    judged(app, login);
    let Some(run) = login.run.as_deref() else {
        return;
    };
    let of = Of::login(app, login);
    if let Some(reason) = login.place.step_up.filter(|_| !login.place.step_up_told) {
        step_up_required(&of, reason);
    }
    for why in &login.missed {
        authenticated(&of, ("passkey", "failure"), why);
    }
    steps_of(&of, (login, run), (&run.instance, run.counted));
}

/// How a login was judged in the turn that was written.
pub(super) fn judged(app: &Parts, login: &Login) {
    for (assessment, decision) in &login.judged {
        assessed(app, assessment, decision);
    }
}

/// The same of one instance of a run.
fn steps_of(of: &Of<'_>, (login, run): (&Login, &Run), (instance, counted): (&Instance, usize)) {
    let app = of.app;
    let lines = instance.trace().split_at_checked(counted);
    let (before, now) = lines.unwrap_or_default();
    let begun = before.last().filter(|line| line.what == What::Runs);
    let mut begun = begun.map(|line| (line.step.as_str(), app.now().0 - run.since));
    for line in now {
        let outcome = match line.what {
            What::Skipped => continue,
            What::Runs => {
                entered(of, &line.step);
                if line.kind == "present" {
                    presentation(app, login, "asked", "");
                }
                begun = Some((&line.step, 0));
                continue;
            }
            What::Reused => "reused",
            What::Ended { outcome } => outcome.as_str(),
            What::Over => Outcome::Ok.as_str(),
        };
        let waited = begun.take().filter(|(step, _)| *step == line.step);
        // What is over at once is not said to run.
        if waited.is_none() {
            entered(of, &line.step);
        }
        let took = waited.map_or(0, |(_, seconds)| seconds);
        left(of, (login, run), line, outcome, took);
    }
}

fn entered(of: &Of<'_>, step: &str) {
    let labels = of.labels([("journey", of.journey), ("step", step)]);
    metrics::counter!("vouchsafe_step_entered_total", labels).increment(1);
    of.add(Key {
        step: step.to_owned(),
        ..of.key(what::ENTERED)
    });
}

/// A step ended after so many seconds.
fn left(
    of: &Of<'_>,
    (login, run): (&Login, &Run),
    line: &Line,
    outcome: &'static str,
    seconds: i64,
) {
    let step = line.step.as_str();
    let labels = of.labels([
        ("journey", of.journey),
        ("step", step),
        ("outcome", outcome),
    ]);
    metrics::counter!("vouchsafe_step_finished_total", labels).increment(1);
    let labels = of.labels([("journey", of.journey), ("step", step)]);
    metrics::histogram!("vouchsafe_step_duration_seconds", labels).record(float(seconds));
    let key = Key {
        step: step.to_owned(),
        ..of.key(what::LEFT)
    };
    of.add(Key {
        outcome: outcome.to_owned(),
        ..key.clone()
    });
    of.add(Key {
        what: what::STEP_TOOK.to_owned(),
        seconds: coarse(seconds),
        ..key
    });
    if line.kind == "present" && outcome != "reused" {
        match outcome {
            "ok" => authenticated(of, ("vp", "success"), "none"),
            error => authenticated(of, ("vp", "failure"), error),
        }
    }
    let facts = events::Facts {
        stage: of.stage,
        step: Some(step),
        outcome,
        channel: run.last().map(|answer| answer.channel.name()),
        client: &of.client,
        seconds: Some(seconds),
        ..events::Facts::of(login, of.journey)
    };
    of.app.numbers.events.tell(of.app, events::STEP, &facts);
}

/// A journey begins that follows a login. It is no login of its own, so the tiles count its steps alone.
pub(crate) fn follows(app: &Parts, login: &Login) {
    let of = Of::login(app, login);
    let labels = of.labels([
        ("journey", of.journey),
        ("stage", of.stage),
        ("entry", "after"),
    ]);
    metrics::counter!("vouchsafe_journey_started_total", labels).increment(1);
}

/// Those that followed, once the login is over.
pub(super) fn followed(app: &Parts, login: &Login) {
    let Some(run) = login.run.as_deref() else {
        return;
    };
    for one in &run.followed {
        let of = Of::instance(app, login, &one.instance);
        steps_of(&of, (login, run), (&one.instance, one.counted));
        let outcome = outcome_of_run(&one.code);
        let labels = of.labels([
            ("journey", of.journey),
            ("stage", of.stage),
            ("channel", "after"),
            ("outcome", outcome),
        ]);
        metrics::counter!("vouchsafe_journey_finished_total", labels).increment(1);
    }
}
