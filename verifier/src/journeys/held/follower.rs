//! What the service holds of a journey that follows another one.

use super::Known;
use crate::journey::{Code, Journey, Places, StepKind};

/// No login that is settled waits longer for what follows it, in seconds.
const LONGEST_AFTER_S: u32 = 600;

/// What runs after another journey changes nothing about its login.
pub(super) fn check(journey: &Journey, known: &Known<'_>, places: &mut Places<'_>) {
    let hint = "the journey that it follows has settled the login";
    for (key, written) in [
        ("clients", !journey.clients.is_empty()),
        ("require_acr", journey.require_acr.is_some()),
        ("subject", journey.subject.is_some()),
        ("limits", journey.limits.per_account_per_day.is_some()),
    ] {
        if written {
            let message = format!("a journey with `after` has no `{key}` of its own");
            places.at_top(key, Code::NotHeld, message, hint);
        }
    }
    if journey.timeout_s > LONGEST_AFTER_S {
        let message = format!("`timeout_s` of a journey with `after` is above {LONGEST_AFTER_S}");
        let hint = "a login that is settled waits for it";
        places.at_top("timeout_s", Code::NotHeld, message, hint);
    }
    let risk = known.settings.risk.as_ref();
    let engine = risk.is_some_and(|settings| settings.webhook.is_some());
    let mut asks = false;
    for (at, step) in journey.steps.iter().enumerate() {
        asks |= matches!(step.kind, StepKind::Ask(_));
        let (key, message) = match &step.kind {
            StepKind::Finish { claims } if !claims.is_empty() => {
                ("claims", "a journey with `after` tells nothing".to_owned())
            }
            StepKind::Deny { notify, .. } if !notify.is_empty() => (
                "notify",
                "a `deny` of a journey with `after` tells nobody".to_owned(),
            ),
            StepKind::Risk { .. } if engine => (
                "kind",
                "a journey with `after` asks no system of `[risk.webhook]`".to_owned(),
            ),
            StepKind::Consent { .. } if !asks => (
                "kind",
                "a `consent` of a journey with `after` stands after an `ask`".to_owned(),
            ),
            StepKind::Identify { .. }
            | StepKind::Present(_)
            | StepKind::Passkey { .. }
            | StepKind::Totp
            | StepKind::Upstream { .. }
            | StepKind::Webhook { .. }
            | StepKind::Wait { .. }
            | StepKind::Notify { .. } => {
                let kind = step.kind.name();
                (
                    "kind",
                    format!("a journey with `after` has no `{kind}` step"),
                )
            }
            _ => continue,
        };
        places.at_step(at, key, Code::NotHeld, message, hint);
    }
}
