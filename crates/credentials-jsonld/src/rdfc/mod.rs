//! The cryptosuites that canonicalize with RDFC-1.0 and sign once: `eddsa-rdfc-2022` and
//! `ecdsa-rdfc-2019`.
//!
//! ```
//! use std::sync::Arc;
//!
//! use serde_json::json;
//! use vouchsafe_credentials::crypto::{Algorithm, Portable, Signer as _, SigningKey};
//! use vouchsafe_credentials::data_integrity::{
//!     ProofOptions, ProofPurpose, SuiteSigner, add_proof, verify_presentation,
//! };
//! use vouchsafe_credentials::did::{LocalResolver, key, resolve_local};
//! use vouchsafe_credentials::testing::SeededRng;
//! use vouchsafe_credentials::time::UnixTime;
//! use vouchsafe_credentials::vcdm::{
//!     Binding, EmptyPresentation, HolderPolicy, Issuers, Policy, PresentationPolicy, StatusPolicy,
//! };
//! use vouchsafe_credentials_jsonld::contexts::Contexts;
//! use vouchsafe_credentials_jsonld::rdfc::{EcdsaRdfc2019, EddsaRdfc2022, Transformation};
//!
//! # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
//! let rng = SeededRng::new(1);
//! let transformation = Transformation::new(Arc::new(Contexts::bundled()));
//! let suites = vouchsafe_credentials_jsonld::suites(&transformation);
//!
//! // Issue: eddsa-rdfc-2022.
//! let issuer = SigningKey::generate(Algorithm::EdDsa, &rng);
//! let did = key::encode(issuer.public_key());
//! let holder = SigningKey::generate(Algorithm::Es256, &rng);
//! let whose = key::encode(holder.public_key());
//! let credential = json!({
//!     "@context": [
//!         "https://www.w3.org/ns/credentials/v2",
//!         "https://www.w3.org/ns/credentials/undefined-terms/v2",
//!     ],
//!     "type": ["VerifiableCredential", "Card"],
//!     "issuer": did,
//!     "credentialSubject": {"id": whose, "tier": "gold"},
//! });
//! let options = ProofOptions::new(&resolve_local(&did)?.1, ProofPurpose::AssertionMethod);
//! let suite = EddsaRdfc2022(transformation.clone());
//! let secured = add_proof(&credential, &options, &suite, SuiteSigner::Signature(&issuer), &rng).await?;
//!
//! // Present: ecdsa-rdfc-2019, by the holder's key.
//! let presentation = json!({
//!     "@context": ["https://www.w3.org/ns/credentials/v2"],
//!     "type": ["VerifiablePresentation"],
//!     "holder": whose,
//!     "verifiableCredential": [secured],
//! });
//! let mut options = ProofOptions::new(&resolve_local(&whose)?.1, ProofPurpose::Authentication);
//! options.challenge = Some("n-0S6_WzA2Mj".to_owned());
//! options.domain = vec!["verifier.example".to_owned()];
//! let suite = EcdsaRdfc2019(transformation.clone());
//! let mut shown = add_proof(&presentation, &options, &suite, SuiteSigner::Signature(&holder), &rng).await?;
//!
//! // Verify.
//! let expected = PresentationPolicy {
//!     credentials: Policy::new(Issuers::AnyResolvable, UnixTime(1_800_000_000), StatusPolicy::Unchecked),
//!     challenge: Binding::Expected("n-0S6_WzA2Mj"),
//!     domain: Binding::Expected("verifier.example"),
//!     holder: HolderPolicy::IsSubject,
//!     empty: EmptyPresentation::Refused,
//! };
//! let verified = verify_presentation(&shown, &suites, &expected, &LocalResolver, &Portable).await?;
//! assert_eq!(verified.get().credentials()[0].issuer(), did);
//!
//! // Refuse: a claim that nobody signed, and a word that no context defines.
//! shown["verifiableCredential"][0]["credentialSubject"]["tier"] = "lead".into();
//! let altered = verify_presentation(&shown, &suites, &expected, &LocalResolver, &Portable).await;
//! assert_eq!(altered.unwrap_err().code(), "proof_signature");
//! let undefined = json!({"@context": ["https://www.w3.org/ns/credentials/v2"], "tier": "gold"});
//! let options = ProofOptions::new(&resolve_local(&did)?.1, ProofPurpose::AssertionMethod);
//! let refused = add_proof(&undefined, &options, &EddsaRdfc2022(transformation), SuiteSigner::Signature(&issuer), &rng).await;
//! assert_eq!(refused.unwrap_err().code(), "proof_transformation");
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#[cfg(test)]
mod tests;
mod transform;

