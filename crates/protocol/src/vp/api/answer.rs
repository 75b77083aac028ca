//! What the browser hands back to the page: `protocol` and `data` of a `DigitalCredential`
//! (appendix A.4).

use serde_json::{Map, Value};
use vouchsafe_credentials::json;

use super::Protocol;
use crate::vp::response::{EncryptedResponse, WalletError, error_of};

/// Largest answer that is read, in bytes.
pub const MAX_ANSWER_BYTES: usize = 1024 * 1024;

/// The answer of a wallet over the API, not believed yet.
#[derive(Clone, Debug, PartialEq)]
pub struct ApiAnswer {
    pub(in crate::vp) protocol: Protocol,
    pub(in crate::vp) body: ApiBody,
}

#[derive(Clone, PartialEq)]
pub(in crate::vp) enum ApiBody {
    /// `response` (mode `dc_api.jwt`), still closed.
    Encrypted(EncryptedResponse),
    /// `vp_token` as a member (mode `dc_api`).
    Open(Map<String, Value>),
    /// `error`, which stands alone.
    Error(WalletError),
}

/// Shows no part of the answer.
impl std::fmt::Debug for ApiBody {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            ApiBody::Encrypted(_) => "Encrypted(…)",
            ApiBody::Open(_) => "Open(…)",
            ApiBody::Error(_) => "Error(…)",
        })
    }
}

/// Why an answer is refused before anything in it is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ApiAnswerError {
    /// Larger than [`MAX_ANSWER_BYTES`].
    #[error("the answer is too large")]
    TooLarge,
    /// Not a JSON object with `protocol` and an object `data`.
    #[error("the answer is not a JSON object with protocol and data")]
    Shape,
    /// A protocol that is not one of ours.
    #[error("the protocol of the answer is not known")]
    Protocol,
    /// Not exactly one of `response`, `vp_token` and `error`.
    #[error("the data of the answer is neither a response nor an error")]
    Data,
}

impl ApiAnswerError {
    /// A stable code for logs and interfaces.
    pub fn code(self) -> &'static str {
        match self {
            ApiAnswerError::TooLarge => "response_too_large",
            ApiAnswerError::Shape => "response_malformed",
            ApiAnswerError::Protocol => "response_unknown_protocol",
            ApiAnswerError::Data => "response_data_malformed",
        }
    }
}

impl ApiAnswer {
    /// Reads an object with the members `protocol` and `data`. Unknown members of `data` are
    /// ignored (section 8.1).
    ///
    /// # Errors
    /// [`ApiAnswerError`] with the first rule broken.
    pub fn parse(body: &[u8]) -> Result<Self, ApiAnswerError> {
        if body.len() > MAX_ANSWER_BYTES {
            return Err(ApiAnswerError::TooLarge);
        }
        let answer = json::parse_object(body).map_err(|_| ApiAnswerError::Shape)?;
        let protocol = answer.get("protocol").and_then(Value::as_str);
        let data = answer.get("data").and_then(Value::as_object);
        let (Some(protocol), Some(data)) = (protocol, data) else {
            return Err(ApiAnswerError::Shape);
        };
        Ok(ApiAnswer {
            protocol: Protocol::from_name(protocol).ok_or(ApiAnswerError::Protocol)?,
            body: ApiBody::parse(data)?,
        })
    }
}

impl ApiBody {
    fn parse(data: &Map<String, Value>) -> Result<Self, ApiAnswerError> {
        let member = |name: &str| data.get(name);
        match (member("response"), member("vp_token"), member("error")) {
            (Some(Value::String(compact)), None, None) => {
                Ok(ApiBody::Encrypted(EncryptedResponse::new(compact.clone())))
            }
            (None, Some(_), None) => Ok(ApiBody::Open(data.clone())),
            (None, None, Some(Value::String(_))) => {
                let error = error_of(data).ok_or(ApiAnswerError::Data)?;
                Ok(ApiBody::Error(error))
            }
            _ => Err(ApiAnswerError::Data),
        }
    }
}
