//! What this wallet shows an authorization server and an issuer: who it is, and that its tokens
//! are its own.

use std::sync::Arc;

use url::Url;
use vouchsafe_credentials::crypto::{Algorithm, Signer, SigningKey};
use vouchsafe_protocol::http::{Headers, HttpRequest};
use vouchsafe_protocol::oauth::access_token::PresentedToken;
use vouchsafe_protocol::oauth::attested::{self, ATTESTATION_HEADER, METHOD, POP_HEADER, PopFor};
use vouchsafe_protocol::oauth::dpop::{self, ProofFor};
use vouchsafe_protocol::oauth::metadata::AuthorizationServerMetadata;
use vouchsafe_protocol::oauth::token::TokenType;
use vouchsafe_protocol::oauth::values::Secret;

use super::IssuanceError;
use super::readied::Readied;
use super::records::{self, Access, InstanceKey};
use super::session::Session;
use crate::WalletError;
use crate::attestation::Instance;
use crate::secure_area::{AreaSigner, AuthorizationHint, KeyHandle};
use crate::storage::VaultBatch;
use crate::wallet::Wallet;

/// Method of a client without authentication.
const NONE: &str = "none";

/// This wallet at one authorization server.
pub(super) struct Client {
    /// Issuer identifier of the server.
    server: String,
    /// `None` in anonymous access.
    pub(super) id: Option<String>,
    dpop: Option<SigningKey>,
    attested: Option<Attested>,
    /// The latest DPoP nonces of the server and of the issuer.
    server_nonce: Option<String>,
    issuer_nonce: Option<String>,
}

struct Attested {
    jwt: String,
    instance: KeyHandle,
    challenge: Option<String>,
}

impl Client {
    /// A client for a new issuance.
    pub(super) async fn new(
        session: &Session,
        readied: &Readied,
        pre_authorized: bool,
    ) -> Result<Self, WalletError> {
        let wallet = &session.wallet;
        // RFC 9449: a key of its own for every issuance, so that nothing links them.
        let dpop = readied
            .sender_constrained
            .then(|| SigningKey::generate(Algorithm::Es256, wallet.rng()));
        let server = &readied.server;
        let anonymous = pre_authorized && server.pre_authorized_grant_anonymous_access_supported;
        let client_id = wallet.config().client_id.as_str();
        let attested = attest(wallet, server, client_id).await?;
        let id = match (&attested, anonymous) {
            (None, true) => None,
            (None, false) if !public(server) => {
                return Err(IssuanceError::ClientAuthentication.into());
            }
            (Some(_), _) | (None, false) => Some(client_id.to_owned()),
        };
        Ok(Self {
            server: server.issuer.clone(),
            id,
            dpop,
            attested,
            server_nonce: None,
            issuer_nonce: None,
        })
    }

    /// The client that has this access.
    pub(super) async fn of(
        wallet: &Wallet,
        access: &Access,
        server: Option<&AuthorizationServerMetadata>,
    ) -> Result<Self, WalletError> {
        let attested = match (server, &access.client_id) {
            (Some(server), Some(client_id)) => attest(wallet, server, client_id).await?,
            (None, _) | (_, None) => None,
        };
        Ok(Self {
            server: access.server.clone(),
            id: access.client_id.clone(),
            dpop: access.dpop_key()?,
            attested,
            server_nonce: None,
            issuer_nonce: None,
        })
    }

    /// Access to be filled with tokens.
    pub(super) fn access(&self, credential_issuer: &str, confirmed: bool) -> Access {
        let dpop = self.dpop.as_ref();
        Access::new(
            credential_issuer,
            &self.server,
            self.id.clone(),
            dpop,
            confirmed,
        )
    }

    /// The kind of token that must come.
    pub(super) fn token_type(&self) -> TokenType {
        TokenType::of(self.dpop.is_some())
    }

    /// RFC 9449, section 10: binds a code to the key of its token.
    pub(super) fn dpop_jkt(&self) -> Option<String> {
        let key = self.dpop.as_ref();
        key.map(|key| key.public_key().thumbprint())
    }

    /// Whether a challenge has to be fetched first.
    pub(super) fn wants_challenge(&self) -> bool {
        let attested = self.attested.as_ref();
        attested.is_some_and(|attested| attested.challenge.is_none())
    }

    pub(super) fn set_challenge(&mut self, challenge: String) {
        if let Some(attested) = &mut self.attested {
            attested.challenge = Some(challenge);
        }
    }

    /// A challenge of this answer takes the place of the one before. Whether there was one.
    pub(super) fn take_challenge(&mut self, headers: &Headers) -> bool {
        match (attested::carried_challenge(headers), &mut self.attested) {
            (Some(challenge), Some(attested)) => {
                attested.challenge = Some(challenge.to_owned());
                true
            }
            (None, _) | (Some(_), None) => false,
        }
    }

    pub(super) fn forget_challenge(&mut self) {
        if let Some(attested) = &mut self.attested {
            attested.challenge = None;
        }
    }

    pub(super) fn is_attested(&self) -> bool {
        self.attested.is_some()
    }

    pub(super) fn is_bound(&self) -> bool {
        self.dpop.is_some()
    }

    /// Keeps the nonce of an answer of the authorization server. Whether there was one.
    pub(super) fn take_server_nonce(&mut self, headers: &Headers) -> bool {
        take(&mut self.server_nonce, headers)
    }

    /// Keeps the nonce of an answer of the issuer. Whether there was one.
    pub(super) fn take_issuer_nonce(&mut self, headers: &Headers) -> bool {
        take(&mut self.issuer_nonce, headers)
    }

