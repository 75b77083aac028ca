//! What a run knows: nothing that the service does not know truly. What it does not know is not there,
//! and a condition that reads it fails closed.

mod device;
mod request;

use std::net::IpAddr;

use serde_json::{Map, Value};
use vouchsafe_credentials::time::UnixTime;

use device::{device, is_mobile};
use request::{asked, session_facts};

use super::{Arrived, RunError, Visit, drive, vouched};
use crate::app::Parts;
use crate::config::RiskSettings;
use crate::domain::attribute::Known;
use crate::domain::ids::{SecretDigest, SubjectId, TransactionId};
use crate::domain::place::Place;
use crate::domain::request::{LoginRequest, StepUp};
use crate::domain::run::{Run, Said};
use crate::domain::session::Session;
use crate::domain::transaction::Login;
use crate::journey::{Ask, DeviceFacts, Facts, Instance, RiskFacts, RiskLevel, UserFacts};
use crate::journeys::Loaded;
use crate::risk::check::assess;
use crate::risk::rules::Rule;
use crate::risk::{self, Look};
use crate::store::{StoreError, account_bindings, attributes, authenticators, subjects};

/// Where no journey says how long somebody is left alone, in days.
const COOLDOWN_DAYS: u32 = 30;

/// What a run begins with.
#[derive(Debug)]
pub struct Begin<'a> {
    /// What the application asks for.
    pub request: LoginRequest,
    /// The cookie of the browser.
    pub browser: SecretDigest,
    /// Where it is.
    pub place: Place,
    /// It is over then at the latest.
    pub until: Option<UnixTime>,
    /// The session of the browser, where it counts.
    pub session: Option<&'a Session>,
}

/// Begins a run. Nothing is written.
pub async fn begin(
    app: &Parts,
    loaded: &Loaded,
    begin: Begin<'_>,
    visit: &Visit,
) -> Result<(Login, Arrived), RunError> {
    let Begin {
        request,
        browser,
        place,
        until,
        session,
    } = begin;
    let now = app.now();
    let ends = now.plus(i64::from(loaded.journey.timeout_s));
    let pinned = session.and_then(|session| session.subject.clone());
    let agent = visit.agent.as_deref();
    let facts = Facts {
        request: asked(&request),
        session: session.map(|session| session_facts(session, now)),
        user: user(app, pinned.as_ref(), loaded).await?,
        device: DeviceFacts {
            mobile: agent.map(is_mobile),
            ..device(app, pinned.as_ref(), place.seen.as_ref()).await?
        },
        now: now.0,
        ..Facts::default()
    };
    let run = Run {
        instance: Instance::start(&loaded.journey),
        facts,
        turn: 1,
        pinned,
        session: session.map(|session| session.id.clone()),
        shown: Vec::new(),
        card_first: false,
        owes_card: false,
        upstream: None,
        coded: None,
        sent: 0,
        failure: None,
        agreed: None,
        counted: 0,
        at_least: None,
        assessed: false,
        typed: false,
        restarts: 0,
        started_for: Vec::new(),
        effects: Vec::new(),
        since: now.0,
        waiting: None,
        resumes: false,
        closes: false,
        registered: None,
        fresh: None,
        main: None,
        followed: Vec::new(),
        claims: None,
        said: Said::default(),
    };
    let mut login = Login {
        id: TransactionId::random(app.rng.as_ref()),
        browser,
        request,
        place,
        started_at: now,
        expires_at: until.map_or(ends, |until| until.min(ends)),
        passkey: None,
        run: Some(Box::new(run)),
        judged: Vec::new(),
        missed: Vec::new(),
    };
    let arrived = drive(app, &mut login, loaded, Some(visit)).await?;
    Ok((login, arrived))
}

