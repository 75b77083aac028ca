//! Checking a status (Bitstring Status List 1.0, section 3.2, "Validate Algorithm").

use std::future::Future;
use std::pin::Pin;

use serde_json::Value;

use super::{Entry, StatusError, StatusListCredential};
use crate::json;
use crate::vc_jose_cose::{self, KeySource};
use crate::vcdm::accept::Means;
use crate::vcdm::{
    Credential, EnvelopeType, Enveloped, Issuers, Policy, PresentationHeader, StatusLists,
    StatusPolicy, VerifyError,
};

/// Largest status list credential that is looked at, in bytes.
pub const MAX_CREDENTIAL: usize = 8 * 1024 * 1024;

/// A status list credential as it was fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FetchedList {
    /// `Content-Type` without parameters, for example `application/vc` or `application/vc+jwt`.
    pub media_type: String,
    /// The body.
    pub body: Vec<u8>,
}

/// The list could not be had: `STATUS_RETRIEVAL_ERROR`.
#[derive(Debug, thiserror::Error)]
#[error("the source of status lists failed")]
pub struct RetrievalError(#[source] pub Box<dyn std::error::Error + Send + Sync>);

/// Where status list credentials come from: a guarded fetcher with a cache, or a store.
/// It caps size, time and redirects; [`MAX_CREDENTIAL`] bytes are enough.
#[async_trait::async_trait]
pub trait StatusListSource: Send + Sync {
    /// The credential at `url` as served.
    async fn fetch(&self, url: &str) -> Result<FetchedList, RetrievalError>;
}

/// The status of a credential for one purpose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CredentialStatus {
    /// `statusPurpose`.
    pub purpose: String,
    /// The value; 0 is the neutral one.
    pub value: u8,
    /// The message of this value, where the entry has one.
    pub message: Option<String>,
    /// How long the list may be cached, in milliseconds, by its own word.
    pub ttl_ms: Option<u64>,
}

impl CredentialStatus {
    /// Refuses what is revoked, suspended, or not understood. `refresh` and `message`
    /// tell something and forbid nothing.
    ///
    /// # Errors
    /// [`StatusError::Revoked`], [`StatusError::Suspended`], [`StatusError::Unknown`].
    pub fn require_usable(&self) -> Result<(), StatusError> {
        match (self.purpose.as_str(), self.value) {
            (_, 0) | ("refresh" | "message", _) => Ok(()),
            ("revocation", _) => Err(StatusError::Revoked),
            ("suspension", _) => Err(StatusError::Suspended),
            _ => Err(StatusError::Unknown),
        }
    }
}

/// The status that one entry of `credentialStatus` stands for.
pub(crate) async fn check(
    entry: &Value,
    credential: &Credential,
    lists: StatusLists<'_>,
    policy: &Policy<'_>,
    means: Means<'_>,
) -> Result<CredentialStatus, StatusError> {
    let entry = Entry::parse(entry)?;
    let fetched = lists.source.fetch(&entry.list).await?;
    if fetched.body.len() > MAX_CREDENTIAL {
        return Err(StatusError::TooLarge);
    }
    let mut publishers = lists.publishers.to_vec();
    publishers.push(credential.issuer().to_owned());
    let issuers = match policy.issuers {
        Issuers::DangerousUnbound => Issuers::DangerousUnbound,
        Issuers::Only(_) | Issuers::AnyResolvable => Issuers::Only(&publishers),
    };
    let list_policy = Policy {
        issuers,
        types: &[],
        status: StatusPolicy::Unchecked,
        // Nobody presents a list.
        presentation_header: PresentationHeader::Unchecked,
        ..*policy
    };
    let list = verify_list(&fetched, &list_policy, means).await?;
    // A list that says where it is published must have come from there.
    if list.id().is_some_and(|id| id != entry.list) {
        return Err(StatusError::Malformed("id"));
    }
    let list = StatusListCredential::read(&list)?;
    let value = list.status(&entry)?;
    Ok(CredentialStatus {
        message: entry.messages.get(usize::from(value)).cloned(),
        purpose: entry.purpose,
        value,
        ttl_ms: list.ttl_ms(),
    })
}

/// Section 3.2, steps 4 to 6. The list is verified as any credential, but for a status of its own.
/// Boxed, because verifying a credential may end here again.
fn verify_list<'f>(
    fetched: &'f FetchedList,
    policy: &'f Policy<'f>,
    means: Means<'f>,
) -> Pin<Box<dyn Future<Output = Result<Credential, StatusError>> + Send + 'f>> {
    Box::pin(async move {
        let verified = match fetched.media_type.as_str() {
            "application/vc"
            | "application/vc+ld+json"
            | "application/ld+json"
            | "application/json" => {
                let document = json::parse_object(&fetched.body);
                let document = Value::Object(document.map_err(|_| StatusError::ListFormat)?);
                verify_document(&document, policy, means).await
            }
            media_type => {
                let kind = EnvelopeType::ALL
                    .into_iter()
                    .find(|kind| kind.media_type() == media_type && !kind.is_presentation());
                let kind = kind.ok_or(StatusError::ListFormat)?;
                verify_envelope(&Enveloped::new(kind, fetched.body.clone()), policy, means).await
            }
        };
        verified.map_err(|error| StatusError::ListCredential(Box::new(error)))
    })
}

async fn verify_document(
    document: &Value,
    policy: &Policy<'_>,
    means: Means<'_>,
) -> Result<Credential, VerifyError> {
    // An EnvelopedVerifiableCredential is served as JSON too.
    if let Ok(envelope) = Enveloped::parse(document) {
        return verify_envelope(&envelope, policy, means).await;
    }
    let verified = crate::data_integrity::verify_credential(
        document,
        means.suites,
        policy,
        means.resolver,
        means.crypto,
    );
    verified.await.map(crate::Verified::into_inner)
}

async fn verify_envelope(
    envelope: &Enveloped,
    policy: &Policy<'_>,
    means: Means<'_>,
) -> Result<Credential, VerifyError> {
    let verified = vc_jose_cose::verify_credential(
        envelope,
        KeySource::Resolver(means.resolver),
        means.suites,
        policy,
        means.crypto,
    );
    verified.await.map(crate::Verified::into_inner)
}
