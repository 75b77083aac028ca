//! The response of the wallet and the answer to it: response mode
//! `direct_post.jwt` (OpenID4VP 1.0, sections 8.2, 8.3.1 and 8.5).

mod answer;
#[cfg(test)]
mod tests;

use serde_json::{Map, Value};
use url::form_urlencoded;

pub use answer::{AnswerError, CONSENT_URI_PREFERENCE, DirectPostAnswer, MAX_ANSWER_BYTES};

use super::request::ReplyTo;
use super::values::State;

/// Largest body that is read at the `response_uri`, in bytes.
pub const MAX_BODY_BYTES: usize = 1024 * 1024;

/// Media type of the body that is posted.
pub const FORM_MEDIA_TYPE: &str = "application/x-www-form-urlencoded";

/// Error codes of an Authorization Error Response (section 8.5; RFC 6749, section 4.1.2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorCode {
    /// The request is malformed.
    InvalidRequest,
    /// The client is not acceptable.
    InvalidClient,
    /// The scope is unknown.
    InvalidScope,
    /// The response type is not supported.
    UnsupportedResponseType,
    /// No matching credential, or the person declined.
    AccessDenied,
    /// None of the formats is supported.
    VpFormatsNotSupported,
    /// `request_uri_method` is neither `get` nor `post`.
    InvalidRequestUriMethod,
    /// `transaction_data` is not supported or not valid.
    InvalidTransactionData,
    /// The wallet cannot be reached.
    WalletUnavailable,
    /// Something went wrong in the wallet.
    ServerError,
}

impl ErrorCode {
    /// Every code.
    pub const ALL: [ErrorCode; 10] = [
        ErrorCode::InvalidRequest,
        ErrorCode::InvalidClient,
        ErrorCode::InvalidScope,
        ErrorCode::UnsupportedResponseType,
        ErrorCode::AccessDenied,
        ErrorCode::VpFormatsNotSupported,
        ErrorCode::InvalidRequestUriMethod,
        ErrorCode::InvalidTransactionData,
        ErrorCode::WalletUnavailable,
        ErrorCode::ServerError,
    ];

    /// The code on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            ErrorCode::InvalidRequest => "invalid_request",
            ErrorCode::InvalidClient => "invalid_client",
            ErrorCode::InvalidScope => "invalid_scope",
            ErrorCode::UnsupportedResponseType => "unsupported_response_type",
            ErrorCode::AccessDenied => "access_denied",
            ErrorCode::VpFormatsNotSupported => "vp_formats_not_supported",
            ErrorCode::InvalidRequestUriMethod => "invalid_request_uri_method",
            ErrorCode::InvalidTransactionData => "invalid_transaction_data",
            ErrorCode::WalletUnavailable => "wallet_unavailable",
            ErrorCode::ServerError => "server_error",
        }
    }

    fn from_wire(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|code| code.as_str() == text)
    }
}

/// What the wallet says when it does not present anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WalletError {
    /// The code; `None` for one that is not known here.
    pub code: Option<ErrorCode>,
    /// The `state` that came with it.
    pub state: Option<State>,
}

/// A body that was posted to the `response_uri`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PostedResponse {
    /// `response`: an encrypted response, still closed.
    Encrypted(EncryptedResponse),
    /// An error response. Section 8.3.1 allows it without encryption.
    Error(WalletError),
}

/// The compact JWE of a response.
#[derive(Clone, PartialEq, Eq)]
pub struct EncryptedResponse {
    compact: String,
    /// `state`, where it was posted beside the JWE as well.
    state: Option<State>,
}

impl EncryptedResponse {
    /// Wraps a compact JWE.
    pub(in crate::vp) fn new(compact: String) -> Self {
        EncryptedResponse {
            compact,
            state: None,
        }
    }

    /// The compact JWE.
    pub fn as_str(&self) -> &str {
        &self.compact
    }

    /// The `state` that was posted beside the JWE, which has its own inside.
    pub(in crate::vp) fn state_beside(&self) -> Option<&State> {
        self.state.as_ref()
    }