    pub(super) fn set_issuer_nonce(&mut self, nonce: String) {
        self.issuer_nonce = Some(nonce);
    }

    /// A request to the authorization server; `bound` adds a DPoP proof.
    pub(super) async fn form(
        &self,
        session: &Session,
        url: Url,
        mut fields: Vec<(&str, &str)>,
        bound: bool,
    ) -> Result<HttpRequest, WalletError> {
        let wallet = &session.wallet;
        if !fields.iter().any(|(name, _)| *name == "client_id") {
            fields.extend(self.id.as_deref().map(|id| ("client_id", id)));
        }
        let mut request = HttpRequest::post_form(url, &fields);
        if let (Some(attested), Some(client_id)) = (&self.attested, &self.id) {
            let pop = PopFor {
                client_id,
                server: &self.server,
                challenge: attested.challenge.as_deref(),
            };
            let signer = AreaSigner {
                area: Arc::clone(wallet.secure_area()),
                key: attested.instance.clone(),
                hint: AuthorizationHint {
                    title: session.host().to_owned(),
                },
            };
            let pop = attested::prove(&pop, &signer, session.sending_at(), wallet.rng()).await;
            request = request
                .header(ATTESTATION_HEADER, attested.jwt.as_str())
                .header(POP_HEADER, pop.map_err(|_| IssuanceError::Proof)?);
        }
        if bound {
            let nonce = self.server_nonce.as_deref();
            request = self.prove(session, request, None, nonce).await?;
        }
        Ok(request)
    }

    /// Adds the access token, with the proof that it is ours.
    pub(super) async fn authorize(
        &self,
        session: &Session,
        request: HttpRequest,
        token: &str,
    ) -> Result<HttpRequest, WalletError> {
        let presented = PresentedToken {
            token_type: self.token_type(),
            token: Secret::new(token),
        };
        let request = request.header("authorization", presented.to_header());
        let nonce = self.issuer_nonce.as_deref();
        self.prove(session, request, Some(token), nonce).await
    }

    async fn prove(
        &self,
        session: &Session,
        request: HttpRequest,
        access_token: Option<&str>,
        nonce: Option<&str>,
    ) -> Result<HttpRequest, WalletError> {
        let Some(key) = &self.dpop else {
            return Ok(request);
        };
        let proof_for = ProofFor {
            method: request.method,
            url: &request.url,
            access_token,
            nonce,
        };
        let rng = session.wallet.rng();
        let proof = dpop::build(&proof_for, key, session.sending_at(), rng).await;
        Ok(request.header("dpop", proof.map_err(|_| IssuanceError::Proof)?))
    }
}

fn take(slot: &mut Option<String>, headers: &Headers) -> bool {
    match headers.at_most_one("dpop-nonce") {
        Ok(Some(nonce)) => {
            *slot = Some(nonce.to_owned());
            true
        }
        Ok(None) | Err(_) => false,
    }
}

/// Whether a client without authentication may come. A server that lists no methods is given the
/// benefit of the doubt: it answers for itself.
fn public(server: &AuthorizationServerMetadata) -> bool {
    let methods = &server.token_endpoint_auth_methods_supported;
    methods.is_empty() || methods.iter().any(|method| method == NONE)
}

/// An attestation, where the server takes them and the wallet has a provider.
async fn attest(
    wallet: &Wallet,
    server: &AuthorizationServerMetadata,
    client_id: &str,
) -> Result<Option<Attested>, WalletError> {
    let methods = &server.token_endpoint_auth_methods_supported;
    let provider = wallet.attestations().wallet.as_ref();
    let Some(provider) = provider.filter(|_| methods.iter().any(|method| method == METHOD)) else {
        return Ok(None);
    };
    let instance = instance_key(wallet, &server.issuer).await?;
    let wanted = Instance {
        key: &instance.public_key,
        client_id,
        now: wallet.now(),
    };
    let jwt = provider.attest_wallet(&wanted).await;
    Ok(Some(Attested {
        jwt: jwt.map_err(IssuanceError::NotAttested)?,
        instance,
        challenge: None,
    }))
}

/// The key of this wallet at a server: refresh tokens are bound to it, so it stays as long as there
/// is access.
async fn instance_key(wallet: &Wallet, server: &str) -> Result<KeyHandle, WalletError> {
    let id = super::issuer::digest_id(server);
    if let Some(known) = records::get::<InstanceKey>(wallet.vault(), id.as_str())?
        && known.server == server
        && let Some(key) = known.handle()
    {
        return Ok(key);
    }
    let spec = crate::secure_area::KeySpec {
        algorithm: Algorithm::Es256,
        user_authentication: false,
        ..wallet.config().issuance.keys
    };
    let key = wallet.secure_area().create_key_like(&spec).await?;
    let record = InstanceKey::new(server, &key);
    let batch = records::put(VaultBatch::new(), id.as_str(), &record)?;
    wallet.vault().commit(batch)?;
    // Until there is access at this server, the key is one that an interruption may leave behind.
    Ok(key)
}

/// There is access at a server: the key of this wallet there is needed from now on.
pub(super) fn keep_instance(wallet: &Wallet, server: &str) -> Result<(), WalletError> {
    let id = super::issuer::digest_id(server);
    if let Some(instance) = records::get::<InstanceKey>(wallet.vault(), id.as_str())? {
        wallet.index().keep_keys(std::iter::once(instance.id()))?;
    }
    Ok(())
}
