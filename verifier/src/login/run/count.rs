//! What is counted of runs, and what is kept of each: rules and outcomes, no values. Labels come from the
//! files.

use crate::app::Parts;
use crate::domain::run::Run;
use crate::domain::transaction::Login;
use crate::journey::{Instance, Line, Outcome, What};
use crate::login::accept::log_id;
use crate::store::journeys::Trace;

/// How a run is counted that ended with this code.
fn outcome(code: &str) -> &'static str {
    match code {
        "success" => "success",
        "declined" => "declined",
        "policy_error" | "error" => "error",
        "timeout" => "timeout",
        "not_proven"
        | "no_credential"
        | "not_authenticated"
        | "unmatched"
        | "other_account"
        | "number_mismatch"
        | "other_browser"
        | "unmet_authentication_requirements" => "failed",
        _ => "denied",
    }
}

/// What is kept of a run that ends with this code, `success` or that of the refusal.
pub fn ended(app: &Parts, login: &Login, code: &str) -> Option<Trace> {
    let run = login.run.as_deref()?;
    Some(Trace {
        login: login.id.clone(),
        reference: log_id(&login.id).to_owned(),
        journey: run.instance.journey().to_owned(),
        hash: run.instance.hash().to_owned(),
        outcome: code.to_owned(),
        lines: lines(run),
        ended_at: app.now(),
    })
}

/// The rules of a run, and of those that followed it.
fn lines(run: &Run) -> Vec<Line> {
    let followed = run.followed.iter().map(|one| one.instance.trace());
    let all = std::iter::once(run.instance.trace()).chain(followed);
    all.flatten().cloned().collect()
}

/// Those that followed, once the login is over.
fn followed(app: &Parts, run: &Run) {
    for one in &run.followed {
        let journey = one.instance.journey();
        let (stage, outcome) = (app.journeys.stage(journey), outcome(&one.code));
        instance_steps(&one.instance, one.counted);
        metrics::counter!("vouchsafe_journey_finished_total", "journey" => journey.to_owned(), "stage" => stage, "channel" => "after", "outcome" => outcome).increment(1);
    }
}

fn channel(run: &Run) -> &'static str {
    match run.last() {
        Some(answer) => answer.channel.name(),
        None if run.session.is_some() => "session",
        None => "none",
    }
}

/// A run was written for the first time.
pub(super) fn started(app: &Parts, login: &Login) {
    let Some(run) = login.run.as_deref() else {
        return;
    };
    let entry = login.request.device().map_or("web", |_| "device");
    // What follows it may have begun at once.
    let main = run.main.as_deref().map(|main| &main.instance);
    let journey = main.unwrap_or(&run.instance).journey().to_owned();
    let stage = app.journeys.stage(&journey);
    metrics::counter!("vouchsafe_journey_started_total", "journey" => journey, "stage" => stage, "entry" => entry).increment(1);
}

/// A journey begins that follows a login.
pub(super) fn follows(app: &Parts, instance: &Instance) {
    let journey = instance.journey().to_owned();
    let stage = app.journeys.stage(&journey);
    metrics::counter!("vouchsafe_journey_started_total", "journey" => journey, "stage" => stage, "entry" => "after").increment(1);
}

/// Steps that were reached or ended since the run was last written. Called when it was written.
pub(super) fn steps(login: &Login) {
    let Some(run) = login.run.as_deref() else {
        return;
    };
    instance_steps(&run.instance, run.counted);
}

fn instance_steps(instance: &Instance, counted: usize) {
    let journey = instance.journey();
    let (before, now) = instance
        .trace()
        .split_at_checked(counted)
        .unwrap_or_default();
    let begun = before.last().filter(|line| line.what == What::Runs);
    let mut begun = begun.map(|line| line.step.as_str());
    for line in now {
        let step = line.step.as_str();
        let entered = || {
            let (journey, step) = (journey.to_owned(), step.to_owned());
            metrics::counter!("vouchsafe_step_entered_total", "journey" => journey, "step" => step)
                .increment(1);
        };
        let outcome = match line.what {
            What::Skipped => continue,
            What::Runs => {
                entered();
                begun = Some(step);
                continue;
            }
            What::Reused => "reused",
            What::Ended { outcome } => outcome.as_str(),
            What::Over => Outcome::Ok.as_str(),
        };
        // What is over at once is not said to run.
        if begun.take() != Some(step) {
            entered();
        }
        let (journey, step) = (journey.to_owned(), step.to_owned());
        metrics::counter!("vouchsafe_step_finished_total", "journey" => journey, "step" => step, "outcome" => outcome).increment(1);
    }
}

/// A run ended, and that was written.
pub(crate) fn over(app: &Parts, login: &Login, code: &str) {
    let Some(run) = login.run.as_deref() else {
        return;
    };
    steps(login);
    followed(app, run);
    let journey = run.instance.journey();
    let (stage, channel, outcome) = (app.journeys.stage(journey), channel(run), outcome(code));
    metrics::counter!("vouchsafe_journey_finished_total", "journey" => journey.to_owned(), "stage" => stage, "channel" => channel, "outcome" => outcome).increment(1);
    let took = app.now().since(login.started_at);
    let took = f64::from(u32::try_from(took).unwrap_or_default());
    metrics::histogram!("vouchsafe_journey_duration_seconds", "journey" => journey.to_owned(), "channel" => channel, "outcome" => outcome).record(took);
    let rule = run.instance.trace().last().map(|line| line.rule.clone());
    tracing::info!(
        login = log_id(&login.id),
        journey,
        outcome = code,
        rule = rule.unwrap_or_default(),
        "journey ended"
    );
}

/// Nobody brought a run of this journey to an end.
pub fn abandoned(app: &Parts, journey: String) {
    let stage = app.journeys.stage(&journey);
    metrics::counter!("vouchsafe_journey_finished_total", "journey" => journey, "stage" => stage, "channel" => "none", "outcome" => "abandoned").increment(1);
}
