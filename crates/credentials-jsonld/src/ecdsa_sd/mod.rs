//! `ecdsa-sd-2023` (Data Integrity ECDSA Cryptosuites 1.0, section 3.6): the issuer signs every
//! statement with a key made for this one proof, so its holder can hand on some of them.
//!
//! Signatures can be recognised again: who sees two disclosures of one credential can tell that
//! they belong together. Where that must not be, use [`crate::bbs_2023`].
//!
//! ```
//! use std::sync::Arc;
//!
//! use serde_json::json;
//! use vouchsafe_credentials::crypto::Portable;
//! use vouchsafe_credentials::data_integrity::{
//!     Cryptosuite, DeriveOptions, Proof, ProofOptions, ProofPurpose, SuiteSigner,
//! };
//! use vouchsafe_credentials::did::Multikey;
//! use vouchsafe_credentials::testing::SeededRng;
//! use vouchsafe_credentials_jsonld::contexts::Contexts;
//! use vouchsafe_credentials_jsonld::rdfc::Transformation;
//! use vouchsafe_credentials::crypto::{Algorithm, Signer as _, SigningKey};
//! use vouchsafe_credentials_jsonld::ecdsa_sd::EcdsaSd2023;
//!
//! # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
//! let suite = EcdsaSd2023::new(Transformation::new(Arc::new(Contexts::bundled())));
//! let credential = json!({
//!     "@context": [
//!         "https://www.w3.org/ns/credentials/v2",
//!         "https://www.w3.org/ns/credentials/undefined-terms/v2",
//!     ],
//!     "type": ["VerifiableCredential"],
//!     "issuer": "did:example:issuer",
//!     "credentialSubject": { "name": "Ada", "over18": true },
//! });
//!
//! // Issue: the base proof, for the holder alone.
//! let rng = SeededRng::new(1);
//! let key = SigningKey::generate(Algorithm::Es256, &rng);
//! let signer = SuiteSigner::Signature(&key);
//! let options = ProofOptions::new("did:example:issuer#key", ProofPurpose::AssertionMethod);
//! let base = suite.create(&credential, &options, signer, &rng).await?;
//! let base = Proof::parse(&base.into())?;
//!
//! // Present: a copy with the issuer and one claim, derived for this once.
//! let wanted = DeriveOptions {
//!     selective_pointers: vec!["/credentialSubject/over18".to_owned()],
//!     presentation_header: Vec::new(),
//! };
//! let mut shown = suite.derive(&credential, &base, &wanted, &rng)?;
//! assert_eq!(shown["credentialSubject"], json!({ "over18": true }));
//!
//! // Verify.
//! let proof = shown.as_object_mut().and_then(|members| members.shift_remove("proof"));
//! let proof = Proof::parse(&proof.unwrap_or_default())?;
//! let public = Multikey::Signature(key.public_key().clone());
//! suite.verify(&shown, &proof, &public, &Portable)?;
//!
//! // Refuse: another claim than the issuer signed.
//! shown["credentialSubject"]["over18"] = false.into();
//! let altered = suite.verify(&shown, &proof, &public, &Portable).unwrap_err();
//! assert_eq!(altered.code(), "proof_signature");
//! # Ok::<_, vouchsafe_credentials::data_integrity::ProofError>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod base;
mod derived;
#[cfg(test)]
mod tests;

use serde_json::{Map, Value};
use vouchsafe_credentials::crypto::{
    Algorithm, CryptoProvider, PublicKey, Signer, SigningKey, sha256,
};
use vouchsafe_credentials::data_integrity::{
    Cryptosuite, DeriveOptions, Proof, ProofError, ProofOptions, SuiteSigner,
};
use vouchsafe_credentials::did::Multikey;
use vouchsafe_credentials::random::{self, Rng};

use crate::rdfc::Transformation;
use crate::sd::{
    Disclosed, LabelMap, Parted, Pointer, Processor, disclosed_pointers, hmac_labels,
    mandatory_pointers,
};

pub use base::BaseProof;
pub use derived::DerivedProof;

/// The third byte of the header of a base proof value.
const KIND: u8 = 0;
/// Bytes of the proof-scoped key: two of multicodec prefix and a compressed point.
const KEY_LENGTH: usize = 35;

/// The cryptosuite.
#[derive(Clone, Debug)]
pub struct EcdsaSd2023 {
    processor: Processor,
}

