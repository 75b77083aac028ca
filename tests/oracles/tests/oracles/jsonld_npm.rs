//! JSON-LD, RDFC-1.0 and the rdfc cryptosuites, both ways with the packages of
//! Digital Bazaar (`tests/peers/data-integrity.mjs`).

use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::Arc;

use serde_json::{Value, json};
use vouchsafe_credentials::crypto::{Algorithm, Portable, Signer as _, SigningKey};
use vouchsafe_credentials::data_integrity::{
    Proof, ProofOptions, ProofPurpose, SuiteSigner, add_proof,
};
use vouchsafe_credentials::did;
use vouchsafe_credentials::did::Multikey;
use vouchsafe_credentials::random::Rng as _;
use vouchsafe_credentials::testing::SeededRng;
use vouchsafe_credentials_jsonld::contexts::{BUNDLED, Contexts};
use vouchsafe_credentials_jsonld::rdf::{HashAlgorithm, WorkLimits, canonicalize, parse_nquads};
use vouchsafe_credentials_jsonld::rdfc::Transformation;

use crate::jsonld_documents::{accepted, credentials, refused_by_both, refused_by_us};

/// Runs steps in their software. `None` when its packages are not installed;
/// with `VOUCHSAFE_PEERS=1` that is a failure.
pub(crate) fn run(steps: &[Value]) -> Option<Vec<Value>> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../peers");
    if !folder.join("node_modules/jsonld-signatures").is_dir() {
        let required = std::env::var("VOUCHSAFE_PEERS").is_ok_and(|value| value == "1");
        assert!(
            !required,
            "tests/peers/node_modules is missing: run `npm ci` in tests/peers"
        );
        println!("skipped: jsonld-signatures is not installed (npm ci in tests/peers)");
        return None;
    }
    let contexts: serde_json::Map<String, Value> = BUNDLED
        .iter()
        .map(|bundled| {
            (
                bundled.url.to_owned(),
                serde_json::from_str(bundled.text).unwrap(),
            )
        })
        .collect();
    let mut node = Command::new("node")
        .arg("data-integrity.mjs")
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("node starts");
    let request = json!({"contexts": contexts, "steps": steps}).to_string();
    node.stdin
        .take()
        .unwrap()
        .write_all(request.as_bytes())
        .unwrap();
    let output = node.wait_with_output().unwrap();
    assert!(output.status.success(), "data-integrity.mjs failed");
    Some(serde_json::from_slice(&output.stdout).unwrap())
}

pub(crate) fn transformation() -> Transformation {
    let mut transformation = Transformation::new(Arc::new(Contexts::bundled()));
    transformation.options.inline_contexts = true;
    transformation.options.any_form = true;
    transformation.options.inline_vocab = true;
    transformation.options.inline_directives = true;
    transformation
}

#[test]
fn the_same_canonical_form() {
    let documents: Vec<Value> = accepted().into_iter().chain(credentials()).collect();
    let steps: Vec<Value> = documents
        .iter()
        .map(|document| json!({"op": "canonize", "document": document}))
        .collect();
    let Some(answers) = run(&steps) else { return };
    for (document, answer) in documents.iter().zip(answers) {
        let ours = transformation().canonical(document, HashAlgorithm::Sha256);
        let ours = ours.unwrap_or_else(|error| panic!("{document}: {error:?}"));
        assert_eq!(
            answer["nquads"].as_str(),
            Some(ours.as_str()),
            "{document}\n{answer}"
        );
    }
    println!(
        "json-ld: {} documents have the same canonical form",
        documents.len()
    );
}

#[test]
fn cat_170_what_they_refuse_we_refuse() {
    let both = refused_by_both();
    let ours = refused_by_us();
    let steps: Vec<Value> = both
        .iter()
        .chain(&ours)
        .map(|document| json!({"op": "canonize", "document": document}))
        .collect();
    for document in both.iter().chain(&ours) {
        assert!(
            transformation()
                .canonical(document, HashAlgorithm::Sha256)
                .is_err(),
            "{document}"
        );
    }
    let Some(answers) = run(&steps) else { return };
    for (document, answer) in both.iter().zip(&answers) {
        assert!(answer["refused"].is_string(), "{document}: {answer}");
    }
    // Where they drop something or let it pass, and we do not.
    for (document, answer) in ours.iter().zip(&answers[both.len()..]) {
        assert!(answer["nquads"].is_string(), "{document}: {answer}");
    }
}

