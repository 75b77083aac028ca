//! Signing in at the issuer, in a browser (code flow with PKCE).

use url::Url;
use vouchsafe_credentials::random;
use vouchsafe_protocol::oauth::authorization_details::{self, OPENID_CREDENTIAL};
use vouchsafe_protocol::oauth::pkce::CodeVerifier;
use vouchsafe_protocol::oauth::pushed::Pushed;
use vouchsafe_protocol::oauth::response::{self, Expected};
use vouchsafe_protocol::oauth::values::Secret;

use super::call::{Call, What};
use super::client::Client;
use super::exchange::Next;
use super::grant::Grant;
use super::policy::AskBy;
use super::readied::Readied;
use super::session::Session;
use super::{IssuanceError, Step};
use crate::WalletError;

/// The person is to sign in; then the browser comes back.
pub struct Authorize {
    session: Session,
    state: AuthorizeState,
}

pub(super) struct AuthorizeState {
    readied: Box<Readied>,
    client: Client,
    url: Url,
    state: String,
    verifier: CodeVerifier,
    redirect_uri: Url,
}

/// The parameters of an authorization request.
pub(super) struct Draft {
    parameters: Vec<(&'static str, String)>,
    state: String,
    verifier: CodeVerifier,
    redirect_uri: Url,
}

impl Draft {
    pub(super) fn fields(&self) -> Vec<(&str, &str)> {
        let parameters = self.parameters.iter();
        parameters
            .map(|(name, value)| (*name, value.as_str()))
            .collect()
    }

    fn new(session: &Session, readied: &Readied, client: &Client) -> Result<Self, WalletError> {
        let wallet = &session.wallet;
        let state = random::token(wallet.rng());
        let verifier = CodeVerifier::generate(wallet.rng());
        let redirect_uri = wallet.config().redirect_uri.clone();
        let mut parameters = vec![
            ("response_type", "code".to_owned()),
            ("client_id", wallet.config().client_id.clone()),
            ("redirect_uri", redirect_uri.to_string()),
            ("state", state.clone()),
            ("code_challenge", verifier.challenge().as_str().to_owned()),
            ("code_challenge_method", "S256".to_owned()),
        ];
        parameters.push(asked(readied, wallet.config().issuance.ask_by)?);
        // RFC 9449, section 10: the code is bound to the key.
        parameters.extend(client.dpop_jkt().map(|jkt| ("dpop_jkt", jkt)));
        // OpenID4VCI 1.0, section 5.1.3.
        let grant = readied.offer.grants.authorization_code.as_ref();
        let issuer_state = grant.and_then(|grant| grant.issuer_state.clone());
        parameters.extend(issuer_state.map(|state| ("issuer_state", state)));
        Ok(Self {
            parameters,
            state,
            verifier,
            redirect_uri,
        })
    }
}

/// The parameter that names what is asked for: `scope` where every configuration has one (HAIP
/// 1.0, section 4.2), else, or where the wallet wants it so and the server knows them,
/// `authorization_details`.
fn asked(readied: &Readied, by: AskBy) -> Result<(&'static str, String), IssuanceError> {
    let ids = &readied.offer.credential_configuration_ids;
    let known = &readied.server.authorization_details_types_supported;
    let details_known = known.iter().any(|kind| kind == OPENID_CREDENTIAL);
    let mut scopes: Vec<&str> = Vec::new();
    let mut all_have_one = true;
    for id in ids {
        match readied.configuration(id)?.scope.as_deref() {
            Some(scope) if !scopes.contains(&scope) => scopes.push(scope),
            Some(_) => {}
            None => all_have_one = false,
        }
    }
    let details = match by {
        AskBy::Scope => !all_have_one,
        AskBy::Details => details_known || !all_have_one,
    };
    if !details {
        return Ok(("scope", scopes.join(" ")));
    }
    // Section 5.1.1: with `authorization_servers` in the metadata the issuer is in `locations`.
    let document = readied.issuer.document();
    let location = document.authorization_servers.is_some();
    let issuer = location.then(|| readied.issuer.issuer().as_str());
    let text = authorization_details::request(ids, issuer);
    Ok(("authorization_details", text))
}

impl AuthorizeState {
    /// Pushes the request where the server takes that (RFC 9126), else hands it out.
    pub(super) async fn begin(
        session: &Session,
        readied: Box<Readied>,
        client: Client,
    ) -> Result<Next, WalletError> {
        let draft = Draft::new(session, &readied, &client)?;
        let server = &readied.server;
        if server.pushed_authorization_request_endpoint.is_some() {
            let what = What::Push(Box::new(draft));
            return Call::start(session, readied, client, what).await;
        }
        if server.require_pushed_authorization_requests {
            return Err(IssuanceError::NoGrant.into());
        }
        let mut url = endpoint(session, &readied)?;
        url.query_pairs_mut().extend_pairs(draft.fields());
        let state = Self::with(readied, client, draft, url);
        Ok(Next::Authorize(Box::new(state)))
    }

    /// After the request was pushed (RFC 9126, section 4).
    pub(super) fn pushed(
        session: &Session,
        readied: Box<Readied>,
        client: Client,
        draft: Draft,
        pushed: &Pushed,
    ) -> Result<Self, WalletError> {
        let mut url = endpoint(session, &readied)?;
        url.query_pairs_mut()
            .append_pair("client_id", &session.wallet.config().client_id)
            .append_pair("request_uri", &pushed.request_uri);
        Ok(Self::with(readied, client, draft, url))
    }

    fn with(readied: Box<Readied>, client: Client, draft: Draft, url: Url) -> Self {
        let Draft {
            parameters: _,
            state,
            verifier,
            redirect_uri,
        } = draft;
        Self {
            readied,
            client,
            url,
            state,
            verifier,
            redirect_uri,
        }
    }
}

fn endpoint(session: &Session, readied: &Readied) -> Result<Url, IssuanceError> {
    let endpoint = readied.server.authorization_endpoint.as_deref();
    let endpoint = endpoint.ok_or(IssuanceError::NoGrant)?;
    let url = session.wallet.urls().parse(endpoint);
    url.map_err(IssuanceError::Address)
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

    /// Where the browser comes back to.
    #[must_use]
    pub fn redirect_uri(&self) -> &Url {
        &self.state.redirect_uri
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
                    client,
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
                Call::redeem(&session, readied, client, grant).await
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
