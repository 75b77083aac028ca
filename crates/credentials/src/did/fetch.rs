//! The port behind which documents on the web are fetched.

/// What came back from the web.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetched {
    /// `Content-Type`, parameters included; `None` when there was none.
    pub content_type: Option<String>,
    /// The body, complete.
    pub body: Vec<u8>,
}

/// Why nothing came back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DidFetchError {
    /// The host says that there is no such document (404 or 410).
    #[error("there is no such document")]
    NotFound,
    /// The address may not be asked: not https, a port or an address that is not allowed.
    #[error("the address may not be asked")]
    Refused,
    /// The answer is larger than the limit.
    #[error("the answer is too large")]
    TooLarge,
    /// The host did not answer, or not with a document.
    #[error("the host did not answer")]
    Unavailable,
}

/// Fetches documents for DID methods that live on the web. Implementations connect to https
/// hosts of the public internet alone, follow no redirect and stop at `limit` bytes.
#[async_trait::async_trait]
pub trait DidFetch: Send + Sync {
    /// GET of `url`, at most `limit` bytes.
    ///
    /// # Errors
    /// See [`DidFetchError`].
    async fn fetch(&self, url: &str, limit: usize) -> Result<Fetched, DidFetchError>;
}
