//! A run on paper: facts and answers from a file, no service.

use std::collections::{BTreeMap, VecDeque};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::cel::Hasher;
use super::facts::{Card, DeviceFacts, Facts, RequestFacts, RiskFacts, SessionFacts, UserFacts};
use super::instance::{Ended, Instance, Next, Plan, StepResult};
use super::model::{Journey, Outcome, Step, StepKind};
use super::proof::{Proof, needs_proof};
use super::trace::Line;

/// What a simulation starts with, as JSON. Nothing is read from a clock: `now` is given.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SimulatedCase {
    /// Seconds since 1970.
    pub now: i64,
    /// The request.
    pub request: RequestFacts,
    /// The session, if there is one.
    #[serde(default)]
    pub session: Option<SessionFacts>,
    /// The account; `binding` has plain values here, which are hashed.
    #[serde(default)]
    pub user: SimulatedUser,
    /// The browser.
    #[serde(default)]
    pub device: DeviceFacts,
    /// What a `risk` step finds.
    #[serde(default)]
    pub risk: Option<RiskFacts>,
    /// How steps end, by their ids: one answer for each time that a step is begun.
    #[serde(default)]
    pub answers: BTreeMap<String, OneOrMore>,
}

/// The account of a case.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SimulatedUser {
    /// An account is known from the start.
    pub exists: bool,
    /// It becomes known by an `identify` step.
    pub identified: bool,
    /// As in [`UserFacts`].
    pub logins: i64,
    /// As in [`UserFacts`].
    pub attrs: Map<String, Value>,
    /// As in [`UserFacts`].
    pub missing: Vec<String>,
    /// As in [`UserFacts`].
    pub linked: Vec<String>,
    /// As in [`UserFacts`].
    pub refused: Vec<String>,
    /// Plain values of what was stored at enrolment as keyed hashes.
    pub binding: Map<String, Value>,
}

/// One answer or several.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub enum OneOrMore {
    /// The answer of each time.
    One(Answer),
    /// The first, the second, …
    Several(VecDeque<Answer>),
}

/// How a step ends.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    /// How.
    pub outcome: Outcome,
    /// The cards that were shown, by the id of their query.
    #[serde(default)]
    pub cred: BTreeMap<String, Card>,
    /// What was proven; the plain thing for the kind of the step without it.
    #[serde(default)]
    pub proof: Option<Proof>,
}

/// What a simulation found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Simulation {
    /// The journey.
    pub journey: String,
    /// Its version.
    pub version: u32,
    /// SHA-256 of its text.
    pub hash: String,
    /// What could be said at the start.
    pub plan: Vec<(String, Plan)>,
    /// The steps in order, each with the rule that fired. No values of claims.
    pub trace: Vec<Line>,
    /// How it ended.
    pub ended: Ended,
    /// The claims of a login: values of the case itself, which is an invention.
    pub claims: Map<String, Value>,
}

