//! What the login service can hold of a journey. A file that says more is refused with the place:
//! nothing is silently ignored.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::approves::approves;
use super::loaded::StepQuestion;
use super::outside::{tells, webhook};
use crate::config::{
    Client, Query, QueryConfig, RESERVED_CLAIMS, Settings, SubjectConfig, SubjectStrategy, Trust,
};
use crate::domain::ids::QueryId;
use crate::journey::{
    Channel, Code, Expression, Journey, Outcome, Places, Present, Question, Step, StepKind,
    Subject, Target,
};

/// The one model of risk.
const MODEL: &str = "freeman";

/// What of the configuration a journey may name.
#[derive(Debug)]
pub struct Known<'a> {
    pub(super) settings: &'a Settings,
    /// Whose login it is where neither a file nor a question says it.
    pub(super) usual: Option<&'a SubjectConfig>,
}

impl<'a> Known<'a> {
    /// What these settings name.
    #[must_use]
    pub fn of(settings: &'a Settings, usual: Option<&'a SubjectConfig>) -> Self {
        Self { settings, usual }
    }

    fn trust(&self) -> &Trust {
        &self.settings.trust
    }

    /// The applications of the configuration that a journey may serve.
    fn served(&self, journey: &Journey) -> impl Iterator<Item = &Arc<Client>> {
        let names = |id: &str| journey.clients.iter().any(|client| client == id);
        let all = journey.clients.is_empty();
        let clients = self.settings.clients().iter();
        clients.filter(move |client| all || names(client.id.as_str()))
    }
}

/// Notes what the service cannot hold, and makes the questions.
pub(super) fn check(
    journey: &Journey,
    known: &Known<'_>,
    places: &mut Places<'_>,
) -> BTreeMap<String, StepQuestion> {
    whole(journey, known, places);
    let mut questions = BTreeMap::new();
    for (at, step) in journey.steps.iter().enumerate() {
        kind(at, step, known, places);
        reads(at, step, known, places);
        if let StepKind::Present(present) = &step.kind
            && let Some(query) = question(journey, (at, step), present, known, places)
        {
            let read = read_names(journey, &query);
            questions.insert(step.id.clone(), StepQuestion { query, read });
        }
    }
    people(journey, &questions, places);
    questions
}

fn whole(journey: &Journey, known: &Known<'_>, places: &mut Places<'_>) {
    let hint = "the login service does not hold it yet; `journey lint` and `simulate` do";
    if !journey.after.is_empty() {
        places.at_top("after", Code::NotHeld, "`after` is not held", hint);
    }
    let only_request = |matches: &Expression| matches.reads().iter().all(|one| one == "request");
    if !journey.matches.as_ref().is_none_or(only_request) {
        let message = "`match` reads more than `request`";
        let hint = "it is looked at before anything else is known";
        places.at_top("match", Code::NotHeld, message, hint);
    }
    let configured = known.settings.clients();
    let others = known.settings.others().next().is_some();
    for client in &journey.clients {
        let is_there = configured.iter().any(|one| one.id.as_str() == client);
        if !is_there && !others {
            let message = format!("there is no application `{client}`");
            let hint = "the `id` of a `[[client]]` of the configuration";
            places.at_client(client, Code::UnknownClient, message, hint);
        }
    }
}

fn kind(at: usize, step: &Step, known: &Known<'_>, places: &mut Places<'_>) {
    let hint = "the login service does not hold it yet; `journey lint` and `simulate` do";
    match &step.kind {
        StepKind::Identify { accept } => {
            if accept.contains("passkey_autofill") {
                passkeys(at, "accept", known, places);
            }
        }
        StepKind::Passkey { register: false } => passkeys(at, "kind", known, places),
        StepKind::Passkey { register: true } => {
            let message = "a `passkey` step with `mode = \"register\"` is not held";
            places.at_step(at, "mode", Code::NotHeld, message, hint);
        }
        StepKind::Risk { model } => risk(at, model, known, places),
        StepKind::Present(_) | StepKind::Decide { .. } | StepKind::Consent { .. } => {}
        StepKind::Webhook { url, sms, .. } => webhook((at, url, *sms), known, places),
        StepKind::Deny { notify, .. } => {
            tells((at, notify, &[]), known, places);
        }
        StepKind::Notify { notify, emit, .. } => tells((at, notify, emit), known, places),
        StepKind::Finish { claims } => {
            let reserved = claims.keys();
            for name in reserved.filter(|name| RESERVED_CLAIMS.contains(&name.as_str())) {
                let message = format!("the claim name `{name}` is reserved");
                let hint = "what it says is computed, never declared";
                places.at_step(at, "claims", Code::BadValue, message, hint);
            }
        }
        StepKind::Totp
        | StepKind::Upstream { .. }
        | StepKind::Ask(_)
        | StepKind::Link { .. }
        | StepKind::Issue { .. }
        | StepKind::Wait { .. } => {
            let message = format!("a `{}` step is not held", step.kind.name());
            places.at_step(at, "kind", Code::NotHeld, message, hint);
        }
    }
    let asks = match &step.kind {
        StepKind::Webhook { .. } => true,
        StepKind::Risk { .. } => {
            (known.settings.risk.as_ref()).is_some_and(|settings| settings.webhook.is_some())
        }
        _ => false,
    };
    if let Some(Target::Step(_)) = step.on.get(&Outcome::Timeout)
        && !asks
    {
        let message = "`on.timeout` leads to a step, but the time of the run is over then";
        places.at_step(
            at,
            "on",
            Code::NotHeld,
            message,
            "`timeout = \"deny:CODE\"`",
        );
    }
}

