//! Who this service is to wallets (OpenID4VP 1.0, section 5.9): from its configuration and its keys to
//! a client identifier.

use serde_json::{Value, json};
use url::Url;
use vouchsafe_credentials::crypto::{PublicKey, Signer as _};
use vouchsafe_credentials::did::{self, Did, DidDocument, LocalResolver, ResolutionOptions};
use vouchsafe_credentials::time::UnixTime;
use vouchsafe_credentials::x509::Chain;
use vouchsafe_protocol::vp::client_id::ClientId;
use vouchsafe_protocol::vp::request::{Identity, IdentityError};

use crate::config::{ConfigError, Keys, Presentation};

/// Who asks, in every request of this service.
#[derive(Debug, Clone)]
pub struct OwnIdentity {
    identity: Option<Identity>,
    document: Option<Value>,
}

impl OwnIdentity {
    /// Checks that the keys fit what the configuration says of them.
    ///
    /// # Errors
    /// What does not fit, with the place in the configuration.
    pub fn parse(
        presentation: &Presentation,
        keys: &Keys,
        now: UnixTime,
    ) -> Result<Self, ConfigError> {
        let key = keys.request.public_key();
        let signed = |identity: Result<Identity, IdentityError>| {
            let identity = identity.map_err(|error| wrong(&error.to_string()))?;
            Ok(Self {
                identity: Some(identity),
                document: None,
            })
        };
        match presentation {
            Presentation::Certificate => signed(Ok(Identity::x509_hash(chain(keys)?))),
            Presentation::DnsName(name) => {
                let identity = Identity::x509_san_dns(chain(keys)?, name);
                let missing = |_| wrong(&format!("{name} is no dNSName of keys.request_chain"));
                signed(Ok(identity.map_err(missing)?))
            }
            Presentation::DidWeb(did) => {
                let json = document_of(did, key);
                let document = DidDocument::from_json(json.clone(), did);
                let document = document.map_err(|_| wrong("the DID document cannot be made"))?;
                Ok(Self {
                    document: Some(json),
                    ..signed(Identity::did(&document, key))?
                })
            }
            Presentation::DidJwk => signed(local(&did::jwk::encode(key), key)),
            Presentation::DidKey => signed(local(&did::key::encode(key), key)),
            Presentation::Attestation(jwt) => signed(Identity::attested(jwt, key, now)),
            Presentation::Address => Ok(Self {
                identity: None,
                document: None,
            }),
        }
    }

    /// What requests are signed as; `None`: they are not signed.
    #[must_use]
    pub fn signing(&self) -> Option<&Identity> {
        self.identity.as_ref()
    }

    /// The client identifier of a request whose answer goes to `response_uri`: the audience of that
    /// answer, unless it comes over the Digital Credentials API.
    #[must_use]
    pub fn client_id(&self, response_uri: &Url) -> ClientId {
        match &self.identity {
            Some(identity) => identity.client_id().clone(),
            None => ClientId::redirect_uri(response_uri),
        }
    }

    /// The document of the service's `did:web`, where it has one.
    #[must_use]
    pub fn did_document(&self) -> Option<&Value> {
        self.document.as_ref()
    }
}

fn wrong(reason: &str) -> ConfigError {
    ConfigError::Shared(format!("presentation.client_id_prefix: {reason}"))
}

/// The access certificate, without which there is no prefix of X.509.
fn chain(keys: &Keys) -> Result<&Chain, ConfigError> {
    keys.request_chain.as_ref().ok_or_else(|| ConfigError::Key {
        name: "request_chain",
        reason: "is missing".to_owned(),
    })
}

/// DID Core 1.0, section 5: the one key, which signs requests.
fn document_of(did: &Did, key: &PublicKey) -> Value {
    let method = format!("{}#{}", did.as_str(), key.thumbprint());
    json!({
        // The type that readers of today know; `JsonWebKey` of Controlled Identifiers 1.0 is read by few.
        "@context": ["https://www.w3.org/ns/did/v1", "https://w3id.org/security/suites/jws-2020/v1"],
        "id": did.as_str(),
        "verificationMethod": [{
            "id": method,
            "type": "JsonWebKey2020",
            "controller": did.as_str(),
            "publicKeyJwk": key.to_jwk(),
        }],
        "authentication": [method],
        "assertionMethod": [method],
    })
}

/// By a DID that holds its key.
fn local(did: &str, key: &PublicKey) -> Result<Identity, IdentityError> {
    let found = LocalResolver::resolve_now(did, &ResolutionOptions::default());
    let document = found.active().map_err(|_| IdentityError::Method)?;
    Identity::did(document, key)
}
