//! A derived proof is bound to the presentation header that its verifier gave out, or anybody shows it again.

#![expect(
    clippy::tests_outside_test_module,
    reason = "all of this binary is tests"
)]

use std::sync::Arc;

use serde_json::{Value, json};
use vouchsafe_credentials::crypto::{Algorithm, Multikey, Portable, Signer, SigningKey};
use vouchsafe_credentials::data_integrity::{
    DeriveOptions, ProofOptions, ProofPurpose, Secured, SuiteSigner, Suites, add_proof,
    verify_credential, verify_presentation,
};
use vouchsafe_credentials::did::{LocalResolver, key};
use vouchsafe_credentials::testing::SeededRng;
use vouchsafe_credentials::time::UnixTime;
use vouchsafe_credentials::vc_jose_cose::{self, KeySource};
use vouchsafe_credentials::vcdm::{
    Binding, EmptyPresentation, EnvelopeType, Enveloped, HolderPolicy, Issuers, Policy,
    PresentationHeader, PresentationPolicy, StatusPolicy,
};
use vouchsafe_credentials_jsonld::bbs::SecretKey;
use vouchsafe_credentials_jsonld::contexts::Contexts;
use vouchsafe_credentials_jsonld::rdfc::Transformation;

const NOW: UnixTime = UnixTime(1_795_435_200);

fn suites() -> Suites {
    let contexts = Arc::new(Contexts::bundled());
    vouchsafe_credentials_jsonld::suites(&Transformation::new(contexts))
}

fn credential(issuer: &str) -> Value {
    json!({"@context": ["https://www.w3.org/ns/credentials/v2",
            "https://www.w3.org/ns/credentials/undefined-terms/v2"],
        "type": ["VerifiableCredential"], "issuer": issuer,
        "credentialSubject": {"name": "Ada", "over18": true}})
}

fn options(multikey: &str) -> ProofOptions {
    let method = format!("did:key:{multikey}#{multikey}");
    ProofOptions::new(method, ProofPurpose::AssertionMethod)
}

/// A credential with a base proof.
async fn issued(rng: &SeededRng) -> Value {
    let key = SecretKey::generate(rng);
    let multikey = Multikey::Bls12381G2(*key.public_key_bytes()).encode();
    let suites = suites();
    let suite = suites.get("bbs-2023").expect("suite");
    let credential = credential(&format!("did:key:{multikey}"));
    add_proof(
        &credential,
        &options(&multikey),
        suite,
        SuiteSigner::Bbs(&key),
        rng,
    )
    .await
    .expect("signs")
}

fn derived(base: &Value, header: &[u8], rng: &SeededRng) -> Value {
    let Secured { document, proofs } = Secured::parse(base).expect("secured");
    let suites = suites();
    let suite = suites.get("bbs-2023").expect("suite");
    let wanted = DeriveOptions {
        selective_pointers: vec!["/credentialSubject/over18".to_owned()],
        presentation_header: header.to_vec(),
    };
    suite
        .derive(&document, &proofs[0], &wanted, rng)
        .expect("derives")
}

