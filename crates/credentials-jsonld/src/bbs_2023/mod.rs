//! `bbs-2023` (Data Integrity BBS Cryptosuites 1.0): one BBS signature over all statements; its
//! holder proves to have it and discloses some of them, and nobody can tell that two such proofs
//! come from one credential (as far as the disclosed statements do not).
//!
//! Only the baseline: anonymous holder binding and pseudonyms rest on drafts that still change, and
//! their proof values are refused.
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
//! use vouchsafe_credentials_jsonld::bbs::SecretKey;
//! use vouchsafe_credentials_jsonld::bbs_2023::Bbs2023;
//!
//! # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
//! let suite = Bbs2023::new(Transformation::new(Arc::new(Contexts::bundled())));
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
//! let key = SecretKey::generate(&rng);
//! let signer = SuiteSigner::Bbs(&key);
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
//! let public = Multikey::Bls12381G2(*key.public_key_bytes());
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
mod keys;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use serde_json::{Map, Value};
use vouchsafe_credentials::crypto::{CryptoProvider, sha256};
use vouchsafe_credentials::data_integrity::{
    BbsSigner, Cryptosuite, DeriveOptions, Proof, ProofError, ProofOptions, SuiteSigner,
};
use vouchsafe_credentials::did::Multikey;
use vouchsafe_credentials::random::{self, Rng};

use crate::bbs;
use crate::ecdsa_sd::with_proof;
use crate::rdfc::Transformation;
use crate::sd::{
    Disclosed, LabelMap, Parted, Pointer, Processor, disclosed_pointers, mandatory_pointers,
    shuffled_labels,
};
use keys::PreparedKeys;

pub use base::BaseProof;
pub use derived::DerivedProof;

/// The third byte of the header of a base proof value: baseline.
const KIND: u8 = 2;

/// The cryptosuite.
#[derive(Clone, Debug)]
pub struct Bbs2023 {
    processor: Processor,
    keys: Arc<PreparedKeys>,
}

impl Bbs2023 {
    /// The suite for documents that are read like this.
    #[must_use]
    pub fn new(transformation: Transformation) -> Self {
        Self {
            processor: Processor::new(transformation),
            keys: Arc::default(),
        }
    }

    /// Makes a base proof with exactly these mandatory pointers and HMAC key. Use [`Cryptosuite::create`],
    /// which draws the key and keeps the validity of a credential mandatory.
    ///
    /// # Errors
    /// [`ProofError`].
    pub async fn create_base(
        &self,
        document: &Value,
        mut members: Map<String, Value>,
        mandatory: &[Pointer],
        signer: &dyn BbsSigner,
        hmac_key: [u8; 32],
    ) -> Result<Map<String, Value>, ProofError> {
        let parted = self.parted(document, mandatory, &hmac_key)?;
        let header = self.header(document, members.clone(), &parted.mandatory_hash())?;
        let messages: Vec<Vec<u8>> = parted
            .others()
            .map(|(_, statement)| statement.as_bytes().to_vec())
            .collect();
        let signature = signer.sign(&header, &messages).await;
        let base = BaseProof {
            signature: signature.map_err(ProofError::Signer)?,
            header,
            public_key: *signer.public_key(),
            hmac_key,
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
        let label = |canonical: &LabelMap| shuffled_labels(canonical.values(), hmac_key);
        Ok(Parted::new(&self.processor, document, mandatory, label)?)
    }

    /// `bbsHeader`: the hash of the proof options and the hash of the mandatory statements.
    fn header(
        &self,
        document: &Value,
        options: Map<String, Value>,
        mandatory_hash: &[u8; 32],
    ) -> Result<[u8; 64], ProofError> {
        let canonical = self.processor.canonicalize_options(document, options)?;
        let mut header = [0; 64];
        header[..32].copy_from_slice(&sha256(canonical.text().as_bytes()));
        header[32..].copy_from_slice(mandatory_hash);
        Ok(header)
    }

    fn issuer_key(&self, key: &Multikey) -> Result<bbs::PublicKey, ProofError> {
        let Multikey::Bls12381G2(bytes) = key else {
            return Err(ProofError::Key);
        };
        self.keys.get(bytes).map_err(|_| ProofError::Key)
    }
}

#[async_trait::async_trait]
impl Cryptosuite for Bbs2023 {
    fn name(&self) -> &'static str {
        "bbs-2023"
    }

