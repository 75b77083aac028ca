use std::sync::Arc;

use serde_json::json;
use vouchsafe_credentials::crypto::{Portable, Signer, SigningKey};
use vouchsafe_credentials::data_integrity::{ProofPurpose, add_proof};
use vouchsafe_credentials::did;
use vouchsafe_credentials::testing::SeededRng;

use super::*;
use crate::contexts::Contexts;
use crate::jsonld::JsonLdError;

fn transformation() -> Transformation {
    Transformation::new(Arc::new(Contexts::bundled()))
}

fn credential() -> Value {
    json!({
        "@context": ["https://www.w3.org/ns/credentials/v2", "https://w3id.org/citizenship/v4rc1"],
        "type": ["VerifiableCredential", "EmploymentAuthorizationDocumentCredential"],
        "issuer": {"id": "did:example:issuer", "name": "Office"},
        "credentialSubject": {
            "type": ["Person", "EmployablePerson"],
            "givenName": "JOHN",
            "birthDate": "1999-07-17",
            "employmentAuthorizationDocument": {
                "type": "EmploymentAuthorizationDocument",
                "identifier": "83627465",
            }
        },
        "validFrom": "2019-12-03T00:00:00Z",
        "credentialStatus": [{
            "type": "BitstringStatusListEntry",
            "statusPurpose": "revocation",
            "statusListIndex": "7",
            "statusListCredential": "https://example.com/status/1",
        }],
    })
}

fn suite_for(algorithm: Algorithm) -> Box<dyn Cryptosuite> {
    match algorithm {
        Algorithm::EdDsa => Box::new(EddsaRdfc2022(transformation())),
        _ => Box::new(EcdsaRdfc2019(transformation())),
    }
}

async fn signed(algorithm: Algorithm, credential: &Value) -> (Value, Multikey) {
    let rng = SeededRng::new(1);
    let key = SigningKey::generate(algorithm, &rng);
    let multibase = did::key::encode_multibase(key.public_key());
    let method = format!("did:key:{multibase}#{multibase}");
    let options = ProofOptions::new(method, ProofPurpose::AssertionMethod);
    let suite = suite_for(algorithm);
    let secured = add_proof(
        credential,
        &options,
        &*suite,
        SuiteSigner::Signature(&key),
        &rng,
    )
    .await;
    (
        secured.expect("signs"),
        Multikey::decode(&multibase).expect("multikey"),
    )
}

fn check(algorithm: Algorithm, secured: &Value, key: &Multikey) -> Result<(), ProofError> {
    let mut document = secured.clone();
    let proof = document
        .as_object_mut()
        .and_then(|map| map.shift_remove("proof"));
    let proof = Proof::parse(&proof.unwrap_or_default())?;
    suite_for(algorithm).verify(&document, &proof, key, &Portable)
}

#[tokio::test]
async fn each_algorithm_signs_and_verifies() {
    for (algorithm, name) in [
        (Algorithm::EdDsa, "eddsa-rdfc-2022"),
        (Algorithm::Es256, "ecdsa-rdfc-2019"),
        (Algorithm::Es384, "ecdsa-rdfc-2019"),
    ] {
        let (secured, key) = signed(algorithm, &credential()).await;
        assert_eq!(secured["proof"]["cryptosuite"], name);
        assert!(check(algorithm, &secured, &key).is_ok(), "{algorithm:?}");
        let (_, other) = signed(
            if algorithm == Algorithm::Es256 {
                Algorithm::Es384
            } else {
                Algorithm::Es256
            },
            &credential(),
        )
        .await;
        assert!(check(algorithm, &secured, &other).is_err(), "{algorithm:?}");
    }
}

/// The JSON pointers of everything in a document.
fn pointers(value: &Value, at: &str, out: &mut Vec<String>) {
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                let at = format!("{at}/{}", key.replace('~', "~0").replace('/', "~1"));
                pointers(value, &at, out);
            }
        }
        Value::Array(items) => {
            for (index, value) in items.iter().enumerate() {
                pointers(value, &format!("{at}/{index}"), out);
            }
        }
        _ => {}
    }
    if !at.is_empty() {
        out.push(at.to_owned());
    }
}

fn parent_of(at: &str) -> (&str, String) {
    let (parent, key) = at.rsplit_once('/').expect("a pointer");
    (parent, key.replace("~1", "/").replace("~0", "~"))
}

