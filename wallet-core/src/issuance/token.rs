//! From a grant to an access token.

use url::Url;
use vouchsafe_credentials::crypto::{Algorithm, SigningKey};
use vouchsafe_credentials::json;
use vouchsafe_protocol::http::{HttpRequest, HttpResponse};
use vouchsafe_protocol::oauth::dpop::{self, ProofFor};
use vouchsafe_protocol::oauth::error::ErrorCode;
use vouchsafe_protocol::oauth::pkce::CodeVerifier;
use vouchsafe_protocol::oauth::token::{
    ReceivedToken, TokenRequest, TokenResponseError, TokenType,
};
use vouchsafe_protocol::oauth::values::Secret;

use super::IssuanceError;
use super::credentials::Collecting;
use super::exchange::{Next, Stage};
use super::readied::Readied;
use super::session::Session;
use crate::WalletError;
use crate::wallet::Wallet;

/// Longest answer of a token endpoint, in bytes.
const MAX_BYTES: usize = 64 * 1024;

/// What is redeemed.
pub(super) enum Grant {
    PreAuthorized {
        code: Secret,
        tx_code: Option<String>,
    },
    AuthorizationCode {
        code: Secret,
        verifier: CodeVerifier,
        redirect_uri: Url,
    },
}

/// A token request that is under way.
pub(super) struct TokenAttempt {
    readied: Readied,
    request: TokenRequest,
    with_tx_code: bool,
    client_id: Option<String>,
    dpop: Option<SigningKey>,
    nonce_tried: bool,
}

impl TokenAttempt {
    pub(super) async fn start(
        wallet: &Wallet,
        readied: Readied,
        grant: Grant,
    ) -> Result<Next, WalletError> {
        let pre_authorized = matches!(grant, Grant::PreAuthorized { .. });
        let anonymous = pre_authorized
            && readied
                .server
                .pre_authorized_grant_anonymous_access_supported;
        let client_id = (!anonymous).then(|| wallet.config().client_id.clone());
        let with_tx_code = matches!(
            grant,
            Grant::PreAuthorized {
                tx_code: Some(_),
                ..
            }
        );
        // RFC 9449: a key of its own for every issuance, so that nothing links them.
        let dpop = readied
            .sender_constrained
            .then(|| SigningKey::generate(Algorithm::Es256, wallet.rng()));
        let request = match grant {
            Grant::PreAuthorized { code, tx_code } => TokenRequest::PreAuthorizedCode {
                code,
                tx_code: tx_code.map(Secret::new),
            },
            Grant::AuthorizationCode {
                code,
                verifier,
                redirect_uri,
            } => TokenRequest::AuthorizationCode {
                code,
                redirect_uri: Some(redirect_uri.to_string()),
                code_verifier: Some(Secret::new(verifier.as_str())),
            },
        };
        let attempt = Self {
            readied,
            request,
            with_tx_code,
            client_id,
            dpop,
            nonce_tried: false,
        };
        attempt.send(wallet, None).await
    }

    async fn send(self, wallet: &Wallet, nonce: Option<&str>) -> Result<Next, WalletError> {
        let url = wallet.urls().parse(&self.readied.server.token_endpoint);
        let url = url.map_err(IssuanceError::Address)?;
        let mut fields = self.request.to_fields();
        fields.extend(self.client_id.as_deref().map(|id| ("client_id", id)));
        let mut request = HttpRequest::post_form(url, &fields);
        if let Some(key) = &self.dpop {
            let proof_for = ProofFor {
                method: request.method,
                url: &request.url,
                access_token: None,
                nonce,
            };
            let proof = dpop::build(&proof_for, key, wallet.now(), wallet.rng()).await;
            request = request.header("dpop", proof.map_err(|_| IssuanceError::Proof)?);
        }
        Ok(Next::Send(request, Stage::Token(Box::new(self))))
    }

    pub(super) async fn receive(
        mut self: Box<Self>,
        session: &mut Session,
        response: &HttpResponse,
    ) -> Result<Next, WalletError> {
        if response.status != 200 {
            return match self.refusal(response) {
                Refusal::WantsNonce(nonce) => {
                    self.nonce_tried = true;
                    self.send(&session.wallet, Some(&nonce)).await
                }
                Refusal::Final(error) => Err(error.into()),
            };
        }
        let wanted = if self.dpop.is_some() {
            TokenType::Dpop
        } else {
            TokenType::Bearer
        };
        if response.body.len() > MAX_BYTES {
            return Err(IssuanceError::TokenResponse(TokenResponseError::Malformed).into());
        }
        let token =
            ReceivedToken::parse(&response.body, wanted).map_err(IssuanceError::TokenResponse)?;
        let Self {
            readied,
            client_id,
            dpop,
            ..
        } = *self;
        Collecting::start(session, readied, token, client_id, dpop).await
    }

    fn refusal(&self, response: &HttpResponse) -> Refusal {
        let body =
            (response.body.len() <= MAX_BYTES).then(|| json::parse_object(&response.body).ok());
        let body = body.flatten();
        let error = body
            .as_ref()
            .and_then(|body| body.get("error"))
            .and_then(|e| e.as_str());
        match error.and_then(ErrorCode::from_wire) {
            // RFC 9449, section 8: once more, with the server's nonce.
            Some(ErrorCode::UseDpopNonce) if self.dpop.is_some() && !self.nonce_tried => {
                match response.headers.at_most_one("dpop-nonce") {
                    Ok(Some(nonce)) => Refusal::WantsNonce(nonce.to_owned()),
                    Ok(None) | Err(_) => Refusal::Final(IssuanceError::TokenRefused),
                }
            }
            Some(ErrorCode::InvalidGrant) if self.with_tx_code => {
                Refusal::Final(IssuanceError::TxCodeRefused)
            }
            Some(ErrorCode::InvalidGrant) => Refusal::Final(IssuanceError::OfferUsed),
            Some(_) | None => Refusal::Final(IssuanceError::TokenRefused),
        }
    }
}

enum Refusal {
    WantsNonce(String),
    Final(IssuanceError),
}
