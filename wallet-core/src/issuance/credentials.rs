//! From an access token to cards in the wallet.

use std::collections::VecDeque;
use std::sync::Arc;

use vouchsafe_credentials::crypto::{Algorithm, SigningKey};
use vouchsafe_protocol::http::{HttpRequest, HttpResponse, Method};
use vouchsafe_protocol::oauth::access_token::PresentedToken;
use vouchsafe_protocol::oauth::dpop;
use vouchsafe_protocol::oauth::token::ReceivedToken;
use vouchsafe_protocol::vci::nonce::NonceResponse;
use vouchsafe_protocol::vci::proof;
use vouchsafe_protocol::vci::request::{CredentialRequest, Proofs, Requested};
use vouchsafe_protocol::vci::response::{ReceivedCredentials, ResponseError};

use super::exchange::{Next, Stage};
use super::readied::Readied;
use super::session::Session;
use super::store::store;
use super::{Added, IssuanceError};
use crate::WalletError;
use crate::credential::CredentialId;
use crate::secure_area::{self, AreaSigner, AuthorizationHint, KeyHandle};

/// Longest answer of a nonce endpoint, in bytes.
const MAX_NONCE_BYTES: usize = 8 * 1024;

/// Cards being fetched, one after the other.
pub(super) struct Collecting {
    pub(super) readied: Readied,
    token: ReceivedToken,
    client_id: Option<String>,
    dpop: Option<SigningKey>,
    dpop_nonce: Option<String>,
    waiting: VecDeque<Wanted>,
    added: Vec<CredentialId>,
    attempt: Attempt,
}

/// One card to fetch.
pub(super) struct Wanted {
    pub(super) configuration: String,
    pub(super) requested: Requested,
}

/// What belongs to the card at the head of the queue.
#[derive(Default)]
struct Attempt {
    keys: Vec<KeyHandle>,
    nonce: Option<String>,
    nonce_retried: bool,
    dpop_retried: bool,
}

impl Collecting {
    pub(super) async fn start(
        session: &mut Session,
        readied: Readied,
        token: ReceivedToken,
        client_id: Option<String>,
        dpop: Option<SigningKey>,
    ) -> Result<Next, WalletError> {
        let waiting = wanted(&readied, &token);
        let collecting = Self {
            readied,
            token,
            client_id,
            dpop,
            dpop_nonce: None,
            waiting,
            added: Vec::new(),
            attempt: Attempt::default(),
        };
        Box::new(collecting).next(session).await
    }

    /// Asks for the next card, or ends.
    async fn next(self: Box<Self>, session: &mut Session) -> Result<Next, WalletError> {
        if self.waiting.is_empty() {
            session.drop_unbound_keys().await?;
            return Ok(Next::Done(Added { cards: self.added }));
        }
        match self.readied.issuer.nonce_endpoint() {
            Some(url) => {
                let request = HttpRequest::new(Method::Post, url.clone());
                Ok(Next::Send(
                    request.header("accept", "application/json"),
                    Stage::Nonce(self),
                ))
            }
            None => self.ask(session).await,
        }
    }

    pub(super) async fn receive_nonce(
        mut self: Box<Self>,
        session: &mut Session,
        response: &HttpResponse,
    ) -> Result<Next, WalletError> {
        if response.status != 200 || response.body.len() > MAX_NONCE_BYTES {
            return Err(IssuanceError::NoNonce.into());
        }
        let nonce = NonceResponse::parse(&response.body).map_err(|_| IssuanceError::NoNonce)?;
        self.attempt.nonce = Some(nonce.c_nonce);
        // HAIP 1.0, section 4.1: the nonce endpoint may set a DPoP nonce too.
        if let Ok(Some(nonce)) = response.headers.at_most_one("dpop-nonce") {
            self.dpop_nonce = Some(nonce.to_owned());
        }
        self.ask(session).await
    }

