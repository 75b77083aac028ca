//! Proof sets and proof chains (Data Integrity 1.0, sections 4.5 and 4.6).

use serde_json::{Value, json};

use crate::crypto::Algorithm;
use crate::data_integrity::{ProofError, ProofPurpose, SuiteSigner, Suites, add_proof};
use crate::testing::SeededRng;
use crate::vcdm::fixtures::{Party, code, credential, verify};

/// A document with a proof of the issuer, and one of a notary that seals it.
async fn chain() -> (Value, Party) {
    let (issuer, notary) = (Party::issuer(), Party::new(Algorithm::Es256, 11));
    let mut first = issuer.options(ProofPurpose::AssertionMethod);
    first.id = Some("urn:uuid:first".to_owned());
    let document = credential(&issuer, &Party::holder());
    let document = issuer.prove_with(&document, &first).await;
    let mut second = notary.options(ProofPurpose::AssertionMethod);
    second.previous = vec!["urn:uuid:first".to_owned()];
    (notary.prove_with(&document, &second).await, notary)
}

#[tokio::test]
async fn cat_164_one_bad_proof_of_a_set() {
    let issuer = Party::issuer();
    let document = credential(&issuer, &Party::holder());
    let once = issuer.issue(&document).await;
    let set = Party::new(Algorithm::EdDsa, 5).issue(&once).await;
    assert!(verify(&set).await.is_ok());
    // Proofs of a set do not depend on each other.
    for alone in 0..2 {
        let mut one = set.clone();
        one["proof"] = set["proof"][alone].clone();
        let expected = if alone == 0 {
            Ok(())
        } else {
            Err("issuer_mismatch")
        };
        assert_eq!(
            verify(&one).await.map(|_| ()).map_err(|e| e.code()),
            expected
        );
    }
    for bad in 0..2 {
        let mut document = set.clone();
        let other = set["proof"][1 - bad]["proofValue"].clone();
        document["proof"][bad]["proofValue"] = other;
        assert_eq!(code(verify(&document).await), "proof_signature");
        let mut document = set.clone();
        document["proof"][bad]["cryptosuite"] = json!("unknown-2026");
        assert_eq!(code(verify(&document).await), "proof_cryptosuite");
    }
    let mut document = set.clone();
    document["proof"] = json!(vec![set["proof"][0].clone(); 17]);
    assert_eq!(code(verify(&document).await), "proof_too_many");
}

#[tokio::test]
async fn cat_164_chains_seal_what_they_name() {
    let (chain, _) = chain().await;
    assert!(verify(&chain).await.is_ok());
    // The seal covers the proof before it: a second, equally valid one does not take its place.
    let issuer = Party::issuer();
    let mut options = issuer.options(ProofPurpose::AssertionMethod);
    options.id = Some("urn:uuid:first".to_owned());
    options.nonce = Some("another".to_owned());
    let mut bare = chain.clone();
    bare.as_object_mut().unwrap().shift_remove("proof");
    let other = issuer.prove_with(&bare, &options).await;
    assert!(verify(&other).await.is_ok());
    let mut swapped = chain.clone();
    swapped["proof"][0] = other["proof"].clone();
    assert_eq!(code(verify(&swapped).await), "proof_signature");
    // Order in the list is free.
    let mut turned = chain.clone();
    turned["proof"].as_array_mut().unwrap().reverse();
    assert!(verify(&turned).await.is_ok());
}

#[tokio::test]
async fn cat_164_unknown_missing_own_and_double_previous_proofs() {
    let (chain, _) = chain().await;
    let change = |change: &dyn Fn(&mut Value)| {
        let mut document = chain.clone();
        change(&mut document["proof"]);
        document
    };
    for (document, expected) in [
        (
            change(&|proof| proof[1]["previousProof"] = json!("urn:uuid:unknown")),
            "proof_previous_unknown",
        ),
        (
            change(&|proof| {
                proof[1]["previousProof"] = json!(["urn:uuid:first", "urn:uuid:unknown"])
            }),
            "proof_previous_unknown",
        ),
        (
            change(&|proof| {
                proof.as_array_mut().unwrap().remove(0);
            }),
            "proof_previous_unknown",
        ),
        (
            change(&|proof| {
                proof[0].as_object_mut().unwrap().shift_remove("id");
            }),
            "proof_signature",
        ),
        (
            change(&|proof| {
                proof[1]
                    .as_object_mut()
                    .unwrap()
                    .shift_remove("previousProof");
            }),
            "proof_signature",
        ),
        (
            change(&|proof| {
                proof[1]["id"] = json!("urn:uuid:second");
                proof[1]["previousProof"] = json!("urn:uuid:second");
            }),
            "proof_previous_unknown",
        ),
        (
            change(&|proof| proof[1]["id"] = json!("urn:uuid:first")),
            "proof_duplicate_id",
        ),
        (
            change(&|proof| proof[0]["previousProof"] = json!("urn:uuid:first")),
            "proof_previous_unknown",
        ),
    ] {
        assert_eq!(code(verify(&document).await), expected);
    }
}

#[tokio::test]
async fn what_cannot_be_added() {
    let (chain, notary) = chain().await;
    let suites = Suites::jcs();
    let suite = suites.get("ecdsa-jcs-2019").unwrap();
    let options = notary.options(ProofPurpose::AssertionMethod);
    let signer = SuiteSigner::Signature(&notary.key);
    let rng = SeededRng::new(1);
    let mut unknown = options.clone();
    unknown.previous = vec!["urn:uuid:unknown".to_owned()];
    let error = add_proof(&chain, &unknown, suite, signer, &rng)
        .await
        .unwrap_err();
    assert_eq!(error.code(), "proof_previous_unknown");
    let mut taken = options.clone();
    taken.id = Some("urn:uuid:first".to_owned());
    let error = add_proof(&chain, &taken, suite, signer, &rng)
        .await
        .unwrap_err();
    assert_eq!(error.code(), "proof_duplicate_id");
    let mut pointers = options.clone();
    pointers.mandatory_pointers = vec!["/issuer".to_owned()];
    let error = add_proof(&chain, &pointers, suite, signer, &rng)
        .await
        .unwrap_err();
    assert_eq!(error.code(), "proof_options");
    let eddsa = suites.get("eddsa-jcs-2022").unwrap();
    let error = add_proof(&chain, &options, eddsa, signer, &rng)
        .await
        .unwrap_err();
    assert!(matches!(error, ProofError::Key));
    let error = add_proof(&json!([]), &options, suite, signer, &rng)
        .await
        .unwrap_err();
    assert!(matches!(error, ProofError::Document));
    let error = add_proof(&json!({"proof": []}), &options, suite, signer, &rng)
        .await
        .unwrap_err();
    assert!(matches!(error, ProofError::Missing));
}