    /// "Verify Derived Proof (bbs-2023)".
    fn verify(
        &self,
        document: &Value,
        proof: &Proof,
        key: &Multikey,
        _crypto: &dyn CryptoProvider,
    ) -> Result<(), ProofError> {
        let issuer = self.issuer_key(key)?;
        let derived = DerivedProof::parse(proof.proof_value())?;
        let labels = derived.label_map();
        let disclosed = Disclosed::new(&self.processor, document, &labels, &derived.mandatory)?;
        if derived.selective.len() != disclosed.others.len() {
            return Err(ProofError::Signature);
        }
        let header = self.header(document, proof.options(), &disclosed.mandatory_hash)?;
        let revealed: Vec<(usize, &[u8])> = derived
            .selective
            .iter()
            .zip(&disclosed.others)
            .map(|(&index, statement)| (index, statement.as_bytes()))
            .collect();
        bbs::proof_verify(
            &issuer,
            &derived.proof,
            &header,
            &derived.presentation_header,
            &revealed,
        )
        .map_err(|_| ProofError::Signature)
    }

    fn presentation_header(&self, proof: &Proof) -> Result<Option<Vec<u8>>, ProofError> {
        let derived = DerivedProof::parse(proof.proof_value())?;
        Ok(Some(derived.presentation_header))
    }

    /// "Create Base Proof (bbs-2023)".
    async fn create(
        &self,
        document: &Value,
        options: &ProofOptions,
        signer: SuiteSigner<'_>,
        rng: &dyn Rng,
    ) -> Result<Map<String, Value>, ProofError> {
        let SuiteSigner::Bbs(signer) = signer else {
            return Err(ProofError::Key);
        };
        let mandatory = mandatory_pointers(document, &options.mandatory_pointers)?;
        let members = options.members(self.name());
        let hmac_key = random::bytes(rng);
        self.create_base(document, members, &mandatory, signer, hmac_key)
            .await
    }

    fn verify_base(
        &self,
        document: &Value,
        proof: &Proof,
        key: &Multikey,
        _crypto: &dyn CryptoProvider,
    ) -> Result<(), ProofError> {
        let issuer = self.issuer_key(key)?;
        let base = BaseProof::parse(proof.proof_value())?;
        // The key that a holder will prove with is the one that the issuer's document lists.
        if base.public_key != *issuer.as_bytes() {
            return Err(ProofError::Signature);
        }
        let parted = self.parted(document, &base.mandatory, &base.hmac_key)?;
        let header = self.header(document, proof.options(), &parted.mandatory_hash())?;
        if header != base.header {
            return Err(ProofError::Signature);
        }
        base.verify(&issuer, &parted)
    }

    /// "Add Derived Proof (bbs-2023)".
    fn derive(
        &self,
        document: &Value,
        base: &Proof,
        options: &DeriveOptions,
        rng: &dyn Rng,
    ) -> Result<Value, ProofError> {
        let parsed = BaseProof::parse(base.proof_value())?;
        let issuer = self.keys.get(&parsed.public_key);
        let issuer = issuer.map_err(|_| ProofError::ProofValue)?;
        let mandatory = &parsed.mandatory;
        let selective = disclosed_pointers(document, mandatory, &options.selective_pointers)?;
        let parted = self.parted(document, mandatory, &parsed.hmac_key)?;
        let disclosure = parted.disclose(&self.processor, document, mandatory, &selective)?;
        let derived = DerivedProof {
            proof: parsed.prove(&issuer, &parted, &disclosure.selective, options, rng)?,
            labels: derived::compress(&disclosure.labels)?,
            mandatory: disclosure.mandatory,
            selective: disclosure.selective,
            presentation_header: options.presentation_header.clone(),
        };
        let mut proof = base.members().clone();
        proof.insert("proofValue".to_owned(), derived.encode()?.into());
        Ok(with_proof(disclosure.document, proof))
    }
}
