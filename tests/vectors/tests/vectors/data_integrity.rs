//! What the sets of Data Integrity have in common: proofs that sign a whole document, step by step.

use std::sync::Arc;

use serde_json::Value;
use vouchsafe_credentials::crypto::{Algorithm, Portable, SigningKey, sha256, sha384};
use vouchsafe_credentials::data_integrity::{
    Proof, ProofError, ProofOptions, ProofPurpose, SuiteSigner, Suites, add_proof,
};
use vouchsafe_credentials::did::Multikey;
use vouchsafe_credentials::jcs;
use vouchsafe_credentials::multibase::base58btc_decode;
use vouchsafe_credentials::testing::SeededRng;
use vouchsafe_credentials::vcdm::DateTimeStamp;
use vouchsafe_credentials_jsonld::contexts::Contexts;
use vouchsafe_credentials_jsonld::rdf::HashAlgorithm;
use vouchsafe_credentials_jsonld::rdfc::Transformation;
use vouchsafe_vectors::Run;

/// How documents become text.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Canonical {
    Rdfc,
    Jcs,
}

/// A folder with the steps of one proof.
pub struct Steps<'a> {
    pub folder: &'a str,
    /// What the names of its files end with.
    pub suffix: &'a str,
    /// The document that is signed.
    pub unsigned: &'a str,
    pub canonical: Canonical,
    pub algorithm: Algorithm,
    /// PKCS #8 of the key, where the set gives it.
    pub key: Option<SigningKey>,
}

pub fn transformation() -> Transformation {
    Transformation::new(Arc::new(Contexts::bundled()))
}

pub fn suites() -> Suites {
    vouchsafe_credentials_jsonld::suites(&transformation())
}

/// The bytes of a multibase key after its multicodec.
pub fn secret(multibase: &str, length: usize) -> Vec<u8> {
    base58btc_decode(multibase, length + 2).unwrap()[2..].to_vec()
}

pub fn ed25519(secret: &[u8]) -> SigningKey {
    let der = [
        hex::decode("302e020100300506032b657004220420")
            .unwrap()
            .as_slice(),
        secret,
    ]
    .concat();
    SigningKey::from_pkcs8_der(&der).unwrap()
}

pub fn json(run: &Run, file: &str) -> Value {
    serde_json::from_str(&run.text(file)).unwrap()
}

/// Checks one proof of a document that has no others.
pub fn check(document: &Value, proof: &Value) -> Result<(), ProofError> {
    let proof = Proof::parse(proof)?;
    let (_, key) = proof.verification_method().split_once('#').unwrap();
    let key = Multikey::decode(key).unwrap();
    let suites = suites();
    let suite = suites
        .get(proof.cryptosuite())
        .ok_or(ProofError::UnknownSuite)?;
    suite.verify(document, &proof, &key, &Portable)
}

pub fn options(proof: &Value) -> ProofOptions {
    let text = |name: &str| proof[name].as_str().map(str::to_owned);
    let mut options = ProofOptions::new(
        text("verificationMethod").unwrap(),
        ProofPurpose::AssertionMethod,
    );
    options.created = text("created").map(|created| DateTimeStamp::parse(&created).unwrap());
    options.id = text("id");
    options.previous = match &proof["previousProof"] {
        Value::Null => Vec::new(),
        Value::String(one) => vec![one.clone()],
        many => serde_json::from_value(many.clone()).unwrap(),
    };
    options
}

