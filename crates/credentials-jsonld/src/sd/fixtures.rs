//! Credentials and both suites for tests.

use std::sync::Arc;

use serde_json::{Value, json};
use tokio::runtime::Builder;
use vouchsafe_credentials::crypto::{Algorithm, Portable, Signer as _, SigningKey};
use vouchsafe_credentials::data_integrity::{
    Cryptosuite, DeriveOptions, Proof, ProofError, ProofOptions, ProofPurpose, SuiteSigner,
};
use vouchsafe_credentials::did::Multikey;
use vouchsafe_credentials::testing::SeededRng;

use crate::bbs::SecretKey;
use crate::bbs_2023::Bbs2023;
use crate::contexts::Contexts;
use crate::ecdsa_sd::EcdsaSd2023;
use crate::rdfc::Transformation;

/// A suite with the key of an issuer.
pub(crate) struct Party {
    pub(crate) suite: Box<dyn Cryptosuite>,
    key: Key,
    rng: SeededRng,
}

enum Key {
    P256(SigningKey),
    Bbs(SecretKey),
}

/// A document and its proof.
#[derive(Clone, Debug)]
pub(crate) struct Secured {
    pub(crate) document: Value,
    pub(crate) proof: Value,
}

impl Secured {
    fn split(mut secured: Value) -> Self {
        let proof = secured.as_object_mut().unwrap().shift_remove("proof");
        Self {
            document: secured,
            proof: proof.unwrap(),
        }
    }

    pub(crate) fn value(&self) -> &str {
        self.proof["proofValue"].as_str().unwrap()
    }

    pub(crate) fn with_value(&self, value: String) -> Self {
        let mut other = self.clone();
        other.proof["proofValue"] = value.into();
        other
    }
}

pub(crate) fn transformation() -> Transformation {
    Transformation::new(Arc::new(Contexts::bundled()))
}

/// One of each suite.
pub(crate) fn parties() -> [Party; 2] {
    [Party::ecdsa(), Party::bbs()]
}

impl Party {
    pub(crate) fn ecdsa() -> Self {
        let rng = SeededRng::new(1);
        Self {
            suite: Box::new(EcdsaSd2023::new(transformation())),
            key: Key::P256(SigningKey::generate(Algorithm::Es256, &rng)),
            rng,
        }
    }

    pub(crate) fn bbs() -> Self {
        let rng = SeededRng::new(2);
        Self {
            suite: Box::new(Bbs2023::new(transformation())),
            key: Key::Bbs(SecretKey::generate(&rng)),
            rng,
        }
    }

    pub(crate) fn public_key(&self) -> Multikey {
        match &self.key {
            Key::P256(key) => Multikey::Signature(key.public_key().clone()),
            Key::Bbs(key) => Multikey::Bls12381G2(*key.public_key_bytes()),
        }
    }

    pub(crate) fn issue(
        &self,
        document: &Value,
        mandatory: &[&str],
    ) -> Result<Secured, ProofError> {
        let signer = match &self.key {
            Key::P256(key) => SuiteSigner::Signature(key),
            Key::Bbs(key) => SuiteSigner::Bbs(key),
        };
        let mut options = ProofOptions::new("did:example:i#k", ProofPurpose::AssertionMethod);
        options.mandatory_pointers = mandatory.iter().map(|&text| text.to_owned()).collect();
        let create = self.suite.create(document, &options, signer, &self.rng);
        let runtime = Builder::new_current_thread().build().unwrap();
        let proof = runtime.block_on(create)?;
        Ok(Secured {
            document: document.clone(),
            proof: Value::Object(proof),
        })
    }

    pub(crate) fn derive(
        &self,
        base: &Secured,
        selective: &[String],
    ) -> Result<Secured, ProofError> {
        let options = DeriveOptions {
            selective_pointers: selective.to_vec(),
            // Only a proof of BBS has a place for it.
            presentation_header: match self.key {
                Key::P256(_) => Vec::new(),
                Key::Bbs(_) => b"to whom".to_vec(),
            },
        };
        let proof = Proof::parse(&base.proof).unwrap();
        let derived = self
            .suite
            .derive(&base.document, &proof, &options, &self.rng);
        derived.map(Secured::split)
    }

    pub(crate) fn verify(&self, secured: &Secured) -> Result<(), ProofError> {
        let proof = Proof::parse(&secured.proof).unwrap();
        let key = self.public_key();
        self.suite
            .verify(&secured.document, &proof, &key, &Portable)
    }

    pub(crate) fn verify_base(&self, secured: &Secured) -> Result<(), ProofError> {
        let proof = Proof::parse(&secured.proof).unwrap();
        let key = self.public_key();
        self.suite
            .verify_base(&secured.document, &proof, &key, &Portable)
    }
}

/// A credential about this subject; every term is defined by a context of the bundle.
pub(crate) fn credential(subject: &Value) -> Value {
    json!({
        "@context": [
            "https://www.w3.org/ns/credentials/v2",
            "https://www.w3.org/ns/credentials/undefined-terms/v2",
        ],
        "type": ["VerifiableCredential", "Sample"],
        "issuer": { "id": "did:example:i", "title": "Issuer" },
        "validFrom": "2026-01-01T00:00:00Z",
        "validUntil": "2027-01-01T00:00:00Z",
        "credentialStatus": {
            "type": "BitstringStatusListEntry",
            "statusPurpose": "revocation",
            "statusListIndex": "7",
            "statusListCredential": "https://status.example/1",
        },
        "credentialSubject": subject,
    })
}

/// Every JSON pointer into a document but its context; those inside of ordered lists apart.
pub(crate) fn pointers(document: &Value) -> (Vec<String>, Vec<String>) {
    let mut found = (Vec::new(), Vec::new());
    walk(document, "", false, &mut found);
    found
}

fn walk(value: &Value, place: &str, in_list: bool, found: &mut (Vec<String>, Vec<String>)) {
    let mut go = |name: &str, value: &Value, in_list: bool| {
        let place = format!("{place}/{}", name.replace('~', "~0").replace('/', "~1"));
        if in_list {
            found.1.push(place.clone());
        } else {
            found.0.push(place.clone());
        }
        walk(value, &place, in_list, found);
    };
    match value {
        Value::Object(members) => {
            for (name, value) in members.iter().filter(|(name, _)| *name != "@context") {
                go(name, value, in_list || name == "@list");
            }
        }
        Value::Array(items) => {
            for (index, value) in items.iter().enumerate() {
                go(&index.to_string(), value, in_list);
            }
        }
        _ => {}
    }
}

/// The document with each of its texts, numbers and booleans altered, one at a time.
pub(crate) fn altered(document: &Value) -> Vec<(String, Value)> {
    let (mut places, lists) = pointers(document);
    places.extend(lists);
    let alter = |place: String| {
        let mut copy = document.clone();
        let value = copy.pointer_mut(&place)?;
        *value = match value {
            // Another label for a blank node says the same.
            Value::String(text) if text.starts_with("_:b") => return None,
            Value::String(text) => format!("{text}x").into(),
            Value::Number(number) => json!(number.as_f64()? + 1.0),
            Value::Bool(flag) => json!(!*flag),
            Value::Null | Value::Array(_) | Value::Object(_) => return None,
        };
        Some((place, copy))
    };
    places.into_iter().filter_map(alter).collect()
}
