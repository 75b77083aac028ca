//! Getting the request and finding out who asks.

use vouchsafe_credentials::did::{self, Did, DidDocument, MAX_DOCUMENT};
use vouchsafe_credentials::random;
use vouchsafe_protocol::http::{HttpRequest, HttpResponse, Method};
use vouchsafe_protocol::vp::invocation::{Invocation, RequestUriMethod};
use vouchsafe_protocol::vp::request::{
    self, MAX_BYTES, MEDIA_TYPE, PresentationRequest, RequestError, WalletPolicy, wallet_metadata,
};
use vouchsafe_protocol::vp::response::error_form;

use super::ask::Asking;
use super::context::Asked;
use super::identity::Identity;
use super::submit::post_form;
use super::{PresentationError, Refused};
use crate::history::{EventKind, HistoryEntry, Outcome, Party};
use crate::wallet::Wallet;
use crate::{WalletError, net};

/// A link was accepted; its request is to be fetched.
pub struct Fetching {
    wallet: Wallet,
    link: Invocation,
    wallet_nonce: Option<String>,
    request: HttpRequest,
    document_request: Option<HttpRequest>,
    document: Option<DidDocument>,
}

impl Fetching {
    pub(crate) fn start(wallet: Wallet, link: &str) -> Result<Self, WalletError> {
        let link = Invocation::parse(link, wallet.urls()).map_err(PresentationError::Link)?;
        // Catalogue 320: nothing inside a private network is ever asked.
        wallet
            .urls()
            .check(&link.request_uri)
            .map_err(PresentationError::Address)?;
        let (request, wallet_nonce) = match link.method {
            RequestUriMethod::Get => (
                HttpRequest::new(Method::Get, link.request_uri.clone()),
                None,
            ),
            RequestUriMethod::Post => {
                // OpenID4VP 1.0, section 5.10: a fresh value against replay.
                let nonce = random::token(wallet.rng());
                // The same text from every wallet with these settings: it marks nobody.
                let metadata = wallet_metadata(
                    &wallet
                        .trust()
                        .other_verifiers
                        .parties(None, wallet.config().transactions),
                );
                let metadata = metadata.to_string();
                let fields = [
                    ("wallet_metadata", metadata.as_str()),
                    ("wallet_nonce", nonce.as_str()),
                ];
                let request = HttpRequest::post_form(link.request_uri.clone(), &fields);
                (request, Some(nonce))
            }
        };
        let request = net::accepting(request, MEDIA_TYPE);
        let document_request = document_request(&wallet, &link.client_id)?;
        Ok(Self {
            wallet,
            link,
            wallet_nonce,
            request,
            document_request,
            document: None,
        })
    }

    /// The request for the DID document of who asks, to be sent before [`Fetching::request`] and answered
    /// with [`Fetching::resolve`]; `None` where none is needed. Redirects must not be followed.
    #[must_use]
    pub fn document_request(&self) -> Option<&HttpRequest> {
        self.document_request.as_ref()
    }

    /// Takes the DID document. What is none is left out: the request is refused for it later.
    pub fn resolve(&mut self, response: &HttpResponse) {
        let did = self.link.client_id.split_once(':');
        let did = did.and_then(|(_, did)| Did::parse(did).ok());
        let readable = response.status == 200 && response.body.len() <= MAX_DOCUMENT;
        self.document = did
            .filter(|_| readable)
            .and_then(|did| DidDocument::parse(&response.body, &did).ok());
    }

    /// The request to send. Redirects must not be followed.
    #[must_use]
    pub fn request(&self) -> &HttpRequest {
        &self.request
    }

    /// The host that is asked, for the time before anything is verified.
    #[must_use]
    pub fn host(&self) -> String {
        net::host_of(&self.link.request_uri)
    }

    /// Takes the answer: a verified request that some card answers, or why not.
    pub fn receive(self, response: &HttpResponse) -> Result<Asking, Box<Refused>> {
        match self.verify(response) {
            Ok(request) => Asking::new(self.wallet, Asked::Link(Box::new(request))),
            // Who is blocked causes no work.
            Err(refused) if is_blocked(&refused) => Err(refused),
            Err(refused) => {
                self.remember(&refused);
                Err(refused)
            }
        }
    }

    /// The request could not be sent, or no answer came.
    #[must_use]
    pub fn unreachable(self) -> WalletError {
        let refused = Refused::from(PresentationError::Unreachable);
        self.remember(&refused);
        refused.error
    }

