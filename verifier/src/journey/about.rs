//! What a service asks a journey about itself.

use std::collections::BTreeSet;

use super::cel::{Expression, Hasher};
use super::facts::Facts;
use super::lint::{may_be_skipped, run_edges, successors};
use super::model::{Journey, Outcome, Question, Step, StepKind, Target};

impl Journey {
    /// Whether it serves a request of one of its applications; `None` where `match` has no value.
    #[must_use]
    pub fn matches(&self, facts: &Facts, hasher: &dyn Hasher) -> Option<bool> {
        match &self.matches {
            None => Some(true),
            Some(matches) => matches.holds(&facts.variables(&[], 1), hasher).ok(),
        }
    }

    /// The name that sessions remember a `present` or `upstream` step by: that of the question in the
    /// configuration, or its own.
    #[must_use]
    pub fn question_of(&self, step: &Step) -> Option<String> {
        let own = || format!("{}/{}", self.id, step.id);
        match &step.kind {
            StepKind::Present(present) => Some(match &present.question {
                Question::Named(name) => name.clone(),
                Question::Dcql(_) => own(),
            }),
            StepKind::Upstream { .. } => Some(own()),
            _ => None,
        }
    }

    /// Whether people may sign in at another provider.
    #[must_use]
    pub fn asks_providers(&self) -> bool {
        let mut steps = self.steps.iter();
        steps.any(|step| matches!(step.kind, StepKind::Upstream { .. }))
    }

    /// Every expression of the file.
    pub fn expressions(&self) -> impl Iterator<Item = &Expression> {
        let steps = self.steps.iter().flat_map(|step| {
            let of_kind: Vec<&Expression> = match &step.kind {
                StepKind::Present(present) => present.check.iter().collect(),
                StepKind::Decide { cases } => cases.iter().map(|case| &case.when).collect(),
                StepKind::Finish { claims } => claims.values().collect(),
                _ => Vec::new(),
            };
            step.when.iter().chain(of_kind)
        });
        self.matches.iter().chain(steps)
    }

    /// The steps to which a way leads on which no `present` step ended well.
    #[must_use]
    pub fn reached_without_card(&self) -> BTreeSet<usize> {
        self.reached_without(|kind| matches!(kind, StepKind::Present(_)))
    }

    /// The steps to which a way leads on which no step ended well that says whose login it is.
    #[must_use]
    pub fn reached_without_person(&self) -> BTreeSet<usize> {
        self.reached_without(|kind| {
            matches!(
                kind,
                StepKind::Present(_)
                    | StepKind::Passkey { register: false }
                    | StepKind::Upstream { .. }
            )
        })
    }

    /// The steps to which a way leads on which no step of these kinds ended well.
    fn reached_without(&self, proves: impl Fn(&StepKind) -> bool) -> BTreeSet<usize> {
        let mut seen = BTreeSet::new();
        let mut open = vec![0];
        while let Some(at) = open.pop() {
            let Some(step) = self.steps.get(at).filter(|_| seen.insert(at)) else {
                continue;
            };
            if !proves(&step.kind) {
                open.extend(successors(self, at));
                continue;
            }
            open.extend(may_be_skipped(step).then_some(at + 1));
            for (name, target) in run_edges(step, at) {
                if let Target::Step(to) = target
                    && name != Outcome::Ok.as_str()
                {
                    open.push(to);
                }
            }
        }
        seen
    }

    /// Whether a new passkey is demanded in it.
    #[must_use]
    pub fn demands_passkey(&self) -> bool {
        self.steps.iter().any(Step::demands_passkey)
    }

    /// The steps that may come after one.
    #[must_use]
    pub fn after(&self, at: usize) -> BTreeSet<usize> {
        let mut seen = BTreeSet::new();
        let mut open: Vec<usize> = successors(self, at).into_iter().collect();
        while let Some(at) = open.pop() {
            if at < self.steps.len() && seen.insert(at) {
                open.extend(successors(self, at));
            }
        }
        seen
    }

    /// Names of the claims that an application may learn from it.
    #[must_use]
    pub fn claim_names(&self) -> BTreeSet<&str> {
        let finishes = self.steps.iter().filter_map(|step| match &step.kind {
            StepKind::Finish { claims } => Some(claims.keys()),
            _ => None,
        });
        finishes.flatten().map(String::as_str).collect()
    }
}
