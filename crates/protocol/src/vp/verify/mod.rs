//! The one function that accepts a presentation (OpenID4VP 1.0, section 8.6).
//!
//! [`verify_presentation`] alone makes a [`VerifiedPresentation`]; before it,
//! nothing of a response can be read.

mod error;
mod result;
#[cfg(test)]
mod tests;
mod token;

use std::sync::Arc;

use async_trait::async_trait;
use url::Url;
use vouchsafe_credentials::crypto::{AgreementKey, CryptoProvider};
use vouchsafe_credentials::sd_jwt_vc::{
    IssuerIdentity, IssuerTrust, KeyBindingPolicy, Policy, RegisteredClaims, SdJwtVc, StatusOwed,
    StatusPolicy, verify_presented,
};
use vouchsafe_credentials::status_list::{StatusRef, VerifiedStatusList};
use vouchsafe_credentials::time::UnixTime;

use super::client_id::ClientId;
use super::dcql::{
    CredentialFacts, CredentialQuery, DcqlQuery, Format, Meta, QueryId, check_credential,
    check_sets,
};
use super::response::{EncryptedResponse, WalletError};
use super::values::{Nonce, State};

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
    if received_at != transaction.response_uri {
        return Err(PresentationError::ResponseUri);
    }
    if policy.now >= transaction.expires_at {
        return Err(PresentationError::TransactionExpired);
    }
    let payload = token::open(response, transaction, policy.crypto)?;
    let presentations = token::read(&payload, transaction)?;

    let mut valid = Vec::with_capacity(presentations.len());
    for (query, compact) in &presentations {
        valid.push((
            *query,
            *compact,
            check_one(query, compact, transaction, policy)?,
        ));
    }
    let mut accepted = Vec::with_capacity(valid.len());
    for (query, compact, owed) in valid {
        let credential = settle(query, owed, policy).await?;
        accepted.push((query, compact, credential));
    }
    if policy.same_holder && !same_holder(&accepted) {
        return Err(PresentationError::HolderDiffers);
    }
    let mut credentials = Vec::with_capacity(accepted.len());
    for (query, compact, credential) in accepted {
        credentials.push(check_query(query, compact, credential)?);
    }
    let answered: Vec<&QueryId> = credentials.iter().map(VerifiedCredential::query).collect();
    check_sets(transaction.query, &answered).map_err(PresentationError::Sets)?;
    Ok(VerifiedPresentation::new(credentials))
}

/// Integrity, issuer, type, time, holder binding with audience and nonce.
fn check_one(
    query: &CredentialQuery,
    compact: &str,
    transaction: &Transaction<'_>,
    policy: &VerifierPolicy<'_>,
) -> Result<StatusOwed, PresentationError> {
    let (Format::SdJwtVc, Meta::SdJwtVc { vct_values }) = (query.format(), query.meta()) else {
        return Err(PresentationError::Format);
    };
    // Section 14, "Preventing Replay of Verifiable Presentations": linked to `client_id` and `nonce` of this very request.
    let (audience, nonce) = (transaction.client_id.as_str(), transaction.nonce.as_str());
    let key_binding = if query.requires_holder_binding() {
        KeyBindingPolicy::Required { audience, nonce }
    } else {
        KeyBindingPolicy::Optional { audience, nonce }
    };
    let wanted = Policy {
        trust: policy.trust,
        types: vct_values,
        key_binding,
        status: policy.status,
        now: policy.now,
    };
    verify_presented(compact, &wanted, policy.crypto).map_err(|error| {
        PresentationError::Credential {
            query: query.id().clone(),
            error,
        }
    })
}

/// Nothing is fetched before the credential is known to be valid.
async fn settle(
    query: &CredentialQuery,
    owed: StatusOwed,
    policy: &VerifierPolicy<'_>,
) -> Result<SdJwtVc, PresentationError> {
    let list = match owed.status_ref() {
        None => None,
        Some(reference) => {
            let (source, issuer) = (policy.statuses, owed.issuer());
            Some(match source.at_hand(reference, issuer) {
                Some(list) => list,
                None => {
                    let list = source.list(reference, issuer).await;
                    list.map_err(PresentationError::StatusSource)?
                }
            })
        }
    };
    owed.settle(list.as_deref(), policy.now)
        .map(vouchsafe_credentials::Verified::into_inner)
        .map_err(|error| PresentationError::Credential {
            query: query.id().clone(),
            error,
        })
}

/// Whether every credential that is bound is bound to one key.
fn same_holder(accepted: &[(&CredentialQuery, &str, SdJwtVc)]) -> bool {
    let mut keys = accepted
        .iter()
        .filter_map(|(_, _, vc)| vc.registered.holder_key.as_ref());
    let first = keys.next();
    keys.all(|key| Some(key) == first)
}

/// Section 14, "Security Checks on the Returned Credentials and Presentations":
/// the query is checked again, `values` included.
fn check_query(
    query: &CredentialQuery,
    compact: &str,
    credential: SdJwtVc,
) -> Result<VerifiedCredential, PresentationError> {
    let SdJwtVc {
        issuer,
        registered,
        claims,
        disclosed: _,
        holder_bound,
    } = credential;
    let claims = serde_json::Value::Object(claims);
    let authority_key_ids = token::authority_key_ids(compact);
    let facts = CredentialFacts {
        format: Format::SdJwtVc.as_str(),
        credential_type: &registered.vct,
        also_known_as: &registered.aka_vcts,
        claims: &claims,
        authority_key_ids: &authority_key_ids,
        holder_bound,
    };
    let requested =
        check_credential(query, &facts).map_err(|mismatch| PresentationError::Query {
            query: query.id().clone(),
            mismatch,
        })?;
    Ok(VerifiedCredential::new(
        query.id().clone(),
        accepted_type(query, &registered),
        issuer,
        registered,
        &requested,
        &claims,
    ))
}

/// The type under which the credential was asked for: `vct`, or one of `aka_vcts`
/// for which [`verify_presented`] has checked that the issuer may issue it.
fn accepted_type(query: &CredentialQuery, registered: &RegisteredClaims) -> String {
    let wanted = |vct: &&String| match query.meta() {
        Meta::SdJwtVc { vct_values } => vct_values.contains(vct),
        Meta::MsoMdoc { doctype_value: _ } | Meta::Other => false,
    };
    let mut types = std::iter::once(&registered.vct).chain(&registered.aka_vcts);
    types.find(wanted).unwrap_or(&registered.vct).clone()
}
