//! Credentials and their proofs.

use serde_json::{Value, json};

use crate::crypto::Algorithm;
use crate::data_integrity::{Proof, ProofPurpose, Secured};
use crate::did::LocalResolver;
use crate::time::UnixTime;
use crate::vcdm::fixtures::{Documents, NOW, Party, code, credential, policy, verify, verify_by};
use crate::vcdm::{DateTimeStamp, Issuers, Policy};

async fn secured() -> Value {
    let issuer = Party::issuer();
    issuer.issue(&credential(&issuer, &Party::holder())).await
}

fn with_proof(secured: &Value, name: &str, value: Value) -> Value {
    let mut document = secured.clone();
    document["proof"][name] = value;
    document
}

#[tokio::test]
async fn every_curve_signs_and_verifies() {
    for (algorithm, suite) in [
        (Algorithm::EdDsa, "eddsa-jcs-2022"),
        (Algorithm::Es256, "ecdsa-jcs-2019"),
        (Algorithm::Es384, "ecdsa-jcs-2019"),
    ] {
        let issuer = Party::new(algorithm, 3);
        let document = credential(&issuer, &Party::holder());
        let secured = issuer.issue(&document).await;
        assert_eq!(secured["proof"]["cryptosuite"], suite);
        // Data Integrity EdDSA 1.0, section 3.3.1: the proof carries the document's context.
        assert_eq!(secured["proof"]["@context"], document["@context"]);
        let verified = verify(&secured).await.unwrap();
        assert_eq!(verified.get().issuer(), issuer.did);
    }
}

#[tokio::test]
async fn cat_163_no_proof_is_no_success() {
    let secured = secured().await;
    let mut none = secured.clone();
    none.as_object_mut().unwrap().shift_remove("proof");
    assert_eq!(code(verify(&none).await), "proof_missing");
    for (value, expected) in [
        (json!(null), "vcdm_malformed"),
        (json!([]), "vcdm_malformed"),
        (json!({}), "vcdm_missing"),
        (json!([null]), "vcdm_malformed"),
        (json!("proof"), "vcdm_malformed"),
    ] {
        let mut document = secured.clone();
        document["proof"] = value;
        assert_eq!(code(verify(&document).await), expected);
    }
    // The layer below says the same.
    for value in [json!(null), json!([])] {
        let error = crate::data_integrity::Secured::parse(&json!({"proof": value})).unwrap_err();
        assert_eq!(error.problem().name(), "PROOF_VERIFICATION_ERROR");
    }
}

#[tokio::test]
async fn cat_158_a_proof_for_another_purpose() {
    let issuer = Party::issuer();
    let document = credential(&issuer, &Party::holder());
    let wrong = issuer.prove(&document, ProofPurpose::Authentication).await;
    assert_eq!(code(verify(&wrong).await), "proof_purpose");
    let renamed = with_proof(&wrong, "proofPurpose", json!("assertionMethod"));
    assert_eq!(code(verify(&renamed).await), "proof_signature");
    let unknown = with_proof(&wrong, "proofPurpose", json!("keyAgreement"));
    assert_eq!(code(verify(&unknown).await), "proof_purpose");
}

#[tokio::test]
async fn cat_166_the_proof_value_has_one_text() {
    let secured = secured().await;
    let value = secured["proof"]["proofValue"].as_str().unwrap();
    for bad in [
        value[1..].to_owned(),
        format!("u{}", &value[1..]),
        format!("z1{}", &value[1..]),
        format!("{value}1"),
        value[..value.len() - 2].to_owned(),
        format!("{value} "),
        value.replace('z', "l"),
        "z".to_owned(),
        String::new(),
    ] {
        let document = with_proof(&secured, "proofValue", json!(bad));
        assert_eq!(code(verify(&document).await), "proof_value", "{bad}");
    }
    for bad in [json!(null), json!([value]), json!(7)] {
        let document = with_proof(&secured, "proofValue", bad);
        assert_eq!(code(verify(&document).await), "proof_malformed");
    }
}

