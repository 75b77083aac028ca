//! A proof covers statements. The same statements in another form must not pass, where the rules of
//! credentials, which read the JSON, would miss some of them.

#![expect(
    clippy::tests_outside_test_module,
    reason = "all of this binary is tests"
)]

use std::sync::Arc;

use serde_json::{Value, json};
use vouchsafe_credentials::crypto::{Algorithm, Portable, Signer, SigningKey};
use vouchsafe_credentials::data_integrity::{
    ProofOptions, ProofPurpose, SuiteSigner, Suites, add_proof, verify_credential,
    verify_presentation,
};
use vouchsafe_credentials::did::{LocalResolver, key};
use vouchsafe_credentials::testing::SeededRng;
use vouchsafe_credentials::time::UnixTime;
use vouchsafe_credentials::vcdm::{
    Binding, DateTimeStamp, EmptyPresentation, HolderPolicy, Issuers, Policy, PresentationPolicy,
    StatusPolicy,
};
use vouchsafe_credentials_jsonld::contexts::Contexts;
use vouchsafe_credentials_jsonld::jsonld::{Options, to_quads};
use vouchsafe_credentials_jsonld::rdf::{HashAlgorithm, WorkLimits, canonicalize};
use vouchsafe_credentials_jsonld::rdfc::Transformation;

const NOW: UnixTime = UnixTime(1_795_435_200);
const V2: &str = "https://www.w3.org/ns/credentials/v2";
const UNDEFINED: &str = "https://www.w3.org/ns/credentials/undefined-terms/v2";

/// The suites of every deployment, or those that take any form: the second lock alone.
fn suites(any_form: bool) -> Suites {
    let mut transformation = Transformation::new(Arc::new(Contexts::bundled()));
    transformation.options.any_form = any_form;
    vouchsafe_credentials_jsonld::suites(&transformation)
}

struct Party {
    key: SigningKey,
    did: String,
    method: String,
}

fn party(seed: u64) -> Party {
    let key = SigningKey::generate(Algorithm::EdDsa, &SeededRng::new(seed));
    let did = key::encode(key.public_key());
    let method = format!("{did}#{}", key::encode_multibase(key.public_key()));
    Party { key, did, method }
}

async fn sign(document: &Value, party: &Party, options: ProofOptions) -> Value {
    let suites = suites(false);
    let suite = suites.get("eddsa-rdfc-2022").expect("suite");
    let signer = SuiteSigner::Signature(&party.key);
    add_proof(document, &options, suite, signer, &SeededRng::new(5))
        .await
        .expect("signs")
}

fn policy() -> Policy<'static> {
    Policy::new(Issuers::AnyResolvable, NOW, StatusPolicy::Unchecked)
}

async fn verdict(credential: &Value, any_form: bool) -> Result<(), String> {
    verify_credential(
        credential,
        &suites(any_form),
        &policy(),
        &LocalResolver,
        &Portable,
    )
    .await
    .map(|_| ())
    .map_err(|error| error.code().to_owned())
}

/// What is signed, whatever its form.
fn statements(secured: &Value) -> String {
    let options = Options {
        any_form: true,
        ..Options::default()
    };
    let quads = to_quads(secured, &Contexts::bundled(), &options).expect("statements");
    canonicalize(&quads, HashAlgorithm::Sha256, &WorkLimits::default())
        .expect("small")
        .text()
}

/// Also where every form is let through, the JSON must say what was signed.
fn second_lock() -> Result<(), String> {
    Err("proof_statements".to_owned())
}

fn take(value: &mut Value, name: &str) -> Value {
    let members = value.as_object_mut().expect("object");
    members.shift_remove(name).expect("member")
}

fn credential(issuer: &Party) -> Value {
    json!({"@context": [V2, UNDEFINED], "type": ["VerifiableCredential", "LibraryCard"],
        "issuer": issuer.did, "credentialSubject": {"given": "Ada"}})
}

#[tokio::test]
async fn cat_176_no_other_form_of_a_credential_verifies() {
    let issuer = party(1);
    let mut document = credential(&issuer);
    document["validUntil"] = json!("2020-01-01T00:00:00Z");
    let options = ProofOptions::new(&issuer.method, ProofPurpose::AssertionMethod);
    let secured = sign(&document, &issuer, options).await;
    let expired = verdict(&secured, false).await.expect_err("expired");

    let mut nested = secured.clone();
    let until = take(&mut nested, "validUntil");
    let mut as_iri = nested.clone();
    nested["@nest"] = json!({"validUntil": until});
    as_iri["https://www.w3.org/2018/credentials#validUntil"] =
        json!({"@value": until, "@type": "http://www.w3.org/2001/XMLSchema#dateTime"});
    for changed in [nested, as_iri] {
        assert_eq!(statements(&changed), statements(&secured), "the proof fits");
        assert_eq!(verdict(&changed, true).await, second_lock());
        let refused = verdict(&changed, false).await.expect_err("refused");
        assert_ne!(refused, expired);
    }
}

