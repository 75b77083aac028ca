//! Stored cards as candidates for a query.

use serde_json::Value;
use vouchsafe_credentials::sd_jwt::{ClaimPath, PathElement};
use vouchsafe_protocol::vp::dcql::{Candidate, ClaimPointer, CredentialFacts, PointerStep};

use crate::credential::{StoredCredential, disclosed_view};

/// A card that can answer.
pub(super) struct CardCandidate<'a>(pub(super) &'a StoredCredential);

impl Candidate for CardCandidate<'_> {
    fn facts(&self) -> CredentialFacts<'_> {
        CredentialFacts {
            format: "dc+sd-jwt",
            credential_type: &self.0.record.vct,
            claims: &self.0.claims,
            authority_key_ids: &self.0.authority_key_ids,
            holder_bound: true,
        }
    }

    fn disclosed_view(&self, claims: &[ClaimPointer]) -> Value {
        view_of(self.0, claims)
    }
}

/// What a verifier sees of a card when these claims are disclosed. A place
/// that is not on the card shows nothing, so that it matches no query.
pub(super) fn view_of(card: &StoredCredential, claims: &[ClaimPointer]) -> Value {
    match card.held.present(&paths(claims)) {
        Ok(presentation) => disclosed_view(card.held.claims(), presentation.withheld()),
        Err(_) => Value::Null,
    }
}

pub(super) fn paths(claims: &[ClaimPointer]) -> Vec<ClaimPath> {
    let element = |step: &PointerStep| match step {
        PointerStep::Key(key) => PathElement::Key(key.clone()),
        PointerStep::Index(index) => PathElement::Index(*index),
    };
    claims.iter().map(|claim| ClaimPath::new(claim.steps().iter().map(element).collect())).collect()
}
