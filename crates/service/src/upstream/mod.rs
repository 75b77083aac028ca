//! Signing in at somebody else's OpenID Provider: a small relying party (OpenID Connect Core 1.0,
//! authorization code flow) on the guarded fetcher and on [`crate::jose`].
//!
//! [`Upstream::begin`] gives the address that the browser goes to and a [`Pending`] sign-in;
//! [`Upstream::finish`] takes the pending sign-in and what came back, and gives an [`Identity`]
//! that was checked. What lies between is the caller's: [`flows`] keeps it in a row that works
//! once and for one browser. Nothing here knows who asks or why.
//!
//! To ask a provider for something more: a member of [`Ask`], its parameter in `begin`, its check
//! in `id_token`.

mod begin;
mod callback;
mod client;
mod discovery;
mod exchange;
pub mod flows;
mod id_token;
mod identity;
mod keys;
mod settings;
#[cfg(test)]
mod tests;
mod user_info;

pub use begin::{Ask, Pending, Start};
pub use callback::Callback;
pub use client::Upstream;
pub use discovery::DiscoveryError;
pub use id_token::IdTokenError;
pub use identity::Identity;
pub use settings::{
    ClientAuthMethod, ClientAuthentication, ProviderConfig, ProviderSettings, SecretMethod,
};

use crate::fetch::FetchError;
use crate::jose::JoseError;

/// Why nobody is signed in. No text contains anything that the provider or the browser sent.
#[derive(Debug, Clone, thiserror::Error)]
pub enum UpstreamError {
    /// The provider did not answer.
    #[error("the provider cannot be reached")]
    Unreachable(#[source] FetchError),
    /// The provider answers with a fault of its own.
    #[error("the provider answers with status {0}")]
    Status(u16),
    /// The description of the provider is not acceptable.
    #[error("the description of the provider is not acceptable")]
    Discovery(#[from] DiscoveryError),
    /// What came back belongs to another sign-in.
    #[error("the answer belongs to another sign-in")]
    State,
    /// The answer comes from another provider (RFC 9207, section 2.4).
    #[error("the answer comes from another provider")]
    MixUp,
    /// Parameters are missing, doubled or malformed.
    #[error("the answer cannot be read")]
    Callback,
    /// The person, or the provider, said no.
    #[error("the provider refused with `{0}`")]
    Denied(String),
    /// The token endpoint refuses the code or the client.
    #[error("the token endpoint refused with `{0}`")]
    Refused(String),
    /// The endpoint of pushed requests refuses the request or the client (RFC 9126, section 2.3).
    #[error("the pushed request was refused with `{0}`")]
    RequestRefused(String),
    /// An answer of the provider is not what the standard says.
    #[error("the provider's {0} is malformed")]
    Malformed(&'static str),
    /// The ID token is not acceptable.
    #[error("the ID token is not acceptable")]
    IdToken(#[from] IdTokenError),
    /// UserInfo is about somebody else (OpenID Connect Core 1.0, section 5.3.2).
    #[error("UserInfo is about another subject")]
    OtherSubject,
    /// Our own key does not sign.
    #[error("the client's key does not sign")]
    Key(#[source] JoseError),
}

impl UpstreamError {
    /// A stable word for logs and metrics.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unreachable(_) => "provider_unreachable",
            Self::Status(_) if self.is_temporary() => "provider_unreachable",
            Self::Status(_) => "provider_status",
            Self::Discovery(_) => "provider_metadata",
            Self::State => "state_mismatch",
            Self::MixUp => "issuer_mismatch",
            Self::Callback => "malformed_answer",
            Self::Denied(_) => "denied",
            Self::Refused(_) => "code_refused",
            Self::RequestRefused(_) => "request_refused",
            Self::Malformed(_) => "malformed_response",
            Self::IdToken(_) => "id_token",
            Self::OtherSubject => "other_subject",
            Self::Key(_) => "client_key",
        }
    }

    /// Whether the same may succeed a little later.
    pub fn is_temporary(&self) -> bool {
        match self {
            Self::Unreachable(FetchError::Unreachable | FetchError::Timeout) => true,
            Self::Status(status) => *status == 429 || *status >= 500,
            Self::Denied(code) | Self::Refused(code) | Self::RequestRefused(code) => {
                matches!(code.as_str(), "temporarily_unavailable" | "server_error")
            }
            Self::Unreachable(_)
            | Self::Discovery(_)
            | Self::State
            | Self::MixUp
            | Self::Callback
            | Self::Malformed(_)
            | Self::IdToken(_)
            | Self::OtherSubject
            | Self::Key(_) => false,
        }
    }
}

impl From<FetchError> for UpstreamError {
    fn from(error: FetchError) -> Self {
        Self::Unreachable(error)
    }
}

/// An error code of the other side as far as it is one (RFC 6749, section 4.1.2.1).
fn error_code(text: &str) -> String {
    let fine = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
    match !text.is_empty() && text.len() <= 64 && text.bytes().all(fine) {
        true => text.to_owned(),
        false => "unknown_error".to_owned(),
    }
}
