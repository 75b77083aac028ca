//! What expressions may read, and what of a card they do.

use std::collections::BTreeSet;

use super::Known;
use crate::config::Query;
use crate::journey::{Code, Expression, Journey, Places, Step, StepKind};

/// Variables that this service never knows: an expression that reads one would fail each time.
const NEVER_KNOWN: [&str; 1] = ["device.dc_api"];

/// What `claims` may read of an account. What else is known of somebody, and what they did not want to
/// say, an application learns by a consent alone.
const OF_USER: [&str; 3] = ["user.exists", "user.linked", "user.logins"];

/// Groups, each of which says more than what stands on the page.
const GROUPS: [&str; 6] = ["request", "session", "user", "device", "risk", "cred"];

const TELLS: &str = "of an account `claims` reads `user.exists`, `user.linked` and `user.logins`, and no whole group; an application learns an attribute by `attributes` of its `[[client]]` and a consent";

fn is_told(path: &str) -> bool {
    match path.split_once('.') {
        Some(("user", _)) => OF_USER.contains(&path),
        Some(_) => true,
        None => !GROUPS.contains(&path),
    }
}

pub(super) fn check(at: usize, step: &Step, known: &Known<'_>, places: &mut Places<'_>) {
    let mut parts: Vec<(&str, &Expression)> = Vec::new();
    parts.extend(step.when.iter().map(|when| ("when", when)));
    match &step.kind {
        StepKind::Present(present) => parts.extend(present.check.iter().map(|one| ("check", one))),
        StepKind::Decide { cases } => parts.extend(cases.iter().map(|case| ("case", &case.when))),
        StepKind::Finish { claims } => parts.extend(claims.values().map(|one| ("claims", one))),
        _ => {}
    }
    let places_known = |risk: &crate::config::RiskSettings| risk.places.know_countries();
    let located = known.settings.risk.as_ref().is_some_and(places_known);
    for (key, expression) in parts {
        let source = expression.source();
        let paths = expression.paths();
        for path in paths
            .iter()
            .filter(|path| key == "claims" && !is_told(path))
        {
            let message = format!("`claims` reads `{path}`");
            places.at_step(at, key, Code::NotHeld, message, TELLS);
        }
        for name in NEVER_KNOWN.iter().filter(|name| source.contains(*name)) {
            let message = format!("the login service does not know `{name}`");
            let hint = "it keeps nothing that says it";
            places.at_step(at, key, Code::NotHeld, message, hint);
        }
        let by_place = ["risk.first_seen_country", "risk.impossible_travel"];
        let placed = by_place.iter().find(|name| source.contains(*name));
        if let Some(name) = placed.filter(|_| !located) {
            let message = format!("without `risk.places` nothing is known of `{name}`");
            let hint = "name a database of countries in `[risk]`, or leave the variable out";
            places.at_step(at, key, Code::NotHeld, message, hint);
        }
    }
}

/// Names of claims of a question whose values some expression reads.
pub(super) fn names(journey: &Journey, query: &Query) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for mapping in &query.claims {
        let json = mapping.path.to_json();
        let last = json
            .as_array()
            .and_then(|path| path.iter().rev().find_map(|one| one.as_str()));
        let mut sources = journey.expressions().map(Expression::source);
        if last.is_none_or(|last| sources.any(|source| source.contains(last))) {
            names.insert(mapping.name.clone());
        }
    }
    names
}
