//! Both ways with npm @owf/mdoc 0.6.0 (`tests/peers/mdoc.mjs`).

use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use vouchsafe_credentials::encoding::{b64url, b64url_decode};
use vouchsafe_credentials::mdoc::{MDL, MDL_NAMESPACE};

use crate::mdoc_parties::*;
use crate::sd_jwt_cases::private_jwk;

/// Runs steps in their software. `None` when its packages are not installed;
/// with `VOUCHSAFE_PEERS=1` that is a failure.
fn steps(steps: &[Value]) -> Option<Vec<Value>> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../peers");
    if !folder.join("node_modules/@owf/mdoc").is_dir() {
        let required = std::env::var("VOUCHSAFE_PEERS").is_ok_and(|value| value == "1");
        assert!(
            !required,
            "tests/peers/node_modules is missing: run `npm ci` in tests/peers"
        );
        println!("skipped: @owf/mdoc is not installed (npm ci in tests/peers)");
        return None;
    }
    let mut node = Command::new("node")
        .arg("mdoc.mjs")
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("node starts");
    let request = serde_json::to_vec(steps).unwrap();
    node.stdin.take().unwrap().write_all(&request).unwrap();
    let output = node.wait_with_output().unwrap();
    assert!(output.status.success(), "mdoc.mjs failed");
    Some(serde_json::from_slice(&output.stdout).unwrap())
}

fn session(parties: &Parties) -> Value {
    json!({
        "clientId": CLIENT_ID, "nonce": NONCE, "responseUri": RESPONSE_URI,
        "jwkThumbprint": b64url(&parties.thumbprint()),
    })
}

fn verify_step(parties: &Parties, response: &[u8], session: Value) -> Value {
    json!({
        "op": "verify", "response": b64url(response), "anchors": [b64url(&parties.iaca)],
        "now": NOW_TEXT, "transcript": session,
    })
}

fn issued_step(parties: &Parties, issued: &[u8]) -> Value {
    json!({
        "op": "verifyIssued", "issuerSigned": b64url(issued), "now": NOW_TEXT,
        "anchors": [b64url(&parties.iaca)],
    })
}

fn bytes(answer: &Value, name: &str) -> Vec<u8> {
    b64url_decode(answer[name].as_str().unwrap()).unwrap()
}

#[test]
fn they_verify_what_we_issue_and_present() {
    let parties = Parties::new();
    let issued = parties.issue();
    let response = parties.present(
        &parties.accept(&issued).unwrap(),
        &["family_name", "age_over_18"],
    );
    let mut other = session(&parties);
    other["nonce"] = json!("another");
    let mut no_key = session(&parties);
    no_key.as_object_mut().unwrap().remove("jwkThumbprint");
    let stranger = Parties::new();
    let mut untrusted = verify_step(&parties, &response, session(&parties));
    untrusted["anchors"] = json!([b64url(&stranger.iaca)]);
    let mut late = verify_step(&parties, &response, session(&parties));
    late["now"] = json!("2027-01-17T08:00:00Z");
    let Some(answers) = steps(&[
        issued_step(&parties, &issued),
        verify_step(&parties, &response, session(&parties)),
        issued_step(&parties, &turned(&issued, b"Mustermann")),
        verify_step(
            &parties,
            &turned(&response, b"Mustermann"),
            session(&parties),
        ),
        verify_step(&parties, &response, other),
        verify_step(&parties, &response, no_key),
        untrusted,
        late,
    ]) else {
        return;
    };
    let all = json!({MDL_NAMESPACE: elements().to_json().unwrap()[MDL_NAMESPACE].clone()});
    assert_eq!(sorted(&answers[0]["elements"]), sorted(&all));
    let shown = json!({MDL_NAMESPACE: {"family_name": "Mustermann", "age_over_18": true}});
    assert_eq!(sorted(&answers[1]["elements"]), sorted(&shown));
    // `IssuerSigned.verify` of theirs checks the signature and the times, but no digests: an
    // altered element is noticed by them only in a presentation.
    assert!(parties.accept(&turned(&issued, b"Mustermann")).is_err());
    for answer in &answers[3..] {
        assert!(answer["refused"].is_string(), "{answer}");
    }
}

/// Maps without their order.
fn sorted(value: &Value) -> String {
    match value {
        Value::Object(members) => {
            let mut all: Vec<_> = members
                .iter()
                .map(|(k, v)| format!("{k}:{}", sorted(v)))
                .collect();
            all.sort();
            format!("{all:?}")
        }
        other => other.to_string(),
    }
}

#[test]
fn we_verify_what_they_issue_and_present() {
    let parties = Parties::new();
    let mut issuer_key = private_jwk(&parties.signer);
    issuer_key["alg"] = json!("ES256");
    let elements_json = elements().to_json().unwrap();
    let validity = json!({
        "signed": "2027-01-15T07:00:00Z", "validFrom": "2027-01-15T07:00:00Z",
        "validUntil": "2027-01-16T07:00:00Z",
    });
    let issue = json!({
        "op": "issue", "doctype": MDL, "elements": elements_json, "validity": validity,
        "issuerKey": issuer_key, "certificate": b64url(&parties.certificate),
        "deviceKey": parties.device_key().to_jwk(),
    });
    let Some(answers) = steps(&[issue]) else {
        return;
    };
    let issued = bytes(&answers[0], "issuerSigned");
    let held = parties.accept(&issued).unwrap();
    assert_eq!(*held.elements(), elements());
    let altered = turned(&issued, b"Mustermann");
    assert_eq!(
        parties.accept(&altered).unwrap_err().code(),
        "mdoc_digest_mismatch"
    );

    let present = |session: Value| {
        json!({
            "op": "present", "issuerSigned": b64url(&issued), "deviceKey": private_jwk(&parties.device),
            "elements": {MDL_NAMESPACE: {"given_name": false}}, "transcript": session,
        })
    };
    let mut other = session(&parties);
    other["nonce"] = json!("another");
    let answers = steps(&[present(session(&parties)), present(other)]).unwrap();
    let mdoc = parties.verify(&bytes(&answers[0], "response")).unwrap();
    let json = mdoc.elements.to_json().unwrap();
    assert_eq!(json, json!({MDL_NAMESPACE: {"given_name": "Erika"}}));
    let replayed = parties.verify(&bytes(&answers[1], "response"));
    assert_eq!(replayed.unwrap_err().code(), "mdoc_device_auth");
    // What they issued, presented by us, verified by them.
    let ours = parties.present(&held, &["given_name"]);
    let answers = steps(&[verify_step(&parties, &ours, session(&parties))]).unwrap();
    assert_eq!(answers[0]["elements"], json);
}
