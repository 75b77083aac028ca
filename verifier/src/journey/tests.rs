//! Journeys, read and run.

mod files;
mod properties;
mod templates;
mod worked;

use serde_json::{Value, json};

use super::*;

/// How a run ends, in one text.
fn end(ended: &Ended) -> String {
    match ended {
        Ended::Login(_) => "login".to_owned(),
        Ended::Refused(refusal) => format!("deny:{}", refusal.code),
    }
}

/// The steps that ran, in order.
fn ran(trace: &[Line]) -> Vec<&str> {
    let runs = trace.iter().filter(|line| line.what == What::Runs);
    runs.map(|line| line.step.as_str()).collect()
}

fn run(journey: &str, case: Value) -> Simulation {
    let journey = read(journey).unwrap();
    let case: SimulatedCase = serde_json::from_value(case).unwrap();
    simulate(&journey, &case).unwrap()
}

fn login(simulation: &Simulation) -> &Login {
    match &simulation.ended {
        Ended::Login(login) => login,
        Ended::Refused(refusal) => panic!("refused: {}", refusal.code),
    }
}

/// A case of the shop.
fn case(more: Value) -> Value {
    let mut case =
        json!({ "now": 1_764_500_000, "request": { "client": "shop", "scopes": ["openid"] } });
    for (name, value) in more.as_object().unwrap() {
        case[name.as_str()] = value.clone();
    }
    case
}

/// A journey with these steps.
fn with_steps(steps: &str) -> String {
    format!("id = \"j\"\nversion = 1\n{steps}")
}
