//! An issuer that does what its script says.

use serde_json::{Value, json as value};
use vouchsafe_credentials::credential_type::CredentialType;
use vouchsafe_credentials::crypto::{Algorithm, Portable, PublicKey, SigningKey};
use vouchsafe_credentials::encoding::b64url;
use vouchsafe_credentials::mdoc::{
    self, DigestAlgorithm, Elements, KeyAuthorizations, MDL, MDL_NAMESPACE, MsoStatus, Validity,
};
use vouchsafe_credentials::random::Rng;
use vouchsafe_credentials::sd_jwt::{Frame, HashAlg};
use vouchsafe_credentials::sd_jwt_vc::{IssueInput, IssuerKey, issue};
use vouchsafe_credentials::status_list::StatusRef;
use vouchsafe_credentials::testing::SeededRng;
use vouchsafe_credentials::{cbor, did};
use vouchsafe_protocol::http::{HttpRequest, HttpResponse};
use vouchsafe_protocol::oauth::dpop;
use vouchsafe_protocol::oauth::params::Params;
use vouchsafe_protocol::oauth::token::TokenRequest;
use vouchsafe_protocol::vci::metadata::CredentialConfiguration;
use vouchsafe_protocol::vci::nonce::NonceKeys;
use vouchsafe_protocol::vci::proof;
use vouchsafe_protocol::vci::request::{CredentialRequest, Proofs, Requested};

use super::{Leaf, NOW, json};

pub(crate) const URL: &str = "https://club.example.com";
const MEMBERSHIP: &str = include_str!("../../../specs/credential-types/membership.toml");

pub(crate) struct ScriptedIssuer {
    pub(crate) leaf: Leaf,
    pub(crate) document_signer: Leaf,
    did_key: SigningKey,
    nonces: NonceKeys,
    rng: SeededRng,
    kind: CredentialType,
    /// Identifier under which it appears.
    pub(crate) url: String,
    pub(crate) tx_code: Option<&'static str>,
    pub(crate) batch: u64,
    pub(crate) sign_with_did: bool,
    pub(crate) dpop: bool,
    /// The next answers of the nonce endpoint are nonces nobody accepts.
    pub(crate) bad_nonces: usize,
    /// The next requests are answered with `use_dpop_nonce`.
    pub(crate) dpop_nonces: usize,
    /// Changes the issuer's metadata.
    pub(crate) edit_issuer: fn(&mut Value),
    /// Changes the authorization server's metadata.
    pub(crate) edit_server: fn(&mut Value),
    /// Changes the list of issued credentials.
    pub(crate) edit_credentials: fn(&mut Vec<String>),
    /// How many copies are issued with everything hidden that the type hides; the others hide
    /// nothing.
    pub(crate) hidden_copies: usize,
    /// Claims of the n-th copy.
    pub(crate) claims: fn(usize) -> Value,
    /// The configurations that are offered.
    pub(crate) offered: Vec<&'static str>,
    /// The elements of the n-th copy of the licence.
    pub(crate) elements: fn(usize) -> Elements,
    /// Binds the licence to a key of its own.
    pub(crate) device_key_of_another: bool,
    /// Where the status of the n-th copy stands.
    pub(crate) status: fn(usize) -> Option<StatusRef>,
    /// Every request it got: method and path.
    pub(crate) log: Vec<String>,
}

impl ScriptedIssuer {
    pub(crate) fn new(leaf: Leaf, document_signer: Leaf) -> Self {
        let rng = SeededRng::new(99);
        Self {
            leaf,
            document_signer,
            did_key: SigningKey::generate(Algorithm::Es256, &rng),
            nonces: NonceKeys::new(URL, 1, [1; 32]),
            rng,
            kind: CredentialType::from_toml(MEMBERSHIP).unwrap(),
            url: URL.to_owned(),
            tx_code: None,
            batch: 1,
            sign_with_did: false,
            dpop: true,
            bad_nonces: 0,
            dpop_nonces: 0,
            edit_issuer: |_| {},
            edit_server: |_| {},
            edit_credentials: |_| {},
            hidden_copies: usize::MAX,
            claims: |_| value!({"member_id": "M-CANARY-7", "tier": "gold", "valid_until": "2027-05-31"}),
            offered: vec!["membership"],
            elements: licence,
            device_key_of_another: false,
            status: |_| None,
            log: Vec::new(),
        }
    }

