//! The two requests that this service sends by itself, as a port: status lists and logout tokens.

use async_trait::async_trait;
use url::Url;
use vouchsafe_service::fetch::{FetchError, Fetcher, Limits};

/// Why a request failed. Carries no part of an answer.
#[derive(Debug, thiserror::Error)]
pub enum OutboundError {
    /// Refused, unreachable, too slow or too large.
    #[error("the request failed")]
    Failed(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Another status than success.
    #[error("the answer has status {0}")]
    Status(u16),
    /// Not what was asked for.
    #[error("the answer has another media type")]
    MediaType,
}

/// What this service needs from the network.
#[async_trait]
pub trait Outbound: Send + Sync {
    /// Fetches a status list token (`application/statuslist+jwt`).
    async fn status_list(&self, uri: &str) -> Result<String, OutboundError>;

    /// Posts a logout token (OpenID Connect Back-Channel Logout 1.0, section 2.5). `Ok` means that
    /// the application took it.
    async fn logout(&self, uri: &Url, logout_token: &str) -> Result<(), OutboundError>;
}

/// The port on the guarded fetcher.
#[derive(Clone)]
pub struct Guarded(Fetcher);

impl Guarded {
    /// Wraps the fetcher.
    #[must_use]
    pub fn new(fetcher: Fetcher) -> Self {
        Self(fetcher)
    }
}

impl From<FetchError> for OutboundError {
    fn from(error: FetchError) -> Self {
        Self::Failed(Box::new(error))
    }
}

/// Media type of a status list token (Token Status List, section 8.1).
const STATUS_LIST: &str = "application/statuslist+jwt";

#[async_trait]
impl Outbound for Guarded {
    async fn status_list(&self, uri: &str) -> Result<String, OutboundError> {
        let response = self.0.get(uri, STATUS_LIST, Limits::STATUS_LIST).await?;
        if !response.is_success() {
            return Err(OutboundError::Status(response.status));
        }
        if !response.is(STATUS_LIST) {
            return Err(OutboundError::MediaType);
        }
        String::from_utf8(response.body).map_err(|_| OutboundError::MediaType)
    }

    async fn logout(&self, uri: &Url, logout_token: &str) -> Result<(), OutboundError> {
        let form = [("logout_token", logout_token)];
        let response = self
            .0
            .post_form(
                uri.as_str(),
                &form,
                axum::http::HeaderMap::new(),
                Limits::EXCHANGE,
            )
            .await?;
        // Back-Channel Logout 1.0, section 2.8: 200 means done; 204 is common.
        if response.is_success() {
            Ok(())
        } else {
            Err(OutboundError::Status(response.status))
        }
    }
}
