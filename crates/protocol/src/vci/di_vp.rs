//! The `di_vp` key proof (appendix F.2): a presentation with a Data Integrity proof, for holders
//! who are named by a DID.

use serde_json::Value;
use vouchsafe_credentials::crypto::{CryptoProvider, Multikey};
use vouchsafe_credentials::data_integrity::{
    self, ProofPolicy, ProofPurpose, Suites, verify_proofs,
};
use vouchsafe_credentials::did::Resolver;
use vouchsafe_credentials::vcdm::PresentationHeader;

use super::error::CredentialErrorCode;
use super::proof::{Expected, MAX_AGE, MAX_SKEW, ProofError, VerifiedProof};

/// Suites that are verified: values for `proof_signing_alg_values_supported`.
pub const CRYPTOSUITES: [&str; 2] = ["ecdsa-jcs-2019", "eddsa-jcs-2022"];

/// Why a presentation was refused.
#[derive(Debug, thiserror::Error)]
pub enum DiVpError {
    /// A proof does not hold.
    #[error("the presentation does not hold")]
    Proof(#[from] data_integrity::ProofError),
    /// Not of the type `VerifiablePresentation`, or without a context of VCDM.
    #[error("not a verifiable presentation")]
    NotAPresentation,
    /// More than one proof.
    #[error("the presentation must have one proof")]
    OneProof,
    /// `created` is longer ago than a proof may be.
    #[error("the proof is too old")]
    TooOld,
    /// A key that verifies no JOSE signature: no credential can be bound to it.
    #[error("no credential can be bound to the key")]
    Key,
    /// `holder` is not the controller of the key.
    #[error("the holder is not the controller of the key")]
    Holder,
}

impl DiVpError {
    /// Code of section 8.3.1.2.
    #[must_use]
    pub const fn code(&self) -> CredentialErrorCode {
        match self {
            Self::Proof(_)
            | Self::NotAPresentation
            | Self::OneProof
            | Self::TooOld
            | Self::Key
            | Self::Holder => CredentialErrorCode::InvalidProof,
        }
    }
}

/// Verifies one presentation. That the nonce is used once is the caller's part.
///
/// # Errors
/// [`ProofError`] with the first check that failed.
pub async fn verify(
    presentation: &Value,
    expected: &Expected<'_>,
    resolver: &dyn Resolver,
    crypto: &dyn CryptoProvider,
) -> Result<VerifiedProof, ProofError> {
    check_form(presentation)?;
    let policy = ProofPolicy {
        // Appendix F.2: `authentication`, the credential issuer as `domain`.
        purpose: ProofPurpose::Authentication,
        now: expected.now,
        skew_s: MAX_SKEW,
        // A nonce of ours, of which there are many: looked at below.
        challenge: None,
        domain: Some(expected.issuer),
        presentation_header: PresentationHeader::Unchecked,
    };
    let proven = verify_proofs(presentation, &Suites::jcs(), &policy, resolver, crypto)
        .await
        .map_err(DiVpError::Proof)?
        .into_inner();
    let [proof] = proven.proofs.as_slice() else {
        return Err(DiVpError::OneProof.into());
    };
    // As old as a `jwt` proof may be. VC Data Integrity 1.0, section 2.1: `created` is OPTIONAL; without it
    // the nonce alone says how old the proof is.
    let created = proof.proof.created().map(|created| created.time());
    if created.is_some_and(|created| expected.now.since(created) > MAX_AGE) {
        return Err(DiVpError::TooOld.into());
    }
    // Appendix F.2: `holder` is the controller identifier of the verification method.
    match proven.document.get("holder") {
        None => {}
        Some(holder) if holder_id(holder) == Some(proof.controller.as_str()) => {}
        Some(_) => return Err(DiVpError::Holder.into()),
    }
    let Multikey::Signature(key) = &proof.key else {
        return Err(DiVpError::Key.into());
    };
    let challenge = proof.proof.challenge().ok_or(ProofError::NonceMissing)?;
    let nonce = expected
        .nonces
        .verify(challenge, expected.now)
        .map_err(|_| ProofError::Nonce)?;
    Ok(VerifiedProof {
        key: key.clone(),
        nonce,
    })
}

/// VCDM 2.0, sections 4.3 and 4.13: context and type. Nothing else of it is looked at.
fn check_form(presentation: &Value) -> Result<(), DiVpError> {
    const CONTEXTS: [&str; 2] = [
        "https://www.w3.org/ns/credentials/v2",
        "https://www.w3.org/2018/credentials/v1",
    ];
    let first = match presentation.get("@context") {
        Some(Value::Array(contexts)) => contexts.first().and_then(Value::as_str),
        _ => None,
    };
    let typed = match presentation.get("type") {
        Some(Value::String(one)) => one == "VerifiablePresentation",
        Some(Value::Array(several)) => several.iter().any(|t| t == "VerifiablePresentation"),
        _ => false,
    };
    if typed && first.is_some_and(|first| CONTEXTS.contains(&first)) {
        Ok(())
    } else {
        Err(DiVpError::NotAPresentation)
    }
}

/// VCDM 2.0, section 4.13: a URL, or an object with an `id`.
fn holder_id(holder: &Value) -> Option<&str> {
    holder.as_str().or_else(|| holder.get("id")?.as_str())
}