    pub(crate) fn offer(&self) -> Value {
        let mut grant = value!({"pre-authorized_code": "pre-code"});
        if self.tx_code.is_some() {
            grant["tx_code"] = value!({"length": 4});
        }
        value!({
            "credential_issuer": self.url,
            "credential_configuration_ids": self.offered,
            "grants": {"urn:ietf:params:oauth:grant-type:pre-authorized_code": grant},
        })
    }

    pub(crate) fn link(&self) -> String {
        link(&self.offer())
    }

    pub(crate) async fn answer(&mut self, request: &HttpRequest) -> HttpResponse {
        assert_eq!(request.url.host_str(), self.url.strip_prefix("https://"));
        self.log.push(format!(
            "{} {}",
            request.method.as_str(),
            request.url.path()
        ));
        match request.url.path() {
            "/offers/1" => json(200, &self.offer()),
            "/.well-known/openid-credential-issuer" => json(200, &self.issuer_metadata()),
            "/.well-known/oauth-authorization-server" => json(200, &self.server_metadata()),
            "/token" => self.token(request),
            "/nonce" => self.nonce(),
            "/credential" => self.credential(request).await,
            other => panic!("unexpected request to {other}"),
        }
    }

    pub(crate) fn issuer_metadata(&self) -> Value {
        let configuration =
            CredentialConfiguration::of_type(&self.kind, "membership", &["ES256"], &["ES256"]);
        let mut metadata = value!({
            "credential_issuer": self.url,
            "credential_endpoint": format!("{}/credential", self.url),
            "nonce_endpoint": format!("{}/nonce", self.url),
            "display": [{"name": "The Club", "locale": "en"}],
            "credential_configurations_supported": {
                "membership": configuration,
                "licence": {
                    "format": "mso_mdoc",
                    "doctype": MDL,
                    "cryptographic_binding_methods_supported": ["cose_key"],
                    "proof_types_supported": {
                        "jwt": {"proof_signing_alg_values_supported": ["ES256"]},
                    },
                    "credential_metadata": {
                        "display": [{"name": "Driving licence", "locale": "en"}],
                        "claims": [{
                            "path": [MDL_NAMESPACE, "family_name"],
                            "display": [{"name": "Family name", "locale": "en"}],
                        }],
                    },
                },
            },
        });
        if self.batch > 1 {
            metadata["batch_credential_issuance"] = value!({"batch_size": self.batch});
        }
        (self.edit_issuer)(&mut metadata);
        metadata
    }

    pub(crate) fn server_metadata(&self) -> Value {
        let mut metadata = value!({
            "issuer": self.url,
            "authorization_endpoint": format!("{}/authorize", self.url),
            "token_endpoint": format!("{}/token", self.url),
            "grant_types_supported": [
                "authorization_code",
                "urn:ietf:params:oauth:grant-type:pre-authorized_code",
            ],
            "pre-authorized_grant_anonymous_access_supported": true,
        });
        if self.dpop {
            metadata["dpop_signing_alg_values_supported"] = value!(["ES256"]);
        }
        (self.edit_server)(&mut metadata);
        metadata
    }

    fn token(&mut self, request: &HttpRequest) -> HttpResponse {
        assert!(request.headers.get("authorization").is_none());
        if self.dpop_nonces > 0 {
            self.dpop_nonces -= 1;
            let mut response = json(400, &value!({"error": "use_dpop_nonce"}));
            response.headers.push("dpop-nonce", "server-nonce");
            return response;
        }
        let params = Params::parse_body(&request.body).unwrap();
        match TokenRequest::parse(&params).unwrap() {
            TokenRequest::PreAuthorizedCode { code, tx_code } => {
                assert_eq!(code.expose(), "pre-code");
                if tx_code.as_ref().map(|code| code.expose()) != self.tx_code {
                    return json(400, &value!({"error": "invalid_grant"}));
                }
            }
            TokenRequest::AuthorizationCode {
                code,
                code_verifier,
                ..
            } => {
                assert_eq!(code.expose(), "auth-code");
                assert!(code_verifier.is_some());
            }
        }
        let kind = if self.dpop { "DPoP" } else { "Bearer" };
        json(
            200,
            &value!({"access_token": "token-1", "token_type": kind, "expires_in": 300}),
        )
    }

    fn nonce(&mut self) -> HttpResponse {
        let nonce = match self.bad_nonces {
            0 => self.nonces.issue(NOW, &self.rng),
            _ => "bad".to_owned(),
        };
        self.bad_nonces = self.bad_nonces.saturating_sub(1);
        json(200, &value!({"c_nonce": nonce}))
    }

