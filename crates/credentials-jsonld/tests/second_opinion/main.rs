//! Both ways with `ssi` 0.16 (feature `ssi`), and how much faster we are in the same run.
#![cfg(feature = "ssi")]

mod hazards;

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use vouchsafe_credentials::crypto::{Algorithm, Portable, PublicKey, Signer as _, SigningKey};
use vouchsafe_credentials::data_integrity::{
    Proof, ProofOptions, ProofPurpose, SuiteSigner, Suites, add_proof,
};
use vouchsafe_credentials::did;
use vouchsafe_credentials::did::Multikey;
use vouchsafe_credentials::testing::SeededRng;
use vouchsafe_credentials_jsonld::contexts::Contexts;
use vouchsafe_credentials_jsonld::rdfc::Transformation;
use vouchsafe_credentials_jsonld::second_opinion::{self, SecondOpinionError};
use vouchsafe_credentials_jsonld::suites;

fn credential() -> Value {
    json!({
        "@context": ["https://www.w3.org/ns/credentials/v2", "https://www.w3.org/ns/credentials/examples/v2"],
        "type": ["VerifiableCredential", "AlumniCredential"],
        "issuer": {"id": "did:example:issuer", "name": "University"},
        "validFrom": "2023-01-01T00:00:00Z",
        "credentialSubject": {
            "givenName": "Erika", "familyName": "Mustermann", "birthDate": "1984-01-26",
            "alumniOf": {"name": "The School of Examples", "degree": {"type": "Degree", "name": "Bachelor"}},
        },
    })
}

fn table() -> Suites {
    suites(&Transformation::new(Arc::new(Contexts::bundled())))
}

fn verify_ours(suites: &Suites, secured: &Value) -> bool {
    let mut document = secured.clone();
    let proof = document
        .as_object_mut()
        .expect("object")
        .shift_remove("proof")
        .expect("proof");
    let proof = Proof::parse(&proof).expect("proof");
    let (_, key) = proof
        .verification_method()
        .split_once('#')
        .expect("fragment");
    let key = Multikey::decode(key).expect("multikey");
    let suite = suites.get(proof.cryptosuite()).expect("suite");
    suite.verify(&document, &proof, &key, &Portable).is_ok()
}

async fn issue_ours(suites: &Suites, key: &SigningKey, suite: &str) -> Value {
    let multibase = did::key::encode_multibase(key.public_key());
    let method = format!("did:key:{multibase}#{multibase}");
    let options = ProofOptions::new(method, ProofPurpose::AssertionMethod);
    let suite = suites.get(suite).expect("suite");
    let rng = SeededRng::new(1);
    let unsigned = credential();
    let made = add_proof(
        &unsigned,
        &options,
        suite,
        SuiteSigner::Signature(key),
        &rng,
    );
    made.await.expect("issued")
}

