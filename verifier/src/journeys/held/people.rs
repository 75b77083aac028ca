//! Whose login it is.

use std::collections::BTreeMap;

use super::super::loaded::StepQuestion;
use crate::journey::{Code, Journey, Places, StepKind, Subject};

/// Who is logged in follows from the cards alone: all of them lead to people, or none does.
pub(super) fn check(
    journey: &Journey,
    questions: &BTreeMap<String, StepQuestion>,
    places: &mut Places<'_>,
) {
    let persons = |one: &&StepQuestion| one.query.subject.claim().is_some();
    let some = questions.values().filter(persons).count();
    // Whom another provider vouches for is a person, too.
    let upstream = journey.asks_providers();
    let nobody = some == 0 && !upstream;
    let asserted = questions
        .values()
        .all(|one| one.query.subject.is_asserted());
    if journey.limits.per_account_per_day.is_some() && nobody {
        let message = "`per_account_per_day` counts for accounts, and the questions lead to nobody";
        let hint = "a question of a person, or no such limit";
        places.at_top("limits", Code::NotHeld, message, hint);
    }
    let unproven = journey.reached_without_person();
    for (at, step) in journey.steps.iter().enumerate() {
        match &step.kind {
            StepKind::Present(_) if (some > 0 || upstream) && some < questions.len() => {
                let message = "some questions of the journey lead to a person and some do not";
                let hint = "nobody could say whose login it is: write two journeys";
                places.at_step(at, "kind", Code::NotHeld, message, hint);
            }
            StepKind::Passkey { .. } if some == 0 => {
                let message = "no question of the journey leads to a person";
                let hint = "a passkey stands for a card that was shown to one of them";
                places.at_step(at, "kind", Code::NotHeld, message, hint);
            }
            StepKind::Totp if nobody || unproven.contains(&at) => {
                let message = "a way leads here on which nothing has proven whose account it is";
                let hint = "a code is a second factor: a `present`, `passkey` or `upstream` step without `when` before it on every way (a session stands for it by itself)";
                places.at_step(at, "kind", Code::NotHeld, message, hint);
            }
            // A passkey says who it is; what is typed beside it is not asked for.
            StepKind::Identify { accept } if some > 0 && accept.contains("passkey_autofill") => {}
            StepKind::Notify { .. } if nobody => {
                let message = "the questions lead to nobody who could be told";
                let hint = "a question of a person, or no such step";
                places.at_step(at, "kind", Code::NotHeld, message, hint);
            }
            StepKind::Deny { notify, .. } if nobody && !notify.is_empty() => {
                let message = "the questions lead to nobody who could be told";
                let hint = "a question of a person, or no `notify`";
                places.at_step(at, "notify", Code::NotHeld, message, hint);
            }
            StepKind::Upstream { .. } if journey.subject == Some(Subject::Guest) => {
                let message = "another provider vouches for somebody, and `subject` says nobody";
                let hint = "no `subject`, or no such step";
                places.at_step(at, "kind", Code::NotHeld, message, hint);
            }
            StepKind::Wait { .. } if upstream => {
                let message = "a journey with an `upstream` step does not wait";
                let hint = "what another provider said is not asked again after a day";
                places.at_step(at, "kind", Code::NotHeld, message, hint);
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
