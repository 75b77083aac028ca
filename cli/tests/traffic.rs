//! `vouchsafe demo traffic`: every number of the login service beside what a seed says it must be.

#![cfg(feature = "demo")]
#![allow(clippy::unwrap_used, reason = "tests stop at the first surprise")]

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

/// What lasts as long as a demo needs no disk, and two hundred logins would wait for it.
const MEMORY: &str = "/dev/shm";

fn traffic(arguments: &[&str]) -> Output {
    let mut program = Command::new(env!("CARGO_BIN_EXE_vouchsafe"));
    if Path::new(MEMORY).is_dir() {
        program.env("TMPDIR", MEMORY);
    }
    program.args(["demo", "traffic"]).args(arguments);
    program.output().unwrap()
}

/// Every tile equals the expected number of the seed, and every tile that is read is expected.
#[test]
fn two_hundred_logins_of_a_seed_are_on_every_tile_of_the_demo_exactly() {
    let said = traffic(&["--seed", "1", "--n", "200", "--json"]);
    let text = String::from_utf8(said.stdout).unwrap();
    let errors = String::from_utf8_lossy(&said.stderr);
    assert!(said.status.success(), "{text}\n{errors}");
    let numbers: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(numbers.len(), 22, "{text}");
    for number in &numbers {
        assert_eq!(number["ok"], true, "{number}");
        assert_eq!(number["expected"]["of"], number["read"]["of"], "{number}");
    }
    let of = |name: &str| {
        let found = numbers.iter().find(|number| number["number"] == name);
        found.unwrap()["read"]["of"].as_i64().unwrap()
    };
    // None of them is right because nothing was played.
    for name in [
        "registrations",
        "abandonment",
        "unnecessary_step_up_rate",
        "decline_rate",
        "success_session",
        "consent_withdrawn",
        "return_rate",
    ] {
        assert!(of(name) > 0, "{name}");
    }
}

#[test]
fn what_is_no_number_of_logins_is_refused() {
    for wrong in ["0", "2001", "-1", "many"] {
        let said = traffic(&["--n", wrong]);
        assert_eq!(said.status.code(), Some(2), "{wrong}");
        assert!(said.stdout.is_empty());
    }
}
