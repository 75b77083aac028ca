//! What a wallet gets for a credential request, now or later (sections 8.3 and 9.2).

use serde::Deserialize;
use vouchsafe_credentials::crypto::CryptoProvider;
use vouchsafe_credentials::json;

use super::encryption_of_wallet::ResponseKey;
use super::response::{MAX_BYTES, ReceivedCredentials, ResponseError};
use crate::http::HttpResponse;
use crate::oauth::values::Secret;

/// Longest interval that is believed, in seconds: a day.
const MAX_INTERVAL: u64 = 86_400;
/// Longest `transaction_id`, in bytes.
const MAX_TRANSACTION_ID: usize = 8 * 1024;

/// An answer that is no refusal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Received {
    /// Credentials.
    Now(ReceivedCredentials),
    /// They come later.
    Later(Deferred),
}

/// What is asked for again, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deferred {
    /// Names what waits. Whoever has the access token and this gets the credentials.
    pub transaction_id: Secret,
    /// How long to wait before asking, in seconds.
    pub interval: i64,
}

#[derive(Deserialize)]
struct WireDeferred {
    transaction_id: String,
    interval: u64,
    credentials: Option<serde_json::Value>,
}

impl Received {
    /// Reads the answer to a request for at most `most` credentials, of the credential or the
    /// deferred credential endpoint. With a `key` the answer must be encrypted to it; refusals
    /// never are (section 8.3.1.2).
    ///
    /// # Errors
    /// [`ResponseError`].
    pub fn from_response(
        response: &HttpResponse,
        most: usize,
        key: Option<&ResponseKey>,
        crypto: &dyn CryptoProvider,
    ) -> Result<Self, ResponseError> {
        if !matches!(response.status, 200 | 202) {
            return Err(ResponseError::of(response));
        }
        let opened = match key {
            None => None,
            Some(key) => {
                let opened = key.open(response, crypto);
                Some(opened.map_err(|_| ResponseError::NotEncrypted)?)
            }
        };
        let body = opened.as_ref().map_or(&response.body, |opened| opened);
        if response.status == 200 {
            return ReceivedCredentials::parse(body, most).map(Self::Now);
        }
        Deferred::parse(body).map(Self::Later)
    }
}

impl Deferred {
    fn parse(body: &[u8]) -> Result<Self, ResponseError> {
        if body.len() > MAX_BYTES {
            return Err(ResponseError::TooMuch);
        }
        let value = json::parse_strict(body).map_err(|_| ResponseError::Malformed)?;
        // Section 8.3: `interval` is REQUIRED beside `transaction_id`.
        let WireDeferred {
            transaction_id,
            interval,
            credentials,
        } = serde_json::from_value(value).map_err(|_| ResponseError::Malformed)?;
        let named = (1..=MAX_TRANSACTION_ID).contains(&transaction_id.len());
        if !named || credentials.is_some() {
            return Err(ResponseError::Malformed);
        }
        let interval = interval.clamp(1, MAX_INTERVAL);
        Ok(Self {
            transaction_id: Secret::new(transaction_id),
            interval: i64::try_from(interval).unwrap_or(i64::MAX),
        })
    }
}

#[cfg(test)]
mod tests {
    use vouchsafe_credentials::crypto::Portable;

    use super::*;
    use crate::http::Headers;
    use crate::vci::error::CredentialErrorCode;
    use crate::vci::response::DeferredResponse;

    fn read(status: u16, body: &str) -> Result<Received, ResponseError> {
        let response = HttpResponse {
            status,
            headers: Headers::new(),
            body: body.as_bytes().to_vec(),
        };
        Received::from_response(&response, 1, None, &Portable)
    }

    #[test]
    fn now_or_later() {
        let now = read(
            200,
            r#"{"credentials":[{"credential":"a"}],"notification_id":"n"}"#,
        );
        let Ok(Received::Now(received)) = now else {
            panic!("{now:?}")
        };
        assert_eq!(received.notification_id.as_deref(), Some("n"));
        let sent = serde_json::to_string(&DeferredResponse::new("t-1", 5)).unwrap();
        let Ok(Received::Later(later)) = read(202, &sent) else {
            panic!("not deferred")
        };
        assert_eq!((later.transaction_id.expose(), later.interval), ("t-1", 5));
        assert!(!format!("{later:?}").contains("t-1"));
        let long = read(202, r#"{"transaction_id":"t","interval":99999999}"#);
        assert!(matches!(
            long,
            Ok(Received::Later(Deferred {
                interval: 86_400,
                ..
            }))
        ));
    }

    #[test]
    fn answers_that_are_neither() {
        for bad in [
            "",
            "{}",
            r#"{"transaction_id":"t"}"#,
            r#"{"interval":5}"#,
            r#"{"transaction_id":"","interval":5}"#,
            r#"{"transaction_id":"t","interval":-5}"#,
            r#"{"transaction_id":"t","interval":"5"}"#,
            r#"{"transaction_id":"t","interval":5,"credentials":[]}"#,
            r#"{"transaction_id":"t","transaction_id":"u","interval":5}"#,
        ] {
            assert_eq!(read(202, bad), Err(ResponseError::Malformed), "{bad}");
        }
        let id = read(400, r#"{"error":"invalid_transaction_id"}"#);
        let code = CredentialErrorCode::InvalidTransactionId;
        assert_eq!(id, Err(ResponseError::Refused(code)));
        let huge = "x".repeat(MAX_BYTES + 1);
        assert_eq!(read(202, &huge), Err(ResponseError::TooMuch));
    }
}
