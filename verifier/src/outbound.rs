//! The two requests that this service sends by itself, as a port: status lists and logout tokens.

use async_trait::async_trait;
use url::Url;

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