/// Private keys of RFC 8037 (A.1), RFC 7515 (A.3) and of ssi's own tests.
fn keys() -> [(&'static str, Value); 2] {
    [
        (
            "eddsa-rdfc-2022",
            json!({"kty": "OKP", "crv": "Ed25519",
            "d": "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}),
        ),
        (
            "ecdsa-rdfc-2019",
            json!({"kty": "EC", "crv": "P-256",
            "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
            "d": "jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"}),
        ),
    ]
}

fn method_of(jwk: &Value) -> String {
    let mut public = jwk.clone();
    public.as_object_mut().expect("object").shift_remove("d");
    let multibase = did::key::encode_multibase(&PublicKey::from_jwk(&public).expect("key"));
    format!("did:key:{multibase}#{multibase}")
}

#[tokio::test]
async fn ssi_verifies_what_we_issue() {
    let suites = table();
    for (algorithm, suite) in [
        (Algorithm::EdDsa, "eddsa-rdfc-2022"),
        (Algorithm::Es256, "ecdsa-rdfc-2019"),
    ] {
        let key = SigningKey::generate(algorithm, &SeededRng::new(7));
        let issued = issue_ours(&suites, &key, suite).await;
        assert_eq!(
            second_opinion::verify(&issued).await,
            Ok(()),
            "{algorithm:?}"
        );
        let mut altered = issued;
        altered["credentialSubject"]["givenName"] = json!("Max");
        let verdict = second_opinion::verify(&altered).await;
        assert_eq!(verdict, Err(SecondOpinionError::Refused), "{algorithm:?}");
    }
}

#[tokio::test]
async fn nothing_is_asked_about_p384() {
    let key = SigningKey::generate(Algorithm::Es384, &SeededRng::new(7));
    let issued = issue_ours(&table(), &key, "ecdsa-rdfc-2019").await;
    let verdict = second_opinion::verify(&issued).await;
    assert_eq!(verdict, Err(SecondOpinionError::Unsupported));
}

#[tokio::test]
async fn we_verify_what_ssi_issues() {
    let suites = table();
    for (suite, jwk) in keys() {
        let issued = second_opinion::issue(&credential(), &jwk, &method_of(&jwk), suite).await;
        let mut issued = issued.expect("issued");
        assert!(verify_ours(&suites, &issued), "{suite}: {issued}");
        issued["credentialSubject"]["givenName"] = json!("Max");
        assert!(!verify_ours(&suites, &issued), "{suite}");
    }
}

#[tokio::test]
async fn cat_175_ssi_is_not_asked_where_it_would_use_the_network() {
    let mut secured = credential();
    for (suite, method) in [
        ("eddsa-rdfc-2022", "did:web:127.0.0.1%3A1#key"),
        ("eddsa-rdfc-2022", "https://example.com/key"),
        ("bbs-2023", "did:key:x#x"),
        ("ecdsa-sd-2023", "did:key:x#x"),
    ] {
        secured["proof"] = json!({"type": "DataIntegrityProof", "cryptosuite": suite,
            "verificationMethod": method, "proofPurpose": "assertionMethod", "proofValue": "z1"});
        let verdict = second_opinion::verify(&secured).await;
        assert_eq!(
            verdict,
            Err(SecondOpinionError::Unsupported),
            "{suite} {method}"
        );
    }
}

/// Median time of an operation in slices that take turns with others.
struct Timing {
    slices: Vec<Duration>,
}

impl Timing {
    fn new() -> Self {
        Self { slices: Vec::new() }
    }

    async fn slice<F: AsyncFn()>(&mut self, rounds: u32, operation: F) {
        let start = Instant::now();
        for _ in 0..rounds {
            operation().await;
        }
        self.slices.push(start.elapsed() / rounds);
    }

    fn median(&mut self) -> Duration {
        self.slices.sort_unstable();
        self.slices[self.slices.len() / 2]
    }
}

#[tokio::test]
async fn eddsa_rdfc_is_at_least_twice_as_fast_as_ssi() {
    let suites = table();
    let key = SigningKey::generate(Algorithm::EdDsa, &SeededRng::new(7));
    let issued = issue_ours(&suites, &key, "eddsa-rdfc-2022").await;
    let (suite, jwk) = &keys()[0];
    let method = method_of(jwk);
    let unsigned = credential();
    let [mut issue, mut verify, mut their_issue, mut their_verify] =
        [(); 4].map(|()| Timing::new());
    for _ in 0..7 {
        issue
            .slice(200, async || drop(issue_ours(&suites, &key, suite).await))
            .await;
        verify
            .slice(200, async || assert!(verify_ours(&suites, &issued)))
            .await;
        let theirs = async || drop(second_opinion::issue(&unsigned, jwk, &method, suite).await);
        their_issue.slice(10, theirs).await;
        let theirs = async || assert!(second_opinion::verify(&issued).await.is_ok());
        their_verify.slice(10, theirs).await;
    }
    let [issue, verify, their_issue, their_verify] = [
        issue.median(),
        verify.median(),
        their_issue.median(),
        their_verify.median(),
    ];
    println!(
        "eddsa-rdfc-2022 issue {issue:?}, ssi {their_issue:?}; verify {verify:?}, ssi {their_verify:?}"
    );
    assert!(their_issue >= 2 * issue && their_verify >= 2 * verify);
}
