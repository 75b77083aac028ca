//! What is counted, and when. Nothing here waits for anything.

mod others;
mod recoveries;
mod steps;

use others::authenticated;
pub(crate) use others::{assessed, attempted, consent, consent_over, rest, satisfied};
use steps::{followed, judged};
pub(crate) use steps::{follows, steps};

use super::counts::{Key, coarse};
use super::of::{Of, channel_of, client, outcome, outcome_of_run};
use super::{NO_JOURNEY, events, what};
use crate::app::Parts;
use crate::config::SubjectStrategy;
use crate::domain::request::{LoginRequest, StepUp};
use crate::domain::transaction::Login;
use crate::login::accept::log_id;
use crate::login::finish::Account;
use crate::store::transactions::Abandoned;

/// What is counted of a login that ended.
#[derive(Debug, Default, Clone)]
pub(crate) struct End {
    /// How the wallet was reached.
    pub(crate) channel: Option<&'static str>,
    /// Whose login it was, where it succeeded.
    pub(crate) account: Option<Account>,
    /// What the application calls the person, where it succeeded.
    pub(crate) sub: Option<String>,
}

/// Cards that people add to their account are no logins.
fn is_login(request: &LoginRequest) -> bool {
    request.linking().is_none()
}

/// A login began, and that was written.
pub(crate) fn started(app: &Parts, login: &Login) {
    if !is_login(&login.request) {
        return;
    }
    // What follows it may have begun at once.
    let run = login.run.as_deref();
    let of = match run.and_then(|run| run.main.as_deref()) {
        Some(main) => Of::instance(app, login, &main.instance),
        None => Of::login(app, login),
    };
    let entry = login.request.device().map_or("web", |_| "device");
    let labels = of.labels([
        ("journey", of.journey),
        ("stage", of.stage),
        ("entry", entry),
    ]);
    metrics::counter!("vouchsafe_journey_started_total", labels).increment(1);
    recoveries::started(&of);
    of.add(Key {
        method: entry.to_owned(),
        ..of.key(what::STARTED)
    });
    if login.place.first && makes_accounts(app, login) {
        registration(&of, "started", entry);
    }
    if let Some(reason) = login.place.step_up {
        // A session was there, and does not do.
        authenticated(&of, ("session", "failure"), reason.name());
    }
    // A run says itself what it asks and why, with its steps.
    if login.run.is_none() {
        presentation(app, login, "asked", "");
        if let Some(reason) = login.place.step_up {
            step_up_required(&of, reason);
        }
    }
}

/// Whether a registration of this login was counted as started: now, or in the login that it repeats.
pub(crate) fn registers(app: &Parts, login: &Login) -> bool {
    login.place.registers || (login.place.first && makes_accounts(app, login))
}

/// Whether the first login of a card makes an account here.
fn makes_accounts(app: &Parts, login: &Login) -> bool {
    let makes =
        |strategy: &SubjectStrategy| matches!(strategy, SubjectStrategy::IssuerScopedClaim(_));
    match login.run.as_deref() {
        None => {
            let query = app.settings.query(&login.request.query);
            query.is_some_and(|query| makes(&query.subject))
        }
        Some(run) => {
            let set = app.journeys.current();
            let mut all = set.all();
            let main = run.main.as_deref().map(|main| &main.instance);
            let journey = main.unwrap_or(&run.instance).journey();
            let loaded = all.find(|one| one.journey.id == journey);
            loaded.is_some_and(|one| one.questions().any(|one| makes(&one.query.subject)))
        }
    }
}

/// An account: `started`, `completed`, or `returned` where it was there before.
fn registration(of: &Of<'_>, outcome: &'static str, channel: &'static str) {
    let name = match outcome {
        "started" => "vouchsafe_registrations_started_total",
        "completed" => "vouchsafe_registrations_completed_total",
        _ => "vouchsafe_registrations_returned_total",
    };
    // How an account begins that another provider vouched for is known at its end.
    let method = if channel == "upstream" { channel } else { "vp" };
    metrics::counter!(name, "method" => method, "channel" => channel).increment(1);
    of.add(Key {
        outcome: outcome.to_owned(),
        method: method.to_owned(),
        // How the wallet is reached shows later.
        channel: match outcome {
            "started" => String::new(),
            _ => channel.to_owned(),
        },
        ..of.key(what::REGISTRATION)
    });
}

