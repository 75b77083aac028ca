//! Verifying credentials and presentations with the policy of the configuration.

use serde_json::Value;
use vouchsafe_credentials::bitstring_status_list::StatusListSource;
use vouchsafe_credentials::data_integrity::{
    ProofError, Secured, verify_credential, verify_presentation,
};
use vouchsafe_credentials::did::Resolver;
use vouchsafe_credentials::vc_jose_cose::{self, KeySource};
use vouchsafe_credentials::vcdm::{
    Binding, Credential, ENVELOPED_CREDENTIAL, ENVELOPED_PRESENTATION, EmptyPresentation,
    Enveloped, HolderBinding, HolderPolicy, Issuers, Policy, PresentationHeader,
    PresentationPolicy, StatusLists, StatusPolicy,
};

use super::Parts;
use super::budget::{Budget, Within};
use super::problem::Refusal;
use super::warnings;

/// What a proof must be bound to.
#[derive(Clone, Copy)]
pub(super) struct Bound<'a> {
    pub challenge: Option<&'a str>,
    pub domain: Option<&'a str>,
    /// For derived proofs of credentials.
    pub presentation_header: Option<&'a [u8]>,
}

fn policy<'a>(parts: &'a Parts, lists: &'a dyn StatusListSource, bound: Bound<'a>) -> Policy<'a> {
    let issuers = match parts.accepted_issuers.as_slice() {
        [] => Issuers::AnyResolvable,
        ids => Issuers::Only(ids),
    };
    let status = StatusPolicy::CheckIfPresent(StatusLists::new(lists));
    let mut policy = Policy::new(issuers, parts.clock.now(), status);
    policy.delegations = &parts.delegations;
    policy.presentation_header = bound
        .presentation_header
        .map_or(PresentationHeader::Unchecked, PresentationHeader::Expected);
    policy
}

type Budgeted<'a> = (Within<'a, dyn Resolver>, Within<'a, dyn StatusListSource>);

/// The network for one request.
fn within<'a>(parts: &'a Parts, budget: &'a Budget) -> Budgeted<'a> {
    let (resolver, lists) = (&*parts.resolver, &*parts.status_lists);
    (
        Within {
            budget,
            inner: resolver,
        },
        Within {
            budget,
            inner: lists,
        },
    )
}

/// Verifies a credential. Gives warnings.
pub(super) async fn credential(
    parts: &Parts,
    secured: &Value,
    bound: Bound<'_>,
) -> Result<Vec<Value>, Refusal> {
    let budget = Budget::new();
    let (resolver, lists) = within(parts, &budget);
    let mut policy = policy(parts, &lists, bound);
    // Nobody presents a credential by itself: this endpoint says what its issuer says.
    policy.holder_binding = HolderBinding::NotAsked;
    let (suites, resolver, crypto) = (&parts.suites, &resolver, &*parts.crypto);
    let verified = match is_enveloped(secured) {
        true => {
            // A credential's envelope is bound to neither.
            if bound.challenge.is_some() {
                return Err(ProofError::Challenge.into());
            }
            if bound.domain.is_some() {
                return Err(ProofError::Domain.into());
            }
            let envelope = Enveloped::parse(secured)?;
            let keys = KeySource::Resolver(resolver);
            vc_jose_cose::verify_credential(&envelope, keys, suites, &policy, crypto).await?
        }
        false => {
            check_binding(secured, bound)?;
            verify_credential(secured, suites, &policy, resolver, crypto).await?
        }
    };
    super::related::check(verified.get())?;
    Ok(warnings::of(parts, [verified.get().as_json()]))
}

/// Verifies a presentation. Gives warnings.
pub(super) async fn presentation(
    parts: &Parts,
    secured: &Value,
    bound: Bound<'_>,
) -> Result<Vec<Value>, Refusal> {
    let budget = Budget::new();
    let (resolver, lists) = within(parts, &budget);
    let policy = PresentationPolicy {
        credentials: policy(parts, &lists, bound),
        // A caller that gave out neither asks for neither.
        challenge: bound
            .challenge
            .map_or(Binding::Unchecked, Binding::Expected),
        domain: bound.domain.map_or(Binding::Unchecked, Binding::Expected),
        holder: HolderPolicy::Any,
        // VCDM 2.0, section 4.13: `verifiableCredential` is optional. Who calls sees what there is.
        empty: EmptyPresentation::Allowed,
    };
    let (suites, resolver, crypto) = (&parts.suites, &resolver, &*parts.crypto);
    let verified = match is_enveloped(secured) {
        true => {
            let envelope = Enveloped::parse(secured)?;
            vc_jose_cose::verify_presentation(&envelope, suites, &policy, resolver, crypto).await?
        }
        false => verify_presentation(secured, suites, &policy, resolver, crypto).await?,
    };
    let credentials = verified.get().credentials();
    credentials.iter().try_for_each(super::related::check)?;
    let documents = credentials.iter().map(Credential::as_json);
    Ok(warnings::of(parts, documents.chain([secured])))
}

/// Data Integrity 1.0, section 4.4: a challenge or domain that the caller names must be the proof's.
/// Proofs of credentials have none as a rule, so this asks only where the caller does.
fn check_binding(secured: &Value, bound: Bound<'_>) -> Result<(), Refusal> {
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

/// Whether a document says that it is an envelope. What is in it decides nothing here.
fn is_enveloped(document: &Value) -> bool {
    let named = |name: &Value| name == ENVELOPED_CREDENTIAL || name == ENVELOPED_PRESENTATION;
    match document.get("type") {
        Some(Value::Array(types)) => types.iter().any(named),
        Some(one) => named(one),
        None => false,
    }
}