/// The account, once somebody proved that it is theirs. What was only said is not known.
pub(super) async fn user(
    app: &Parts,
    subject: Option<&SubjectId>,
    loaded: &Loaded,
) -> Result<UserFacts, StoreError> {
    let Some(subject) = subject else {
        return Ok(UserFacts::default());
    };
    let means = subjects::means_of(&app.db, subject).await?;
    let mut linked: Vec<String> = means.iter().map(|one| one.kind.name().to_owned()).collect();
    if app.settings.totp.is_some()
        && authenticators::of_account(&app.db, subject)
            .await?
            .is_some()
    {
        linked.push("totp".to_owned());
    }
    linked.sort();
    linked.dedup();
    let facts = UserFacts {
        exists: true,
        linked,
        ..UserFacts::default()
    };
    if !loaded.reads_user() {
        return Ok(facts);
    }
    let facts = UserFacts {
        logins: Some(attributes::logins(&app.db, subject).await?),
        binding: account_bindings::of(&app.db, subject).await?,
        ..facts
    };
    if !loaded.reads_attributes() {
        return Ok(facts);
    }
    let now = app.now();
    let known = attributes::of_account(&app.db, &app.vault, subject, now).await?;
    // What only a card may say, nobody has said by themselves.
    let counts = |one: &Known| {
        app.settings
            .attribute(&one.name)
            .is_none_or(|a| a.takes(one))
    };
    let known = known.into_iter().filter(counts);
    let attrs: Map<String, Value> = known.map(|one| (one.name, one.value)).collect();
    let refused = attributes::refusals(&app.db, subject).await?;
    let lately = |(name, at): (String, UnixTime)| {
        (now.since(at) < cooldown_s(loaded, &name)).then_some(name)
    };
    Ok(UserFacts {
        missing: Some(missing(app, loaded, &attrs)),
        refused: Some(refused.into_iter().filter_map(lately).collect()),
        attrs,
        ..facts
    })
}

/// Somebody whose account is made when the login is over.
pub(super) fn newcomer(app: &Parts, loaded: &Loaded) -> UserFacts {
    UserFacts {
        logins: Some(0),
        missing: Some(missing(app, loaded, &Map::new())),
        refused: Some(Vec::new()),
        ..UserFacts::default()
    }
}

/// What the account does not know: first what the journey asks for, in its order.
fn missing(app: &Parts, loaded: &Loaded, attrs: &Map<String, Value>) -> Vec<String> {
    let asked = loaded.asks().flat_map(|ask| &ask.fields);
    let asked = asked.map(|field| &field.name);
    let all = app.settings.attributes().iter().map(|one| &one.name);
    let mut names: Vec<String> = Vec::new();
    for name in asked.chain(all) {
        if !attrs.contains_key(name) && !names.contains(name) {
            names.push(name.clone());
        }
    }
    names
}

/// How long a journey leaves somebody alone who did not want to say something.
fn cooldown_s(loaded: &Loaded, name: &str) -> i64 {
    let asks = |ask: &&Ask| ask.fields.iter().any(|field| field.name == name);
    let days = loaded
        .asks()
        .filter(asks)
        .map(|ask| ask.cooldown_days)
        .max();
    i64::from(days.unwrap_or(COOLDOWN_DAYS)) * 86_400
}

/// Somebody proved that the account is theirs.
pub(super) async fn pin(
    app: &Parts,
    login: &mut Login,
    subject: SubjectId,
    loaded: &Loaded,
) -> Result<(), RunError> {
    let user = user(app, Some(&subject), loaded).await?;
    let device = device(app, Some(&subject), login.place.seen.as_ref()).await?;
    let run = login.run.as_deref_mut().ok_or(RunError::Gone)?;
    run.facts.user = user;
    run.facts.device = DeviceFacts {
        mobile: run.facts.device.mobile,
        ..device
    };
    // What was assessed of nobody, or of somebody else, says nothing about this account.
    if run.pinned.as_ref() != Some(&subject) {
        run.assessed(None);
    }
    run.pinned = Some(subject);
    Ok(())
}

/// Assesses the risk. An account without logins gives no sign that needs them; while nobody is known,
/// what needs an account is not known either.
pub(super) async fn risk(
    app: &Parts,
    login: &mut Login,
    visit: &Visit,
) -> Result<Option<RiskFacts>, RunError> {
    let Some(settings) = &app.settings.risk else {
        return Ok(None);
    };
    let look = look(app, settings, login, visit);
    let pinned = login.run.as_deref().and_then(|run| run.pinned.as_ref());
    let assessment = assess(app, settings, pinned, &look).await?;
    let level = level(assessment.level);
    let says = |rule| assessment.reasons.contains(&rule);
    let country = pinned.is_some() && settings.places.know_countries();
    let placed = look.seen.place.degrees.is_some() || assessment.my_logins == 0;
    let facts = RiskFacts {
        score: assessment.score,
        level,
        reasons: (assessment.reasons.iter())
            .map(|rule| rule.code().to_owned())
            .collect(),
        first_seen_country: country.then(|| says(Rule::FirstSeenCountry)),
        impossible_travel: (country && placed).then(|| says(Rule::ImpossibleTravel)),
    };
    login.judged.push((assessment, "journey"));
    Ok(Some(facts))
}

