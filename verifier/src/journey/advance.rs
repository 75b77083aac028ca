//! From one step to the next.

use std::collections::BTreeMap;

use vouchsafe_protocol::oidc::acr::{Acr, AcrWish};
use vouchsafe_protocol::oidc::amr::{Amr, Done, reached};

use super::cel::{Expression, Hasher};
use super::facts::Facts;
use super::instance::{Ended, Instance, Login, Refusal};
use super::model::{Journey, MOST_STEPS, Outcome, Step, StepKind, Target};
use super::proof::{Proof, is_risky, reusable};
use super::trace::{Line, What};

impl Instance {
    /// Comes to a step: skips it, runs it, or ends there.
    pub(super) fn enter(
        &mut self,
        journey: &Journey,
        step: &Step,
        facts: &Facts,
        hasher: &dyn Hasher,
    ) {
        // Rule 8: the budget. A step that is skipped is paid for too.
        self.taken += 1;
        let visits = self.visits.entry(self.position).or_default();
        *visits += 1;
        let visits = *visits;
        if self.taken > MOST_STEPS {
            return self.refuse(journey, step, "limits", "budget_exceeded");
        }
        if visits > journey.limits.max_visits.unwrap_or(1) {
            return self.refuse(journey, step, "limits.max_visits", "too_many_attempts");
        }
        if let Some(when) = &step.when {
            match self.holds(when, facts, hasher) {
                Some(true) => {}
                Some(false) => return self.skip(journey, step),
                None => return self.fail(journey, step, "when"),
            }
        }
        match &step.kind {
            StepKind::Deny { code, show, notify } => {
                let refusal = Refusal {
                    code: code.clone(),
                    show: show.clone(),
                    notify: notify.clone(),
                };
                self.end(journey, step, "deny", Ended::Refused(refusal));
            }
            StepKind::Finish { claims } => self.finish(journey, step, claims, facts, hasher),
            StepKind::Decide { cases } => {
                for (number, case) in cases.iter().enumerate() {
                    let part = format!("case.{number}");
                    match self.holds(&case.when, facts, hasher) {
                        Some(false) => {}
                        None => return self.fail(journey, step, &part),
                        Some(true) => {
                            self.remember(step);
                            let what = What::Ended {
                                outcome: Outcome::Ok,
                            };
                            return self.go(journey, step, what, &part, Some(case.to.clone()));
                        }
                    }
                }
                self.remember(step);
                let what = What::Ended {
                    outcome: Outcome::Ok,
                };
                self.leave(journey, step, what, "on", Outcome::Ok);
            }
            _ => {
                // Beside a card that is shown anew an older code would not count: it is asked anew, too.
                let shows = |proof: &Proof| matches!(proof, Proof::Presentation { .. });
                let anew = matches!(step.kind, StepKind::Totp) && self.proofs.iter().any(shows);
                if let Some(proof) = reusable(journey, step, facts).filter(|_| !anew) {
                    self.reused.push(proof);
                    self.remember(step);
                    return self.leave(journey, step, What::Reused, "session", Outcome::Ok);
                }
                self.running = true;
                self.log(journey, step, What::Runs, "when", None);
            }
        }
    }

    fn finish(
        &mut self,
        journey: &Journey,
        step: &Step,
        claims: &BTreeMap<String, Expression>,
        facts: &Facts,
        hasher: &dyn Hasher,
    ) {
        let mut done: Vec<Done> = self.proofs.iter().map(|proof| proof.done()).collect();
        // A card that was shown counts for what it is: an older session beside it would be made new. And
        // where the risk is high, the session and what it stood for count for nothing.
        let shows = |proof: &Proof| matches!(proof, Proof::Presentation { .. });
        let alone = self.proofs.iter().any(shows) || is_risky(facts);
        let session = facts.usable_session().filter(|_| !alone);
        let reused = self.reused.iter().filter(|_| !alone);
        done.extend(reused.map(|proof| proof.done()));
        done.extend(session.into_iter().flat_map(|session| session.factors()));
        // Rule 5: computed from what was done. A session counts for what is left of it.
        let level = reached(&done).max(session.and_then(|session| session.level()));
        let Some(level) = level else {
            return self.refuse(journey, step, "acr", "not_authenticated");
        };
        let wish = AcrWish::new(&facts.request.acr_values, facts.request.essential_acr);
        let enough = journey.require_acr.is_none_or(|least| level >= least);
        if !enough || !wish.permits(level) {
            let part = if enough { "acr_values" } else { "require_acr" };
            return self.refuse(journey, step, part, "unmet_authentication_requirements");
        }
        let variables = facts.variables(&self.done, self.attempt());
        for (name, expression) in claims {
            if expression.value(&variables, hasher).is_err() {
                return self.fail(journey, step, &format!("claims.{name}"));
            }
        }
        let mut amr: Vec<String> = Amr::compute(&done).iter().map(str::to_owned).collect();
        if level == Acr::Multi && !amr.iter().any(|method| method == "mfa") {
            amr.push("mfa".to_owned());
            amr.sort();
        }
        let login = Login {
            acr: level.as_str().to_owned(),
            amr,
            claims: claims.keys().cloned().collect(),
        };
        self.end(journey, step, "finish", Ended::Login(login));
    }