/// The case does not say enough.
#[derive(Debug, thiserror::Error)]
pub enum CaseError {
    /// A step runs whose end the case must say.
    #[error("the case has no answer for the step `{0}`")]
    NoAnswer(String),
    /// The journey serves another application.
    #[error("the journey does not serve the application `{0}`")]
    OtherClient(String),
    /// `match` does not hold, or has no value.
    #[error("the journey's `match` does not hold for this request")]
    NoMatch,
    /// The run does not go on; a simulation never finds it.
    #[error(transparent)]
    Instance(#[from] super::instance::InstanceError),
}

struct SimulatedHasher;

impl Hasher for SimulatedHasher {
    fn hash(&self, name: &str, value: &Value) -> String {
        let mut digest = Sha256::new_with_prefix("simulated binding ");
        digest.update(name);
        digest.update(" ");
        digest.update(value.to_string());
        hex::encode(digest.finalize())
    }
}

/// Runs a journey on a case. The same case gives the same simulation, byte for byte.
///
/// # Errors
/// [`CaseError`].
pub fn simulate(journey: &Journey, case: &SimulatedCase) -> Result<Simulation, CaseError> {
    let hasher = SimulatedHasher;
    let mut facts = facts(case);
    if !journey.after.is_empty() {
        // The journey before has assessed it.
        facts.risk = assessed(case);
    }
    serves(journey, &facts)?;
    let plan = Instance::plan(journey, &facts, &hasher);
    let plan = plan.into_iter().map(|(step, plan)| (step.id.clone(), plan));
    let plan = plan.collect();
    let mut answers = case.answers.clone();
    let mut instance = Instance::start(journey);
    let ended = loop {
        match instance.next(journey, &facts, &hasher)? {
            Next::Ended(_, ended) => break ended,
            Next::Run(step) => {
                let answer = answer(step, &mut answers)?;
                let result = happened(step, answer, case, &mut facts);
                instance.complete(journey, &facts, &hasher, result)?;
            }
        }
    };
    let claims = instance.claims(journey, &facts, &hasher);
    Ok(Simulation {
        journey: journey.id.clone(),
        version: journey.version,
        hash: journey.hash.clone(),
        plan,
        trace: instance.trace().to_vec(),
        ended,
        claims: claims.unwrap_or_default(),
    })
}

fn facts(case: &SimulatedCase) -> Facts {
    let SimulatedUser {
        exists,
        identified: _,
        logins,
        attrs,
        missing,
        linked,
        refused,
        binding,
    } = case.user.clone();
    let hashed = |(name, value): (String, Value)| {
        let hash = SimulatedHasher.hash(&name, &value);
        (name, hash)
    };
    Facts {
        request: case.request.clone(),
        session: case.session.clone(),
        user: UserFacts {
            exists,
            logins: Some(logins),
            attrs,
            missing: Some(missing),
            linked,
            refused: Some(refused),
            binding: binding.into_iter().map(hashed).collect(),
        },
        // A case that does not say it says no.
        device: DeviceFacts {
            known: case.device.known.or(Some(false)),
            cookie_age_s: case.device.cookie_age_s,
            dc_api: case.device.dc_api.or(Some(false)),
            mobile: case.device.mobile.or(Some(false)),
        },
        risk: None,
        cred: BTreeMap::new(),
        now: case.now,
    }
}

/// What a `risk` step finds. A case that does not say a sign says no.
fn assessed(case: &SimulatedCase) -> Option<RiskFacts> {
    let risk = case.risk.clone()?;
    Some(RiskFacts {
        first_seen_country: risk.first_seen_country.or(Some(false)),
        impossible_travel: risk.impossible_travel.or(Some(false)),
        ..risk
    })
}

fn serves(journey: &Journey, facts: &Facts) -> Result<(), CaseError> {
    let client = &facts.request.client;
    if !journey.clients.is_empty() && !journey.clients.contains(client) {
        return Err(CaseError::OtherClient(client.clone()));
    }
    match journey.matches(facts, &SimulatedHasher) {
        Some(true) => Ok(()),
        Some(false) | None => Err(CaseError::NoMatch),
    }
}

fn answer(step: &Step, answers: &mut BTreeMap<String, OneOrMore>) -> Result<Answer, CaseError> {
    let missing = || CaseError::NoAnswer(step.id.clone());
    match answers.get_mut(&step.id) {
        Some(OneOrMore::One(answer)) => Ok(answer.clone()),
        Some(OneOrMore::Several(several)) => several.pop_front().ok_or_else(missing),
        // What a person proves is never assumed.
        None if needs_proof(&step.kind) && !matches!(step.kind, StepKind::Risk { .. }) => {
            Err(missing())
        }
        None => Ok(Answer {
            outcome: Outcome::Ok,
            cred: BTreeMap::new(),
            proof: None,
        }),
    }
}

/// What the facts are after a step.
fn happened(step: &Step, answer: Answer, case: &SimulatedCase, facts: &mut Facts) -> StepResult {
    let Answer {
        outcome,
        cred,
        proof,
    } = answer;
    if outcome != Outcome::Ok {
        return StepResult {
            outcome,
            proof: None,
        };
    }
    let plain = match &step.kind {
        StepKind::Present(_) => {
            facts.cred.extend(cred.into_iter().map(|(id, card)| {
                let age_s = card.age_s.or(Some(0));
                (id, Card { age_s, ..card })
            }));
            facts.user.exists |= case.user.identified;
            Some(Proof::Presentation {
                cross_device: false,
                hardware_key: false,
                user_verified: false,
            })
        }
        StepKind::Passkey { register: false } => Some(Proof::Passkey {
            hardware_key: false,
            user_verified: true,
        }),
        StepKind::Totp => Some(Proof::OneTimeCode),
        StepKind::Webhook { sms: true, .. } => Some(Proof::Sms),
        StepKind::Risk { .. } => {
            facts.risk = assessed(case);
            // Nothing was assessed: the step failed.
            if facts.risk.is_none() {
                let outcome = Outcome::Error;
                return StepResult {
                    outcome,
                    proof: None,
                };
            }
            Some(Proof::Risk)
        }
        StepKind::Identify { .. } => {
            facts.user.exists |= case.user.identified;
            None
        }
        StepKind::Upstream { .. } => {
            facts.user.exists |= case.user.identified;
            Some(Proof::Upstream)
        }
        _ => None,
    };
    StepResult {
        outcome,
        proof: proof.or(plain),
    }
}