fn passkeys(at: usize, key: &'static str, known: &Known<'_>, places: &mut Places<'_>) {
    if known.settings.passkeys.is_none() {
        let message = "the configuration has no `[passkeys]` that are enabled";
        let hint = "`[passkeys]` and `enabled = true`";
        places.at_step(at, key, Code::NotHeld, message, hint);
    }
}

fn risk(at: usize, model: &str, known: &Known<'_>, places: &mut Places<'_>) {
    if model != MODEL {
        let message = format!("there is no model \"{model}\"");
        places.at_step(at, "model", Code::NotHeld, message, "\"freeman\"");
    }
    if known.settings.risk.is_none() {
        let message = "the configuration has no `[risk]`";
        let hint = "without it nothing is counted that a login could be compared with";
        places.at_step(at, "kind", Code::NotHeld, message, hint);
    }
}

/// Variables that this service never knows: an expression that reads one would fail each time.
const NEVER_KNOWN: [&str; 5] = [
    "user.logins",
    "user.missing",
    "user.refused",
    "user.binding",
    "device.dc_api",
];

fn reads(at: usize, step: &Step, known: &Known<'_>, places: &mut Places<'_>) {
    let mut parts: Vec<(&str, &Expression)> = Vec::new();
    parts.extend(step.when.iter().map(|when| ("when", when)));
    match &step.kind {
        StepKind::Present(present) => parts.extend(present.check.iter().map(|one| ("check", one))),
        StepKind::Decide { cases } => parts.extend(cases.iter().map(|case| ("case", &case.when))),
        StepKind::Finish { claims } => parts.extend(claims.values().map(|one| ("claims", one))),
        _ => {}
    }
    let places_known = |risk: &crate::config::RiskSettings| risk.places.know_countries();
    let located = known.settings.risk.as_ref().is_some_and(places_known);
    for (key, expression) in parts {
        let source = expression.source();
        for name in NEVER_KNOWN.iter().filter(|name| source.contains(*name)) {
            let message = format!("the login service does not know `{name}`");
            let hint = "it keeps nothing that says it";
            places.at_step(at, key, Code::NotHeld, message, hint);
        }
        let by_place = ["risk.first_seen_country", "risk.impossible_travel"];
        let placed = by_place.iter().find(|name| source.contains(*name));
        if let Some(name) = placed.filter(|_| !located) {
            let message = format!("without `risk.places` nothing is known of `{name}`");
            let hint = "name a database of countries in `[risk]`, or leave the variable out";
            places.at_step(at, key, Code::NotHeld, message, hint);
        }
    }
}

