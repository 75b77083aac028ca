//! The cryptosuites that canonicalize with RDFC-1.0 and sign once: `eddsa-rdfc-2022` and
//! `ecdsa-rdfc-2019`.

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