    async fn credential(&mut self, request: &HttpRequest) -> HttpResponse {
        if self.dpop {
            self.check_dpop(request);
        }
        let body = CredentialRequest::parse(&request.body).unwrap();
        let Some(Proofs::Jwt(jwts)) = body.proofs else {
            panic!("no proofs")
        };
        let mut credentials = Vec::new();
        for (i, jwt) in jwts.iter().enumerate() {
            let expected = proof::Expected {
                issuer: &self.url,
                client_id: None,
                algorithms: &[Algorithm::Es256],
                nonces: &self.nonces,
                now: NOW,
            };
            let Ok(proof) = proof::verify(jwt, &expected, &Portable) else {
                return json(400, &value!({"error": "invalid_nonce"}));
            };
            let licence =
                matches!(&body.requested, Requested::Configuration(id) if id == "licence");
            credentials.push(match licence {
                true => self.issue_licence(i, &proof.key).await,
                false => self.issue(i, &proof.key).await,
            });
        }
        (self.edit_credentials)(&mut credentials);
        let list: Vec<Value> = credentials
            .iter()
            .map(|c| value!({"credential": c}))
            .collect();
        json(200, &value!({"credentials": list}))
    }

    fn check_dpop(&self, request: &HttpRequest) {
        assert_eq!(request.headers.get("authorization"), Some("DPoP token-1"));
        let proof = dpop::from_headers(&request.headers).unwrap().unwrap();
        let expected = dpop::Expected {
            method: request.method,
            url: &request.url,
            access_token: Some("token-1"),
            bound_to: None,
            nonce: None,
            now: NOW,
        };
        dpop::verify(proof, &expected, &Portable).unwrap();
    }

    pub(crate) async fn issue(
        &self,
        copy: usize,
        holder: &vouchsafe_credentials::crypto::PublicKey,
    ) -> String {
        let claims = (self.claims)(copy).as_object().unwrap().clone();
        let prepared = self.kind.prepare(claims).unwrap();
        let did = did::jwk::encode(self.did_public());
        let kid = format!("{did}#0");
        let (key, signer) = match self.sign_with_did {
            true => (IssuerKey::Did(&kid), &self.did_key),
            false => (IssuerKey::X5c(&self.leaf.chain), &self.leaf.key),
        };
        let (open, status) = (Frame::new(), (self.status)(copy));
        let input = IssueInput {
            vct: &self.kind.vct,
            issuer: (!self.sign_with_did).then_some(URL),
            key,
            issued_at: Some(NOW),
            not_before: None,
            expires_at: Some(NOW.plus(86_400)),
            holder_key: Some(holder),
            status: status.as_ref(),
            claims: prepared.claims,
            frame: if copy < self.hidden_copies {
                &prepared.frame
            } else {
                &open
            },
            hash: HashAlg::Sha256,
        };
        issue(input, signer, &self.rng as &dyn Rng).await.unwrap()
    }

    async fn issue_licence(&self, copy: usize, device_key: &PublicKey) -> String {
        let device_key = match self.device_key_of_another {
            true => self.did_public(),
            false => device_key,
        };
        let status = (self.status)(copy).map(|list| MsoStatus {
            status_list: Some(list),
            identifier_list: None,
        });
        let input = mdoc::IssueInput {
            doctype: MDL,
            elements: &(self.elements)(copy),
            validity: Validity {
                signed: NOW,
                valid_from: NOW,
                valid_until: NOW.plus(86_400),
                expected_update: None,
            },
            device_key,
            key_authorizations: &KeyAuthorizations::default(),
            status: status.as_ref(),
            chain: &self.document_signer.chain,
            digest_algorithm: DigestAlgorithm::Sha256,
        };
        let issued = mdoc::issue(input, &self.document_signer.key, &self.rng as &dyn Rng).await;
        b64url(&issued.unwrap())
    }

    fn did_public(&self) -> &vouchsafe_credentials::crypto::PublicKey {
        vouchsafe_credentials::crypto::Signer::public_key(&self.did_key)
    }
}

fn licence(_: usize) -> Elements {
    let mut elements = Elements::new();
    for (name, element) in [
        ("family_name", cbor::Value::from("Canary")),
        ("age_over_18", cbor::Value::Bool(true)),
        ("document_number", cbor::Value::from("D-CANARY-7")),
    ] {
        assert!(elements.add(MDL_NAMESPACE, name, element));
    }
    elements
}

pub(crate) fn link(offer: &Value) -> String {
    let query = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("credential_offer", &offer.to_string())
        .finish();
    format!("openid-credential-offer://?{query}")
}
