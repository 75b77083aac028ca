//! `ecdsa-sd-2023` and `bbs-2023`, both ways with the packages of Digital
//! Bazaar (`tests/peers/selective-disclosure.mjs`), all with blank nodes.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::Arc;

use serde_json::{Value, json};
use vouchsafe_credentials::crypto::{Algorithm, Portable, Signer as _, SigningKey};
use vouchsafe_credentials::data_integrity::{
    Cryptosuite, DeriveOptions, Proof, ProofOptions, ProofPurpose, SuiteSigner, Suites, add_proof,
};
use vouchsafe_credentials::did::Multikey;
use vouchsafe_credentials::testing::SeededRng;
use vouchsafe_credentials_jsonld::bbs::SecretKey;
use vouchsafe_credentials_jsonld::contexts::{BUNDLED, Contexts};
use vouchsafe_credentials_jsonld::rdfc::Transformation;

const SUITES: [&str; 2] = ["ecdsa-sd-2023", "bbs-2023"];
/// What binds the BBS proofs, as text and as hex.
const HEADER: &[u8] = b"for you";
const HEADER_HEX: &str = "666f7220796f75";

/// Runs steps in their software. `None` when its packages are not installed;
/// with `VOUCHSAFE_PEERS=1` that is a failure.
fn run(steps: &[Value]) -> Option<Vec<Value>> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../peers");
    let package = "node_modules/@digitalbazaar/bbs-2023-cryptosuite";
    if !folder.join(package).is_dir() {
        let required = std::env::var("VOUCHSAFE_PEERS").is_ok_and(|value| value == "1");
        assert!(
            !required,
            "tests/peers/node_modules is missing: run `npm ci` in tests/peers"
        );
        println!("skipped: {package} is not installed (npm ci in tests/peers)");
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
        .arg("selective-disclosure.mjs")
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
    assert!(output.status.success(), "selective-disclosure.mjs failed");
    Some(serde_json::from_slice(&output.stdout).unwrap())
}

fn suites() -> Suites {
    vouchsafe_credentials_jsonld::suites(&Transformation::new(Arc::new(Contexts::bundled())))
}

/// Nodes in nodes without ids, two of one shape, a shared blank node, an array of nodes. No
/// ordered lists (their skolemization gives a list an id and then refuses the result) and no arrays of
/// one element (their compaction makes it no array, and pointers into it miss).
fn credential() -> Value {
    json!({
        "@context": [
            "https://www.w3.org/ns/credentials/v2",
            "https://www.w3.org/ns/credentials/undefined-terms/v2",
        ],
        "type": ["VerifiableCredential", "Sample"],
        "issuer": { "id": "did:example:issuer", "title": "Issuer" },
        "validFrom": "2026-01-01T00:00:00Z",
        "credentialSubject": {
            "name": "Ada \"the first\" \\ é",
            "homes": [
                { "type": "Home", "town": "Turin", "rooms": [{ "size": 12 }, { "size": 9.5 }] },
                { "type": "Home", "town": "Turin", "rooms": [{ "size": 12 }, { "size": 7 }] },
                { "town": "Lyon" },
            ],
            "pets": [{ "name": "Rex" }, { "name": "Rex" }],
            "friend": { "id": "_:b0", "name": "Bea" },
            "also": { "id": "_:b0", "age": 30 },
            "member": true,
        },
    })
}

/// Selections, every one of something about the subject.
fn selections() -> Vec<Vec<&'static str>> {
    vec![
        vec!["/credentialSubject/name"],
        vec!["/credentialSubject/homes/1/rooms/0/size"],
        vec![
            "/credentialSubject/homes/0/rooms/0",
            "/credentialSubject/homes/1/town",
        ],
        vec![
            "/credentialSubject/homes/2",
            "/credentialSubject/homes/0/town",
        ],
        vec!["/credentialSubject/homes", "/credentialSubject/member"],
        vec!["/credentialSubject/friend", "/credentialSubject/also"],
        vec!["/credentialSubject/pets/1/name"],
        vec!["/credentialSubject"],
    ]
}

/// Our credential with its base proof.
async fn issued(name: &str) -> Value {
    let rng = SeededRng::new(1);
    let (ecdsa, bbs) = (
        SigningKey::generate(Algorithm::Es256, &rng),
        SecretKey::generate(&rng),
    );
    let (key, signer) = match name {
        "bbs-2023" => (
            Multikey::Bls12381G2(*bbs.public_key_bytes()),
            SuiteSigner::Bbs(&bbs),
        ),
        _ => (
            Multikey::Signature(ecdsa.public_key().clone()),
            SuiteSigner::Signature(&ecdsa),
        ),
    };
    let key = key.encode();
    let method = format!("did:key:{key}#{key}");
    let mut options = ProofOptions::new(method, ProofPurpose::AssertionMethod);
    options.mandatory_pointers = vec!["/issuer".to_owned()];
    let suites = suites();
    add_proof(
        &credential(),
        &options,
        suites.get(name).unwrap(),
        signer,
        &rng,
    )
    .await
    .unwrap()
}