#[tokio::test]
async fn a_proof_of_malformed_properties() {
    let secured = secured().await;
    for (name, value, expected) in [
        ("type", json!("Ed25519Signature2020"), "proof_type"),
        ("type", json!(["DataIntegrityProof"]), "proof_malformed"),
        ("cryptosuite", json!("eddsa-jcs-2021"), "proof_cryptosuite"),
        ("cryptosuite", json!("ecdsa-jcs-2019"), "proof_key"),
        ("cryptosuite", json!(null), "proof_malformed"),
        ("verificationMethod", json!("no url"), "proof_malformed"),
        (
            "verificationMethod",
            json!({"id": "did:example:1#a"}),
            "proof_malformed",
        ),
        (
            "verificationMethod",
            json!("https://issuer.example/keys#1"),
            "verification_method_url",
        ),
        (
            "verificationMethod",
            json!("did:key:z6Mk"),
            "verification_method_url",
        ),
        (
            "verificationMethod",
            json!("did:unknown:1#a"),
            "verification_method_resolution",
        ),
        ("created", json!("2026-11-23"), "proof_malformed"),
        ("created", json!(null), "proof_malformed"),
        ("expires", json!("tomorrow"), "proof_malformed"),
        ("domain", json!([]), "proof_malformed"),
        ("domain", json!(["a", "a"]), "proof_malformed"),
        ("challenge", json!(1), "proof_malformed"),
        ("nonce", json!({}), "proof_malformed"),
        ("previousProof", json!([1]), "proof_malformed"),
        ("id", json!("not a url"), "vcdm_malformed"),
        (
            "@context",
            json!(["https://www.w3.org/ns/credentials/examples/v2"]),
            "proof_context",
        ),
        ("added", json!(1), "proof_signature"),
    ] {
        let document = with_proof(&secured, name, value.clone());
        assert_eq!(code(verify(&document).await), expected, "{name} {value}");
    }
    for name in [
        "cryptosuite",
        "verificationMethod",
        "proofPurpose",
        "proofValue",
    ] {
        let mut document = secured.clone();
        document["proof"]
            .as_object_mut()
            .unwrap()
            .shift_remove(name);
        assert_eq!(code(verify(&document).await), "proof_malformed", "{name}");
    }
    assert!(Proof::parse(&secured["proof"]).is_ok());
}

#[tokio::test]
async fn the_issuer_is_the_controller_of_the_key() {
    // What `ssi` does not ask: whether the key belongs to the issuer.
    let (issuer, other) = (Party::issuer(), Party::new(Algorithm::EdDsa, 7));
    let document = credential(&issuer, &Party::holder());
    let forged = other.issue(&document).await;
    assert_eq!(code(verify(&forged).await), "issuer_mismatch");
    let unbound = Policy {
        issuers: Issuers::DangerousUnbound,
        ..policy()
    };
    assert!(verify_by(&forged, &unbound, &LocalResolver).await.is_ok());
    // A countersignature beside the issuer's own proof is fine.
    let both = other.issue(&issuer.issue(&document).await).await;
    assert_eq!(both["proof"].as_array().unwrap().len(), 2);
    assert!(verify(&both).await.is_ok());
}

#[tokio::test]
async fn policy_who_what_when() {
    let secured = secured().await;
    let issuer = [Party::issuer().did];
    let nobody = ["did:example:1".to_owned()];
    let member = ["https://example.org/types#Member".to_owned()];
    let by = |policy: Policy<'static>| {
        let secured = secured.clone();
        async move { verify_by(&secured, &policy, &LocalResolver).await }
    };
    let only = |issuers: &[String]| {
        let ids = issuers.to_vec().leak();
        Policy {
            issuers: Issuers::Only(ids),
            ..policy()
        }
    };
    assert!(by(only(&issuer)).await.is_ok());
    assert_eq!(code(by(only(&nobody)).await), "issuer_untrusted");
    assert_eq!(code(by(only(&[])).await), "issuer_untrusted");
    let types = |types: &[String]| Policy {
        types: types.to_vec().leak(),
        ..policy()
    };
    assert!(by(types(&member)).await.is_ok());
    assert_eq!(code(by(types(&nobody)).await), "type_not_accepted");
    // validFrom 2026-01-01T00:00:00Z, created 2026-11-23T12:00:00Z, validUntil 2026-12-31T23:00:00Z.
    let at = |now: i64| Policy {
        now: UnixTime(now),
        ..policy()
    };
    assert!(by(at(NOW.0 - 60)).await.is_ok());
    assert_eq!(code(by(at(NOW.0 - 61)).await), "proof_created_in_future");
    assert!(by(at(1_798_758_000 + 60)).await.is_ok());
    assert_eq!(code(by(at(1_798_758_000 + 61)).await), "credential_expired");
}

