//! A request to an authorization server, sent until it is answered: with its challenge, its nonce,
//! after the wait it asks for.

use vouchsafe_credentials::json;
use vouchsafe_protocol::http::{HttpRequest, HttpResponse, Method};
use vouchsafe_protocol::oauth::attested;
use vouchsafe_protocol::oauth::error::ErrorCode;
use vouchsafe_protocol::oauth::pushed::Pushed;
use vouchsafe_protocol::oauth::token::{ReceivedToken, TokenResponseError};

use super::IssuanceError;
use super::authorize::{AuthorizeState, Draft};
use super::client::Client;
use super::credentials::Collecting;
use super::exchange::{Next, Stage};
use super::goal;
use super::grant::{Grant, Redeeming};
use super::readied::Readied;
use super::session::Session;
use crate::WalletError;

/// Longest answer of a token endpoint, in bytes.
const MAX_BYTES: usize = 64 * 1024;
/// How often a request is repeated with another nonce or challenge.
const MAX_REPEATS: u8 = 4;

/// A call under way.
pub(super) struct Call {
    readied: Box<Readied>,
    client: Client,
    what: What,
    nonces: u8,
    challenges: u8,
}

/// What is called.
pub(super) enum What {
    /// The endpoint of pushed requests.
    Push(Box<Draft>),
    /// The token endpoint.
    Token(Redeeming),
}

enum Refusal {
    Again,
    Challenge,
    Final(IssuanceError),
}

impl Call {
    /// Starts with the challenge, where one is needed.
    pub(super) async fn start(
        session: &Session,
        readied: Box<Readied>,
        client: Client,
        what: What,
    ) -> Result<Next, WalletError> {
        let call = Self {
            readied,
            client,
            what,
            nonces: 0,
            challenges: 0,
        };
        Box::new(call).go(session).await
    }

    pub(super) async fn redeem(
        session: &Session,
        readied: Box<Readied>,
        client: Client,
        grant: Grant,
    ) -> Result<Next, WalletError> {
        Self::start(session, readied, client, What::Token(grant.into())).await
    }

    async fn go(self: Box<Self>, session: &Session) -> Result<Next, WalletError> {
        let endpoint = self.readied.server.challenge_endpoint.as_deref();
        match endpoint.filter(|_| self.client.wants_challenge()) {
            // Attestation-based client authentication, section 8: where there is an endpoint, the
            // client MUST use a challenge of it.
            Some(endpoint) => {
                let url = session.wallet.urls().parse(endpoint);
                let url = url.map_err(IssuanceError::Address)?;
                let request = HttpRequest::new(Method::Post, url);
                let request = request.header("accept", "application/json");
                Ok(Next::send(request, Stage::Challenge(self)))
            }
            None => self.send(session).await,
        }
    }

    pub(super) async fn receive_challenge(
        mut self: Box<Self>,
        session: &Session,
        response: &HttpResponse,
    ) -> Result<Next, WalletError> {
        let challenge = attested::challenge(response).ok_or(IssuanceError::NoChallenge)?;
        self.client.set_challenge(challenge);
        self.send(session).await
    }

    /// Sends it, each time with fresh proofs.
    pub(super) async fn send(self: Box<Self>, session: &Session) -> Result<Next, WalletError> {
        let server = &self.readied.server;
        let (endpoint, fields, bound) = match &self.what {
            What::Push(draft) => {
                let endpoint = server.pushed_authorization_request_endpoint.as_deref();
                let endpoint = endpoint.ok_or(IssuanceError::NoGrant)?;
                // The key is named by `dpop_jkt` (RFC 9449, section 10.1).
                (endpoint, draft.fields(), false)
            }
            What::Token(redeeming) => (server.token_endpoint.as_str(), redeeming.fields(), true),
        };
        let url = session.wallet.urls().parse(endpoint);
        let url = url.map_err(IssuanceError::Address)?;
        let request = self.client.form(session, url, fields, bound).await?;
        Ok(Next::send(request, Stage::Call(self)))
    }

    pub(super) async fn receive(
        mut self: Box<Self>,
        session: &mut Session,
        response: &HttpResponse,
    ) -> Result<Next, WalletError> {
        let new_nonce = self.client.take_server_nonce(&response.headers);
        let new_challenge = self.client.take_challenge(&response.headers);
        if response.is_success() {
            return self.answered(session, response).await;
        }
        match self.refusal(response, new_nonce) {
            Refusal::Again => {
                self.nonces += 1;
                self.send(session).await
            }
            Refusal::Challenge => {
                self.challenges += 1;
                if !new_challenge {
                    self.client.forget_challenge();
                }
                self.go(session).await
            }
            Refusal::Final(error) => Err(error.into()),
        }
    }

    async fn answered(
        self: Box<Self>,
        session: &mut Session,
        response: &HttpResponse,
    ) -> Result<Next, WalletError> {
        let Self {
            readied,
            client,
            what,
            ..
        } = *self;
        match what {
            What::Push(draft) => {
                let pushed = Pushed::from_response(response).map_err(|_| IssuanceError::Pushed)?;
                let state = AuthorizeState::pushed(session, readied, client, *draft, &pushed)?;
                Ok(Next::Authorize(Box::new(state)))
            }
            What::Token(redeeming) => {
                let refused = IssuanceError::TokenResponse;
                if response.status != 200 || response.body.len() > MAX_BYTES {
                    return Err(refused(TokenResponseError::Malformed).into());
                }
                let token = ReceivedToken::parse(&response.body, client.token_type());
                let token = token.map_err(refused)?;
                match redeeming {
                    Redeeming::New { .. } => {
                        Collecting::start(session, readied, client, token).await
                    }
                    Redeeming::Again { collecting, .. } => {
                        collecting.go_on(session, client, &token).await
                    }
                    Redeeming::Refresh { access, .. } => {
                        goal::refreshed(session, readied, client, &access, token).await
                    }
                }
            }
        }
    }

    fn refusal(&self, response: &HttpResponse, new_nonce: bool) -> Refusal {
        let short = response.body.len() <= MAX_BYTES;
        let body = short
            .then(|| json::parse_object(&response.body).ok())
            .flatten();
        let error = body.as_ref().and_then(|body| body.get("error"));
        let error = error.and_then(|error| error.as_str());
        match error.and_then(ErrorCode::from_wire) {
            // RFC 9449, section 8: again, with the server's nonce.
            Some(ErrorCode::UseDpopNonce)
                if new_nonce && self.client.is_bound() && self.nonces < MAX_REPEATS =>
            {
                Refusal::Again
            }
            // Attestation-based client authentication, section 6.2: again, with a challenge.
            Some(ErrorCode::UseAttestationChallenge)
                if self.client.is_attested() && self.challenges < MAX_REPEATS =>
            {
                Refusal::Challenge
            }
            Some(ErrorCode::InvalidGrant) => Refusal::Final(match &self.what {
                What::Push(_) => IssuanceError::Pushed,
                What::Token(redeeming) => redeeming.invalid(),
            }),
            Some(_) | None => Refusal::Final(match &self.what {
                What::Push(_) => IssuanceError::Pushed,
                What::Token(_) => IssuanceError::TokenRefused,
            }),
        }
    }
}
