//! Delivering the answer, or the no.

use serde_json::Value;
use url::Url;
use vouchsafe_credentials::json;
use vouchsafe_protocol::http::{HttpRequest, HttpResponse, Method};
use vouchsafe_protocol::vp::response::{
    CONSENT_URI_PREFERENCE, DirectPostAnswer, FORM_MEDIA_TYPE, MAX_ANSWER_BYTES,
};

use super::PresentationError;
use crate::WalletError;
use crate::history::{HistoryEntry, HistoryId, Outcome};
use crate::wallet::Wallet;

/// Most characters that are kept of what a verifier says.
const MAX_SAID: usize = 100;

/// An answer on its way.
pub struct Submitting {
    wallet: Wallet,
    request: HttpRequest,
    entry: HistoryEntry,
}

/// A no on its way.
pub struct Declining {
    wallet: Wallet,
    request: HttpRequest,
    history: HistoryId,
}

/// How a request ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Presented {
    /// Where the person's browser is to be sent. Carries a one-time code.
    pub redirect_uri: Option<Url>,
    /// The entry in the history.
    pub history: HistoryId,
}

impl Submitting {
    pub(super) fn new(wallet: Wallet, request: HttpRequest, entry: HistoryEntry) -> Self {
        Self {
            wallet,
            request,
            entry,
        }
    }

    /// The request to send, once. Redirects must not be followed.
    #[must_use]
    pub fn request(&self) -> &HttpRequest {
        &self.request
    }

    /// The entry in the history. It says [`Outcome::Unknown`] until
    /// [`Submitting::receive`] is called.
    #[must_use]
    pub fn history(&self) -> &HistoryId {
        &self.entry.id
    }

    /// Takes the verifier's reply.
    pub fn receive(mut self, response: &HttpResponse) -> Result<Presented, WalletError> {
        let reply = read_reply(&self.wallet, response);
        self.entry.outcome = match &reply {
            Ok(_) => Outcome::Completed,
            Err(error) => Outcome::Failed {
                code: error.code().to_owned(),
            },
        };
        if let Ok(reply) = &reply {
            self.entry.consent_uri.clone_from(&reply.consent_uri);
        }
        self.wallet.history_store().save(&self.entry)?;
        let redirect_uri = reply?.redirect_uri;
        Ok(Presented {
            redirect_uri,
            history: self.entry.id,
        })
    }
}

impl Declining {
    pub(super) fn new(wallet: Wallet, request: HttpRequest, history: HistoryId) -> Self {
        Self {
            wallet,
            request,
            history,
        }
    }

    /// The error response to send. That it cannot be delivered changes nothing.
    #[must_use]
    pub fn request(&self) -> &HttpRequest {
        &self.request
    }

    /// Takes the verifier's reply.
    pub fn receive(self, response: &HttpResponse) -> Result<Presented, WalletError> {
        let redirect_uri = read_reply(&self.wallet, response)?.redirect_uri;
        Ok(Presented {
            redirect_uri,
            history: self.history,
        })
    }
}

fn read_reply(
    wallet: &Wallet,
    response: &HttpResponse,
) -> Result<DirectPostAnswer, PresentationError> {
    let reply = DirectPostAnswer::parse(&response.body, wallet.urls());
    // Catalogue 341: a redirect of the response endpoint is an error, and the
    // answer is not sent a second time.
    if response.status != 200 {
        let refused = (400..500).contains(&response.status);
        let explained_at = reply
            .ok()
            .filter(|_| refused)
            .and_then(|reply| reply.redirect_uri);
        return Err(PresentationError::NotAccepted {
            status: response.status,
            explained_at,
            said: said(&response.body),
        });
    }
    let reply = reply.map_err(PresentationError::Reply)?;
    if let Some(consent) = &reply.consent_uri {
        wallet
            .urls()
            .check(consent)
            .map_err(PresentationError::Address)?;
    }
    Ok(reply)
}

/// What the verifier says to an answer that it refuses: `error` and `reason` of a JSON object.
fn said(body: &[u8]) -> Option<String> {
    if body.len() > MAX_ANSWER_BYTES {
        return None;
    }
    let body = json::parse_object(body).ok()?;
    let words = ["error", "reason"].map(|name| body.get(name).and_then(Value::as_str));
    let words: Vec<&str> = words.into_iter().flatten().collect();
    let said = words.join(": ");
    let plain = said.chars().filter(|c| matches!(c, ' '..='~'));
    let said: String = plain.take(MAX_SAID).collect();
    (!said.trim().is_empty()).then_some(said)
}

pub(super) fn post_form(url: Url, body: String) -> HttpRequest {
    let mut request = HttpRequest::new(Method::Post, url)
        .header("content-type", FORM_MEDIA_TYPE)
        .header("accept", "application/json")
        .header("prefer", CONSENT_URI_PREFERENCE);
    request.body = body.into_bytes();
    request
}
