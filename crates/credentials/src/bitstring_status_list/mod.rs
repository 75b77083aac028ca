//! Bitstring Status List 1.0.

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
#[error("the status list cannot be retrieved")]
pub struct RetrievalError(#[source] pub Box<dyn std::error::Error + Send + Sync>);

/// Where status list credentials come from: a guarded fetcher with a cache, or a store.
/// It caps size, time and redirects; [`MAX_CREDENTIAL`] bytes are enough.
#[async_trait::async_trait]
pub trait StatusListSource: Send + Sync {
    /// The credential at `url` as served.
    async fn fetch(&self, url: &str) -> Result<FetchedList, RetrievalError>;
}

/// Largest status list credential that is looked at, in bytes.
pub const MAX_CREDENTIAL: usize = 8 * 1024 * 1024;