#[tokio::test]
async fn a_credential_of_the_future() {
    let issuer = Party::issuer();
    let mut document = credential(&issuer, &Party::holder());
    document["validFrom"] = json!("2026-11-23T12:01:01Z");
    let secured = issuer.issue(&document).await;
    assert_eq!(code(verify(&secured).await), "credential_not_yet_valid");
    let later = Policy {
        now: NOW.plus(1),
        ..policy()
    };
    assert!(verify_by(&secured, &later, &LocalResolver).await.is_ok());
}

#[tokio::test]
async fn a_proof_that_expires() {
    let issuer = Party::issuer();
    let mut options = issuer.options(ProofPurpose::AssertionMethod);
    options.expires = Some(DateTimeStamp::from_time(NOW.plus(10)));
    let document = credential(&issuer, &Party::holder());
    let secured = issuer.prove_with(&document, &options).await;
    let at = |seconds: i64| Policy {
        now: NOW.plus(seconds),
        ..policy()
    };
    assert!(verify_by(&secured, &at(69), &LocalResolver).await.is_ok());
    let late = verify_by(&secured, &at(70), &LocalResolver).await;
    assert_eq!(code(late), "proof_expired");
}

/// What a test does to a document.
type Change = fn(&mut Value);

/// A document of `did:web:issuer.example` with the key of the fixture.
fn controlled(change: impl FnOnce(&mut Value)) -> (Party, Documents) {
    let mut issuer = Party::issuer();
    let key = issuer.did.strip_prefix("did:key:").unwrap().to_owned();
    issuer.did = "did:web:issuer.example".to_owned();
    issuer.method = format!("{}#key-1", issuer.did);
    let mut document = json!({
        "@context": ["https://www.w3.org/ns/did/v1"],
        "id": issuer.did,
        "verificationMethod": [{
            "id": issuer.method,
            "type": "Multikey",
            "controller": issuer.did,
            "publicKeyMultibase": key,
        }],
        "assertionMethod": [issuer.method],
    });
    change(&mut document);
    let documents = Documents([(issuer.did.clone(), document)].into());
    (issuer, documents)
}

#[tokio::test]
async fn cat_160_the_method_must_be_authorised_and_in_force() {
    let cases: [(Change, Option<(&str, &str)>); 9] = [
        (|_| {}, None),
        (
            |document| {
                let method = document["assertionMethod"].take();
                document["authentication"] = method;
                document
                    .as_object_mut()
                    .unwrap()
                    .shift_remove("assertionMethod");
            },
            Some((
                "verification_method_relationship",
                "INVALID_RELATIONSHIP_FOR_VERIFICATION_METHOD",
            )),
        ),
        (
            |document| document["assertionMethod"] = json!([]),
            Some((
                "verification_method_relationship",
                "INVALID_RELATIONSHIP_FOR_VERIFICATION_METHOD",
            )),
        ),
        (
            |document| document["verificationMethod"][0]["revoked"] = json!("2026-11-23T12:00:00Z"),
            Some(("verification_method_revoked", "INVALID_VERIFICATION_METHOD")),
        ),
        (
            |document| document["verificationMethod"][0]["expires"] = json!("2026-11-23T12:00:00Z"),
            Some(("verification_method_expired", "INVALID_VERIFICATION_METHOD")),
        ),
        (
            |document| document["verificationMethod"][0]["expires"] = json!("2026-11-23T12:00:01Z"),
            None,
        ),
        (
            |document| {
                document["verificationMethod"][0]["id"] = json!("did:web:issuer.example#key-2");
                document["assertionMethod"] = json!(["did:web:issuer.example#key-2"]);
            },
            Some(("verification_method_unknown", "INVALID_VERIFICATION_METHOD")),
        ),
        (
            |document| {
                document["verificationMethod"][0]["controller"] = json!("did:web:other.example")
            },
            Some((
                "verification_method_document",
                "INVALID_CONTROLLED_IDENTIFIER_DOCUMENT",
            )),
        ),
        (
            |document| document["verificationMethod"] = json!("none"),
            Some((
                "verification_method_resolution",
                "INVALID_CONTROLLED_IDENTIFIER_DOCUMENT",
            )),
        ),
    ];
    for (change, expected) in cases {
        let (issuer, documents) = controlled(change);
        let secured = issuer.issue(&credential(&issuer, &Party::holder())).await;
        let result = verify_by(&secured, &policy(), &documents).await;
        match expected {
            None => assert!(result.is_ok()),
            Some((code, problem)) => {
                let error = result.unwrap_err();
                assert_eq!((error.code(), error.problem().name()), (code, problem));
            }
        }
    }
}