impl EcdsaSd2023 {
    /// The suite for documents that are read like this.
    #[must_use]
    pub const fn new(transformation: Transformation) -> Self {
        Self {
            processor: Processor::new(transformation),
        }
    }

    /// Makes a base proof with exactly these mandatory pointers, HMAC key and proof-scoped key. Use
    /// [`Cryptosuite::create`], which draws both keys and keeps the validity of a credential mandatory.
    ///
    /// # Errors
    /// [`ProofError`].
    pub async fn create_base(
        &self,
        document: &Value,
        mut members: Map<String, Value>,
        mandatory: &[Pointer],
        signer: &dyn Signer,
        hmac_key: [u8; 32],
        scoped: &SigningKey,
    ) -> Result<Map<String, Value>, ProofError> {
        if signer.algorithm() != Algorithm::Es256 || scoped.algorithm() != Algorithm::Es256 {
            return Err(ProofError::Key);
        }
        let parted = self.parted(document, mandatory, &hmac_key)?;
        let proof_hash = self.proof_hash(document, members.clone())?;
        let mut signatures = Vec::new();
        for (_, statement) in parted.others() {
            let signature = scoped.sign(statement.as_bytes()).await;
            signatures.push(signature_bytes(signature.map_err(ProofError::Signer)?)?);
        }
        let public_key = scoped_key(scoped.public_key())?;
        let data = sign_data(&proof_hash, &public_key, &parted.mandatory_hash());
        let signature = signer.sign(&data).await.map_err(ProofError::Signer)?;
        let base = BaseProof {
            signature: signature_bytes(signature)?,
            public_key,
            hmac_key,
            signatures,
            mandatory: mandatory.to_vec(),
        };
        members.insert("proofValue".to_owned(), base.encode().into());
        Ok(members)
    }

    fn parted(
        &self,
        document: &Value,
        mandatory: &[Pointer],
        hmac_key: &[u8; 32],
    ) -> Result<Parted, ProofError> {
        let label = |canonical: &LabelMap| hmac_labels(canonical.values(), hmac_key);
        Ok(Parted::new(&self.processor, document, mandatory, label)?)
    }

    /// SHA-256 of the canonical proof options.
    fn proof_hash(
        &self,
        document: &Value,
        options: Map<String, Value>,
    ) -> Result<[u8; 32], ProofError> {
        let canonical = self.processor.canonicalize_options(document, options)?;
        Ok(sha256(canonical.text().as_bytes()))
    }
}