/// A login ended with this code, `success` or that of the refusal, and that was written.
pub(crate) fn over(app: &Parts, login: &Login, code: &str, end: &End) {
    if !is_login(&login.request) {
        return;
    }
    steps(app, login);
    followed(app, login);
    let of = Of::login(app, login);
    let outcome = match login.run {
        Some(_) => outcome_of_run(code),
        None => outcome(code),
    };
    let channel = channel_of(login, end);
    let took = app.now().since(login.started_at);
    ended(&of, outcome, channel, took);
    if outcome == "success" {
        whose(&of, login, channel, end);
    }
    if let Some(reason) = login.place.step_up {
        step_up_finished(&of, reason, outcome == "success");
    }
    let rule = login.run.as_deref();
    let rule = rule.and_then(|run| run.instance.trace().last().map(|line| line.rule.as_str()));
    let facts = events::Facts {
        stage: of.stage,
        outcome,
        channel: Some(channel),
        client: &of.client,
        seconds: Some(took),
        code: (outcome != "success").then_some(code),
        sub: end.sub.as_deref(),
        ..events::Facts::of(login, of.journey)
    };
    let log = &app.numbers.events;
    if login.run.is_some() {
        log.tell(app, events::JOURNEY, &facts);
    }
    let kind = match outcome {
        "success" => events::SUCCEEDED,
        _ => events::FAILED,
    };
    log.tell(app, kind, &facts);
    let (login, rule) = (log_id(&login.id), rule.unwrap_or_default());
    match outcome {
        "success" => tracing::info!(login, journey = of.journey, rule, "login finished"),
        _ => tracing::info!(
            login,
            journey = of.journey,
            rule,
            reason = code,
            "login failed"
        ),
    }
}

fn ended(of: &Of<'_>, outcome: &'static str, channel: &'static str, took: i64) {
    let labels = of.labels([
        ("journey", of.journey),
        ("stage", of.stage),
        ("channel", channel),
        ("outcome", outcome),
    ]);
    metrics::counter!("vouchsafe_journey_finished_total", labels).increment(1);
    let labels = of.labels([
        ("journey", of.journey),
        ("channel", channel),
        ("outcome", outcome),
    ]);
    metrics::histogram!("vouchsafe_journey_duration_seconds", labels).record(float(took));
    recoveries::finished(of, outcome);
    let key = Key {
        outcome: outcome.to_owned(),
        channel: channel.to_owned(),
        ..of.key(what::FINISHED)
    };
    // A session asks for nothing: how long people take is not told by logins that nobody waited for.
    if outcome == "success" && channel != "session" {
        of.add(Key {
            what: what::TOOK.to_owned(),
            seconds: coarse(took),
            outcome: String::new(),
            ..key.clone()
        });
    }
    of.add(key);
}

/// Who logged in, as far as that is counted.
fn whose(of: &Of<'_>, login: &Login, channel: &'static str, end: &End) {
    if ["session", "passkey", "upstream"].contains(&channel) {
        authenticated(of, (channel, "success"), "none");
    } else if login.run.is_none() {
        authenticated(of, ("vp", "success"), "none");
    }
    match end.account {
        Some(Account::New) => {
            // A browser that was here before, or that of somebody with a device.
            if !registers(of.app, login) {
                let entry = login.request.device().map_or("web", |_| "device");
                registration(of, "started", entry);
            }
            registration(of, "completed", channel);
        }
        Some(Account::Known) if registers(of.app, login) => registration(of, "returned", channel),
        Some(Account::Known | Account::Nobody) | None => {}
    }
}

