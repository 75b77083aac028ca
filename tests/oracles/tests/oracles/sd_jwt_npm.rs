//! Both ways with @sd-jwt/core 0.19.0 (`tests/peers/sd-jwt.mjs`).

use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use vouchsafe_credentials::sd_jwt::{ClaimPath, HashAlg, PathElement};

use crate::sd_jwt_cases::*;

/// Runs steps in their software. `None` when its packages are not installed;
/// with `VOUCHSAFE_PEERS=1` that is a failure.
fn run(steps: &[Value]) -> Option<Vec<Value>> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../peers");
    if !folder.join("node_modules/@sd-jwt/core").is_dir() {
        let required = std::env::var("VOUCHSAFE_PEERS").is_ok_and(|value| value == "1");
        assert!(
            !required,
            "tests/peers/node_modules is missing: run `npm ci` in tests/peers"
        );
        println!("skipped: @sd-jwt/core is not installed (npm ci in tests/peers)");
        return None;
    }
    let mut node = Command::new("node")
        .arg("sd-jwt.mjs")
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("node starts");
    let request = serde_json::to_vec(steps).unwrap();
    node.stdin.take().unwrap().write_all(&request).unwrap();
    let output = node.wait_with_output().unwrap();
    assert!(output.status.success(), "sd-jwt.mjs failed");
    Some(serde_json::from_slice(&output.stdout).unwrap())
}

fn verify_step(parties: &Parties, compact: &str, nonce: &str) -> Value {
    json!({
        "op": "verify", "compact": compact, "nonce": nonce, "now": NOW,
        "issuerKey": parties.issuer_jwk(),
    })
}

/// Their way to say what is shown: a tree with `true` at the leaves.
fn presentation_frame(shown: &[ClaimPath]) -> Value {
    let mut frame = json!({});
    for path in shown {
        let mut place = &mut frame;
        for element in path.elements() {
            if !place.is_object() {
                *place = json!({});
            }
            place = match element {
                PathElement::Key(key) => &mut place[key],
                PathElement::Index(index) => &mut place[index.to_string()],
                PathElement::Any => panic!("cases name positions"),
            };
        }
        *place = json!(true);
    }
    frame
}

#[test]
fn they_verify_what_we_issue_and_present() {
    let parties = Parties::new();
    let mut steps = Vec::new();
    let mut expected = Vec::new();
    for case in cases() {
        for hash in [HashAlg::Sha256, HashAlg::Sha384, HashAlg::Sha512] {
            let held = parties.hold(&parties.issue(&case, hash));
            let presented = parties.present(&case, &held);
            expected.push((
                case.name.clone(),
                parties.verify(&presented).unwrap().claims,
            ));
            steps.push(verify_step(&parties, &presented, NONCE));
        }
    }
    let Some(answers) = run(&steps) else { return };
    assert_eq!(answers.len(), expected.len());
    for ((name, ours), theirs) in expected.into_iter().zip(answers) {
        assert_eq!(theirs["refused"], Value::Null, "{name}");
        assert_eq!(theirs["claims"], Value::Object(ours), "{name}");
        assert_eq!(theirs["kb"]["aud"], AUDIENCE, "{name}");
        assert_eq!(theirs["header"]["typ"], "dc+sd-jwt", "{name}");
    }
}

#[test]
fn they_refuse_what_we_refuse() {
    let parties = Parties::new();
    let case = &cases()[1];
    let held = parties.hold(&parties.issue(case, HashAlg::Sha256));
    let presented = parties.present(case, &held);
    let mut parts: Vec<&str> = presented.split('~').collect();
    parts.remove(1);
    let dropped = parts.join("~");
    let steps = [
        verify_step(&parties, &presented, "another nonce"),
        verify_step(&parties, &dropped, NONCE),
    ];
    assert!(parties.verify(&dropped).is_err());
    let Some(answers) = run(&steps) else { return };
    for answer in answers {
        assert!(answer["refused"].is_string(), "{answer}");
    }
}

#[test]
fn we_verify_what_they_issue_and_present() {
    let parties = Parties::new();
    let cases = cases();
    let steps: Vec<Value> = cases
        .iter()
        .map(|case| {
            json!({
                "op": "issue", "claims": parties.card(case), "header": parties.header(),
                "frame": foreign_frame(&case.hidden, Value::from),
                "issuerKey": private_jwk(&parties.issuer),
            })
        })
        .collect();
    let Some(issued) = run(&steps) else { return };
    let mut steps = Vec::new();
    for (case, answer) in cases.iter().zip(&issued) {
        let compact = answer["compact"].as_str().unwrap();
        let held = parties.hold(compact);
        assert_eq!(
            Value::Object(held.claims().clone()),
            parties.card(case),
            "{}",
            case.name
        );
        assert_eq!(held.disclosable().len(), case.hidden.len(), "{}", case.name);
        steps.push(json!({
            "op": "present", "compact": compact, "frame": presentation_frame(&case.shown),
            "holderKey": private_jwk(&parties.holder),
            "binding": {"iat": NOW, "aud": AUDIENCE, "nonce": NONCE},
        }));
    }
    let presented = run(&steps).unwrap();
    for ((case, issued), presented) in cases.iter().zip(&issued).zip(presented) {
        let theirs = parties
            .verify(presented["compact"].as_str().unwrap())
            .unwrap();
        let held = parties.hold(issued["compact"].as_str().unwrap());
        let ours = parties.verify(&parties.present(case, &held)).unwrap();
        assert_eq!(theirs.claims, ours.claims, "{}", case.name);
    }
}
