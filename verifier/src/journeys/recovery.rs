//! What a file must say so that an account can be recovered safely: who waits can be stopped, a new passkey
//! is that of somebody whose card proved it, and only what was kept at enrolment is compared.

use std::collections::{BTreeMap, BTreeSet};

use super::held::Known;
use super::loaded::StepQuestion;
use crate::journey::{Code, Expression, Journey, Outcome, Places, Step, StepKind, Target};

/// Notes what does not hold.
pub(super) fn check(
    journey: &Journey,
    questions: &BTreeMap<String, StepQuestion>,
    known: &Known<'_>,
    places: &mut Places<'_>,
) {
    let persons = |one: &StepQuestion| one.query.subject.claim().is_some();
    let people = questions.values().any(persons);
    let unproven = journey.reached_without_card();
    for (at, step) in journey.steps.iter().enumerate() {
        match &step.kind {
            StepKind::Wait {
                notify,
                cancel_link,
                ..
            } => {
                wait((at, people), (notify, *cancel_link), places);
                past((at, step), places);
            }
            StepKind::Passkey { register: true } if !people || unproven.contains(&at) => {
                let message = "a way leads here on which no card has proven whose account it is";
                let hint = "a `present` step without `when`, of a question that leads to a person, before it on every way";
                places.at_step(at, "kind", Code::NotHeld, message, hint);
            }
            _ => {}
        }
    }
    let after = after_waits(journey);
    let names = known.settings.binding_names();
    for (at, step) in journey.steps.iter().enumerate() {
        for (key, expression) in expressions(step) {
            bindings(at, (key, expression), &names, places);
            // A check looks at the card that its own step brings.
            if key != "check" && after.contains(&at) && expression.reads().contains("cred") {
                let message = "after a `wait` nothing is kept of what cards said";
                let hint =
                    "tell it before the `wait`, or ask for the card after it in another journey";
                places.at_step(at, key, Code::NotHeld, message, hint);
            }
        }
    }
}

fn wait(
    (at, people): (usize, bool),
    (notify, cancel_link): (&[String], bool),
    places: &mut Places<'_>,
) {
    if !people {
        let message = "nobody could stop it: the questions lead to nobody";
        let hint = "a `wait` needs questions that lead to a person";
        places.at_step(at, "kind", Code::NotHeld, message, hint);
    }
    if notify.is_empty() {
        let message = "nobody is told of it, so nobody would stop it";
        let hint = "`notify = [\"user\"]`, or \"all_channels\"";
        places.at_step(at, "kind", Code::NotHeld, message, hint);
    }
    if !cancel_link {
        let message = "whoever has the account can always stop it";
        places.at_step(at, "kind", Code::NotHeld, message, "`cancel_link = true`");
    }
}

/// Whoever stops it, or what is not proven any more, has the last word.
fn past((at, step): (usize, &Step), places: &mut Places<'_>) {
    for outcome in [Outcome::Declined, Outcome::Invalid, Outcome::Error] {
        if let Some(Target::Step(_)) = step.on.get(&outcome) {
            let name = outcome.as_str();
            let message = format!("`on.{name}` leads past a wait that was stopped");
            let hint = format!("`{name} = \"deny:CODE\"`");
            places.at_step(at, "on", Code::NotHeld, message, &hint);
        }
    }
}

fn expressions(step: &Step) -> Vec<(&'static str, &Expression)> {
    let mut parts: Vec<(&'static str, &Expression)> = Vec::new();
    parts.extend(step.when.iter().map(|when| ("when", when)));
    match &step.kind {
        StepKind::Present(present) => parts.extend(present.check.iter().map(|one| ("check", one))),
        StepKind::Decide { cases } => parts.extend(cases.iter().map(|case| ("case", &case.when))),
        StepKind::Finish { claims } => parts.extend(claims.values().map(|one| ("claims", one))),
        _ => {}
    }
    parts
}

/// The steps that may come after one that waits.
fn after_waits(journey: &Journey) -> BTreeSet<usize> {
    let steps = journey.steps.iter().enumerate();
    let waits = steps.filter(|(_, step)| matches!(step.kind, StepKind::Wait { .. }));
    waits.flat_map(|(at, _)| journey.after(at)).collect()
}

/// What `user.binding` names is what some question binds.
fn bindings(
    at: usize,
    (key, expression): (&'static str, &Expression),
    names: &BTreeSet<&str>,
    places: &mut Places<'_>,
) {
    for name in named(expression.source()) {
        if name.is_some_and(|name| names.contains(name)) {
            continue;
        }
        let message = match name {
            Some(name) => format!("no question binds `{name}`"),
            None => "`user.binding` is read without a name".to_owned(),
        };
        let hint = "`bind = { NAME = […] }` of a `[[query]]`, and `user.binding.NAME` here";
        places.at_step(at, key, Code::NotHeld, message, hint);
    }
}

/// The names behind each `user.binding` of an expression; `None` where there is none that can be read.
fn named(source: &str) -> impl Iterator<Item = Option<&str>> {
    let mut parts = source.split("user.binding");
    parts.next();
    parts.map(|rest| {
        let ends = |c: char| !c.is_ascii_alphanumeric() && c != '_';
        if let Some(name) = rest.strip_prefix('.') {
            let name = name.split(ends).next()?;
            return Some(name).filter(|name| !name.is_empty());
        }
        let quoted = rest.strip_prefix('[')?.trim_start();
        let quote = quoted.chars().next().filter(|c| ['"', '\''].contains(c))?;
        let name = quoted.get(1..)?.split(quote).next()?;
        Some(name).filter(|name| !name.is_empty())
    })
}
