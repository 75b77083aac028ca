//! The cryptosuites that canonicalize with JCS: `eddsa-jcs-2022` and `ecdsa-jcs-2019`.

use serde_json::{Map, Value};

use super::{Cryptosuite, Proof, ProofError, ProofOptions, SuiteSigner};
use crate::crypto::{Algorithm, CryptoProvider, PublicKey, sha256, sha384};
use crate::did::Multikey;
use crate::jcs;
use crate::multibase::{base58btc, base58btc_decode};
use crate::random::Rng;

/// `eddsa-jcs-2022` (Data Integrity EdDSA Cryptosuites 1.0, section 3.3): Ed25519 with SHA-256.
#[derive(Clone, Copy, Debug)]
pub struct EddsaJcs2022;

/// `ecdsa-jcs-2019` (Data Integrity ECDSA Cryptosuites 1.0, section 3.3): P-256 with SHA-256, P-384 with SHA-384.
#[derive(Clone, Copy, Debug)]
pub struct EcdsaJcs2019;

#[async_trait::async_trait]
impl Cryptosuite for EddsaJcs2022 {
    fn name(&self) -> &'static str {
        "eddsa-jcs-2022"
    }

    fn verify(
        &self,
        document: &Value,
        proof: &Proof,
        key: &Multikey,
        crypto: &dyn CryptoProvider,
    ) -> Result<(), ProofError> {
        verify(document, proof, key, &[Algorithm::EdDsa], crypto)
    }

    async fn create(
        &self,
        document: &Value,
        options: &ProofOptions,
        signer: SuiteSigner<'_>,
        _rng: &dyn Rng,
    ) -> Result<Map<String, Value>, ProofError> {
        let members = options.members(self.name());
        create(document, options, members, signer, &[Algorithm::EdDsa]).await
    }
}

#[async_trait::async_trait]
impl Cryptosuite for EcdsaJcs2019 {
    fn name(&self) -> &'static str {
        "ecdsa-jcs-2019"
    }

    fn verify(
        &self,
        document: &Value,
        proof: &Proof,
        key: &Multikey,
        crypto: &dyn CryptoProvider,
    ) -> Result<(), ProofError> {
        verify(document, proof, key, &ECDSA, crypto)
    }

    async fn create(
        &self,
        document: &Value,
        options: &ProofOptions,
        signer: SuiteSigner<'_>,
        _rng: &dyn Rng,
    ) -> Result<Map<String, Value>, ProofError> {
        let members = options.members(self.name());
        create(document, options, members, signer, &ECDSA).await
    }
}

const ECDSA: [Algorithm; 2] = [Algorithm::Es256, Algorithm::Es384];

/// Section 3.3.2, "Verify Proof" of either specification.
fn verify(
    document: &Value,
    proof: &Proof,
    key: &Multikey,
    algorithms: &[Algorithm],
    crypto: &dyn CryptoProvider,
) -> Result<(), ProofError> {
    let Multikey::Signature(key) = key else {
        return Err(ProofError::Key);
    };
    if !algorithms.contains(&key.algorithm()) {
        return Err(ProofError::Key);
    }
    let options = proof.options();
    let document = with_context_of(document, options.get("@context"))?;
    let signature = base58btc_decode(proof.proof_value(), signature_length(key))
        .ok_or(ProofError::ProofValue)?;
    let data = hash_data(key.algorithm(), &document, &options)?;
    crypto
        .verify(key, &data, &signature)
        .map_err(|_| ProofError::Signature)
}

/// Section 3.3.1, "Create Proof" of either specification.
async fn create(
    document: &Value,
    options: &ProofOptions,
    mut members: Map<String, Value>,
    signer: SuiteSigner<'_>,
    algorithms: &[Algorithm],
) -> Result<Map<String, Value>, ProofError> {
    let SuiteSigner::Signature(signer) = signer else {
        return Err(ProofError::Key);
    };
    if !algorithms.contains(&signer.algorithm()) {
        return Err(ProofError::Key);
    }
    if !options.mandatory_pointers.is_empty() {
        return Err(ProofError::Options("mandatoryPointers"));
    }
    // Step 2: the proof carries the context of the document.
    if let Some(context) = document.get("@context") {
        members.insert("@context".to_owned(), context.clone());
    }
    let data = hash_data(signer.algorithm(), document, &members)?;
    let signature = signer.sign(&data).await.map_err(ProofError::Signer)?;
    members.insert("proofValue".to_owned(), base58btc(&signature).into());
    Ok(members)
}

/// Step 4 of "Verify Proof": the document's context must begin with the proof's, and what was verified
/// is the document with the context of the proof. Entries after those of the proof are not signed,
/// so a document that has some is refused: what is given on is what was signed.
fn with_context_of(document: &Value, context: Option<&Value>) -> Result<Value, ProofError> {
    let Some(context) = context else {
        return Ok(document.clone());
    };
    let own = document.get("@context").ok_or(ProofError::Context)?;
    if as_list(own) != as_list(context) {
        return Err(ProofError::Context);
    }
    let mut document = document.clone();
    if let Value::Object(members) = &mut document {
        members.insert("@context".to_owned(), context.clone());
    }
    Ok(document)
}

fn as_list(value: &Value) -> &[Value] {
    match value {
        Value::Array(items) => items,
        one => std::slice::from_ref(one),
    }
}

/// Sections 3.3.3 to 3.3.5: hash(proof options) || hash(document), over the canonical texts.
fn hash_data(
    algorithm: Algorithm,
    document: &Value,
    options: &Map<String, Value>,
) -> Result<Vec<u8>, ProofError> {
    let options = jcs::canonicalize_object(options)?;
    let document = jcs::canonicalize(document)?;
    let hash = |text: &str| match algorithm {
        Algorithm::Es384 => sha384(text.as_bytes()).to_vec(),
        Algorithm::Es256 | Algorithm::Es512 | Algorithm::EdDsa => sha256(text.as_bytes()).to_vec(),
    };
    Ok([hash(&options), hash(&document)].concat())
}

fn signature_length(key: &PublicKey) -> usize {
    match key.algorithm() {
        Algorithm::Es384 => 96,
        Algorithm::Es256 | Algorithm::Es512 | Algorithm::EdDsa => 64,
    }
}
