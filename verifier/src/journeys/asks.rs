//! What the service holds of `ask` steps.

use crate::config::Settings;
use crate::domain::attribute::Kind;
use crate::journey::{Ask, Code, Field, Journey, Outcome, Places, Step, StepKind, Target};

/// An `ask` stands where it cannot be in the way of a login: in a journey that follows one.
pub(super) fn alone(journey: &Journey, places: &mut Places<'_>) {
    if !journey.after.is_empty() {
        return;
    }
    for (at, step) in journey.steps.iter().enumerate() {
        if matches!(step.kind, StepKind::Ask(_)) {
            let message = "an `ask` step could be in the way of the login";
            let hint = "put it into a journey that runs `after` this one";
            places.at_step(at, "kind", Code::NotHeld, message, hint);
        }
    }
}

/// Checks a step against the attributes of the configuration.
pub(super) fn check(
    (at, step): (usize, &Step),
    ask: &Ask,
    settings: &Settings,
    places: &mut Places<'_>,
) {
    for outcome in [Outcome::Declined, Outcome::Timeout, Outcome::Error] {
        if !matches!(step.on.get(&outcome), Some(Target::Step(_))) {
            let name = outcome.as_str();
            let message = format!("`on.{name}` of an `ask` step leads to no step");
            let hint = "what somebody does not say is no reason to refuse anything";
            places.at_step(at, "on", Code::NotHeld, message, hint);
        }
    }
    for field in &ask.fields {
        if let Err((message, hint)) = one(field, settings) {
            places.at_step(at, "field", Code::BadValue, message, hint);
        }
    }
}

fn one(field: &Field, settings: &Settings) -> Result<(), (String, &'static str)> {
    let name = &field.name;
    let Some(attribute) = settings.attribute(name) else {
        let hint = "the `name` of an `[[attribute]]` of the configuration";
        return Err((format!("there is no attribute `{name}`"), hint));
    };
    let known = |option: &String| match &attribute.kind {
        Kind::Choice { options } => options.contains(option),
        Kind::Text { .. } | Kind::Bool | Kind::Date { .. } => false,
    };
    if !field.options.iter().all(known) {
        let hint = "`options` of the `[[attribute]]`, or some of them";
        return Err((
            format!("an option of `{name}` is none of the attribute"),
            hint,
        ));
    }
    if !attribute.typed && field.query.is_none() {
        let hint = "`query` of the `[[attribute]]`";
        return Err((format!("only a card may say `{name}`"), hint));
    }
    let card = attribute.card.as_ref().map(|card| card.query.as_str());
    if field.query.is_some() && field.query.as_deref() != card {
        let hint = "`query` of the `[[attribute]]`";
        return Err((format!("no card of this question fills `{name}`"), hint));
    }
    Ok(())
}