fn split(secured: &Value) -> (Value, Proof, Multikey) {
    let mut document = secured.clone();
    let proof = document
        .as_object_mut()
        .unwrap()
        .shift_remove("proof")
        .unwrap();
    let proof = Proof::parse(&proof).unwrap();
    let (_, key) = proof.verification_method().split_once('#').unwrap();
    let key = Multikey::decode(key).unwrap();
    (document, proof, key)
}

fn derive(suite: &dyn Cryptosuite, base: &Value, selective: &[&str]) -> Value {
    let (document, proof, key) = split(base);
    suite
        .verify_base(&document, &proof, &key, &Portable)
        .unwrap();
    let options = DeriveOptions {
        selective_pointers: selective.iter().map(|&text| text.to_owned()).collect(),
        presentation_header: match suite.name() {
            "bbs-2023" => HEADER.to_vec(),
            _ => Vec::new(),
        },
    };
    let rng = SeededRng::new(2);
    suite.derive(&document, &proof, &options, &rng).unwrap()
}

/// Ours accepts it, and nothing with another name for the issuer.
fn accepts(suite: &dyn Cryptosuite, derived: &Value) -> bool {
    let (mut document, proof, key) = split(derived);
    let good = suite.verify(&document, &proof, &key, &Portable).is_ok();
    document["issuer"]["title"] = "Another".into();
    good && suite.verify(&document, &proof, &key, &Portable).is_err()
}

fn step(op: &str, suite: &str, document: &Value, selective: &[&str]) -> Value {
    json!({ "op": op, "suite": suite, "document": document, "selective": selective, "header": HEADER_HEX })
}

/// Issued by us, derived by us or by them, verified by both.
#[tokio::test]
async fn they_verify_and_derive_what_we_issue() {
    let mut steps = Vec::new();
    for name in SUITES {
        let base = issued(name).await;
        for selective in selections() {
            let derived = derive(suites().get(name).unwrap(), &base, &selective);
            assert!(accepts(suites().get(name).unwrap(), &derived));
            let mut altered = derived.clone();
            altered["issuer"]["title"] = "Another".into();
            steps.push(step("verify", name, &derived, &[]));
            steps.push(step("verify", name, &altered, &[]));
            steps.push(step("derive", name, &base, &selective));
        }
    }
    let Some(answers) = run(&steps) else { return };
    for (steps, answers) in steps.chunks(3).zip(answers.chunks(3)) {
        let name = steps[2]["suite"].as_str().unwrap();
        let selective = &steps[2]["selective"];
        assert_eq!(
            answers[0]["verified"], true,
            "{name} {selective} {}",
            answers[0]
        );
        assert!(answers[1]["refused"].is_string(), "{name} {selective}");
        let theirs = &answers[2]["document"];
        assert!(theirs.is_object(), "{name} {selective} {}", answers[2]);
        assert!(
            accepts(suites().get(name).unwrap(), theirs),
            "{name} {selective}"
        );
    }
    println!(
        "selective disclosure: {} steps on what we issued",
        steps.len()
    );
}

/// Issued by them, derived by us or by them, verified by both.
#[tokio::test]
async fn we_verify_and_derive_what_they_issue() {
    let mandatory = ["/issuer", "/validFrom", "/credentialSubject/homes/0/town"];
    let issue = |name: &&str| json!({ "op": "issue", "suite": name, "document": credential(), "mandatory": mandatory });
    let steps: Vec<_> = SUITES.iter().map(issue).collect();
    let Some(issued) = run(&steps) else { return };
    let mut steps = Vec::new();
    for (name, issued) in SUITES.iter().zip(&issued) {
        let base = &issued["document"];
        assert!(base.is_object(), "{name} {issued}");
        for selective in selections() {
            let derived = derive(suites().get(name).unwrap(), base, &selective);
            assert!(
                accepts(suites().get(name).unwrap(), &derived),
                "{name} {selective:?}"
            );
            steps.push(step("verify", name, &derived, &[]));
            steps.push(step("derive", name, base, &selective));
        }
    }
    let answers = run(&steps).unwrap();
    for (steps, answers) in steps.chunks(2).zip(answers.chunks(2)) {
        let name = steps[1]["suite"].as_str().unwrap();
        let selective = &steps[1]["selective"];
        assert_eq!(
            answers[0]["verified"], true,
            "{name} {selective} {}",
            answers[0]
        );
        let theirs = &answers[1]["document"];
        assert!(theirs.is_object(), "{name} {selective} {}", answers[1]);
        assert!(
            accepts(suites().get(name).unwrap(), theirs),
            "{name} {selective}"
        );
    }
    println!(
        "selective disclosure: {} steps on what they issued",
        steps.len()
    );
}
