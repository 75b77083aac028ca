//! A run of a journey: section 3.3 of the login document, as a state machine without I/O.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use vouchsafe_protocol::oidc::amr::reached;

use super::cel::{Expression, Hasher};
use super::facts::Facts;
use super::model::{Journey, Outcome, Step, StepKind};
use super::proof::{Proof, needs_proof};
use super::trace::{Line, What};

/// A run of a journey. It can be stored between steps; it holds no values of claims.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Instance {
    journey: String,
    /// The text that it belongs to.
    hash: String,
    pub(super) position: usize,
    /// The step at `position` was handed out and its result is awaited.
    pub(super) running: bool,
    pub(super) taken: usize,
    pub(super) visits: BTreeMap<usize, u32>,
    pub(super) done: Vec<String>,
    /// What was done in this run.
    pub(super) proofs: Vec<Proof>,
    /// What the session stood for.
    #[serde(default)]
    pub(super) reused: Vec<Proof>,
    pub(super) trace: Vec<Line>,
    pub(super) over: Option<Ended>,
}

/// How a step ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StepResult {
    /// How.
    pub outcome: Outcome,
    /// What it proved, if it ended `ok`.
    pub proof: Option<Proof>,
}

/// What is to be done next.
#[derive(Debug)]
pub enum Next<'j> {
    /// This step; its result goes to [`Instance::complete`].
    Run(&'j Step),
    /// Nothing: it is over.
    Ended(&'j Step, Ended),
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ended {
    /// In a login.
    Login(Login),
    /// In a refusal.
    Refused(Refusal),
}

/// A login.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Login {
    /// The level that was reached.
    pub acr: String,
    /// Methods.
    pub amr: Vec<String>,
    /// Names of claims for the application; [`Instance::claims`] has their values.
    pub claims: Vec<String>,
}

/// A refusal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// Its code.
    pub code: String,
    /// What the person is shown.
    pub show: Option<String>,
    /// Who is told.
    pub notify: Vec<String>,
}

/// Whether a step is going to run, as far as is known at the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Plan {
    /// It runs, if the run comes there.
    Runs,
    /// It is skipped.
    Skipped,
    /// It depends on what happens.
    Depends,
    /// Its condition cannot be evaluated.
    Error,
}

/// The run does not go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InstanceError {
    /// It belongs to another text.
    #[error("the run belongs to another version of the journey")]
    OtherVersion,
    /// No step waits for a result.
    #[error("no step waits for a result")]
    NotRunning,
}

/// The first names of what is known at the start.
const KNOWN_AT_START: [&str; 3] = ["request", "session", "user"];

impl Instance {
    /// Begins a run.
    #[must_use]
    pub fn start(journey: &Journey) -> Self {
        Self {
            journey: journey.id.clone(),
            hash: journey.hash.clone(),
            position: 0,
            running: false,
            taken: 0,
            visits: BTreeMap::new(),
            done: Vec::new(),
            proofs: Vec::new(),
            reused: Vec::new(),
            trace: Vec::new(),
            over: None,
        }
    }

    /// Begins a run that follows another one (`after`): what was proven there counts here.
    #[must_use]
    pub fn follow(journey: &Journey, before: &Self) -> Self {
        let (proofs, reused) = match &before.over {
            Some(Ended::Login(_)) => (before.proofs.clone(), before.reused.clone()),
            _ => (Vec::new(), Vec::new()),
        };
        Self {
            proofs,
            reused,
            ..Self::start(journey)
        }
    }