/// The same with a context taken away: contexts are not signed, and claims would change their names.
#[tokio::test]
async fn cat_176_a_credential_does_not_verify_without_its_contexts() {
    let issuer = party(1);
    let mut document = credential(&issuer);
    document["credentialSubject"]["isProfessor"] = json!(false);
    let options = ProofOptions::new(&issuer.method, ProofPurpose::AssertionMethod);
    let secured = sign(&document, &issuer, options).await;
    assert_eq!(verdict(&secured, false).await, Ok(()));
    let term = |name: &str| format!("https://www.w3.org/ns/credentials/undefined-term#{name}");
    for context in [json!([V2]), json!([V2, UNDEFINED])] {
        let mut changed = secured.clone();
        changed["@context"] = context;
        changed["type"] = json!(["VerifiableCredential", term("LibraryCard")]);
        changed["credentialSubject"] = json!({term("given"): "Ada", term("isProfessor"): false});
        assert_eq!(statements(&changed), statements(&secured), "the proof fits");
        let refused = verdict(&changed, false).await;
        assert_eq!(refused, Err("proof_transformation".to_owned()));
    }
}

#[tokio::test]
async fn cat_176_no_other_form_of_a_proof_verifies() {
    let issuer = party(1);
    let mut options = ProofOptions::new(&issuer.method, ProofPurpose::AssertionMethod);
    options.expires = Some(DateTimeStamp::parse("2020-01-01T00:00:00Z").expect("time"));
    let secured = sign(&credential(&issuer), &issuer, options).await;
    assert!(verdict(&secured, false).await.is_err());

    let mut nested = secured.clone();
    let expires = take(&mut nested["proof"], "expires");
    let mut as_iri = nested.clone();
    nested["proof"]["@nest"] = json!({"expires": expires});
    as_iri["proof"]["https://w3id.org/security#expiration"] =
        json!({"@value": expires, "@type": "http://www.w3.org/2001/XMLSchema#dateTime"});
    for changed in [nested, as_iri] {
        assert_eq!(statements(&changed), statements(&secured), "the proof fits");
        assert_eq!(verdict(&changed, true).await, second_lock());
        assert!(verdict(&changed, false).await.is_err());
    }
}

#[tokio::test]
async fn cat_176_no_other_form_of_a_presentation_verifies() {
    let holder = party(3);
    let forged = json!({"@context": [V2], "type": ["VerifiableCredential"],
        "issuer": "did:web:government.example", "credentialSubject": {"id": holder.did, "name": "King"}});
    let plain = json!({"@context": [V2], "type": "VerifiablePresentation", "holder": holder.did,
        "verifiableCredential": [forged]});
    let mut options = ProofOptions::new(&holder.method, ProofPurpose::Authentication);
    options.challenge = Some("c".to_owned());
    let secured = sign(&plain, &holder, options).await;
    let mut nested = secured.clone();
    let credentials = take(&mut nested, "verifiableCredential");
    nested["@nest"] = json!({"verifiableCredential": credentials});
    let policy = PresentationPolicy {
        credentials: policy(),
        challenge: Binding::Expected("c"),
        domain: Binding::Unchecked,
        holder: HolderPolicy::Any,
        empty: EmptyPresentation::Allowed,
    };
    // Without the rules the credential that nobody signed is not looked at.
    assert_eq!(statements(&nested), statements(&secured), "the proof fits");
    for (document, any_form, code) in [
        (&secured, false, "proof_missing"),
        (&nested, true, "proof_statements"),
        (&nested, false, "proof_transformation"),
    ] {
        let suites = suites(any_form);
        let result =
            verify_presentation(document, &suites, &policy, &LocalResolver, &Portable).await;
        let error = result.expect_err("refused");
        assert_eq!(error.code(), code, "{document}");
    }
}

#[tokio::test]
async fn long_names_are_refused_before_they_are_multiplied() {
    let issuer = party(1);
    let values: Vec<String> = (0..1_000).map(|number| number.to_string()).collect();
    let mut document = credential(&issuer);
    document["credentialSubject"] = json!({"https://e.example/p": {
        "id": format!("urn:{}", "a".repeat(400_000)), "https://e.example/q": values}});
    document["proof"] = json!({"type": "DataIntegrityProof", "cryptosuite": "eddsa-rdfc-2022",
        "verificationMethod": issuer.method, "proofPurpose": "assertionMethod",
        "proofValue": format!("z{}", "1".repeat(64))});
    let start = std::time::Instant::now();
    assert!(verdict(&document, false).await.is_err());
    assert!(start.elapsed().as_secs() < 5, "{:?}", start.elapsed());
}