/// Small graphs with many symmetries.
fn graph(seed: u64) -> String {
    let rng = SeededRng::new(seed);
    let mut bytes = [0; 64];
    rng.fill(&mut bytes);
    let nodes = 2 + u64::from(bytes[0] % 5);
    let mut lines: Vec<String> = bytes[1..]
        .chunks_exact(4)
        .take(usize::from(3 + bytes[0] / 32))
        .map(|chunk| {
            let object = match chunk[2] % 4 {
                0 => format!("\"{}\"", chunk[1] % 2),
                _ => format!("_:n{}", u64::from(chunk[1]) % nodes),
            };
            let graph = match chunk[3] % 5 {
                0 => format!(" _:n{}", u64::from(chunk[3]) % nodes),
                1 => " <urn:g>".to_owned(),
                _ => String::new(),
            };
            format!(
                "_:n{} <urn:p{}> {object}{graph} .\n",
                u64::from(chunk[0]) % nodes,
                chunk[2] % 2
            )
        })
        .collect();
    lines.sort();
    lines.dedup();
    lines.concat()
}

#[test]
fn random_graphs_have_the_same_canonical_form() {
    let graphs: Vec<(String, &str)> = (0..400)
        .map(|seed| {
            (
                graph(seed),
                if seed % 2 == 0 { "SHA-256" } else { "SHA-384" },
            )
        })
        .collect();
    let steps: Vec<Value> = graphs
        .iter()
        .map(|(text, hash)| json!({"op": "nquads", "text": text, "hash": hash}))
        .collect();
    let Some(answers) = run(&steps) else { return };
    let mut compared = 0;
    for ((text, hash), answer) in graphs.iter().zip(answers) {
        let hash = if *hash == "SHA-256" {
            HashAlgorithm::Sha256
        } else {
            HashAlgorithm::Sha384
        };
        let quads = parse_nquads(text, 100).unwrap();
        let ours = canonicalize(&quads, hash, &WorkLimits::default()).unwrap();
        // Their default work limit refuses some that ours lets pass.
        if let Some(theirs) = answer["nquads"].as_str() {
            assert_eq!(theirs, ours.text(), "{text}");
            compared += 1;
        }
    }
    assert!(compared > 300, "{compared}");
    println!("rdfc: {compared} random graphs have the same canonical form");
}

const SUITES: [(&str, &str, Algorithm); 3] = [
    ("eddsa-rdfc-2022", "Ed25519", Algorithm::EdDsa),
    ("ecdsa-rdfc-2019", "P-256", Algorithm::Es256),
    ("ecdsa-rdfc-2019", "P-384", Algorithm::Es384),
];

#[test]
fn we_verify_what_they_issue() {
    let mut steps = Vec::new();
    for (suite, curve, _) in SUITES {
        for credential in credentials() {
            steps.push(
                json!({"op": "issue", "suite": suite, "curve": curve, "credential": credential}),
            );
        }
    }
    let Some(answers) = run(&steps) else { return };
    for answer in &answers {
        let mut document = answer["credential"].clone();
        assert!(document.is_object(), "{answer}");
        let proof = document
            .as_object_mut()
            .unwrap()
            .shift_remove("proof")
            .unwrap();
        let proof = Proof::parse(&proof).unwrap();
        let suites = vouchsafe_credentials_jsonld::suites(&transformation());
        let suite = suites.get(proof.cryptosuite()).unwrap();
        let (_, key) = proof.verification_method().split_once('#').unwrap();
        let key = Multikey::decode(key).unwrap();
        assert!(
            suite.verify(&document, &proof, &key, &Portable).is_ok(),
            "{answer}"
        );
        document["description"] = json!("altered");
        assert!(
            suite.verify(&document, &proof, &key, &Portable).is_err(),
            "{answer}"
        );
    }
}

/// A credential of ours and one that was altered afterwards.
pub(crate) async fn issue(suite: &str, algorithm: Algorithm, credential: &Value) -> (Value, Value) {
    let rng = SeededRng::new(3);
    let key = SigningKey::generate(algorithm, &rng);
    let multibase = did::key::encode_multibase(key.public_key());
    let method = format!("did:key:{multibase}#{multibase}");
    let suites = vouchsafe_credentials_jsonld::suites(&transformation());
    let options = ProofOptions::new(method, ProofPurpose::AssertionMethod);
    let suite = suites.get(suite).unwrap();
    let issued = add_proof(
        credential,
        &options,
        suite,
        SuiteSigner::Signature(&key),
        &rng,
    );
    let issued = issued.await.unwrap();
    let mut altered = issued.clone();
    altered["validUntil"] = json!("2090-01-01T00:00:00Z");
    (issued, altered)
}

#[tokio::test]
async fn they_verify_what_we_issue() {
    let mut steps = Vec::new();
    for (suite, _, algorithm) in SUITES {
        for credential in credentials() {
            let (issued, altered) = issue(suite, algorithm, &credential).await;
            steps.push(json!({"op": "verify", "suite": suite, "credential": issued}));
            steps.push(json!({"op": "verify", "suite": suite, "credential": altered}));
        }
    }
    let Some(answers) = run(&steps) else { return };
    for (step, pair) in steps.chunks(2).zip(answers.chunks(2)) {
        assert_eq!(pair[0], json!({"verified": true}), "{}", step[0]);
        assert!(pair[1]["refused"].is_string(), "{}", step[1]);
    }
}