/// Every step of a folder: canonical texts, hashes, signature, secured document; then what must fail.
pub async fn whole(run: &Run, steps: &Steps<'_>) {
    let Steps {
        folder,
        suffix,
        unsigned,
        canonical,
        algorithm,
        key,
    } = steps;
    let file = |name: &str, kind: &str| format!("{folder}/{name}{suffix}.{kind}");
    let text = |name: &str| run.text(&file(name, "txt"));
    let hash = if *algorithm == Algorithm::Es384 {
        HashAlgorithm::Sha384
    } else {
        HashAlgorithm::Sha256
    };
    let canonicalize = |value: &Value| match canonical {
        Canonical::Rdfc => transformation().canonical(value, hash).unwrap(),
        Canonical::Jcs => jcs::canonicalize(value).unwrap(),
    };
    let digest = |text: &str| match hash {
        HashAlgorithm::Sha256 => hex::encode(sha256(text.as_bytes())),
        HashAlgorithm::Sha384 => hex::encode(sha384(text.as_bytes())),
    };
    let document = json(run, unsigned);
    let configuration = json(run, &file("proofConfig", "json"));
    let canonical_document = canonicalize(&document);
    let canonical_proof = canonicalize(&configuration);
    run.step(
        folder,
        canonical_document.trim_end(),
        text("canonDoc").trim_end(),
    );
    run.step(
        folder,
        canonical_proof.trim_end(),
        text("proofCanon").trim_end(),
    );
    let (proof_hash, document_hash) = (digest(&canonical_proof), digest(&canonical_document));
    run.step(folder, document_hash.as_str(), text("docHash").trim_end());
    run.step(folder, proof_hash.as_str(), text("proofHash").trim_end());
    run.step(
        folder,
        format!("{proof_hash}{document_hash}"),
        text("combinedHash").trim_end().to_owned(),
    );

    let mut secured = json(run, &file("signed", "json"));
    let whole = secured.clone();
    let proof = secured
        .as_object_mut()
        .unwrap()
        .shift_remove("proof")
        .unwrap();
    let proof_value = text("sigBTC58");
    run.step(
        folder,
        proof["proofValue"].as_str().unwrap(),
        proof_value.trim_end(),
    );
    let length = if hash == HashAlgorithm::Sha384 {
        96
    } else {
        64
    };
    let signature = base58btc_decode(proof_value.trim_end(), length).unwrap();
    run.step(
        folder,
        hex::encode(signature),
        text("sigHex").trim_end().to_owned(),
    );
    run.step(folder, check(&secured, &proof).is_ok(), true);
    if let Some(key) = key {
        let suites = suites();
        let suite = suites.get(proof["cryptosuite"].as_str().unwrap()).unwrap();
        let (proof_options, rng) = (options(&proof), SeededRng::new(1));
        let made = add_proof(
            &document,
            &proof_options,
            suite,
            SuiteSigner::Signature(key),
            &rng,
        );
        run.step(folder, made.await.unwrap(), whole.clone());
    }
    twins(&secured, &proof);
}

/// The negative twins: any text of the document or the proof altered is refused.
pub fn twins(document: &Value, proof: &Value) {
    let mut count = 0;
    each_text(document, &mut |altered| {
        assert!(check(&altered, proof).is_err(), "{altered}");
        count += 1;
    });
    each_text(proof, &mut |altered| {
        // The key is found by this member; another one has its own test.
        if altered["verificationMethod"] == proof["verificationMethod"] {
            assert!(check(document, &altered).is_err(), "{altered}");
            count += 1;
        }
    });
    assert!(count > 10);
}

/// Calls with a copy for each text, that text altered by one character.
fn each_text(value: &Value, call: &mut dyn FnMut(Value)) {
    fn paths(value: &Value, at: &str, out: &mut Vec<String>) {
        match value {
            Value::Object(map) => map.iter().for_each(|(key, item)| {
                paths(
                    item,
                    &format!("{at}/{}", key.replace('~', "~0").replace('/', "~1")),
                    out,
                );
            }),
            Value::Array(items) => items.iter().enumerate().for_each(|(index, item)| {
                paths(item, &format!("{at}/{index}"), out);
            }),
            _ => out.push(at.to_owned()),
        }
    }
    let mut all = Vec::new();
    paths(value, "", &mut all);
    for at in all {
        let mut altered = value.clone();
        let place = altered.pointer_mut(&at).unwrap();
        let mut text = place.as_str().unwrap_or_default().to_owned();
        let last = text.pop();
        text.push(if last == Some('q') { 'r' } else { 'q' });
        *place = Value::String(text);
        call(altered);
    }
}