/// The question of a step, as the service asks it.
fn question(
    journey: &Journey,
    (at, step): (usize, &Step),
    present: &Present,
    known: &Known<'_>,
    places: &mut Places<'_>,
) -> Option<Query> {
    let mut query = match &present.question {
        Question::Named(name) => {
            let found = known.settings.query(&QueryId::from_text(name.clone()));
            if found.is_none() {
                let message = format!("there is no question `{name}`");
                let hint = "the `id` of a `[[query]]` of the configuration";
                places.at_step(at, "query", Code::UnknownQuery, message, hint);
            }
            let mut query = found?.clone();
            if let Some(purpose) = crate::config::localized(&present.purpose) {
                query.purpose = purpose;
            }
            query
        }
        Question::Dcql(dcql) => {
            let written = QueryConfig {
                id: journey.question_of(step)?,
                scope: None,
                scopes: BTreeMap::new(),
                dcql: dcql.as_json().to_string(),
                purpose: present.purpose.clone(),
                subject: (journey.subject == Some(Subject::Guest)).then_some(SubjectConfig::Guest),
                claims: BTreeMap::new(),
                id_token_claims: Vec::new(),
                labels: BTreeMap::new(),
            };
            match Query::parse(&written, known.usual, known.trust()) {
                Ok(query) => query,
                Err(error) => {
                    let hint = "the question is checked as a `[[query]]` of the configuration";
                    places.at_step(at, "dcql", Code::BadDcql, error.to_string(), hint);
                    return None;
                }
            }
        }
    };
    match journey.subject {
        Some(Subject::Guest) => query.subject = SubjectStrategy::Guest,
        Some(subject) if subject != strategy(&query.subject) => {
            let message = format!("the question of `{}` leads to a person otherwise", step.id);
            let hint = "`subject` says what the question or `[subject]` says, or \"guest\"";
            places.at_top("subject", Code::NotHeld, message, hint);
        }
        _ => {}
    }
    if present.bind && query.subject.claim().is_none() {
        let message = "the question leads to nobody, so its card is of nobody in particular";
        let hint = "`subject` of the question, other than \"guest\"";
        places.at_step(at, "bind", Code::NotHeld, message, hint);
    }
    let reachable = |channel: &Channel, client: &Client| match channel {
        Channel::SameDevice => true,
        Channel::Qr => client.cross_device,
        Channel::DcApi => known.settings.digital_credentials.is_some(),
    };
    for client in known.served(journey) {
        let mut ways = present.channels.iter();
        if !present.channels.is_empty() && !ways.any(|way| reachable(way, client)) {
            let message = format!("`{}` is served by none of these ways", client.id.as_str());
            let hint = "`cross_device` of the application, `wallet.digital_credentials`, or \"same_device\"";
            places.at_step(at, "channels", Code::NotHeld, message, hint);
        }
    }
    if present.transaction_data {
        approves(at, (&query, known.served(journey)), places);
    }
    Some(query)
}

fn strategy(subject: &SubjectStrategy) -> Subject {
    match subject {
        SubjectStrategy::Guest => Subject::Guest,
        SubjectStrategy::IssuerScopedClaim(_) => Subject::IssuerScopedClaim,
        SubjectStrategy::AssertedLookup(_) => Subject::AssertedLookup,
        SubjectStrategy::SessionBinding(_) => Subject::SessionBinding,
    }
}

/// Names of claims of a question whose values some expression reads.
fn read_names(journey: &Journey, query: &Query) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for mapping in &query.claims {
        let json = mapping.path.to_json();
        let last = json
            .as_array()
            .and_then(|path| path.iter().rev().find_map(|one| one.as_str()));
        let mut sources = journey.expressions().map(Expression::source);
        if last.is_none_or(|last| sources.any(|source| source.contains(last))) {
            names.insert(mapping.name.clone());
        }
    }
    names
}

/// Who is logged in follows from the cards alone: all of them lead to people, or none does.
fn people(journey: &Journey, questions: &BTreeMap<String, StepQuestion>, places: &mut Places<'_>) {
    let persons = |one: &&StepQuestion| one.query.subject.claim().is_some();
    let some = questions.values().filter(persons).count();
    let asserted = questions
        .values()
        .all(|one| one.query.subject.is_asserted());
    if journey.limits.per_account_per_day.is_some() && some == 0 {
        let message = "`per_account_per_day` counts for accounts, and the questions lead to nobody";
        let hint = "a question of a person, or no such limit";
        places.at_top("limits", Code::NotHeld, message, hint);
    }
    for (at, step) in journey.steps.iter().enumerate() {
        match &step.kind {
            StepKind::Present(_) if some > 0 && some < questions.len() => {
                let message = "some questions of the journey lead to a person and some do not";
                let hint = "nobody could say whose login it is: write two journeys";
                places.at_step(at, "kind", Code::NotHeld, message, hint);
            }
            StepKind::Passkey { .. } if some == 0 => {
                let message = "no question of the journey leads to a person";
                let hint = "a passkey stands for a card that was shown to one of them";
                places.at_step(at, "kind", Code::NotHeld, message, hint);
            }
            // A passkey says who it is; what is typed beside it is not asked for.
            StepKind::Identify { accept } if some > 0 && accept.contains("passkey_autofill") => {}
            StepKind::Notify { .. } if some == 0 => {
                let message = "the questions lead to nobody who could be told";
                let hint = "a question of a person, or no such step";
                places.at_step(at, "kind", Code::NotHeld, message, hint);
            }
            StepKind::Deny { notify, .. } if some == 0 && !notify.is_empty() => {
                let message = "the questions lead to nobody who could be told";
                let hint = "a question of a person, or no `notify`";
                places.at_step(at, "notify", Code::NotHeld, message, hint);
            }
            StepKind::Identify { .. } if !asserted || questions.is_empty() => {
                let message = "nothing proves what the person says here";
                let hint = "`identify` needs questions with the strategy \"asserted_lookup\"";
                places.at_step(at, "kind", Code::NotHeld, message, hint);
            }
            _ => {}
        }
    }
}