    /// What is going to happen, as far as request, session and user say it (rule 1).
    #[must_use]
    pub fn plan<'j>(
        journey: &'j Journey,
        facts: &Facts,
        hasher: &dyn Hasher,
    ) -> Vec<(&'j Step, Plan)> {
        let variables = facts.variables(&[], 1);
        let plan = |step: &'j Step| {
            let Some(when) = &step.when else {
                return (step, Plan::Runs);
            };
            let early = when
                .reads()
                .iter()
                .all(|name| KNOWN_AT_START.contains(&name.as_str()));
            let plan = match when.holds(&variables, hasher) {
                _ if !early => Plan::Depends,
                Ok(true) => Plan::Runs,
                Ok(false) => Plan::Skipped,
                Err(_) => Plan::Error,
            };
            (step, plan)
        };
        journey.steps.iter().map(plan).collect()
    }

    /// What is next. Conditions are evaluated here, immediately before their step (rule 1).
    ///
    /// # Errors
    /// [`InstanceError::OtherVersion`]: a run goes on with the text that it began with (rule 6).
    pub fn next<'j>(
        &mut self,
        journey: &'j Journey,
        facts: &Facts,
        hasher: &dyn Hasher,
    ) -> Result<Next<'j>, InstanceError> {
        self.pinned(journey)?;
        loop {
            let (Some(step), over) = (journey.steps.get(self.position), &self.over) else {
                return Err(InstanceError::OtherVersion);
            };
            if let Some(ended) = over {
                return Ok(Next::Ended(step, ended.clone()));
            }
            if self.running {
                return Ok(Next::Run(step));
            }
            self.enter(journey, step, facts, hasher);
            if self.running {
                return Ok(Next::Run(step));
            }
        }
    }

    /// Takes the result of the step that runs. `check` is evaluated here, after the cryptographic
    /// verification that brought the cards into `facts`. How the step ended is returned: a check that
    /// fails makes another outcome of `ok`.
    ///
    /// # Errors
    /// [`InstanceError`].
    pub fn complete(
        &mut self,
        journey: &Journey,
        facts: &Facts,
        hasher: &dyn Hasher,
        result: StepResult,
    ) -> Result<Outcome, InstanceError> {
        self.pinned(journey)?;
        let step = journey.steps.get(self.position);
        let step = step
            .filter(|_| self.running && self.over.is_none())
            .ok_or(InstanceError::NotRunning)?;
        self.running = false;
        let StepResult { outcome, proof } = result;
        let (outcome, part) = match (outcome, &step.kind) {
            // A step that proves something did not end well without its proof.
            (Outcome::Ok, kind) if !proven(kind, proof) => (Outcome::Error, "proof"),
            (Outcome::Ok, StepKind::Present(present)) => match &present.check {
                None => (Outcome::Ok, "on"),
                Some(check) => match self.holds(check, facts, hasher) {
                    Some(true) => (Outcome::Ok, "on"),
                    Some(false) => (Outcome::Invalid, "check"),
                    None => (Outcome::Error, "check"),
                },
            },
            (outcome, _) => (outcome, "on"),
        };
        if outcome == Outcome::Ok {
            self.proofs.extend(proof);
            self.remember(step);
        }
        self.leave(journey, step, What::Ended { outcome }, part, outcome);
        Ok(outcome)
    }

    /// The step that was handed out and whose result is awaited.
    #[must_use]
    pub fn waits_for<'j>(&self, journey: &'j Journey) -> Option<&'j Step> {
        self.pinned(journey).ok()?;
        let step = journey.steps.get(self.position);
        step.filter(|_| self.running && self.over.is_none())
    }

    /// Whether the check of the question that waits holds for these facts; no value is no.
    #[must_use]
    pub fn check_holds(&self, journey: &Journey, facts: &Facts, hasher: &dyn Hasher) -> bool {
        let Some(step) = self.waits_for(journey) else {
            return false;
        };
        match &step.kind {
            StepKind::Present(present) => (present.check.as_ref())
                .is_none_or(|check| self.holds(check, facts, hasher) == Some(true)),
            _ => true,
        }
    }

    /// Whether what was done in this run reaches the level that the journey requires.
    #[must_use]
    pub fn is_sure_enough(&self, journey: &Journey) -> bool {
        let done: Vec<_> = self.proofs.iter().map(|proof| proof.done()).collect();
        let level = reached(&done);
        level.is_some() && (journey.require_acr).is_none_or(|least| level >= Some(least))
    }

    /// Whether a session stood for a step of it.
    #[must_use]
    pub fn used_session(&self) -> bool {
        !self.reused.is_empty()
    }

    /// How often the step where it is was begun.
    #[must_use]
    pub fn visit(&self) -> u32 {
        self.visits.get(&self.position).copied().unwrap_or_default()
    }

    /// The journey that it belongs to.
    #[must_use]
    pub fn journey(&self) -> &str {
        &self.journey
    }

    /// The claims of a login, for the application. Rule 3 was kept when the run ended: they have
    /// values for the facts that it ended with.
    #[must_use]
    pub fn claims(
        &self,
        journey: &Journey,
        facts: &Facts,
        hasher: &dyn Hasher,
    ) -> Option<Map<String, Value>> {
        self.pinned(journey).ok()?;
        if !matches!(self.over, Some(Ended::Login(_))) {
            return None;
        }
        let StepKind::Finish { claims } = &journey.steps.get(self.position)?.kind else {
            return None;
        };
        let variables = facts.variables(&self.done, 1);
        let value = |(name, expression): (&String, &Expression)| {
            let value = expression.value(&variables, hasher).ok()?;
            Some((name.clone(), value))
        };
        claims.iter().map(value).collect()
    }

    /// What was done, and by which rules.
    #[must_use]
    pub fn trace(&self) -> &[Line] {
        &self.trace
    }

    /// The hash of the text that it belongs to.
    #[must_use]
    pub fn hash(&self) -> &str {
        &self.hash
    }

    fn pinned(&self, journey: &Journey) -> Result<(), InstanceError> {
        if self.journey == journey.id && self.hash == journey.hash {
            Ok(())
        } else {
            Err(InstanceError::OtherVersion)
        }
    }
}

/// A step that proves something ended with its proof, and no other step with any.
fn proven(kind: &StepKind, proof: Option<Proof>) -> bool {
    match proof {
        Some(proof) => proof.fits(kind),
        None => !needs_proof(kind),
    }
}