    /// Sends proofs of fresh keys.
    async fn ask(mut self: Box<Self>, session: &mut Session) -> Result<Next, WalletError> {
        let wanted = self.waiting.front().ok_or(IssuanceError::UnsupportedCard)?;
        let requested = wanted.requested.clone();
        self.create_keys(session).await?;
        let wallet = &session.wallet;
        let mut proofs = Vec::with_capacity(self.attempt.keys.len());
        for key in &self.attempt.keys {
            let signer = AreaSigner {
                area: Arc::clone(wallet.secure_area()),
                key: key.clone(),
                hint: AuthorizationHint {
                    title: session.host().to_owned(),
                },
            };
            let proof_for = proof::ProofFor {
                issuer: self.readied.issuer.issuer().as_str(),
                client_id: self.client_id.as_deref(),
                nonce: self.attempt.nonce.as_deref(),
            };
            let proof = proof::build(&proof_for, &signer, wallet.now()).await;
            proofs.push(proof.map_err(|error| match secure_area::refusal(&error) {
                Some(refused) => WalletError::from(refused),
                None => IssuanceError::Proof.into(),
            })?);
        }
        let body = CredentialRequest {
            requested,
            proofs: Some(Proofs::Jwt(proofs)),
        };
        let url = self.readied.issuer.credential_endpoint().clone();
        let request = HttpRequest::post_json(url, &body.to_json());
        let request = self
            .authorize(session, request.map_err(|_| IssuanceError::Proof)?)
            .await?;
        Ok(Next::Send(request, Stage::Credential(self)))
    }

    pub(super) async fn receive_credentials(
        mut self: Box<Self>,
        session: &mut Session,
        response: &HttpResponse,
    ) -> Result<Next, WalletError> {
        let received = ReceivedCredentials::from_response(response, self.attempt.keys.len());
        match received {
            Ok(received) => {
                let wanted = self
                    .waiting
                    .pop_front()
                    .ok_or(IssuanceError::UnsupportedCard)?;
                let attempt = std::mem::take(&mut self.attempt);
                let id = store(session, &self.readied, &wanted, &attempt.keys, received).await?;
                self.added.push(id);
                self.next(session).await
            }
            // One more try with a fresh nonce, and one with the DPoP nonce.
            Err(ResponseError::InvalidNonce) if !self.attempt.nonce_retried => {
                self.attempt.nonce_retried = true;
                self.next(session).await
            }
            Err(ResponseError::UseDpopNonce(nonce)) if !self.attempt.dpop_retried => {
                self.attempt.dpop_retried = true;
                self.dpop_nonce = Some(nonce);
                self.ask(session).await
            }
            Err(error) => Err(IssuanceError::Response(error).into()),
        }
    }

    /// Fresh keys for this card; a retry keeps those it has.
    async fn create_keys(&mut self, session: &mut Session) -> Result<(), WalletError> {
        let offered = usize::try_from(self.readied.issuer.batch_size()).unwrap_or(usize::MAX);
        let copies = offered.min(session.wallet.config().batch_size).max(1);
        while self.attempt.keys.len() < copies {
            let key = session
                .wallet
                .secure_area()
                .create_key(Algorithm::Es256)
                .await?;
            session.add_key(&key);
            self.attempt.keys.push(key);
        }
        Ok(())
    }

    async fn authorize(
        &self,
        session: &Session,
        request: HttpRequest,
    ) -> Result<HttpRequest, WalletError> {
        let presented = PresentedToken {
            token_type: self.token.token_type,
            token: self.token.access_token.clone(),
        };
        let mut request = request.header("authorization", presented.to_header());
        if let Some(key) = &self.dpop {
            let wallet = &session.wallet;
            let proof_for = dpop::ProofFor {
                method: request.method,
                url: &request.url,
                access_token: Some(self.token.access_token.expose()),
                nonce: self.dpop_nonce.as_deref(),
            };
            let proof = dpop::build(&proof_for, key, wallet.now(), wallet.rng()).await;
            request = request.header("dpop", proof.map_err(|_| IssuanceError::Proof)?);
        }
        Ok(request)
    }
}

/// OpenID4VCI 1.0, section 8.2: identifiers where, and only where, the token
/// response named some.
fn wanted(readied: &Readied, token: &ReceivedToken) -> VecDeque<Wanted> {
    let ids = readied.offer.credential_configuration_ids.iter();
    ids.flat_map(|id| {
        let named = token.credential_identifiers.iter();
        let named = named.filter(|entry| entry.credential_configuration_id == *id);
        let mut identifiers: Vec<Requested> = named
            .flat_map(|entry| entry.identifiers.iter().cloned().map(Requested::Identifier))
            .collect();
        if token.credential_identifiers.is_empty() {
            identifiers.push(Requested::Configuration(id.clone()));
        }
        identifiers.into_iter().map(|requested| Wanted {
            configuration: id.clone(),
            requested,
        })
    })
    .take(MAX_CARDS)
    .collect()
}

/// Most cards from one offer.
const MAX_CARDS: usize = 32;
