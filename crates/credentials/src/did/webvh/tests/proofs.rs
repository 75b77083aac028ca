use serde_json::{Value, json};

use super::{NOW, Writer, key, multikey};
use crate::crypto::{Signer as _, SigningKey, sha256};
use crate::jcs;
use crate::multibase::base58btc;

pub(super) fn sign(document: &Value, key: &SigningKey) -> Value {
    sign_with(document, key, &[])
}

pub(super) fn sign_with(document: &Value, key: &SigningKey, members: &[(&str, Value)]) -> Value {
    let text = multikey(key);
    let mut proof = json!({
        "type": "DataIntegrityProof", "cryptosuite": "eddsa-jcs-2022", "proofPurpose": "assertionMethod",
        "verificationMethod": format!("did:key:{text}#{text}"), "created": "2026-01-01T00:00:00Z",
    });
    for (name, value) in members {
        proof[*name] = value.clone();
    }
    let hash = |value: &Value| sha256(jcs::canonicalize(value).unwrap().as_bytes());
    let message = [hash(&proof), hash(document)].concat();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let signature = runtime.block_on(key.sign(&message)).unwrap();
    proof["proofValue"] = json!(base58btc(&signature));
    proof
}

/// Data Integrity 1.0, section 2.1.
#[test]
fn a_proof_that_has_expired_proves_nothing() {
    let a = key(1);
    for (expires, good) in [
        (json!("2100-01-01T00:00:00Z"), true),
        (json!("2026-01-02T00:00:00Z"), false),
        (json!("2026-11-23T00:00:00Z"), false),
        (json!("2026-11-23T00:00:01Z"), true),
        (json!("later"), false),
        (json!(4_102_444_800_u64), false),
        (json!(null), false),
    ] {
        let mut writer = Writer::new(json!({"updateKeys": [multikey(&a)]}), &a);
        let entry = &mut writer.lines[0];
        entry.as_object_mut().unwrap().remove("proof");
        let proof = sign_with(entry, &a, &[("expires", expires.clone())]);
        entry["proof"] = json!([proof]);
        assert_eq!(writer.resolve().is_ok(), good, "{expires} at {NOW:?}");
    }
}
