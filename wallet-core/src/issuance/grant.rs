//! What is sent to an authorization server: a request to be pushed, or something to redeem.

use url::Url;
use vouchsafe_protocol::oauth::pkce::CodeVerifier;
use vouchsafe_protocol::oauth::token::{RefreshRequest, TokenRequest};
use vouchsafe_protocol::oauth::values::Secret;

use super::IssuanceError;
use super::credentials::Collecting;
use super::records::AccessId;

/// What is redeemed for an access token.
pub(super) enum Grant {
    PreAuthorized {
        code: Secret,
        tx_code: Option<String>,
    },
    AuthorizationCode {
        code: Secret,
        verifier: CodeVerifier,
        redirect_uri: Url,
    },
    /// A token of an access that is kept.
    Refresh { token: Secret, access: AccessId },
    /// A token of what is under way.
    Again {
        token: Secret,
        collecting: Box<Collecting>,
    },
}

/// Something redeemed, ready to be sent more than once.
pub(super) enum Redeeming {
    New {
        request: TokenRequest,
        with_tx_code: bool,
    },
    Refresh {
        token: Secret,
        access: AccessId,
    },
    Again {
        token: Secret,
        collecting: Box<Collecting>,
    },
}

impl From<Grant> for Redeeming {
    fn from(grant: Grant) -> Self {
        match grant {
            Grant::PreAuthorized { code, tx_code } => Self::New {
                with_tx_code: tx_code.is_some(),
                request: TokenRequest::PreAuthorizedCode {
                    code,
                    tx_code: tx_code.map(Secret::new),
                },
            },
            Grant::AuthorizationCode {
                code,
                verifier,
                redirect_uri,
            } => Self::New {
                with_tx_code: false,
                request: TokenRequest::AuthorizationCode {
                    code,
                    redirect_uri: Some(redirect_uri.to_string()),
                    code_verifier: Some(Secret::new(verifier.as_str())),
                },
            },
            Grant::Refresh { token, access } => Self::Refresh { token, access },
            Grant::Again { token, collecting } => Self::Again { token, collecting },
        }
    }
}

impl Redeeming {
    pub(super) fn fields(&self) -> Vec<(&str, &str)> {
        match self {
            Self::New { request, .. } => request.to_fields(),
            Self::Refresh { token, .. } | Self::Again { token, .. } => {
                RefreshRequest::to_fields(token)
            }
        }
    }

    /// What `invalid_grant` means.
    pub(super) fn invalid(&self) -> IssuanceError {
        match self {
            Self::New {
                with_tx_code: true, ..
            } => IssuanceError::TxCodeRefused,
            Self::New {
                with_tx_code: false,
                ..
            } => IssuanceError::OfferUsed,
            Self::Refresh { .. } | Self::Again { .. } => IssuanceError::AccessEnded,
        }
    }
}
