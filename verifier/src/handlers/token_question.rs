//! What introspection and revocation share: a form that names a token, and why nothing follows
//! from it.

use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use vouchsafe_protocol::oauth::error::OAuthError;
use vouchsafe_protocol::oauth::introspection;
use vouchsafe_protocol::oauth::params::{Params, ParamsError};
use vouchsafe_protocol::oauth::values::Secret;
use vouchsafe_service::http::is_form;

use super::oauth;
use crate::caller::CallerError;
use crate::login::revoke::RevokeError;
use crate::store::StoreError;
use crate::views::chain;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum QuestionError {
    /// The body is not a form.
    #[error("the body is not a plain form")]
    MediaType,
    /// Malformed, repeated or missing parameters.
    #[error("the parameters are not acceptable")]
    Params(#[from] ParamsError),
    /// Nobody is known to ask.
    #[error(transparent)]
    Caller(#[from] CallerError),
    /// The token is of somebody else.
    #[error("the token was issued to another client")]
    OtherClient,
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<RevokeError> for QuestionError {
    fn from(error: RevokeError) -> Self {
        match error {
            RevokeError::OtherClient => Self::OtherClient,
            RevokeError::Store(error) => Self::Store(error),
        }
    }
}

impl QuestionError {
    fn oauth(&self) -> OAuthError {
        use vouchsafe_protocol::oauth::error::ErrorCode;
        match self {
            Self::MediaType => OAuthError::invalid_request("the body must be a form"),
            Self::Params(ParamsError::Missing(_)) => {
                OAuthError::invalid_request("a required parameter is missing")
            }
            Self::Params(_) => OAuthError::invalid_request("malformed parameters"),
            Self::Caller(error) => error.to_oauth(),
            Self::OtherClient => ErrorCode::InvalidGrant.into(),
            Self::Store(error) => error.to_oauth(),
        }
    }
}

impl IntoResponse for QuestionError {
    fn into_response(self) -> Response {
        match &self {
            Self::Store(error) => tracing::error!(error = %chain(error), "no answer about a token"),
            _ => tracing::info!(reason = %self, "no answer about a token"),
        }
        let by_header = matches!(&self, Self::Caller(error) if error.by_header());
        oauth::refusal(&self.oauth(), by_header)
    }
}

/// Reads the form.
pub(super) fn form(headers: &HeaderMap, body: &[u8]) -> Result<Params, QuestionError> {
    if !is_form(headers) {
        return Err(QuestionError::MediaType);
    }
    Ok(Params::parse_body(body)?)
}

/// The token that the form names.
pub(super) fn token(params: &Params) -> Result<Secret, QuestionError> {
    Ok(introspection::token(params)?)
}
