//! The credential response (section 8.3): built by an issuer, read by a wallet.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use vouchsafe_credentials::json;

use super::error::CredentialErrorCode;
use crate::http::HttpResponse;
use crate::oauth::error::ErrorCode;

/// Longest response a wallet reads, in bytes. Catalogue 293.
pub const MAX_BYTES: usize = 1024 * 1024;
/// Most credentials of one response.
pub const MAX_CREDENTIALS: usize = 100;

/// Body of a 200 answer; send with `Cache-Control: no-store`.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct CredentialResponse {
    credentials: Vec<IssuedCredential>,
    #[serde(skip_serializing_if = "Option::is_none")]
    notification_id: Option<String>,
}

#[derive(Clone, PartialEq, Eq, Serialize)]
struct IssuedCredential {
    credential: Value,
}

#[derive(Deserialize)]
struct ReceivedCredential {
    credential: String,
}

// Credentials are claims: only their number is printed.
impl std::fmt::Debug for CredentialResponse {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CredentialResponse")
            .field("credentials", &self.credentials.len())
            .finish_non_exhaustive()
    }
}

impl CredentialResponse {
    /// One credential per proof key, as its format sends it (appendix A): an object for
    /// `ldp_vc`, a string for the others.
    #[must_use]
    pub fn new<C: Into<Value>>(credentials: Vec<C>) -> Self {
        let credentials = credentials.into_iter().map(|credential| IssuedCredential {
            credential: credential.into(),
        });
        Self {
            credentials: credentials.collect(),
            notification_id: None,
        }
    }

    /// Names the response for notifications.
    #[must_use]
    pub fn notification_id(mut self, id: &str) -> Self {
        self.notification_id = Some(id.to_owned());
        self
    }
}

/// Body of a 202 answer: come back later (sections 8.3 and 9.2).
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct DeferredResponse {
    transaction_id: String,
    interval: i64,
}

// The transaction_id opens what waits.
impl std::fmt::Debug for DeferredResponse {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DeferredResponse")
            .field("interval", &self.interval)
            .finish_non_exhaustive()
    }
}

impl DeferredResponse {
    /// `interval` in seconds: how long the wallet waits before it asks again, 1 at least.
    #[must_use]
    pub fn new(transaction_id: &str, interval: i64) -> Self {
        Self {
            transaction_id: transaction_id.to_owned(),
            interval: interval.max(1),
        }
    }
}

/// What a wallet got: texts that nothing has verified yet.
#[derive(Clone, PartialEq, Eq)]
pub struct ReceivedCredentials {
    /// Credentials as sent; verify each before it is stored (section 13.4).
    pub credentials: Vec<String>,
    /// Goes into the notification.
    pub notification_id: Option<String>,
}

impl std::fmt::Debug for ReceivedCredentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ReceivedCredentials")
            .field("credentials", &self.credentials.len())
            .finish_non_exhaustive()
    }
}

/// Why no credentials came.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ResponseError {
    /// Not JSON of the form of section 8.3.
    #[error("malformed credential response")]
    Malformed,
    /// Longer than [`MAX_BYTES`], more than [`MAX_CREDENTIALS`], or more than proofs were sent.
    #[error("the issuer sent more than was asked for")]
    TooMuch,
    /// The issuer delivers later; see [`super::received::Received`].
    #[error("the issuer wants to deliver later")]
    Deferred,
    /// The nonce is no longer good: fetch a new one and repeat.
    #[error("the issuer wants a new nonce")]
    InvalidNonce,
    /// The issuer wants its DPoP nonce: repeat with it.
    #[error("the issuer wants its DPoP nonce")]
    UseDpopNonce(String),
    /// The issuer refused with a code of section 8.3.1.2.
    #[error("the issuer refused: {}", .0.as_str())]
    Refused(CredentialErrorCode),
    /// The access token was refused.
    #[error("the issuer did not accept the access token")]
    Unauthorized,
    /// The answer is not encrypted to the key of the request, or does not open.
    #[error("the answer is not encrypted as it was asked for")]
    NotEncrypted,
    /// Another status or code.
    #[error("the issuer answered with status {0}")]
    Status(u16),
}

impl ResponseError {
    /// Reads an answer that is not 200 or 202.
    pub(super) fn of(response: &HttpResponse) -> Self {
        refusal(response)
    }
}

#[derive(Deserialize)]
struct WireResponse {
    credentials: Option<Vec<ReceivedCredential>>,
    transaction_id: Option<String>,
    notification_id: Option<String>,
}

impl ReceivedCredentials {
    /// Reads the answer to a request with `proofs` proofs.
    ///
    /// # Errors
    /// [`ResponseError`].
    pub fn from_response(response: &HttpResponse, proofs: usize) -> Result<Self, ResponseError> {
        match response.status {
            200 => Self::parse(&response.body, proofs),
            202 => Err(ResponseError::Deferred),
            _ => Err(refusal(response)),
        }
    }

