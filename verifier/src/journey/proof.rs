//! What steps prove, and what a session proves in their place.

use serde::{Deserialize, Serialize};
use vouchsafe_protocol::oidc::acr::AcrWish;
use vouchsafe_protocol::oidc::amr::Done;

use super::facts::{Facts, RiskLevel, SessionFacts};
use super::model::{Journey, Step, StepKind};

/// What a step proved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "proof", rename_all = "snake_case", deny_unknown_fields)]
pub enum Proof {
    /// A verified presentation.
    Presentation {
        /// From another device.
        #[serde(default)]
        cross_device: bool,
        /// With an attested key in hardware.
        #[serde(default)]
        hardware_key: bool,
        /// With an attested verification of the person.
        #[serde(default)]
        user_verified: bool,
    },
    /// A passkey.
    Passkey {
        /// With an attested key in hardware.
        #[serde(default)]
        hardware_key: bool,
        /// With verification of the person.
        #[serde(default)]
        user_verified: bool,
    },
    /// A code of an authenticator.
    OneTimeCode,
    /// A code by SMS.
    Sms,
    /// Another OpenID Provider vouched for the person.
    Upstream,
    /// The risk was assessed.
    Risk,
}

impl Proof {
    /// Whether a step of this kind can prove it: nothing else is believed.
    pub(super) fn fits(self, kind: &StepKind) -> bool {
        match self {
            Self::Presentation { .. } => matches!(kind, StepKind::Present(_)),
            Self::Passkey { .. } => matches!(kind, StepKind::Passkey { register: false }),
            Self::OneTimeCode => matches!(kind, StepKind::Totp),
            Self::Sms => matches!(kind, StepKind::Webhook { sms: true, .. }),
            Self::Upstream => matches!(kind, StepKind::Upstream { .. }),
            Self::Risk => matches!(kind, StepKind::Risk { .. }),
        }
    }

    pub(super) fn done(self) -> Done {
        match self {
            Self::Presentation {
                cross_device,
                hardware_key,
                user_verified,
            } => Done::Presentation {
                cross_device,
                hardware_key,
                user_verified,
            },
            Self::Passkey {
                hardware_key,
                user_verified,
            } => Done::Passkey {
                hardware_key,
                user_verified,
            },
            Self::OneTimeCode => Done::OneTimeCode,
            Self::Sms => Done::Sms,
            Self::Upstream => Done::Upstream,
            Self::Risk => Done::RiskAssessed,
        }
    }

    fn of(done: Done) -> Option<Self> {
        match done {
            Done::Presentation {
                cross_device,
                hardware_key,
                user_verified,
            } => Some(Self::Presentation {
                cross_device,
                hardware_key,
                user_verified,
            }),
            Done::Passkey {
                hardware_key,
                user_verified,
            } => Some(Self::Passkey {
                hardware_key,
                user_verified,
            }),
            Done::OneTimeCode => Some(Self::OneTimeCode),
            Done::Sms => Some(Self::Sms),
            Done::Upstream => Some(Self::Upstream),
            Done::RiskAssessed => Some(Self::Risk),
            Done::GeoAssessed => None,
        }
    }
}

/// Whether `ok` of such a step means that something was proven.
pub(super) fn needs_proof(kind: &StepKind) -> bool {
    match kind {
        StepKind::Present(_)
        | StepKind::Passkey { register: false }
        | StepKind::Totp
        | StepKind::Upstream { .. }
        | StepKind::Risk { .. }
        | StepKind::Webhook { sms: true, .. } => true,
        StepKind::Identify { .. }
        | StepKind::Passkey { register: true }
        | StepKind::Ask(_)
        | StepKind::Consent { .. }
        | StepKind::Decide { .. }
        | StepKind::Webhook { sms: false, .. }
        | StepKind::Link { .. }
        | StepKind::Issue { .. }
        | StepKind::Notify { .. }
        | StepKind::Wait { .. }
        | StepKind::Deny { .. }
        | StepKind::Finish { .. } => false,
    }
}

/// Whether the risk is so high that no session counts: whoever stole one must not pass the step that
/// its theft calls for.
pub(super) fn is_risky(facts: &Facts) -> bool {
    let risk = facts.risk.as_ref();
    risk.is_some_and(|risk| risk.level >= RiskLevel::High || risk.impossible_travel == Some(true))
}

/// What the session proves already in place of a step (rule 9): within the time that its level
/// lasts, and not where the application, the step or the risk wants it fresh.
pub(super) fn reusable(journey: &Journey, step: &Step, facts: &Facts) -> Option<Proof> {
    let session = facts.usable_session()?;
    let request = &facts.request;
    if is_risky(facts) {
        return None;
    }
    let done = match &step.kind {
        StepKind::Passkey { register: false } => session.passkey()?,
        StepKind::Totp => session.code()?,
        // Who else vouched for the person, elsewhere or in another step, does not stand for this one.
        StepKind::Upstream { .. } if session.question == journey.question_of(step) => {
            session.upstream()?
        }
        // Credential scopes, a transaction and a check need the card itself.
        StepKind::Present(present)
            if !request.needs_card
                && !present.transaction_data
                && present.check.is_none()
                && suffices(journey, step, facts, session) =>
        {
            session.presentation()?
        }
        _ => return None,
    };
    Proof::of(done)
}

/// Whether the card behind a session answers this question, at the level that is wanted (RFC 9470,
/// section 4: who asks for more than the session has is not answered by it).
fn suffices(journey: &Journey, step: &Step, facts: &Facts, session: &SessionFacts) -> bool {
    let question = journey.question_of(step);
    let answered = session.question.is_none() || session.question == question;
    let request = &facts.request;
    let wish = AcrWish::new(&request.acr_values, request.essential_acr);
    let wanted = wish.lowest().max(journey.require_acr);
    answered && session.level() >= wanted
}