    fn verify(&self, response: &HttpResponse) -> Result<PresentationRequest, Box<Refused>> {
        let refuse = |error: PresentationError| Box::new(Refused::from(error));
        // OpenID4VP 1.0 with errata, section 5.10: redirects are not followed.
        if response.status != 200 {
            return Err(refuse(PresentationError::RequestStatus(response.status)));
        }
        if !response.is_media_type(MEDIA_TYPE) {
            return Err(refuse(PresentationError::RequestMediaType));
        }
        if response.body.len() > MAX_BYTES {
            return Err(refuse(PresentationError::Request(RequestError::TooLarge)));
        }
        let text = std::str::from_utf8(&response.body)
            .map_err(|_| refuse(PresentationError::RequestMediaType))?;
        let policy = WalletPolicy {
            anchors: &self.wallet.trust().verifiers,
            crypto: self.wallet.crypto(),
            now: self.wallet.now(),
            urls: self.wallet.urls(),
        };
        let nonce = self.wallet_nonce.as_deref();
        let others = &self.wallet.trust().other_verifiers;
        let parties = others.parties(self.document.as_ref(), self.wallet.config().transactions);
        // RFC 9101, section 5.2.3: the body is the request object and nothing beside it (catalogue 101).
        let client_id = &self.link.client_id;
        let request = request::verify_request_of(&parties, text, client_id, nonce, &policy)
            .map_err(|refusal| self.refusal(refusal))?;
        let reply_to = self.wallet.urls().check(request.response_uri());
        reply_to.map_err(|error| refuse(PresentationError::Address(error)))?;
        Ok(request)
    }

    fn refusal(&self, refusal: request::Refusal) -> Box<Refused> {
        let request::Refusal {
            error,
            reply_to,
            requester,
        } = refusal;
        // Nothing is sent to who is blocked, not even why its request is none.
        if let (Some(requester), Some(to)) = (&requester, &reply_to) {
            let host = net::host_of(&to.response_uri);
            let identity = Identity::of(Some(requester), &host);
            match identity.is_blocked(self.wallet.verifier_store()) {
                Ok(false) => {}
                Ok(true) => return Box::new(PresentationError::Blocked.into()),
                Err(error) => return Box::new(error.into()),
            }
        }
        let code = error.error_code();
        let reply_to = reply_to.filter(|to| self.wallet.urls().check(&to.response_uri).is_ok());
        Box::new(Refused {
            notify: reply_to.map(|to| post_form(to.response_uri.clone(), error_form(code, &to))),
            error: PresentationError::Request(error).into(),
            ask_first: false,
        })
    }

    /// Failed requests are part of the history too. That it could not be
    /// written must not hide why the request failed.
    fn remember(&self, refused: &Refused) {
        let at = self.wallet.now();
        let _ = self.wallet.history_store().save(&HistoryEntry {
            id: self.wallet.history_store().new_id(at),
            at,
            kind: EventKind::Presented,
            party: Party {
                name: None,
                host: self.host(),
            },
            purpose: None,
            cards: Vec::new(),
            facts: Vec::new(),
            outcome: Outcome::Failed {
                code: refused.error.code().to_owned(),
            },
            consent_uri: None,
            withdrawn_at: None,
        });
    }
}

fn is_blocked(refused: &Refused) -> bool {
    let error = &refused.error;
    matches!(error, WalletError::Presentation(PresentationError::Blocked))
}

/// The request for the document of a `did:web`, where such a verifier may ask at all.
fn document_request(
    wallet: &Wallet,
    client_id: &str,
) -> Result<Option<HttpRequest>, PresentationError> {
    let did = client_id.strip_prefix("decentralized_identifier:");
    let did = did.and_then(|did| Did::parse(did).ok());
    let wanted = did.filter(|did| did.method() == "web");
    let Some(did) = wanted.filter(|_| wallet.trust().other_verifiers.asks_for_unvouched()) else {
        return Ok(None);
    };
    let unresolved = || PresentationError::Request(RequestError::DidUnresolved);
    let address = did::web_document_url(&did).map_err(|_| unresolved())?;
    let address = wallet.urls().endpoint(&address).map_err(|_| unresolved())?;
    // Catalogue 320: nothing inside a private network is ever asked.
    wallet
        .urls()
        .check(&address)
        .map_err(PresentationError::Address)?;
    let request = HttpRequest::new(Method::Get, address);
    Ok(Some(net::accepting(request, "application/json")))
}