    /// The body to post.
    pub fn to_form(&self) -> String {
        form_urlencoded::Serializer::new(String::new())
            .append_pair("response", &self.compact)
            .finish()
    }
}

/// Shows no part of the response.
impl std::fmt::Debug for EncryptedResponse {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("EncryptedResponse(…)")
    }
}

/// Why a posted body is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FormError {
    /// Larger than [`MAX_BODY_BYTES`].
    #[error("the body is too large")]
    TooLarge,
    /// Not UTF-8.
    #[error("the body is not valid UTF-8")]
    NotUtf8,
    /// A parameter occurs twice.
    #[error("a parameter occurs more than once")]
    DuplicateParameter,
    /// A presentation without encryption although `direct_post.jwt` was asked for.
    #[error("the response is not encrypted")]
    NotEncrypted,
    /// Neither `response` nor `error`, or both.
    #[error("the body is neither a response nor an error")]
    NeitherResponseNorError,
    /// `state` is malformed.
    #[error("the state is malformed")]
    State,
}

impl FormError {
    /// A stable code for logs and interfaces.
    pub fn code(self) -> &'static str {
        match self {
            FormError::TooLarge => "response_too_large",
            FormError::NotUtf8 => "response_not_utf8",
            FormError::DuplicateParameter => "response_duplicate_parameter",
            FormError::NotEncrypted => "response_not_encrypted",
            FormError::NeitherResponseNorError => "response_malformed",
            FormError::State => "response_state_malformed",
        }
    }
}

impl PostedResponse {
    /// Reads a body of type `application/x-www-form-urlencoded`. Unknown
    /// parameters are ignored (section 8.1).
    pub fn parse(body: &[u8]) -> Result<Self, FormError> {
        if body.len() > MAX_BODY_BYTES {
            return Err(FormError::TooLarge);
        }
        let [mut response, mut vp_token, mut error, mut state] = [const { None }; 4];
        for (name, value) in form_urlencoded::parse(body) {
            // Section 8.2: "encoded using UTF-8"; anything else was replaced while decoding.
            if value.contains(char::REPLACEMENT_CHARACTER) {
                return Err(FormError::NotUtf8);
            }
            let place = match name.as_ref() {
                "response" => &mut response,
                "vp_token" => &mut vp_token,
                "error" => &mut error,
                "state" => &mut state,
                _ => continue,
            };
            if place.replace(value.into_owned()).is_some() {
                return Err(FormError::DuplicateParameter);
            }
        }
        let read = |state: Option<String>| {
            let state = state.map(|text| State::parse(&text)).transpose();
            state.map_err(|_| FormError::State)
        };
        match (response, vp_token, error) {
            (_, Some(_), _) => Err(FormError::NotEncrypted),
            (Some(compact), None, None) => {
                let state = read(state)?;
                Ok(PostedResponse::Encrypted(EncryptedResponse {
                    compact,
                    state,
                }))
            }
            (None, None, Some(error)) => Ok(PostedResponse::Error(WalletError {
                code: ErrorCode::from_wire(&error),
                state: read(state)?,
            })),
            (Some(_), None, Some(_)) | (None, None, None) => {
                Err(FormError::NeitherResponseNorError)
            }
        }
    }
}

/// An error response inside an encrypted one.
pub(in crate::vp) fn error_of(payload: &Map<String, Value>) -> Option<WalletError> {
    let code = payload
        .get("error")?
        .as_str()
        .and_then(ErrorCode::from_wire);
    let state = payload.get("state").and_then(Value::as_str);
    Some(WalletError {
        code,
        state: state.and_then(|text| State::parse(text).ok()),
    })
}

/// The body of an error response.
pub fn error_form(code: ErrorCode, reply_to: &ReplyTo) -> String {
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.append_pair("error", code.as_str());
    if let Some(state) = &reply_to.state {
        form.append_pair("state", state.as_str());
    }
    form.finish()
}