/// A session answered a request by itself.
pub(crate) fn by_session(app: &Parts, request: &LoginRequest) {
    let of = Of::named(app, NO_JOURNEY, client(app, request.client.as_str()));
    let labels = of.labels([
        ("journey", of.journey),
        ("stage", of.stage),
        ("entry", "web"),
    ]);
    metrics::counter!("vouchsafe_journey_started_total", labels).increment(1);
    of.add(Key {
        method: "web".to_owned(),
        ..of.key(what::STARTED)
    });
    ended(&of, "success", "session", 0);
    authenticated(&of, ("session", "success"), "none");
    let facts = events::Facts {
        journey: of.journey,
        stage: of.stage,
        outcome: "success",
        channel: Some("session"),
        client: &of.client,
        seconds: Some(0),
        ..events::Facts::default()
    };
    app.numbers.events.tell(app, events::SUCCEEDED, &facts);
}

/// Nobody brought a login to its end: of this journey, at this application.
pub(crate) fn abandoned(app: &Parts, left: &Abandoned) {
    let (journey, id) = (left.journey.as_deref(), left.client_id.as_str());
    if id == crate::config::ACCOUNT_CLIENT {
        return;
    }
    let of = Of::named(app, journey.unwrap_or(NO_JOURNEY), client(app, id));
    let labels = of.labels([
        ("journey", of.journey),
        ("stage", of.stage),
        ("channel", "none"),
        ("outcome", "abandoned"),
    ]);
    metrics::counter!("vouchsafe_journey_finished_total", labels).increment(1);
    recoveries::finished(&of, "abandoned");
    let outcome = match left.is_untouched() {
        true => "untouched",
        false => "abandoned",
    };
    of.add(Key {
        outcome: outcome.to_owned(),
        channel: "none".to_owned(),
        ..of.key(what::FINISHED)
    });
    let facts = events::Facts {
        journey_id: left.reference(),
        journey: of.journey,
        stage: of.stage,
        outcome: "abandoned",
        client: &of.client,
        ..events::Facts::default()
    };
    if left.journey.is_some() {
        app.numbers.events.tell(app, events::JOURNEY, &facts);
    }
    app.numbers.events.tell(app, events::FAILED, &facts);
}

/// A login without a journey ended with a card that was refused, or with a no.
pub(crate) fn refused(app: &Parts, login: &Login, code: &str, channel: &'static str) {
    let end = End {
        channel: Some(channel),
        ..End::default()
    };
    over(app, login, code, &end);
    attempted(app, login, ("vp", "failure"), code);
}

/// A passkey was right and does not do for a login without a journey, and that was written. `raised`: the
/// login was no step-up before.
pub(crate) fn asked_again(app: &Parts, login: &Login, raised: bool) {
    judged(app, login);
    attempted(app, login, ("passkey", "failure"), "asked_again");
    if let Some(reason) = login.place.step_up.filter(|_| raised) {
        step_up_required(&Of::login(app, login), reason);
    }
}

/// A session does not do for a request.
fn step_up_required(of: &Of<'_>, reason: StepUp) {
    metrics::counter!("vouchsafe_stepup_required_total", "reason" => reason.name()).increment(1);
    of.add(Key {
        outcome: "required".to_owned(),
        method: reason.name().to_owned(),
        ..of.key(what::STEP_UP)
    });
}

fn step_up_finished(of: &Of<'_>, reason: StepUp, passed: bool) {
    let outcome = if passed { "success" } else { "failure" };
    metrics::counter!("vouchsafe_stepup_finished_total", "reason" => reason.name(), "outcome" => outcome).increment(1);
    of.add(Key {
        outcome: outcome.to_owned(),
        method: reason.name().to_owned(),
        ..of.key(what::STEP_UP)
    });
}

/// A question was put to a wallet, or answered: `asked`, `accepted`, `rejected`, `declined`, `no_match`.
/// Asked is counted once for each login, or step of a journey, however often the code is renewed.
pub(crate) fn presentation(app: &Parts, login: &Login, outcome: &str, channel: &'static str) {
    if !is_login(&login.request) {
        return;
    }
    let of = Of::login(app, login);
    of.add(Key {
        outcome: outcome.to_owned(),
        channel: channel.to_owned(),
        ..of.key(what::PRESENTATION)
    });
}

fn float(seconds: i64) -> f64 {
    f64::from(u32::try_from(seconds).unwrap_or_default())
}