fn level(level: risk::RiskLevel) -> RiskLevel {
    match level {
        risk::RiskLevel::Low => RiskLevel::Low,
        risk::RiskLevel::Medium => RiskLevel::Medium,
        risk::RiskLevel::High => RiskLevel::High,
        risk::RiskLevel::Critical => RiskLevel::Critical,
    }
}

/// Whether `risk` steps ask a system outside.
pub(super) fn is_asked_outside(app: &Parts) -> bool {
    let settings = app.settings.risk.as_ref();
    settings.is_some_and(|settings| settings.webhook.is_some())
}

fn look(app: &Parts, settings: &RiskSettings, login: &Login, visit: &Visit) -> Look {
    let address = login.place.address.as_deref();
    let address = address.and_then(|address| address.parse::<IpAddr>().ok());
    let agent = visit.agent.as_deref();
    Look::new(app, settings, address, agent, &login.browser)
}

/// What is unusual about a login of an account that no step assesses, where that is too much. `agent` is
/// the `User-Agent` of its browser.
pub(in crate::login) async fn unusual(
    app: &Parts,
    login: &mut Login,
    subject: &SubjectId,
    agent: Option<&str>,
) -> Result<Option<Vec<String>>, StoreError> {
    let Some(settings) = &app.settings.risk else {
        return Ok(None);
    };
    let visit = Visit {
        agent: agent.map(str::to_owned),
        asks: None,
    };
    let look = look(app, settings, login, &visit);
    let assessment = assess(app, settings, Some(subject), &look).await?;
    let asks = assessment.level >= settings.ask_again_at;
    let decision = if asks { "ask_again" } else { "answer" };
    let signs = assessment.reasons.iter().map(|sign| sign.code().to_owned());
    let signs = asks.then(|| signs.collect());
    login.judged.push((assessment, decision));
    Ok(signs)
}

/// A session would be the whole login, and the journey, which has a step for the risk, went around it:
/// the login is judged as without a journey. An unusual one begins again without the session.
pub(super) async fn is_unusual(
    app: &Parts,
    login: &mut Login,
    loaded: &Loaded,
    visit: &Visit,
) -> Result<bool, RunError> {
    let run = login.run.as_deref().ok_or(RunError::Gone)?;
    // Without such a step the session was judged before it counted.
    let judged = run.assessed || !run.shown.is_empty();
    let judged = judged || (!loaded.assesses() && run.at_least.is_none());
    let (false, Some(pinned)) = (judged, run.pinned.clone()) else {
        return Ok(false);
    };
    // What a system outside says is no less than what is assessed here.
    let least = run.at_least.unwrap_or(RiskLevel::Low);
    let (asks, signs) = match &app.settings.risk {
        None => (least >= RiskLevel::High, Vec::new()),
        Some(settings) => {
            let look = look(app, settings, login, visit);
            let assessment = assess(app, settings, Some(&pinned), &look).await?;
            let asks = level(assessment.level).max(least) >= level(settings.ask_again_at);
            let decision = if asks { "ask_again" } else { "answer" };
            let signs = assessment.reasons.iter();
            let signs = signs.map(|sign| sign.code().to_owned()).collect();
            login.judged.push((assessment, decision));
            (asks, signs)
        }
    };
    if !asks {
        return Ok(false);
    }
    login.place.step_up = Some(StepUp::Risk);
    login.request.risk = Some(signs);
    let vouched = login
        .run
        .as_deref()
        .is_some_and(|run| run.upstream.is_some());
    if vouched && least < RiskLevel::High && !vouched::has_card(app, &pinned).await? {
        // They signed in a moment ago, and have nothing else to show.
        return Ok(false);
    }
    // Nor does a passkey, or another provider, count here any more.
    let tapped = login.passkey.take();
    let run = login.run.as_deref_mut().ok_or(RunError::Gone)?;
    run.instance = Instance::start(&loaded.journey);
    run.facts.session = None;
    run.facts.user = UserFacts::default();
    run.facts.device = DeviceFacts {
        mobile: run.facts.device.mobile,
        ..DeviceFacts::default()
    };
    (run.pinned, run.session, run.failure) = (None, None, None);
    run.agreed = None;
    (run.upstream, run.coded) = (None, None);
    run.counted = 0;
    run.restarts += 1;
    // Whose passkey it was is who shows the card.
    if let Some(tapped) = tapped {
        run.card_first = true;
        pin(app, login, tapped.subject, loaded).await?;
    } else if vouched {
        run.owes_card = true;
        pin(app, login, pinned, loaded).await?;
    }
    Ok(true)
}