    fn attempt(&self) -> u32 {
        self.visits.get(&self.position).copied().unwrap_or(1)
    }

    /// Whether a condition holds; `None` if it has no value.
    pub(super) fn holds(
        &self,
        condition: &Expression,
        facts: &Facts,
        hasher: &dyn Hasher,
    ) -> Option<bool> {
        let variables = facts.variables(&self.done, self.attempt());
        condition.holds(&variables, hasher).ok()
    }

    pub(super) fn remember(&mut self, step: &Step) {
        if !self.done.contains(&step.id) {
            self.done.push(step.id.clone());
        }
    }

    fn skip(&mut self, journey: &Journey, step: &Step) {
        self.go(journey, step, What::Skipped, "when", None);
    }

    /// Rule 3: an expression without a value is the outcome `error`.
    fn fail(&mut self, journey: &Journey, step: &Step, part: &str) {
        let outcome = Outcome::Error;
        self.leave(journey, step, What::Ended { outcome }, part, outcome);
    }

    pub(super) fn leave(
        &mut self,
        journey: &Journey,
        step: &Step,
        what: What,
        part: &str,
        outcome: Outcome,
    ) {
        let part = match (part, step.on.contains_key(&outcome)) {
            ("on", true) => format!("on.{}", outcome.as_str()),
            ("on", false) => "default".to_owned(),
            (part, _) => part.to_owned(),
        };
        self.go(journey, step, what, &part, step.route(outcome));
    }

    /// Goes to a target, or to the following step.
    fn go(&mut self, journey: &Journey, step: &Step, what: What, part: &str, to: Option<Target>) {
        let to = to.unwrap_or(Target::Step(self.position + 1));
        match to {
            Target::Deny(code) => {
                self.log(journey, step, what, part, Some(format!("deny:{code}")));
                let show = journey.shown.get(&code).cloned();
                let notify = Vec::new();
                self.over = Some(Ended::Refused(Refusal { code, show, notify }));
            }
            Target::Step(at) => match journey.steps.get(at) {
                Some(next) => {
                    self.log(journey, step, what, part, Some(next.id.clone()));
                    self.position = at;
                }
                // Reading a file excludes it; a run that falls off its end is no login.
                None => self.refuse(journey, step, "end", "policy_error"),
            },
        }
    }

    fn refuse(&mut self, journey: &Journey, step: &Step, part: &str, code: &str) {
        let refusal = Refusal {
            code: code.to_owned(),
            show: journey.shown.get(code).cloned(),
            notify: Vec::new(),
        };
        self.end(journey, step, part, Ended::Refused(refusal));
    }

    fn end(&mut self, journey: &Journey, step: &Step, part: &str, ended: Ended) {
        let then = match &ended {
            Ended::Login(_) => "login".to_owned(),
            Ended::Refused(refusal) => format!("deny:{}", refusal.code),
        };
        self.log(journey, step, What::Over, part, Some(then));
        self.over = Some(ended);
    }

    fn log(
        &mut self,
        journey: &Journey,
        step: &Step,
        what: What,
        part: &str,
        then: Option<String>,
    ) {
        self.trace.push(Line {
            step: step.id.clone(),
            kind: step.kind.name().to_owned(),
            rule: format!("{}@{}#{}.{part}", journey.id, journey.version, step.id),
            what,
            then,
        });
    }
}