use serde_json::{Map, Value};
use vouchsafe_credentials::crypto::{Algorithm, CryptoProvider};
use vouchsafe_credentials::data_integrity::{
    Cryptosuite, Proof, ProofError, ProofOptions, SuiteSigner,
};
use vouchsafe_credentials::did::Multikey;
use vouchsafe_credentials::multibase::{base58btc, base58btc_decode};
use vouchsafe_credentials::random::Rng;

pub use transform::Transformation;
pub(crate) use transform::configuration;

/// `eddsa-rdfc-2022` (Data Integrity EdDSA Cryptosuites 1.0, section 3.2): Ed25519 with SHA-256.
#[derive(Clone, Debug)]
pub struct EddsaRdfc2022(pub Transformation);

/// `ecdsa-rdfc-2019` (Data Integrity ECDSA Cryptosuites 1.0, section 3.2): P-256 with SHA-256, P-384 with SHA-384.
#[derive(Clone, Debug)]
pub struct EcdsaRdfc2019(pub Transformation);

const EDDSA: [Algorithm; 1] = [Algorithm::EdDsa];
const ECDSA: [Algorithm; 2] = [Algorithm::Es256, Algorithm::Es384];

#[async_trait::async_trait]
impl Cryptosuite for EddsaRdfc2022 {
    fn name(&self) -> &'static str {
        "eddsa-rdfc-2022"
    }

    fn verify(
        &self,
        document: &Value,
        proof: &Proof,
        key: &Multikey,
        crypto: &dyn CryptoProvider,
    ) -> Result<(), ProofError> {
        verify(&self.0, document, proof, (key, &EDDSA), crypto)
    }

    async fn create(
        &self,
        document: &Value,
        options: &ProofOptions,
        signer: SuiteSigner<'_>,
        _rng: &dyn Rng,
    ) -> Result<Map<String, Value>, ProofError> {
        let members = options.members(self.name());
        create(&self.0, document, options, members, (signer, &EDDSA)).await
    }
}

#[async_trait::async_trait]
impl Cryptosuite for EcdsaRdfc2019 {
    fn name(&self) -> &'static str {
        "ecdsa-rdfc-2019"
    }

    fn verify(
        &self,
        document: &Value,
        proof: &Proof,
        key: &Multikey,
        crypto: &dyn CryptoProvider,
    ) -> Result<(), ProofError> {
        verify(&self.0, document, proof, (key, &ECDSA), crypto)
    }

    async fn create(
        &self,
        document: &Value,
        options: &ProofOptions,
        signer: SuiteSigner<'_>,
        _rng: &dyn Rng,
    ) -> Result<Map<String, Value>, ProofError> {
        let members = options.members(self.name());
        create(&self.0, document, options, members, (signer, &ECDSA)).await
    }
}

/// Section 3.2.2, "Verify Proof", of either specification.
fn verify(
    transformation: &Transformation,
    document: &Value,
    proof: &Proof,
    (key, algorithms): (&Multikey, &[Algorithm]),
    crypto: &dyn CryptoProvider,
) -> Result<(), ProofError> {
    let Multikey::Signature(key) = key else {
        return Err(ProofError::Key);
    };
    let algorithm = key.algorithm();
    if !algorithms.contains(&algorithm) {
        return Err(ProofError::Key);
    }
    let length = if algorithm == Algorithm::Es384 {
        96
    } else {
        64
    };
    let signature = base58btc_decode(proof.proof_value(), length).ok_or(ProofError::ProofValue)?;
    let data = transformation.hash_data(document, proof.options(), algorithm)?;
    crypto
        .verify(key, &data, &signature)
        .map_err(|_| ProofError::Signature)
}

/// Section 3.2.1, "Create Proof", of either specification.
async fn create(
    transformation: &Transformation,
    document: &Value,
    options: &ProofOptions,
    mut members: Map<String, Value>,
    (signer, algorithms): (SuiteSigner<'_>, &[Algorithm]),
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
    let data = transformation.hash_data(document, members.clone(), signer.algorithm())?;
    let signature = signer.sign(&data).await.map_err(ProofError::Signer)?;
    members.insert("proofValue".to_owned(), base58btc(&signature).into());
    Ok(members)
}
