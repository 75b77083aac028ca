//! What the verifier answers to the wallet's post.

use serde_json::{Map, Value};
use url::Url;
use vouchsafe_credentials::json;

use crate::http::UrlRule;

/// Largest answer that a wallet reads, in bytes.
pub const MAX_ANSWER_BYTES: usize = 64 * 1024;

/// What a wallet says in `Prefer` (RFC 7240) with its response to be told `consent_uri`.
pub const CONSENT_URI_PREFERENCE: &str = "consent-uri";

/// What the verifier answers to a response: status 200, JSON (section 8.2).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DirectPostAnswer {
    /// Where the wallet must send the person's browser.
    pub redirect_uri: Option<Url>,
    /// An additional parameter of ours, for who prefers [`CONSENT_URI_PREFERENCE`]: where the wallet
    /// can withdraw the consent (`DELETE`).
    pub consent_uri: Option<Url>,
}

/// Why an answer is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AnswerError {
    /// Larger than [`MAX_ANSWER_BYTES`].
    #[error("the answer is too large")]
    TooLarge,
    /// Not a JSON object.
    #[error("the answer is not a JSON object")]
    Json,
    /// `redirect_uri` or `consent_uri` is not an acceptable URL.
    #[error("a URL in the answer is not acceptable")]
    Url,
}

impl AnswerError {
    /// A stable code for logs and interfaces.
    pub fn code(self) -> &'static str {
        match self {
            AnswerError::TooLarge => "answer_too_large",
            AnswerError::Json => "answer_malformed",
            AnswerError::Url => "answer_url_unacceptable",
        }
    }
}

impl DirectPostAnswer {
    /// The JSON body.
    pub fn to_json(&self) -> Value {
        let DirectPostAnswer {
            redirect_uri,
            consent_uri,
        } = self;
        let mut answer = Map::new();
        for (name, url) in [("redirect_uri", redirect_uri), ("consent_uri", consent_uri)] {
            if let Some(url) = url {
                answer.insert(name.to_owned(), Value::from(url.as_str()));
            }
        }
        Value::Object(answer)
    }

    /// Reads the body of an answer with status 200. Unknown members are ignored.
    ///
    /// `redirect_uri` may have a fragment (section 8.2: "as a path component, as a
    /// fragment or as a parameter"); a browser is sent there, so it must be a web address.
    pub fn parse(body: &[u8], urls: UrlRule) -> Result<Self, AnswerError> {
        if body.len() > MAX_ANSWER_BYTES {
            return Err(AnswerError::TooLarge);
        }
        let answer = json::parse_object(body).map_err(|_| AnswerError::Json)?;
        let url = |name: &str| match answer.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => {
                let address = text.split('#').next().unwrap_or(text);
                urls.endpoint(address).map_err(|_| AnswerError::Url)?;
                Url::parse(text).map(Some).map_err(|_| AnswerError::Url)
            }
            Some(_) => Err(AnswerError::Url),
        };
        Ok(DirectPostAnswer {
            redirect_uri: url("redirect_uri")?,
            consent_uri: url("consent_uri")?,
        })
    }
}
