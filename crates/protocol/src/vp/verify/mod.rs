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

use std::sync::Arc;

use async_trait::async_trait;
use url::Url;
use vouchsafe_credentials::crypto::{AgreementKey, CryptoProvider};
use vouchsafe_credentials::sd_jwt_vc::{IssuerIdentity, IssuerTrust, StatusPolicy};
use vouchsafe_credentials::status_list::{StatusRef, VerifiedStatusList};
use vouchsafe_credentials::time::UnixTime;

use super::client_id::ClientId;
use super::dcql::{CredentialQuery, DcqlQuery, QueryId, check_credential, check_sets};
use super::response::{EncryptedResponse, WalletError};
use super::values::{Nonce, State};
use credential::{Accepted, Owed};

pub use error::{PresentationError, StatusSourceError};
pub use result::{VerifiedCredential, VerifiedPresentation};
pub(super) use token::authority_key_ids;

/// What the verifier remembers of the request it made.
pub struct Transaction<'a> {
    /// The full client identifier.
    pub client_id: &'a ClientId,
    /// `response_uri` of the request, one per request.
    pub response_uri: &'a Url,
    /// `nonce` of the request, one per request.
    pub nonce: &'a Nonce,
    /// `state` of the request, one per request.
    pub state: &'a State,
    /// The query of the request.
    pub query: &'a DcqlQuery,
    /// Opens the response; one per request.
    pub encryption_key: &'a AgreementKey,
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
    /// credentials that are valid in every other respect, so that nobody but a
    /// trusted issuer can choose an address.
    async fn list(
        &self,
        reference: &StatusRef,
        issuer: &IssuerIdentity,
    ) -> Result<Arc<VerifiedStatusList>, StatusSourceError>;
}

impl WalletError {
    /// Whether the error came with the `state` of this transaction. Anybody can
    /// post an error: only one with the right `state` may end a transaction.
    pub fn belongs_to(&self, transaction: &Transaction<'_>) -> bool {
        self.state.as_ref() == Some(transaction.state)
    }
}

/// Checks a response that was posted to `received_at`.
///
/// One failed presentation rejects the response: section 8.6 lets a verifier
/// discard it, but nothing that a login asks for can be spared.
pub async fn verify_presentation(
    response: &EncryptedResponse,
    received_at: &Url,
    transaction: &Transaction<'_>,
    policy: &VerifierPolicy<'_>,
) -> Result<VerifiedPresentation, PresentationError> {
    // An SD-JWT VC does not name the `response_uri`: the place where a response
    // arrives, the key it is encrypted to and the nonce tie it to the transaction.
    // An mdoc is bound to all of them by its session transcript.
    if received_at != transaction.response_uri {
        return Err(PresentationError::ResponseUri);
    }
    if policy.now >= transaction.expires_at {
        return Err(PresentationError::TransactionExpired);
    }
    let payload = token::open(response, transaction, policy.crypto)?;
    let presentations = token::read(&payload, transaction)?;

    let mut valid = Vec::with_capacity(presentations.len());
    for (query, text) in presentations {
        valid.push((query, Owed::check(query, text, transaction, policy)?));
    }
    let mut accepted = Vec::with_capacity(valid.len());
    for (query, owed) in valid {
        accepted.push((query, owed.settle(query, policy).await?));
    }
    if policy.same_holder && !same_holder(&accepted) {
        return Err(PresentationError::HolderDiffers);
    }
    let mut credentials = Vec::with_capacity(accepted.len());
    for (query, credential) in accepted {
        credentials.push(check_query(query, credential)?);
    }
    let answered: Vec<&QueryId> = credentials.iter().map(VerifiedCredential::query).collect();
    check_sets(transaction.query, &answered).map_err(PresentationError::Sets)?;
    Ok(VerifiedPresentation::new(credentials))
}

/// Whether every credential that is bound is bound to one key.
fn same_holder(accepted: &[(&CredentialQuery, Accepted)]) -> bool {
    let mut keys = accepted
        .iter()
        .filter_map(|(_, credential)| credential.holder_key.as_ref());
    let first = keys.next();
    keys.all(|key| Some(key) == first)
}

/// Section 14, "Security Checks on the Returned Credentials and Presentations":
/// the query is checked again, `values` included.
fn check_query(
    query: &CredentialQuery,
    credential: Accepted,
) -> Result<VerifiedCredential, PresentationError> {
    let requested = check_credential(query, &credential.facts()).map_err(|mismatch| {
        PresentationError::Query {
            query: query.id().clone(),
            mismatch,
        }
    })?;
    Ok(VerifiedCredential::new(query, credential, &requested))
}
