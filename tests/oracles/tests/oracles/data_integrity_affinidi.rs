//! The JCS cryptosuites against affinidi-data-integrity, both ways.

use affinidi_data_integrity::{DataIntegrityProof, DidKeyResolver, SignOptions, VerifyOptions};
use affinidi_secrets_resolver::secrets::Secret;
use serde_json::{Value, json};
use vouchsafe_credentials::crypto::{Algorithm, AwsLc, Portable, Signer as _, SigningKey};
use vouchsafe_credentials::data_integrity::{
    ProofOptions, ProofPurpose, SuiteSigner, Suites, add_proof, verify_credential,
};
use vouchsafe_credentials::did::{LocalResolver, key};
use vouchsafe_credentials::json;
use vouchsafe_credentials::testing::SeededRng;
use vouchsafe_credentials::time::UnixTime;
use vouchsafe_credentials::vcdm::{DateTimeStamp, Issuers, Policy, StatusPolicy, VerifyError};

/// Documents that canonicalizers like to disagree on.
fn documents(issuer: &str) -> Vec<Value> {
    let base = |subject: Value| {
        json!({
            "@context": ["https://www.w3.org/ns/credentials/v2"],
            "type": ["VerifiableCredential"],
            "issuer": issuer,
            "credentialSubject": subject,
        })
    };
    vec![
        base(json!({"name": "Ada"})),
        base(json!({"\u{20ac}": 1, "\r": 2, "\u{fb33}": 3, "1": 4, "\u{1f600}": 5, "\u{80}": 6})),
        base(json!({"text": "\u{0}\u{8}\t\n\u{c}\r\"\\/\u{1f}\u{7f}\u{2028}é"})),
        base(
            json!({"numbers": [0, -1, 42, 0.5, 1e21, 1e-7, 4.50, 9_007_199_254_740_991_i64, 333_333_333.333_333_3]}),
        ),
        base(
            json!([{"a": [[], {}, null, true, false]}, {"id": "did:example:1", "z": {"b": 1, "a": 2}}]),
        ),
    ]
}

fn verify(secured: &Value) -> impl Future<Output = Result<(), VerifyError>> {
    // Their clock is the system's, so any time after it will do here.
    let policy = Policy::new(
        Issuers::AnyResolvable,
        UnixTime(4_102_444_800),
        StatusPolicy::Unchecked,
    );
    async move {
        let suites = Suites::jcs();
        let portable =
            verify_credential(secured, &suites, &policy, &LocalResolver, &Portable).await;
        let server = verify_credential(secured, &suites, &policy, &LocalResolver, &AwsLc).await;
        assert_eq!(portable.is_ok(), server.is_ok());
        portable.map(|_| ())
    }
}

#[tokio::test]
async fn what_affinidi_signs_we_verify() {
    for mut secret in [
        Secret::generate_ed25519(None, Some(&[7; 32])),
        Secret::generate_p256(None, None).unwrap(),
    ] {
        let public = secret.get_public_keymultibase().unwrap();
        let did = format!("did:key:{public}");
        secret.id = format!("{did}#{public}");
        for document in documents(&did) {
            let options = SignOptions::new().with_proof_purpose("assertionMethod");
            let proof = DataIntegrityProof::sign(&document, &secret, options)
                .await
                .unwrap();
            let mut secured = document;
            secured["proof"] = serde_json::to_value(&proof).unwrap();
            // As it goes over the wire.
            let secured = json::parse_strict(secured.to_string().as_bytes()).unwrap();
            assert!(verify(&secured).await.is_ok(), "{secured}");
            let mut altered = secured.clone();
            altered["credentialSubject"] = json!({"name": "Eve"});
            assert!(verify(&altered).await.is_err());
        }
    }
}

#[tokio::test]
async fn what_we_sign_affinidi_verifies() {
    for (algorithm, suite) in [
        (Algorithm::EdDsa, "eddsa-jcs-2022"),
        (Algorithm::Es256, "ecdsa-jcs-2019"),
    ] {
        let signer = SigningKey::generate(algorithm, &SeededRng::new(3));
        let public = key::encode_multibase(signer.public_key());
        let did = format!("did:key:{public}");
        let mut options =
            ProofOptions::new(format!("{did}#{public}"), ProofPurpose::AssertionMethod);
        options.created = Some(DateTimeStamp::parse("2026-01-01T00:00:00Z").unwrap());
        let suites = Suites::jcs();
        let suite = suites.get(suite).unwrap();
        for document in documents(&did) {
            let signer = SuiteSigner::Signature(&signer);
            let mut secured = add_proof(&document, &options, suite, signer, &SeededRng::new(1))
                .await
                .unwrap();
            let proof = secured
                .as_object_mut()
                .unwrap()
                .shift_remove("proof")
                .unwrap();
            let proof: DataIntegrityProof = serde_json::from_value(proof).unwrap();
            let verified = proof
                .verify(&secured, &DidKeyResolver, VerifyOptions::new())
                .await;
            assert!(verified.is_ok(), "{verified:?}: {secured}");
            secured["credentialSubject"] = json!({"name": "Eve"});
            let refused = proof
                .verify(&secured, &DidKeyResolver, VerifyOptions::new())
                .await;
            assert!(refused.is_err());
        }
    }
}
