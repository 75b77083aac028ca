//! A journey that this service holds, with the questions of its steps.

use std::collections::{BTreeMap, BTreeSet};

use crate::config::Query;
use crate::domain::request::Facts;
use crate::journey::{Ask, Channel, Expression, Journey, Present, Step, StepKind};

/// A journey with its questions.
#[derive(Debug)]
pub struct Loaded {
    /// The journey.
    pub journey: Journey,
    /// Its text.
    pub text: String,
    /// The questions of its `present` steps, by their ids.
    pub(super) questions: BTreeMap<String, StepQuestion>,
}

/// What a `present` step asks.
#[derive(Debug)]
pub struct StepQuestion {
    /// The question, under the name that sessions remember it by.
    pub query: Query,
    /// Names of claims of the question that expressions of the journey read.
    pub read: BTreeSet<String>,
}

impl Loaded {
    /// The question of a step.
    #[must_use]
    pub fn question(&self, step: &str) -> Option<&StepQuestion> {
        self.questions.get(step)
    }

    /// The first question that is asked, for pages before it.
    #[must_use]
    pub fn first_question(&self) -> Option<&StepQuestion> {
        let ids = self.journey.steps.iter();
        ids.into_iter().find_map(|step| self.question(&step.id))
    }

    /// All questions.
    pub fn questions(&self) -> impl Iterator<Item = &StepQuestion> {
        self.questions.values()
    }

    /// Whether a session that answered this question counts: it is one of the journey's. Where every card
    /// that is shown approves a transaction any does, because it says whose login it is and ends nothing.
    #[must_use]
    pub fn knows(&self, query: &str) -> bool {
        let mut questions = self.questions();
        self.only_approves()
            || questions.any(|one| one.query.id.as_str() == query)
            || self.vouched_for(query).is_some()
    }

    /// Whether cards are shown to approve, and for nothing else: a session stands for none of them. Each is
    /// that of a person, who must be the one of the session.
    fn only_approves(&self) -> bool {
        let mut cards = self.journey.steps.iter().filter_map(present);
        let mut questions = self.questions();
        self.approves()
            && cards.all(|one| one.transaction_data)
            && questions.all(|one| one.query.subject.claim().is_some())
    }

    /// The step that asks other providers and that sessions remember by this name.
    fn vouched_for(&self, name: &str) -> Option<&Step> {
        let mut steps = self.journey.steps.iter();
        steps.find(|step| {
            let upstream = matches!(step.kind, StepKind::Upstream { .. });
            upstream && self.journey.question_of(step).as_deref() == Some(name)
        })
    }

    /// Whether it assesses the risk itself.
    #[must_use]
    pub fn assesses(&self) -> bool {
        let mut steps = self.journey.steps.iter();
        steps.any(|step| matches!(step.kind, StepKind::Risk { .. }))
    }

    /// Whether a transaction is approved in it.
    #[must_use]
    pub fn approves(&self) -> bool {
        self.journey.steps.iter().any(approves)
    }

    /// Whether it asks for consent at a place of its own.
    #[must_use]
    pub fn asks_consent(&self) -> bool {
        let mut steps = self.journey.steps.iter();
        steps.any(|step| matches!(step.kind, StepKind::Consent { .. }))
    }

    /// Whether a card is asked for whatever else is known, unless a route leads around it.
    #[must_use]
    pub fn always_asks(&self) -> bool {
        let mut steps = self.journey.steps.iter();
        steps.any(|step| step.when.is_none() && matches!(step.kind, StepKind::Present(_)))
    }

    /// Whether people get an account back by it: it makes a passkey and ends the old ones.
    #[must_use]
    pub fn recovers(&self) -> bool {
        let mut ends = false;
        let mut makes = false;
        for step in &self.journey.steps {
            match &step.kind {
                StepKind::Passkey { register } => makes |= register,
                StepKind::Notify { revoke, .. } => {
                    ends |= revoke.iter().any(|one| one == "old_passkeys");
                }
                _ => {}
            }
        }
        ends && makes
    }

    /// Whether it reads more of an account than that there is one.
    #[must_use]
    pub fn reads_user(&self) -> bool {
        let mut read = self.journey.expressions().flat_map(Expression::reads);
        self.asks().next().is_some() || read.any(|name| name == "user")
    }

    /// Whether it reads what an account knows, or asks for it.
    #[must_use]
    pub fn reads_attributes(&self) -> bool {
        const ALL: [&str; 4] = ["user", "user.attrs", "user.missing", "user.refused"];
        let mut read = self.journey.expressions().flat_map(Expression::paths);
        self.asks().next().is_some() || read.any(|path| ALL.contains(&path.as_str()))
    }

    /// Whether its logins are of nobody in particular.
    #[must_use]
    pub fn is_of_guests(&self) -> bool {
        let mut questions = self.questions();
        questions.all(|one| one.query.subject.claim().is_none()) && !self.journey.asks_providers()
    }

    /// Whether people say whose account it is.
    #[must_use]
    pub fn is_asserted(&self) -> bool {
        self.questions().any(|one| one.query.subject.is_asserted())
    }

    /// Its `ask` steps.
    pub fn asks(&self) -> impl Iterator<Item = &Ask> {
        let steps = self.journey.steps.iter();
        steps.filter_map(|step| match &step.kind {
            StepKind::Ask(ask) => Some(ask),
            _ => None,
        })
    }

    /// The stage that it is counted under.
    #[must_use]
    pub fn stage(&self) -> &'static str {
        self.journey.stage.map_or("none", |stage| stage.as_str())
    }
}

impl StepQuestion {
    /// Names of claims that the wallet is asked for: those that the application is told and those
    /// that the journey reads. The others stay with the person.
    #[must_use]
    pub fn wanted<'a>(&'a self, facts: &'a Facts) -> BTreeSet<&'a str> {
        let mut wanted = facts.names();
        wanted.extend(self.read.iter().map(String::as_str));
        wanted
    }
}

/// The `present` part of a step.
#[must_use]
pub fn present(step: &Step) -> Option<&Present> {
    match &step.kind {
        StepKind::Present(present) => Some(present),
        _ => None,
    }
}

/// Whether the transaction of the request is approved in a step.
#[must_use]
pub fn approves(step: &Step) -> bool {
    present(step).is_some_and(|one| one.transaction_data)
}

/// Whether a step lets wallets be reached this way.
#[must_use]
pub fn allows(step: &Step, channel: Channel) -> bool {
    present(step).is_some_and(|one| one.channels.is_empty() || one.channels.contains(&channel))
}
