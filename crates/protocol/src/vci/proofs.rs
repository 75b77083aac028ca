//! All proofs of one credential request (appendix F): of each type, for one issuer.
//!
//! One bad proof refuses the request; what comes out is the keys to bind to and the nonces that
//! the request uses up.

use vouchsafe_credentials::crypto::{CryptoProvider, PublicKey};
use vouchsafe_credentials::did::Resolver;

use super::di_vp;
use super::key_attestation::{self, AttestationPolicy, Carrier, VerifiedAttestation};
use super::nonce::CheckedNonce;
use super::proof::{self, Expected, ProofError};
use super::request::Proofs;

/// Which proofs a credential configuration takes: what `proof_types_supported` lists.
#[derive(Debug, Clone, Copy)]
pub struct Offered<'a> {
    /// `jwt`.
    pub jwt: bool,
    /// `attestation`.
    pub attestation: bool,
    /// `di_vp`.
    pub di_vp: bool,
    /// `key_attestations_required`; without it no attestation is read at all.
    pub key_attestation: Option<AttestationPolicy<'a>>,
}

/// What an issuer expects of the proofs of one request.
#[derive(Clone, Copy)]
pub struct ProofsExpected<'a> {
    /// What each proof must say.
    pub proof: Expected<'a>,
    /// Which proofs are taken.
    pub offered: Offered<'a>,
    /// `batch_size`, or 1.
    pub batch_size: usize,
    /// Resolves the DIDs of holders.
    pub resolver: &'a dyn Resolver,
}

/// Proofs that all hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AcceptedProofs {
    /// The keys to bind to, all different, `batch_size` at most: those of the proofs in their
    /// order, then those that are attested besides.
    pub keys: Vec<PublicKey>,
    /// The nonces, all different. Each is used up with the request.
    pub nonces: Vec<CheckedNonce>,
}

impl AcceptedProofs {
    fn none() -> Self {
        Self {
            keys: Vec::new(),
            nonces: Vec::new(),
        }
    }

    /// Catalogue 268: two proofs never name one key.
    fn add(&mut self, key: PublicKey, nonce: CheckedNonce) -> Result<(), ProofError> {
        if self.keys.contains(&key) {
            return Err(ProofError::KeyTwice);
        }
        // Catalogue 268: the proofs of a request share their nonce.
        if self.nonces.first().is_some_and(|common| *common != nonce) {
            return Err(ProofError::NoncesDiffer);
        }
        self.keys.push(key);
        if self.nonces.is_empty() {
            self.nonces.push(nonce);
        }
        Ok(())
    }

    /// Appendix F.1 and F.3: a credential for each attested key, as far as the batch goes.
    fn add_attested(&mut self, attestation: &VerifiedAttestation, batch_size: usize) {
        for key in attestation.keys() {
            if self.keys.len() < batch_size && !self.keys.contains(key) {
                self.keys.push(key.clone());
            }
        }
        if !self.nonces.contains(attestation.nonce()) {
            self.nonces.push(attestation.nonce().clone());
        }
    }
}

/// Verifies the proofs of a request.
///
/// # Errors
/// [`ProofError`] of the first proof that fails.
pub async fn verify(
    proofs: &Proofs,
    expected: &ProofsExpected<'_>,
    crypto: &dyn CryptoProvider,
) -> Result<AcceptedProofs, ProofError> {
    let offered = &expected.offered;
    let (type_offered, count) = match proofs {
        Proofs::Jwt(jwts) => (offered.jwt, jwts.len()),
        Proofs::Attestation(_) => (offered.attestation, 1),
        Proofs::DiVp(presentations) => (offered.di_vp, presentations.len()),
    };
    if !type_offered {
        return Err(ProofError::Type);
    }
    if count > expected.batch_size.max(1) {
        return Err(ProofError::TooMany);
    }
    let accepted = match proofs {
        Proofs::Jwt(jwts) => jwt_proofs(jwts, expected, crypto)?,
        Proofs::Attestation(jwt) => attestation(jwt, expected, crypto)?,
        Proofs::DiVp(presentations) => {
            let mut accepted = AcceptedProofs::none();
            for presentation in presentations {
                let proof =
                    di_vp::verify(presentation, &expected.proof, expected.resolver, crypto).await?;
                accepted.add(proof.key, proof.nonce)?;
            }
            accepted
        }
    };
    if accepted.keys.is_empty() {
        return Err(ProofError::NoKey);
    }
    Ok(accepted)
}

fn jwt_proofs(
    jwts: &[String],
    expected: &ProofsExpected<'_>,
    crypto: &dyn CryptoProvider,
) -> Result<AcceptedProofs, ProofError> {
    let mut accepted = AcceptedProofs::none();
    // The proofs of a batch carry one attestation for all their keys: it is verified once.
    let mut attestations: Vec<(String, VerifiedAttestation)> = Vec::new();
    for jwt in jwts {
        let proof = proof::read(jwt)?;
        let attestation = match (proof.key_attestation(), &expected.offered.key_attestation) {
            (None, None) => None,
            (None, Some(_)) => return Err(ProofError::AttestationMissing),
            // Accepting an attestation without checking it would claim a check we do not make.
            (Some(_), None) => return Err(ProofError::HeaderMember),
            (Some(member), Some(policy)) => {
                let text = member.as_str();
                let text = text.ok_or(key_attestation::KeyAttestationError::Form)?;
                Some(position(&mut attestations, text, || {
                    let carrier = Carrier::JwtProof;
                    key_attestation::verify(text, carrier, policy, &expected.proof, crypto)
                })?)
            }
        };
        let attestation = attestation.and_then(|at| attestations.get(at).map(|(_, a)| a));
        let verified = proof::check(proof, attestation, &expected.proof, crypto)?;
        accepted.add(verified.key, verified.nonce)?;
    }
    for (_, attestation) in &attestations {
        accepted.add_attested(attestation, expected.batch_size.max(1));
    }
    Ok(accepted)
}

/// Where a token stands in the list; it is made and added at its first use.
fn position<T, E>(
    list: &mut Vec<(String, T)>,
    text: &str,
    make: impl FnOnce() -> Result<T, E>,
) -> Result<usize, E> {
    if let Some(at) = list.iter().position(|(known, _)| known == text) {
        return Ok(at);
    }
    list.push((text.to_owned(), make()?));
    Ok(list.len().saturating_sub(1))
}

fn attestation(
    jwt: &str,
    expected: &ProofsExpected<'_>,
    crypto: &dyn CryptoProvider,
) -> Result<AcceptedProofs, ProofError> {
    let policy = expected.offered.key_attestation.as_ref();
    let policy = policy.ok_or(ProofError::Type)?;
    let attestation =
        key_attestation::verify(jwt, Carrier::Alone, policy, &expected.proof, crypto)?;
    let mut accepted = AcceptedProofs::none();
    accepted.add_attested(&attestation, expected.batch_size.max(1));
    Ok(accepted)
}

#[cfg(test)]
#[path = "proofs_tests.rs"]
mod tests;
