//! Signing in at the issuer, in a browser (code flow with PKCE).

use url::Url;
use vouchsafe_credentials::random;
use vouchsafe_protocol::oauth::pkce::CodeVerifier;
use vouchsafe_protocol::oauth::response::{self, Expected};
use vouchsafe_protocol::oauth::values::Secret;

use super::readied::Readied;
use super::session::Session;
use super::token::{Grant, TokenAttempt};
use super::{IssuanceError, Step};
use crate::WalletError;
use crate::wallet::Wallet;

/// The person is to sign in; then the browser comes back.
pub struct Authorize {
    session: Session,
    state: AuthorizeState,
}

pub(super) struct AuthorizeState {
    readied: Readied,
    url: Url,
    state: String,
    verifier: CodeVerifier,
    redirect_uri: Url,
}

impl AuthorizeState {
    pub(super) fn new(wallet: &Wallet, readied: Readied) -> Result<Self, WalletError> {
        let endpoint = readied.server.authorization_endpoint.as_deref();
        let endpoint = endpoint.ok_or(IssuanceError::NoGrant)?;
        let mut url = wallet
            .urls()
            .parse(endpoint)
            .map_err(IssuanceError::Address)?;
        let state = random::token(wallet.rng());
        let verifier = CodeVerifier::generate(wallet.rng());
        let redirect_uri = wallet.config().redirect_uri.clone();
        {
            let mut query = url.query_pairs_mut();
            query.append_pair("response_type", "code");
            query.append_pair("client_id", &wallet.config().client_id);
            query.append_pair("redirect_uri", redirect_uri.as_str());
            query.append_pair("state", &state);
            query.append_pair("code_challenge", verifier.challenge().as_str());
            query.append_pair("code_challenge_method", "S256");
            // HAIP 1.0, section 4.2: scopes name the credentials.
            query.append_pair("scope", &scopes(&readied)?);
            let grant = readied.offer.grants.authorization_code.as_ref();
            if let Some(issuer_state) = grant.and_then(|grant| grant.issuer_state.as_deref()) {
                query.append_pair("issuer_state", issuer_state);
            }
        }
        Ok(Self {
            readied,
            url,
            state,
            verifier,
            redirect_uri,
        })
    }
}

fn scopes(readied: &Readied) -> Result<String, IssuanceError> {
    let mut scopes: Vec<&str> = Vec::new();
    for id in &readied.offer.credential_configuration_ids {
        let scope = readied.configuration(id)?.scope.as_deref();
        let scope = scope.ok_or(IssuanceError::UnsupportedCard)?;
        if !scopes.contains(&scope) {
            scopes.push(scope);
        }
    }
    Ok(scopes.join(" "))
}

impl Authorize {
    pub(super) fn new(session: Session, state: AuthorizeState) -> Self {
        Self { session, state }
    }

    /// Where the person's browser is to be sent.
    #[must_use]
    pub fn url(&self) -> &Url {
        &self.state.url
    }

    /// Finds this sign-in among others when the browser comes back.
    #[must_use]
    pub fn state(&self) -> &str {
        &self.state.state
    }

    /// Takes the query with which the browser came back.
    pub async fn complete(self, query: &str) -> Result<Step, WalletError> {
        let Self { session, state } = self;
        let next = match check(&state, query) {
            Ok(code) => {
                let AuthorizeState {
                    readied,
                    url: _,
                    state: _,
                    verifier,
                    redirect_uri,
                } = state;
                let grant = Grant::AuthorizationCode {
                    code,
                    verifier,
                    redirect_uri,
                };
                TokenAttempt::start(&session.wallet, readied, grant).await
            }
            Err(error) => Err(error.into()),
        };
        match next {
            Ok(next) => Ok(next.with(session)),
            Err(error) => {
                session.fail(&error).await;
                Err(error)
            }
        }
    }

    /// The person did not come back.
    pub fn cancel(self) -> Result<(), WalletError> {
        self.session.decline()
    }
}

fn check(state: &AuthorizeState, query: &str) -> Result<Secret, IssuanceError> {
    let expected = Expected {
        issuer: &state.readied.server.issuer,
        state: &state.state,
        // Catalogue 290, HAIP 1.0, section 4.2: `iss` must come, whatever the
        // metadata promise.
        iss_promised: true,
    };
    response::check(query, &expected).map_err(IssuanceError::Authorization)
}