#[tokio::test]
async fn cat_176_no_part_can_be_changed_removed_or_added() {
    for algorithm in [Algorithm::EdDsa, Algorithm::Es256, Algorithm::Es384] {
        let (secured, key) = signed(algorithm, &credential()).await;
        let mut all = Vec::new();
        pointers(&secured, "", &mut all);
        for at in &all {
            let mut changed = secured.clone();
            let place = changed.pointer_mut(at).expect("there");
            *place = match place {
                Value::String(text) => json!(format!("{text}x")),
                _ => json!("other"),
            };
            assert!(check(algorithm, &changed, &key).is_err(), "changed {at}");

            let mut removed = secured.clone();
            let (parent, name) = parent_of(at);
            match removed.pointer_mut(parent).expect("parent") {
                Value::Object(map) => drop(map.shift_remove(&name)),
                Value::Array(items) => drop(items.remove(name.parse().expect("index"))),
                _ => unreachable!(),
            }
            assert!(check(algorithm, &removed, &key).is_err(), "removed {at}");

            let mut added = secured.clone();
            if let Some(Value::Object(map)) = added.pointer_mut(at) {
                map.insert("name".to_owned(), json!("added"));
                assert!(check(algorithm, &added, &key).is_err(), "added to {at}");
            }
        }
        assert!(all.len() > 30, "{}", all.len());
    }
}

#[tokio::test]
async fn cat_170_a_term_that_no_context_defines_is_refused() {
    let (secured, key) = signed(Algorithm::EdDsa, &credential()).await;
    for at in [
        "",
        "/credentialSubject",
        "/issuer",
        "/credentialStatus/0",
        "/proof",
    ] {
        for value in [json!("x"), json!(null), json!({"a": 1}), json!([])] {
            let mut changed = secured.clone();
            let map = changed
                .pointer_mut(at)
                .and_then(Value::as_object_mut)
                .expect("object");
            map.insert("unmappedTerm".to_owned(), value);
            let error = check(Algorithm::EdDsa, &changed, &key).expect_err("unmapped");
            assert!(
                matches!(&error, ProofError::Transformation(cause)
                    if cause.downcast_ref() == Some(&JsonLdError::UndefinedTerm)),
                "{at}: {error:?}"
            );
        }
    }
}

#[tokio::test]
async fn cat_167_an_unknown_context_is_refused() {
    let (mut secured, key) = signed(Algorithm::EdDsa, &credential()).await;
    secured["@context"][1] = json!("https://attacker.example/context");
    let error = check(Algorithm::EdDsa, &secured, &key).expect_err("unknown");
    assert!(matches!(&error, ProofError::Transformation(cause)
        if cause.downcast_ref() == Some(&JsonLdError::UnknownContext)));
}

#[tokio::test]
async fn proof_values_of_other_encodings_and_lengths_are_refused() {
    let (secured, key) = signed(Algorithm::Es256, &credential()).await;
    let value = secured["proof"]["proofValue"]
        .as_str()
        .expect("text")
        .to_owned();
    for other in [
        value[1..].to_owned(),
        format!("u{}", &value[1..]),
        value[..40].to_owned(),
        "z".into(),
        format!("{value}1"),
    ] {
        let mut changed = secured.clone();
        changed["proof"]["proofValue"] = json!(other);
        let error = check(Algorithm::Es256, &changed, &key).expect_err("malformed");
        assert!(matches!(error, ProofError::ProofValue), "{error:?}");
    }
}

#[tokio::test]
async fn the_proof_is_read_with_the_context_of_the_document() {
    let (mut secured, key) = signed(Algorithm::EdDsa, &credential()).await;
    secured["proof"]["@context"] = secured["@context"].clone();
    assert!(check(Algorithm::EdDsa, &secured, &key).is_ok());
    secured["proof"]["@context"] = json!(["https://w3id.org/citizenship/v4rc1"]);
    let error = check(Algorithm::EdDsa, &secured, &key).expect_err("other context");
    assert!(matches!(error, ProofError::Context));
}

#[tokio::test]
async fn cat_175_urls_in_a_credential_are_never_fetched() {
    // The crate has no way to fetch; that every URL is unreachable changes nothing.
    let mut credential = credential();
    let unreachable = "https://unreachable.invalid/x";
    credential["credentialSchema"] = json!({"id": unreachable, "type": "JsonSchema"});
    credential["termsOfUse"] =
        json!([{"id": "https://unreachable.invalid/terms", "type": "Evidence"}]);
    credential["evidence"] =
        json!({"id": "https://unreachable.invalid/evidence", "type": "Evidence"});
    credential["refreshService"] =
        json!({"id": "https://unreachable.invalid/refresh", "type": "Evidence"});
    credential["@context"]
        .as_array_mut()
        .expect("array")
        .push(json!(
            "https://www.w3.org/ns/credentials/undefined-terms/v2"
        ));
    let (secured, key) = signed(Algorithm::EdDsa, &credential).await;
    assert!(check(Algorithm::EdDsa, &secured, &key).is_ok());
    let mut named = secured;
    named["@context"]
        .as_array_mut()
        .expect("array")
        .push(json!(unreachable));
    assert!(check(Algorithm::EdDsa, &named, &key).is_err());
}