fn policy(header: PresentationHeader<'_>) -> Policy<'_> {
    let mut policy = Policy::new(Issuers::AnyResolvable, NOW, StatusPolicy::Unchecked);
    policy.presentation_header = header;
    policy
}

async fn verdict(shown: &Value, header: PresentationHeader<'_>) -> Result<(), &'static str> {
    let policy = policy(header);
    let result = verify_credential(shown, &suites(), &policy, &LocalResolver, &Portable).await;
    result.map(drop).map_err(|error| error.code())
}

const HEADER: Result<(), &str> = Err("proof_presentation_header");

#[tokio::test]
async fn cat_161_a_proof_for_another_presentation_header_is_refused() {
    let rng = SeededRng::new(4);
    let base = issued(&rng).await;
    let shown = derived(&base, b"for you, now", &rng);
    let expected = |header| verdict(&shown, PresentationHeader::Expected(header));
    assert_eq!(expected(b"for you, now").await, Ok(()));
    for other in [&b""[..], b"for you, no", b"for you, now ", b"for another"] {
        assert_eq!(expected(other).await, HEADER);
    }
    assert_eq!(verdict(&shown, PresentationHeader::Unchecked).await, Ok(()));

    // Without one, where one was given out.
    let bare = derived(&base, b"", &rng);
    let fresh = PresentationHeader::Expected(b"for you, now");
    assert_eq!(verdict(&bare, fresh).await, HEADER);
    assert_eq!(
        verdict(&bare, PresentationHeader::Expected(b"")).await,
        Ok(())
    );
    // A base proof is no derived one, with or without.
    assert_eq!(verdict(&base, fresh).await, Err("proof_base"));
}

/// Other kinds of proof have no header: who asks for one does not take them.
#[tokio::test]
async fn cat_161_a_proof_without_a_presentation_header_is_refused() {
    let rng = SeededRng::new(5);
    let issuer = SigningKey::generate(Algorithm::EdDsa, &rng);
    let multikey = key::encode_multibase(issuer.public_key());
    let did = key::encode(issuer.public_key());
    let suites = suites();
    for name in ["eddsa-jcs-2022", "eddsa-rdfc-2022"] {
        let suite = suites.get(name).expect("suite");
        let signer = SuiteSigner::Signature(&issuer);
        let secured = add_proof(&credential(&did), &options(&multikey), suite, signer, &rng).await;
        let secured = secured.expect("signs");
        assert_eq!(
            verdict(&secured, PresentationHeader::Unchecked).await,
            Ok(())
        );
        assert_eq!(
            verdict(&secured, PresentationHeader::Expected(b"x")).await,
            HEADER
        );
        assert_eq!(
            verdict(&secured, PresentationHeader::Expected(b"")).await,
            HEADER
        );
    }
    let kid = format!("{did}#{multikey}");
    let jwt = vc_jose_cose::issue_jwt(&credential(&did), EnvelopeType::VcJwt, &kid, &issuer).await;
    let envelope = Enveloped::new(EnvelopeType::VcJwt, jwt.expect("signs"));
    for (header, accepted) in [
        (PresentationHeader::Unchecked, true),
        (PresentationHeader::Expected(b"x"), false),
    ] {
        let keys = KeySource::Resolver(&LocalResolver);
        let policy = policy(header);
        let result =
            vc_jose_cose::verify_credential(&envelope, keys, &suites, &policy, &Portable).await;
        assert_eq!(result.is_ok(), accepted);
    }
}

#[tokio::test]
async fn cat_161_credentials_of_a_presentation_are_bound_to_the_header() {
    let rng = SeededRng::new(6);
    let base = issued(&rng).await;
    let holder = SigningKey::generate(Algorithm::EdDsa, &rng);
    let multikey = key::encode_multibase(holder.public_key());
    let suites = suites();
    for (header, code) in [
        (&b"fresh"[..], None),
        (b"stale", Some("proof_presentation_header")),
    ] {
        let presentation = json!({"@context": ["https://www.w3.org/ns/credentials/v2"],
            "type": "VerifiablePresentation", "holder": key::encode(holder.public_key()),
            "verifiableCredential": [derived(&base, header, &rng)]});
        let mut options = options(&multikey);
        options.purpose = ProofPurpose::Authentication;
        options.challenge = Some("c".to_owned());
        let suite = suites.get("eddsa-rdfc-2022").expect("suite");
        let signer = SuiteSigner::Signature(&holder);
        let presented = add_proof(&presentation, &options, suite, signer, &rng).await;
        let policy = PresentationPolicy {
            credentials: policy(PresentationHeader::Expected(b"fresh")),
            challenge: Binding::Expected("c"),
            domain: Binding::Unchecked,
            holder: HolderPolicy::Any,
            empty: EmptyPresentation::Refused,
        };
        let presented = presented.expect("signs");
        let result =
            verify_presentation(&presented, &suites, &policy, &LocalResolver, &Portable).await;
        assert_eq!(result.err().map(|error| error.code()), code);
    }
}

/// A suite without the header does not pretend to have bound a proof.
#[tokio::test]
async fn a_header_that_a_suite_has_no_place_for_is_refused() {
    let rng = SeededRng::new(7);
    let issuer = SigningKey::generate(Algorithm::Es256, &rng);
    let multikey = key::encode_multibase(issuer.public_key());
    let suites = suites();
    let suite = suites.get("ecdsa-sd-2023").expect("suite");
    let signer = SuiteSigner::Signature(&issuer);
    let credential = credential(&key::encode(issuer.public_key()));
    let base = add_proof(&credential, &options(&multikey), suite, signer, &rng).await;
    let Secured { document, proofs } = Secured::parse(&base.expect("signs")).expect("secured");
    let mut wanted = DeriveOptions {
        selective_pointers: vec!["/credentialSubject/over18".to_owned()],
        presentation_header: Vec::new(),
    };
    assert!(suite.derive(&document, &proofs[0], &wanted, &rng).is_ok());
    wanted.presentation_header = b"x".to_vec();
    let error = suite.derive(&document, &proofs[0], &wanted, &rng);
    assert_eq!(error.expect_err("refused").code(), "proof_options");
}
