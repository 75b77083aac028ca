//! Verifying a credential with embedded proofs.

use serde_json::Value;

use super::{ProofPolicy, ProofPurpose, Suites, VerifiedProof, verify_proofs};
use crate::Verified;
use crate::crypto::CryptoProvider;
use crate::did::Resolver;
use crate::vcdm::accept::{self, Means};
use crate::vcdm::confirmation::Presenter;
use crate::vcdm::{Credential, Policy, VerifyError};

/// Verifies a credential: its form, every proof, that the issuer made one of them,
/// and what the policy asks of issuer, type, time, holder binding and status.
///
/// # Errors
/// Each rule has its own [`VerifyError`].
pub async fn verify_credential(
    secured: &Value,
    suites: &Suites,
    policy: &Policy<'_>,
    resolver: &dyn Resolver,
    crypto: &dyn CryptoProvider,
) -> Result<Verified<Credential>, VerifyError> {
    let means = Means {
        suites,
        resolver,
        crypto,
    };
    verify_presented(secured, policy, means, None).await
}

/// As [`verify_credential`], for a credential that somebody presents.
pub(crate) async fn verify_presented(
    secured: &Value,
    policy: &Policy<'_>,
    means: Means<'_>,
    presenter: Option<&Presenter>,
) -> Result<Verified<Credential>, VerifyError> {
    let Means {
        suites,
        resolver,
        crypto,
    } = means;
    let credential = Credential::parse(secured)?;
    let proofs = verify_proofs(secured, suites, &proof_policy(policy), resolver, crypto).await?;
    // A countersignature says nothing about who issued: one proof must be the issuer's own.
    let own =
        |proven: &VerifiedProof| policy.binds(credential.issuer(), proven.controller.as_str());
    if !proofs.get().proofs.iter().any(own) {
        return Err(VerifyError::IssuerMismatch);
    }
    accept::accept(&credential, policy, means, presenter).await?;
    Ok(Verified::new(credential))
}

const fn proof_policy<'a>(policy: &Policy<'a>) -> ProofPolicy<'a> {
    ProofPolicy {
        purpose: ProofPurpose::AssertionMethod,
        now: policy.now,
        skew_s: policy.skew_s,
        challenge: None,
        domain: None,
        presentation_header: policy.presentation_header,
    }
}
