//! Error codes of OAuth and its extensions and the error object on the wire.

use serde::{Deserialize, Serialize};

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident => $text:literal),+ $(,)?) => {
        /// Error codes that an authorization server or protected resource answers with.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum ErrorCode { $($(#[$doc])* $name),+ }

        impl ErrorCode {
            /// All codes.
            pub const ALL: &[Self] = &[$(Self::$name),+];

            /// Code on the wire.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text),+ }
            }
        }
    };
}

codes! {
    /// RFC 6749: malformed, missing, repeated or unsupported parameter.
    InvalidRequest => "invalid_request",
    /// RFC 6749: client unknown, authentication failed or of another kind than registered.
    InvalidClient => "invalid_client",
    /// RFC 6749: code or refresh token invalid, used, expired, or of another client.
    InvalidGrant => "invalid_grant",
    /// RFC 6749: this client may not use this grant.
    UnauthorizedClient => "unauthorized_client",
    /// RFC 6749: grant type not supported.
    UnsupportedGrantType => "unsupported_grant_type",
    /// RFC 6749: response type not supported.
    UnsupportedResponseType => "unsupported_response_type",
    /// RFC 6749: scope unknown or not allowed.
    InvalidScope => "invalid_scope",
    /// RFC 6749: the person or the server said no.
    AccessDenied => "access_denied",
    /// RFC 6749: unexpected condition on our side.
    ServerError => "server_error",
    /// RFC 6749: overloaded or under maintenance.
    TemporarilyUnavailable => "temporarily_unavailable",
    /// RFC 6750: access token missing its meaning: expired, revoked, malformed.
    InvalidToken => "invalid_token",
    /// RFC 6750: the token does not allow this.
    InsufficientScope => "insufficient_scope",
    /// RFC 9470: the authentication behind the token is too weak or too old.
    InsufficientUserAuthentication => "insufficient_user_authentication",
    /// RFC 7591: a redirect URI cannot be registered.
    InvalidRedirectUri => "invalid_redirect_uri",
    /// RFC 7591: another value of the client's metadata cannot be registered.
    InvalidClientMetadata => "invalid_client_metadata",
    /// RFC 7591: the software statement is none.
    InvalidSoftwareStatement => "invalid_software_statement",
    /// RFC 7591: the software statement is of nobody whose word counts here.
    UnapprovedSoftwareStatement => "unapproved_software_statement",
    /// RFC 9449: proof of possession invalid.
    InvalidDpopProof => "invalid_dpop_proof",
    /// RFC 9449: repeat with the nonce of the answer.
    UseDpopNonce => "use_dpop_nonce",
    /// Attestation-based client authentication: repeat with the challenge of the answer.
    UseAttestationChallenge => "use_attestation_challenge",
    /// RFC 9101: the `request_uri` is unknown, over, or of another client.
    InvalidRequestUri => "invalid_request_uri",
    /// RFC 8628: the person has not decided yet; ask again.
    AuthorizationPending => "authorization_pending",
    /// RFC 8628: the same, and ask less often, by five seconds from now on.
    SlowDown => "slow_down",
    /// RFC 8628: the device code is over.
    ExpiredToken => "expired_token",
    /// RFC 9396: authorization details invalid.
    InvalidAuthorizationDetails => "invalid_authorization_details",
    /// OpenID Connect Core: cannot be done without asking the person.
    InteractionRequired => "interaction_required",
    /// OpenID Connect Core: nobody is logged in and `prompt=none`.
    LoginRequired => "login_required",
    /// OpenID Connect Core: an account must be chosen.
    AccountSelectionRequired => "account_selection_required",
    /// OpenID Connect Core: consent is missing and `prompt=none`.
    ConsentRequired => "consent_required",
    /// OpenID Connect Core: `request` is not supported.
    RequestNotSupported => "request_not_supported",
    /// OpenID Connect Core: `request_uri` is not supported.
    RequestUriNotSupported => "request_uri_not_supported",
    /// OpenID Connect Core: `registration` is not supported.
    RegistrationNotSupported => "registration_not_supported",
    /// OpenID Connect unmet authentication requirements 1.0: essential `acr` not reached.
    UnmetAuthenticationRequirements => "unmet_authentication_requirements",
}

