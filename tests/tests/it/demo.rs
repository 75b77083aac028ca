//! The demo that everybody tries first, as a script sees it.

use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;
use vouchsafe_tests::process::run;

#[tokio::test]
async fn the_headless_demo_holds_every_step() {
    let folder = tempfile::tempdir().unwrap();
    let started = Instant::now();
    let said = run(&["demo", "--headless", "--json"], folder.path())
        .await
        .unwrap();
    let took = started.elapsed();
    let steps: Vec<Value> = said
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let names: Vec<&str> = steps
        .iter()
        .map(|step| step["step"].as_str().unwrap())
        .collect();
    assert_eq!(
        names,
        [
            "age",
            "join",
            "login",
            "step_up",
            "revoke",
            "history",
            "dashboard"
        ]
    );
    for step in &steps {
        assert_eq!(step["ok"], true, "{step}");
    }
    let age = &steps[0];
    assert_eq!(
        age["proven"],
        serde_json::json!({ "age_over_18": true }),
        "{age}"
    );
    assert!(
        age["not_disclosed"]
            .as_array()
            .is_some_and(|kept| !kept.is_empty())
    );
    // Five seconds alone on two cores; other tests run beside this one.
    assert!(took < Duration::from_secs(30), "{took:?}");
    eprintln!("demo: {took:?}");
}

/// Every tile equals the expected number of the seed (`vouchsafe demo traffic` fails where one differs), and
/// every tile that is read is expected.
#[tokio::test]
async fn two_hundred_logins_of_a_seed_are_on_every_tile_of_the_demo_exactly() {
    let folder = tempfile::tempdir().unwrap();
    let said = run(
        &["demo", "traffic", "--seed", "1", "--n", "200", "--json"],
        folder.path(),
    )
    .await
    .unwrap();
    let numbers: Vec<Value> = said
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(numbers.len(), 22, "{said}");
    for number in &numbers {
        assert_eq!(number["ok"], true, "{number}");
        assert_eq!(number["expected"]["of"], number["read"]["of"], "{number}");
    }
    let of = |name: &str| {
        let found = numbers.iter().find(|number| number["number"] == name);
        found.unwrap()["read"]["of"].as_i64().unwrap()
    };
    // Nothing of all this is there because nothing was played.
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