    pub(super) fn parse(body: &[u8], proofs: usize) -> Result<Self, ResponseError> {
        if body.len() > MAX_BYTES {
            return Err(ResponseError::TooMuch);
        }
        let value = json::parse_strict(body).map_err(|_| ResponseError::Malformed)?;
        let WireResponse {
            credentials,
            transaction_id,
            notification_id,
        } = serde_json::from_value(value).map_err(|_| ResponseError::Malformed)?;
        let credentials = credentials.ok_or(ResponseError::Malformed)?;
        // Section 8.3: credentials MUST NOT be used if transaction_id is present.
        if credentials.is_empty() || transaction_id.is_some() {
            return Err(ResponseError::Malformed);
        }
        // Each key is used to bind to at most one credential.
        if credentials.len() > proofs.clamp(1, MAX_CREDENTIALS) {
            return Err(ResponseError::TooMuch);
        }
        Ok(Self {
            credentials: credentials.into_iter().map(|c| c.credential).collect(),
            notification_id,
        })
    }
}

fn refusal(response: &HttpResponse) -> ResponseError {
    let body = json::parse_object(&response.body).ok();
    let code = body
        .as_ref()
        .and_then(|b| b.get("error"))
        .and_then(|e| e.as_str());
    let nonce = response.headers.get("dpop-nonce");
    // RFC 9449, section 9: a resource says it in WWW-Authenticate.
    let wants_nonce = response.status == 401
        && response
            .headers
            .all("www-authenticate")
            .any(|h| h.contains(ErrorCode::UseDpopNonce.as_str()));
    match (
        code.and_then(CredentialErrorCode::from_wire),
        response.status,
        nonce,
    ) {
        (_, _, Some(nonce)) if wants_nonce => ResponseError::UseDpopNonce(nonce.to_owned()),
        (Some(CredentialErrorCode::InvalidNonce), 400, _) => ResponseError::InvalidNonce,
        (Some(code), 400, _) => ResponseError::Refused(code),
        (_, 401, _) => ResponseError::Unauthorized,
        (_, status, _) => ResponseError::Status(status),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(status: u16, body: &str, proofs: usize) -> Result<ReceivedCredentials, ResponseError> {
        let response = HttpResponse {
            status,
            headers: crate::http::Headers::new(),
            body: body.as_bytes().to_vec(),
        };
        ReceivedCredentials::from_response(&response, proofs)
    }

    #[test]
    fn credentials_round_trip() {
        let sent = CredentialResponse::new(vec!["a~", "b~"]).notification_id("n");
        let body = serde_json::to_string(&sent).unwrap();
        assert_eq!(
            body,
            r#"{"credentials":[{"credential":"a~"},{"credential":"b~"}],"notification_id":"n"}"#
        );
        let got = read(200, &body, 2).unwrap();
        assert_eq!(got.credentials, ["a~", "b~"]);
        assert_eq!(
            format!("{got:?}"),
            "ReceivedCredentials { credentials: 2, .. }"
        );
    }

    #[test]
    fn cat_293_more_than_was_asked_for() {
        let many = CredentialResponse::new(vec!["a"; 10_000]);
        let many = serde_json::to_string(&many).unwrap();
        assert_eq!(read(200, &many, 1), Err(ResponseError::TooMuch));
        assert_eq!(read(200, &many, 20_000), Err(ResponseError::TooMuch));
        assert_eq!(
            read(200, &"x".repeat(MAX_BYTES + 1), 1),
            Err(ResponseError::TooMuch)
        );
        assert_eq!(
            read(
                200,
                r#"{"credentials":[{"credential":"a"},{"credential":"b"}]}"#,
                1
            ),
            Err(ResponseError::TooMuch)
        );
    }

    #[test]
    fn other_answers() {
        for (status, body, error) in [
            (200, "{}", ResponseError::Malformed),
            (200, r#"{"credentials":[]}"#, ResponseError::Malformed),
            (
                200,
                r#"{"credentials":[{"credential":{}}]}"#,
                ResponseError::Malformed,
            ),
            (
                200,
                r#"{"credentials":[{"credential":"a"}],"transaction_id":"t"}"#,
                ResponseError::Malformed,
            ),
            (
                202,
                r#"{"transaction_id":"t","interval":5}"#,
                ResponseError::Deferred,
            ),
            (
                400,
                r#"{"error":"invalid_nonce"}"#,
                ResponseError::InvalidNonce,
            ),
            (
                400,
                r#"{"error":"invalid_proof"}"#,
                ResponseError::Refused(CredentialErrorCode::InvalidProof),
            ),
            (400, r#"{"error":"other"}"#, ResponseError::Status(400)),
            (401, "", ResponseError::Unauthorized),
            (302, "", ResponseError::Status(302)),
        ] {
            assert_eq!(read(status, body, 1), Err(error), "{body}");
        }
    }

    #[test]
    fn the_dpop_nonce_of_the_issuer() {
        let response = HttpResponse {
            status: 401,
            headers: [
                ("WWW-Authenticate", "DPoP error=\"use_dpop_nonce\""),
                ("DPoP-Nonce", "n1"),
            ]
            .into_iter()
            .collect(),
            body: Vec::new(),
        };
        assert_eq!(
            ReceivedCredentials::from_response(&response, 1),
            Err(ResponseError::UseDpopNonce("n1".into()))
        );
    }
}
