//! What the service holds of each kind of step.

use super::super::asks;
use super::super::outside::{names_person, tells, webhook};
use super::Known;
use crate::config::RESERVED_CLAIMS;
use crate::journey::{Code, Journey, Outcome, Places, Step, StepKind, Target};

/// The one model of risk.
const MODEL: &str = "freeman";

pub(super) fn check(
    (at, step): (usize, &Step),
    journey: &Journey,
    known: &Known<'_>,
    places: &mut Places<'_>,
) {
    let follows = !journey.after.is_empty();
    let hint = "the login service does not hold it yet; `journey lint` and `simulate` do";
    match &step.kind {
        StepKind::Identify { accept } => {
            if accept.contains("passkey_autofill") {
                passkeys(at, "accept", known, places);
            }
        }
        StepKind::Passkey { .. } => passkeys(at, "kind", known, places),
        StepKind::Risk { model } => risk(at, model, known, places),
        StepKind::Present(_) | StepKind::Decide { .. } | StepKind::Consent { .. } => {}
        StepKind::Ask(ask) => asks::check((at, step), ask, known.settings, places),
        StepKind::Webhook { url, sms, .. } => webhook((at, url, *sms), known, places),
        StepKind::Deny { notify, .. } => {
            tells((at, notify, &[]), known, places);
        }
        StepKind::Wait { notify, .. } => {
            tells((at, notify, &[]), known, places);
            names_person((at, notify), known, places);
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
        StepKind::Upstream { providers } => {
            for provider in providers {
                if known.settings.provider(provider).is_none() {
                    let message = format!("there is no provider `{provider}`");
                    let hint = "the `id` of one of `[[providers]]` of the configuration";
                    places.at_step(at, "providers", Code::NotHeld, message, hint);
                }
            }
        }
        StepKind::Totp => totp(at, known, places),
        StepKind::Link { .. } | StepKind::Issue { .. } => {
            let message = format!("a `{}` step is not held", step.kind.name());
            places.at_step(at, "kind", Code::NotHeld, message, hint);
        }
    }
    let own_time = match &step.kind {
        StepKind::Webhook { .. } | StepKind::Ask(_) => true,
        // The time of what follows a login is over before that of the run.
        StepKind::Consent { .. } => follows,
        StepKind::Risk { .. } => {
            (known.settings.risk.as_ref()).is_some_and(|settings| settings.webhook.is_some())
        }
        _ => false,
    };
    if let Some(Target::Step(_)) = step.on.get(&Outcome::Timeout)
        && !own_time
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

fn totp(at: usize, known: &Known<'_>, places: &mut Places<'_>) {
    if known.settings.totp.is_none() {
        let message = "the configuration has no `[totp]` that is enabled";
        let hint = "`[totp]` and `enabled = true`";
        places.at_step(at, "kind", Code::NotHeld, message, hint);
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
