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
