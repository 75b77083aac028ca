//! The verifier's side: does what came back answer the query?
//!
//! OpenID4VP 1.0, section 14, "Security Checks on the Returned Credentials and
//! Presentations": a verifier "MUST NOT rely on the Wallet to
//! enforce these constraints" and "MUST perform its own security checks".

use super::{
    ClaimPointer, ClaimQuery, CredentialQuery, DcqlQuery, Format, Meta, QueryId, TrustedAuthority,
};
use serde_json::Value;

/// What is known of a credential, by either side.
#[derive(Clone, Copy, Debug)]
pub struct CredentialFacts<'a> {
    /// The credential format identifier, for example `dc+sd-jwt`.
    pub format: &'a str,
    /// The type: `vct` or document type.
    pub credential_type: &'a str,
    /// Further types it stands for (`aka_vcts`).
    pub also_known_as: &'a [String],
    /// The claims, as a JSON object.
    pub claims: &'a Value,
    /// The AuthorityKeyIdentifier of each certificate in the credential's chain.
    pub authority_key_ids: &'a [Vec<u8>],
    /// Whether holder binding is proven (verifier) or can be (wallet).
    pub holder_bound: bool,
}

/// Why a credential does not answer a Credential Query.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CredentialMismatch {
    /// Another format.
    #[error("the credential has another format")]
    Format,
    /// Another type.
    #[error("the credential has another type")]
    Type,
    /// None of `trusted_authorities` stands behind it.
    #[error("no trusted authority stands behind the credential")]
    Authority,
    /// No holder binding although it is required.
    #[error("the credential is not bound to a key")]
    HolderBinding,
    /// A claim is missing, or a value is not among those expected.
    #[error("a claim is missing or has another value")]
    Claims,
}

/// Why a set of answers does not satisfy the query as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SetError {
    /// A Credential Query has no answer.
    #[error("a credential that was asked for is missing")]
    CredentialMissing,
    /// No option of a required Credential Set Query is complete.
    #[error("no option of a required credential set is complete")]
    SetUnmet,
}

/// Why a query cannot be used for a login.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProfileError {
    /// A format that the login does not verify.
    #[error("only the formats dc+sd-jwt and mso_mdoc are supported")]
    Format,
    /// `require_cryptographic_holder_binding` is `false`.
    #[error("a login needs cryptographic holder binding")]
    NoHolderBinding,
    /// Twice the same path in one Credential Query.
    #[error("a claim is asked for twice")]
    DuplicateClaim,
    /// A type of `trusted_authorities` that is not checked.
    #[error("only trusted authorities of type aki are supported")]
    Authority,
}

/// Everything but the claims: format, type, authorities, holder binding.
pub(super) fn check_metadata(
    query: &CredentialQuery,
    facts: &CredentialFacts<'_>,
) -> Result<(), CredentialMismatch> {
    if query.format.as_str() != facts.format {
        return Err(CredentialMismatch::Format);
    }
    let type_fits = match &query.meta {
        Meta::SdJwtVc { vct_values } => vct_values
            .iter()
            .any(|vct| vct == facts.credential_type || facts.also_known_as.contains(vct)),
        Meta::MsoMdoc { doctype_value } => doctype_value == facts.credential_type,
        Meta::Other => false,
    };
    if !type_fits {
        return Err(CredentialMismatch::Type);
    }
    // Section 6.1: "SHOULD match at least one of the conditions". What cannot be
    // evaluated matches nothing.
    let authority_fits = query.trusted_authorities.as_ref().is_none_or(|list| {
        list.iter().any(|authority| match authority {
            TrustedAuthority::AuthorityKeyIdentifier(wanted) => {
                wanted.iter().any(|id| facts.authority_key_ids.contains(id))
            }
            TrustedAuthority::Other { kind: _, values: _ } => false,
        })
    });
    if !authority_fits {
        return Err(CredentialMismatch::Authority);
    }
    if query.holder_binding && !facts.holder_bound {
        return Err(CredentialMismatch::HolderBinding);
    }
    Ok(())
}

/// Every element that one alternative of claims asks for; `None` if one of them is missing.
pub(super) fn select_claims(option: &[&ClaimQuery], claims: &Value) -> Option<Vec<ClaimPointer>> {
    let mut pointers = Vec::new();
    for claim in option {
        let selected = claim.select(claims).ok()?;
        pointers.extend(selected.into_iter().map(|(pointer, _)| pointer));
    }
    pointers.sort();
    pointers.dedup();
    Some(pointers)
}

/// Checks one returned credential against its Credential Query, `values`
/// included. Returns where the requested claims are: those of the first
/// alternative of `claim_sets` that is complete.
pub fn check_credential(
    query: &CredentialQuery,
    facts: &CredentialFacts<'_>,
) -> Result<Vec<ClaimPointer>, CredentialMismatch> {
    check_metadata(query, facts)?;
    query
        .claim_options()
        .iter()
        .find_map(|option| select_claims(option, facts.claims))
        .ok_or(CredentialMismatch::Claims)
}

/// Checks that the answered Credential Queries satisfy the query as a whole (section 6.4.2).
pub fn check_sets(query: &DcqlQuery, answered: &[&QueryId]) -> Result<(), SetError> {
    match &query.credential_sets {
        None if query
            .credentials
            .iter()
            .all(|entry| answered.contains(&&entry.id)) =>
        {
            Ok(())
        }
        None => Err(SetError::CredentialMissing),
        Some(sets) => {
            let met = sets.iter().filter(|set| set.required).all(|set| {
                set.options
                    .iter()
                    .any(|option| option.iter().all(|id| answered.contains(&id)))
            });
            if met { Ok(()) } else { Err(SetError::SetUnmet) }
        }
    }
}

/// Refuses queries that a login must not use; called when a configuration is loaded.
pub fn require_login_profile(query: &DcqlQuery) -> Result<(), ProfileError> {
    for entry in &query.credentials {
        if matches!(entry.format, Format::Other(_)) {
            return Err(ProfileError::Format);
        }
        // OpenID4VP 1.0, section 5.3: without holder binding a presentation can be replayed.
        if !entry.holder_binding {
            return Err(ProfileError::NoHolderBinding);
        }
        let claims = entry.claims.as_deref().unwrap_or_default();
        // Section 6.1: "MUST NOT point to the same claim more than once in a single query".
        let repeated = claims
            .iter()
            .enumerate()
            .any(|(index, claim)| claims[..index].iter().any(|other| other.path == claim.path));
        if repeated {
            return Err(ProfileError::DuplicateClaim);
        }
        let authorities = entry.trusted_authorities.as_deref().unwrap_or_default();
        if authorities
            .iter()
            .any(|entry| matches!(entry, TrustedAuthority::Other { .. }))
        {
            return Err(ProfileError::Authority);
        }
    }
    Ok(())
}