#[tokio::test]
async fn cat_175_nothing_else_is_fetched() {
    // The resolver is the one port a credential without status has; it is asked for the issuer alone.
    struct Watched(std::sync::Mutex<Vec<String>>);
    #[async_trait::async_trait]
    impl crate::did::Resolver for Watched {
        async fn resolve(
            &self,
            did: &str,
            options: &crate::did::ResolutionOptions,
        ) -> crate::did::Resolution {
            self.0.lock().unwrap().push(did.to_owned());
            LocalResolver.resolve(did, options).await
        }
    }
    let issuer = Party::issuer();
    let mut document = credential(&issuer, &Party::holder());
    document["credentialSchema"] = json!({"id": "https://a.example/schema", "type": "JsonSchema"});
    document["termsOfUse"] = json!({"id": "https://b.example/terms", "type": "Terms"});
    document["evidence"] = json!({"id": "https://c.example/evidence", "type": "Evidence"});
    document["refreshService"] = json!({"id": "https://d.example/refresh", "type": "Refresh"});
    document["@context"] = json!([
        "https://www.w3.org/ns/credentials/v2",
        "https://e.example/context"
    ]);
    let secured = issuer.issue(&document).await;
    let watched = Watched(std::sync::Mutex::default());
    assert!(verify_by(&secured, &policy(), &watched).await.is_ok());
    assert_eq!(*watched.0.lock().unwrap(), [issuer.did]);
}

#[tokio::test]
async fn the_nonce_of_a_proof_is_read() {
    let proof = secured().await["proof"].clone();
    assert_eq!(Proof::parse(&proof).unwrap().nonce(), None);
    let mut with = proof;
    with["nonce"] = json!("n-1");
    assert_eq!(Proof::parse(&with).unwrap().nonce(), Some("n-1"));
}

#[tokio::test]
async fn proofs_and_their_values_are_bounded() {
    let secured = secured().await;
    let code = |document: &Value| Secured::parse(document).map(drop).map_err(|e| e.code());
    for (length, expected) in [(1_048_576, Ok(())), (1_048_577, Err("proof_malformed"))] {
        let long = with_proof(&secured, "proofValue", json!("z".repeat(length)));
        assert_eq!(code(&long), expected, "{length}");
    }
    for (count, expected) in [(16, Ok(())), (17, Err("proof_too_many"))] {
        let mut many = secured.clone();
        many["proof"] = json!(vec![secured["proof"].clone(); count]);
        assert_eq!(code(&many), expected, "{count}");
    }
    for (count, expected) in [(32, Ok(())), (33, Err("proof_malformed"))] {
        let names: Vec<_> = (0..count).map(|n| format!("v{n}.example")).collect();
        let many = with_proof(&secured, "domain", json!(names));
        assert_eq!(code(&many), expected, "{count}");
    }
}
