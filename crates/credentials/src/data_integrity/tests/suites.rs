//! The table of suites, and the rules of the JCS suites.

use serde_json::{Value, json};

use crate::crypto::{Algorithm, Portable};
use crate::data_integrity::{DeriveOptions, Proof, ProofError, ProofPurpose, SuiteSigner, Suites};
use crate::did::Multikey;
use crate::testing::SeededRng;
use crate::vcdm::fixtures::{Party, code, credential, policy, verify, verify_by};

#[tokio::test]
async fn only_suites_that_the_caller_allows() {
    let issuer = Party::issuer();
    let secured = issuer.issue(&credential(&issuer, &Party::holder())).await;
    let verify = |suites: Suites| {
        let secured = secured.clone();
        async move {
            let resolver = crate::did::LocalResolver;
            crate::data_integrity::verify_credential(
                &secured,
                &suites,
                &policy(),
                &resolver,
                &Portable,
            )
            .await
        }
    };
    assert!(verify(Suites::jcs()).await.is_ok());
    assert_eq!(code(verify(Suites::new()).await), "proof_cryptosuite");
    let ecdsa = Suites::new().with(crate::data_integrity::EcdsaJcs2019);
    assert_eq!(code(verify(ecdsa).await), "proof_cryptosuite");
    let names: Vec<_> = Suites::jcs().names().collect();
    assert_eq!(names, ["ecdsa-jcs-2019", "eddsa-jcs-2022"]);
}

#[tokio::test]
async fn cat_176_the_context_of_the_document_is_that_of_the_proof() {
    let issuer = Party::issuer();
    let document = credential(&issuer, &Party::holder());
    let secured = issuer.issue(&document).await;
    // Entries at the end would be given on as if they were signed (Data Integrity ECDSA 1.0,
    // section 3.3.2, step 4, takes them away).
    for context in [
        json!([
            "https://www.w3.org/ns/credentials/v2",
            "https://example.org/more"
        ]),
        json!([
            "https://www.w3.org/ns/credentials/v2",
            {"isStudent": "https://example.org/isProfessor"}
        ]),
        json!([
            "https://www.w3.org/ns/credentials/v2",
            "https://example.org/more",
            1
        ]),
        json!([
            "https://example.org/more",
            "https://www.w3.org/ns/credentials/v2"
        ]),
    ] {
        let mut other = secured.clone();
        other["@context"] = context;
        assert!(verify(&other).await.is_err(), "{other}");
    }
    let mut own = secured.clone();
    own["proof"]["@context"] = json!([
        "https://www.w3.org/ns/credentials/v2",
        "https://example.org/more"
    ]);
    assert_eq!(code(verify(&own).await), "proof_context");
}

#[tokio::test]
async fn keys_of_other_types_and_operations_that_there_are_not() {
    let (issuer, other) = (Party::issuer(), Party::new(Algorithm::Es512, 4));
    let document = credential(&issuer, &Party::holder());
    let secured = issuer.issue(&document).await;
    let proof = Proof::parse(&secured["proof"]).unwrap();
    let suites = Suites::jcs();
    for name in ["eddsa-jcs-2022", "ecdsa-jcs-2019"] {
        let suite = suites.get(name).unwrap();
        for key in [
            Multikey::Signature(crate::crypto::Signer::public_key(&other.key).clone()),
            Multikey::X25519([9; 32]),
            Multikey::Bls12381G2([9; 96]),
        ] {
            let error = suite
                .verify(&document, &proof, &key, &Portable)
                .unwrap_err();
            assert!(matches!(error, ProofError::Key));
            let error = suite
                .verify_base(&document, &proof, &key, &Portable)
                .unwrap_err();
            assert_eq!(error.problem().name(), "PROOF_GENERATION_ERROR");
        }
        let derived = suite.derive(
            &document,
            &proof,
            &DeriveOptions::default(),
            &SeededRng::new(1),
        );
        assert!(matches!(derived, Err(ProofError::Unsupported)));
        let options = other.options(ProofPurpose::AssertionMethod);
        let signer = SuiteSigner::Signature(&other.key);
        let error = suite
            .create(&document, &options, signer, &SeededRng::new(1))
            .await;
        assert!(matches!(error, Err(ProofError::Key)));
    }
}

#[tokio::test]
async fn numbers_that_a_double_changes_cannot_be_signed() {
    let issuer = Party::issuer();
    let mut document = credential(&issuer, &Party::holder());
    let big: Value = serde_json::from_str("9007199254740993").unwrap();
    document["credentialSubject"]["account"] = big.clone();
    let suites = Suites::jcs();
    let suite = suites.get("eddsa-jcs-2022").unwrap();
    let options = issuer.options(ProofPurpose::AssertionMethod);
    let signer = SuiteSigner::Signature(&issuer.key);
    let error =
        crate::data_integrity::add_proof(&document, &options, suite, signer, &SeededRng::new(1))
            .await;
    assert_eq!(
        error.unwrap_err().problem().name(),
        "PROOF_TRANSFORMATION_ERROR"
    );
    document["credentialSubject"]["account"] = json!(9_007_199_254_740_992_u64);
    let mut secured = issuer.issue(&document).await;
    secured["credentialSubject"]["account"] = big;
    let refused = verify_by(&secured, &policy(), &crate::did::LocalResolver).await;
    assert_eq!(code(refused), "proof_transformation");
}