impl ErrorCode {
    /// Reads a code from the wire; `None` for one this list does not know.
    #[must_use]
    pub fn from_wire(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|c| c.as_str() == text)
    }

    /// HTTP status at endpoints that answer with JSON (RFC 6749, section 5.2; RFC 6750, section 3.1).
    #[must_use]
    pub fn status(self) -> u16 {
        match self {
            Self::InvalidClient | Self::InvalidToken | Self::InsufficientUserAuthentication => 401,
            Self::InsufficientScope => 403,
            Self::ServerError => 500,
            Self::TemporarilyUnavailable => 503,
            Self::InvalidRequest
            | Self::InvalidGrant
            | Self::UnauthorizedClient
            | Self::UnsupportedGrantType
            | Self::UnsupportedResponseType
            | Self::InvalidScope
            | Self::AccessDenied
            | Self::InvalidRedirectUri
            | Self::InvalidClientMetadata
            | Self::InvalidSoftwareStatement
            | Self::UnapprovedSoftwareStatement
            | Self::InvalidDpopProof
            | Self::UseDpopNonce
            | Self::UseAttestationChallenge
            | Self::InvalidRequestUri
            | Self::AuthorizationPending
            | Self::SlowDown
            | Self::ExpiredToken
            | Self::InvalidAuthorizationDetails
            | Self::InteractionRequired
            | Self::LoginRequired
            | Self::AccountSelectionRequired
            | Self::ConsentRequired
            | Self::RequestNotSupported
            | Self::RequestUriNotSupported
            | Self::RegistrationNotSupported
            | Self::UnmetAuthenticationRequirements => 400,
        }
    }
}

impl std::fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for ErrorCode {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// Text for developers beside a code. Only characters of RFC 6749, section 5.2
/// (`%x20-21 / %x23-5B / %x5D-7E`) ever get in; catalogue 283.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct ErrorDescription(String);

impl ErrorDescription {
    /// Longest text kept, in characters.
    pub const MAX: usize = 200;

    /// Replaces every character outside the allowed set by `?` and cuts at [`Self::MAX`].
    #[must_use]
    pub fn new(text: &str) -> Self {
        let allowed = |c: char| matches!(c, ' '..='!' | '#'..='[' | ']'..='~');
        Self(
            text.chars()
                .take(Self::MAX)
                .map(|c| if allowed(c) { c } else { '?' })
                .collect(),
        )
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// An error to answer with. The description is our own text: it never repeats input.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("{code}{}", description.as_ref().map(|d| format!(": {}", d.as_str())).unwrap_or_default())]
pub struct OAuthError {
    /// Code.
    #[serde(rename = "error")]
    pub code: ErrorCode,
    /// Text for developers.
    #[serde(rename = "error_description", skip_serializing_if = "Option::is_none")]
    pub description: Option<ErrorDescription>,
}

impl OAuthError {
    /// Code with a text of ours.
    #[must_use]
    pub fn new(code: ErrorCode, description: &'static str) -> Self {
        Self {
            code,
            description: Some(ErrorDescription::new(description)),
        }
    }

    /// `invalid_request` with a text of ours.
    #[must_use]
    pub fn invalid_request(description: &'static str) -> Self {
        Self::new(ErrorCode::InvalidRequest, description)
    }

    /// HTTP status at endpoints that answer with JSON.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.code.status()
    }
}

impl From<ErrorCode> for OAuthError {
    fn from(code: ErrorCode) -> Self {
        Self {
            code,
            description: None,
        }
    }
}

/// The error object as a client reads it from a server. Unknown members are ignored.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct RemoteError {
    /// Code as sent; may be one we do not know.
    pub error: String,
    /// Text as sent. Foreign text: never shown to a person without escaping, never logged.
    #[serde(default)]
    pub error_description: Option<String>,
}

impl RemoteError {
    /// The code where we know it.
    #[must_use]
    pub fn code(&self) -> Option<ErrorCode> {
        ErrorCode::from_wire(&self.error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn codes_round_trip() {
        for code in ErrorCode::ALL {
            assert_eq!(ErrorCode::from_wire(code.as_str()), Some(*code));
        }
        assert_eq!(ErrorCode::from_wire("nope"), None);
    }

    #[test]
    fn wire_form() {
        let error = OAuthError::new(ErrorCode::InvalidGrant, "the code is not valid");
        assert_eq!(
            serde_json::to_string(&error).unwrap(),
            r#"{"error":"invalid_grant","error_description":"the code is not valid"}"#
        );
        assert_eq!(
            serde_json::to_string(&OAuthError::from(ErrorCode::LoginRequired)).unwrap(),
            r#"{"error":"login_required"}"#
        );
    }

    proptest! {
        #[test]
        fn cat_283_error_description_charset(text in any::<String>()) {
            let description = ErrorDescription::new(&text);
            let allowed = |b: u8| matches!(b, 0x20..=0x21 | 0x23..=0x5b | 0x5d..=0x7e);
            prop_assert!(description.as_str().bytes().all(allowed));
        }
    }
}
