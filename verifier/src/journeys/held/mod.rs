//! What the login service can hold of a journey. A file that says more is refused with the place:
//! nothing is silently ignored.

mod follower;
mod kinds;
mod people;
mod reads;
mod whole;

use std::collections::BTreeMap;
use std::sync::Arc;

use super::approves::approves;
use super::loaded::StepQuestion;
use super::{asks, recovery};
use crate::config::{Client, Query, QueryConfig, Settings, SubjectConfig, SubjectStrategy, Trust};
use crate::domain::ids::QueryId;
use crate::journey::{Channel, Code, Journey, Places, Present, Question, Step, StepKind, Subject};

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
    whole::check(journey, known, places);
    asks::alone(journey, places);
    let mut questions = BTreeMap::new();
    for (at, step) in journey.steps.iter().enumerate() {
        kinds::check((at, step), journey, known, places);
        reads::check(at, step, known, places);
        if let StepKind::Present(present) = &step.kind
            && let Some(query) = question(journey, (at, step), present, known, places)
        {
            let read = reads::names(journey, &query);
            questions.insert(step.id.clone(), StepQuestion { query, read });
        }
    }
    people::check(journey, &questions, places);
    recovery::check(journey, &questions, known, places);
    questions
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
                card_name: BTreeMap::new(),
                id: journey.question_of(step)?,
                scope: None,
                scopes: BTreeMap::new(),
                dcql: dcql.as_json().to_string(),
                purpose: present.purpose.clone(),
                subject: (journey.subject == Some(Subject::Guest)).then_some(SubjectConfig::Guest),
                claims: BTreeMap::new(),
                id_token_claims: Vec::new(),
                labels: BTreeMap::new(),
                one_holder: true,
                bind: BTreeMap::new(),
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
        Channel::Qr => client.cross_device && !journey.demands_passkey(),
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
