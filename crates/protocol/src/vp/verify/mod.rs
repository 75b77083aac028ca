//! The one function that accepts a presentation (OpenID4VP 1.0, section 8.6).
//!
//! [`verify_presentation`] alone makes a [`VerifiedPresentation`]; before it,
//! nothing of a response can be read.

mod credential;
mod error;
mod result;
#[cfg(test)]
mod tests;
mod token;
mod way;

use std::sync::Arc;

use async_trait::async_trait;
use vouchsafe_credentials::crypto::CryptoProvider;
use vouchsafe_credentials::sd_jwt_vc::{IssuerIdentity, IssuerTrust, StatusPolicy};
use vouchsafe_credentials::status_list::{StatusRef, VerifiedStatusList};
use vouchsafe_credentials::time::UnixTime;

use super::dcql::{
    ClaimPointer, CredentialQuery, DcqlQuery, QueryId, check_credential, check_sets,
};
use super::response::WalletError;
use super::transaction_data::{TransactionData, check_agreed};
use super::values::Nonce;
use credential::Owed;

pub use error::{PresentationError, StatusSourceError};
pub use result::{VerifiedCredential, VerifiedPresentation};
pub(super) use token::authority_key_ids;
pub use way::{Received, Way};

/// What the verifier remembers of the request it made.
#[derive(Clone, Copy)]
pub struct Transaction<'a> {
    /// How request and response travel, and what the response is bound to for that.
    pub way: Way<'a>,
    /// `nonce` of the request, one per request.
    pub nonce: &'a Nonce,
    /// The query of the request.
    pub query: &'a DcqlQuery,
    /// What the person was asked to authorise.
    pub transaction_data: &'a [TransactionData],
    /// When the verifier stops waiting.
    pub expires_at: UnixTime,
}

/// What the verifier accepts.
#[derive(Clone, Copy)]
pub struct VerifierPolicy<'a> {
    /// Issuers that are believed, each for its types.
    pub trust: &'a IssuerTrust,
    /// Which credentials must have a status.
    pub status: StatusPolicy,
    /// Whether all presentations must be bound to the same key.
    pub same_holder: bool,
    /// Where status lists come from.
    pub statuses: &'a dyn StatusSource,
    /// Cryptography.
    pub crypto: &'a dyn CryptoProvider,
    /// The time now.
    pub now: UnixTime,
}

/// Where status lists come from: a cache before a guarded fetcher.
#[async_trait]
pub trait StatusSource: Send + Sync {
    /// The list, where it is at hand and still fresh: nothing is fetched and nobody is waited
    /// for. A source without a cache has none.
    fn at_hand(
        &self,
        _reference: &StatusRef,
        _issuer: &IssuerIdentity,
    ) -> Option<Arc<VerifiedStatusList>> {
        None
    }

    /// A verified list for a reference of this issuer. Called only for
    /// credentials that are valid in every other respect and answer the query, so that nobody but
    /// a trusted issuer can choose an address.
    async fn list(
        &self,
        reference: &StatusRef,
        issuer: &IssuerIdentity,
    ) -> Result<Arc<VerifiedStatusList>, StatusSourceError>;
}

impl WalletError {
    /// Whether the error may end this transaction. Anybody can post an error to a `response_uri`:
    /// only one with the right `state` counts. Over the Digital Credentials API there is no
    /// `state`: whoever takes an answer from a page knows that it is the page of the transaction.
    pub fn belongs_to(&self, transaction: &Transaction<'_>) -> bool {
        match transaction.way {
            Way::DirectPost { state, .. } => self.state.as_ref() == Some(state),
            Way::Api { .. } => true,
        }
    }
}

/// Checks a response, with the way that it came.
///
/// One failed presentation rejects the response: section 8.6 lets a verifier
/// discard it, but nothing that a login asks for can be spared.
pub async fn verify_presentation(
    received: Received<'_>,
    transaction: &Transaction<'_>,
    policy: &VerifierPolicy<'_>,
) -> Result<VerifiedPresentation, PresentationError> {
    let arrived = way::arrived(received, transaction)?;
    if policy.now >= transaction.expires_at {
        return Err(PresentationError::TransactionExpired);
    }
    let encrypted = matches!(arrived, way::Arrived::Encrypted(..));
    let payload = token::open(arrived, policy.crypto)?;
    token::check_state(&payload, transaction)?;
    if encrypted {
        token::check_registered(&payload, &transaction.way, policy.now)?;
    }
    let presentations = token::read(&payload, transaction)?;

    let mut valid = Vec::with_capacity(presentations.len());
    let mut agreed = Vec::with_capacity(valid.capacity());
    for (query, text) in presentations {
        let (owed, agrees) = Owed::check(query, text, transaction, policy)?;
        valid.push((query, owed));
        agreed.push((query.id(), agrees));
    }
    // All that needs nobody else comes first: for an answer that is refused in any case no status
    // list is fetched. Annex B.3.3.1: what was signed is what was asked.
    check_agreed(transaction.transaction_data, &agreed)
        .map_err(PresentationError::TransactionData)?;
    if policy.same_holder && !same_holder(&valid) {
        return Err(PresentationError::HolderDiffers);
    }
    let requested = valid.iter().map(|(query, owed)| check_query(query, owed));
    let requested: Vec<_> = requested.collect::<Result<_, _>>()?;
    let answered: Vec<&QueryId> = valid.iter().map(|(query, _)| query.id()).collect();
    check_sets(transaction.query, &answered).map_err(PresentationError::Sets)?;

    let mut credentials = Vec::with_capacity(valid.len());
    for ((query, owed), requested) in valid.into_iter().zip(requested) {
        let accepted = owed.settle(query, policy).await?;
        credentials.push(VerifiedCredential::new(query, accepted, &requested));
    }
    Ok(VerifiedPresentation::new(credentials))
}

/// Whether every credential that is bound is bound to one key.
fn same_holder(valid: &[(&CredentialQuery, Owed)]) -> bool {
    let mut keys = valid.iter().filter_map(|(_, owed)| owed.holder_key());
    let first = keys.next();
    keys.all(|key| Some(key) == first)
}

/// Section 14, "Security Checks on the Returned Credentials and Presentations":
/// the query is checked again, `values` included. Returns where the requested claims are.
fn check_query(
    query: &CredentialQuery,
    owed: &Owed,
) -> Result<Vec<ClaimPointer>, PresentationError> {
    check_credential(query, &owed.facts()).map_err(|mismatch| PresentationError::Query {
        query: query.id().clone(),
        mismatch,
    })
}