#[async_trait::async_trait]
impl Cryptosuite for EcdsaSd2023 {
    fn name(&self) -> &'static str {
        "ecdsa-sd-2023"
    }

    /// Section 3.6.7, "Verify Derived Proof".
    fn verify(
        &self,
        document: &Value,
        proof: &Proof,
        key: &Multikey,
        crypto: &dyn CryptoProvider,
    ) -> Result<(), ProofError> {
        let issuer = issuer_key(key)?;
        let derived = DerivedProof::parse(proof.proof_value())?;
        let scoped = parse_scoped_key(&derived.public_key)?;
        let disclosed = Disclosed::new(
            &self.processor,
            document,
            &derived.labels,
            &derived.mandatory,
        )?;
        // One signature for each statement that is not mandatory, neither more nor less.
        if derived.signatures.len() != disclosed.others.len() {
            return Err(ProofError::Signature);
        }
        let proof_hash = self.proof_hash(document, proof.options())?;
        let data = sign_data(&proof_hash, &derived.public_key, &disclosed.mandatory_hash);
        check(crypto, issuer, &data, &derived.signature)?;
        for (statement, signature) in disclosed.others.iter().zip(&derived.signatures) {
            check(crypto, &scoped, statement.as_bytes(), signature)?;
        }
        Ok(())
    }

    /// Section 3.6.1, "Create Base Proof".
    async fn create(
        &self,
        document: &Value,
        options: &ProofOptions,
        signer: SuiteSigner<'_>,
        rng: &dyn Rng,
    ) -> Result<Map<String, Value>, ProofError> {
        let SuiteSigner::Signature(signer) = signer else {
            return Err(ProofError::Key);
        };
        let mandatory = mandatory_pointers(document, &options.mandatory_pointers)?;
        let hmac_key = random::bytes(rng);
        let scoped = SigningKey::generate(Algorithm::Es256, rng);
        let members = options.members(self.name());
        self.create_base(document, members, &mandatory, signer, hmac_key, &scoped)
            .await
    }

    fn verify_base(
        &self,
        document: &Value,
        proof: &Proof,
        key: &Multikey,
        crypto: &dyn CryptoProvider,
    ) -> Result<(), ProofError> {
        let issuer = issuer_key(key)?;
        let base = BaseProof::parse(proof.proof_value())?;
        let scoped = parse_scoped_key(&base.public_key)?;
        let parted = self.parted(document, &base.mandatory, &base.hmac_key)?;
        if base.signatures.len() != parted.others().count() {
            return Err(ProofError::Signature);
        }
        let proof_hash = self.proof_hash(document, proof.options())?;
        let data = sign_data(&proof_hash, &base.public_key, &parted.mandatory_hash());
        check(crypto, issuer, &data, &base.signature)?;
        for ((_, statement), signature) in parted.others().zip(&base.signatures) {
            check(crypto, &scoped, statement.as_bytes(), signature)?;
        }
        Ok(())
    }

    /// Section 3.6.6, "Add Derived Proof".
    fn derive(
        &self,
        document: &Value,
        base: &Proof,
        options: &DeriveOptions,
        _rng: &dyn Rng,
    ) -> Result<Value, ProofError> {
        // There is no place for one: the proof would not be bound as its holder believes.
        if !options.presentation_header.is_empty() {
            return Err(ProofError::Options("presentationHeader"));
        }
        let parsed = BaseProof::parse(base.proof_value())?;
        let mandatory = &parsed.mandatory;
        let selective = disclosed_pointers(document, mandatory, &options.selective_pointers)?;
        let parted = self.parted(document, mandatory, &parsed.hmac_key)?;
        if parsed.signatures.len() != parted.others().count() {
            return Err(ProofError::ProofValue);
        }
        let disclosure = parted.disclose(&self.processor, document, mandatory, &selective)?;
        let signatures = disclosure
            .selective
            .iter()
            .map(|&index| parsed.signatures[index]);
        let derived = DerivedProof {
            signature: parsed.signature,
            public_key: parsed.public_key,
            signatures: signatures.collect(),
            labels: disclosure.labels,
            mandatory: disclosure.mandatory,
        };
        let mut proof = base.members().clone();
        proof.insert("proofValue".to_owned(), derived.encode()?.into());
        Ok(with_proof(disclosure.document, proof))
    }
}

/// The document with this as its only proof.
pub(crate) fn with_proof(mut document: Value, proof: Map<String, Value>) -> Value {
    if let Value::Object(members) = &mut document {
        members.insert("proof".to_owned(), Value::Object(proof));
    }
    document
}

fn issuer_key(key: &Multikey) -> Result<&PublicKey, ProofError> {
    let key = key.signature_key().ok_or(ProofError::Key)?;
    match key.algorithm() {
        Algorithm::Es256 => Ok(key),
        Algorithm::Es384 | Algorithm::Es512 | Algorithm::EdDsa => Err(ProofError::Key),
    }
}

fn check(
    crypto: &dyn CryptoProvider,
    key: &PublicKey,
    data: &[u8],
    signature: &[u8; 64],
) -> Result<(), ProofError> {
    crypto
        .verify(key, data, signature)
        .map_err(|_| ProofError::Signature)
}

fn signature_bytes(signature: Vec<u8>) -> Result<[u8; 64], ProofError> {
    signature.try_into().map_err(|_| ProofError::Key)
}

fn scoped_key(key: &PublicKey) -> Result<[u8; KEY_LENGTH], ProofError> {
    let bytes = Multikey::Signature(key.clone()).to_multicodec();
    bytes.try_into().map_err(|_| ProofError::Key)
}

fn parse_scoped_key(bytes: &[u8; KEY_LENGTH]) -> Result<PublicKey, ProofError> {
    let key = Multikey::from_multicodec(bytes).map_err(|_| ProofError::ProofValue)?;
    let key = key.signature_key().ok_or(ProofError::ProofValue)?;
    match key.algorithm() {
        Algorithm::Es256 => Ok(key.clone()),
        Algorithm::Es384 | Algorithm::Es512 | Algorithm::EdDsa => Err(ProofError::ProofValue),
    }
}

/// `serializeSignData` (section 3.5.1).
fn sign_data(proof: &[u8; 32], key: &[u8; KEY_LENGTH], mandatory: &[u8; 32]) -> Vec<u8> {
    [&proof[..], key, mandatory].concat()
}
