//! Verifying credentials and presentations with the policy of the configuration.

use serde_json::Value;
use vouchsafe_credentials::data_integrity::{verify_credential, verify_presentation};
use vouchsafe_credentials::vcdm::{
    HolderPolicy, Issuers, Policy, PresentationPolicy, StatusLists, StatusPolicy,
};

use super::Parts;
use super::problem::Refusal;

/// What a proof must be bound to.
#[derive(Clone, Copy)]
pub(super) struct Bound<'a> {
    pub challenge: Option<&'a str>,
    pub domain: Option<&'a str>,
}

fn policy(parts: &Parts) -> Policy<'_> {
    let issuers = match parts.accepted_issuers.as_slice() {
        [] => Issuers::AnyResolvable,
        ids => Issuers::Only(ids),
    };
    let status = StatusPolicy::CheckIfPresent(StatusLists(&*parts.status_lists));
    Policy::new(issuers, parts.clock.now(), status)
}

/// Verifies a credential.
pub(super) async fn credential(
    parts: &Parts,
    secured: &Value,
    bound: Bound<'_>,
) -> Result<(), Refusal> {
    super::related::check(secured)?;
    check_binding(secured, bound)?;
    let policy = policy(parts);
    verify_credential(
        secured,
        &parts.suites,
        &policy,
        &*parts.resolver,
        &*parts.crypto,
    )
    .await?;
    Ok(())
}

/// Verifies a presentation.
pub(super) async fn presentation(
    parts: &Parts,
    secured: &Value,
    bound: Bound<'_>,
) -> Result<(), Refusal> {
    let policy = PresentationPolicy {
        credentials: policy(parts),
        challenge: bound.challenge,
        domain: bound.domain,
        holder: HolderPolicy::Any,
    };
    verify_presentation(
        secured,
        &parts.suites,
        &policy,
        &*parts.resolver,
        &*parts.crypto,
    )
    .await?;
    Ok(())
}

/// Data Integrity 1.0, section 4.4: a challenge or domain that the caller names must be the proof's.
/// Proofs of credentials have none as a rule, so this asks only where the caller does.
fn check_binding(secured: &Value, bound: Bound<'_>) -> Result<(), Refusal> {
    use vouchsafe_credentials::data_integrity::{ProofError, Secured};
    if bound.challenge.is_none() && bound.domain.is_none() {
        return Ok(());
    }
    for proof in Secured::parse(secured)?.proofs {
        if let Some(domain) = bound.domain
            && proof.domain() != [domain]
        {
            return Err(ProofError::Domain.into());
        }
        if bound.challenge.is_some() && proof.challenge() != bound.challenge {
            return Err(ProofError::Challenge.into());
        }
    }
    Ok(())
}
