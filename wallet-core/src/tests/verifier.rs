//! A verifier that does what its script says.

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::{Value, json as value};
use url::Url;
use vouchsafe_credentials::crypto::{AgreementKey, Portable, Signer};
use vouchsafe_credentials::jws::{self, Header, TokenType};
use vouchsafe_credentials::mdoc::MDL;
use vouchsafe_credentials::sd_jwt_vc::{
    IssuerIdentity, IssuerMethod, IssuerTrust, StatusMethod, StatusPolicy, TrustedIssuer,
};
use vouchsafe_credentials::status_list::{StatusRef, VerifiedStatusList};
use vouchsafe_credentials::testing::SeededRng;
use vouchsafe_credentials::x509::TrustAnchors;
use vouchsafe_protocol::http::{HttpRequest, HttpResponse};
use vouchsafe_protocol::vp::api::{self, ApiAnswer, ApiOffer, NewApiRequest, Origin, Protocol};
use vouchsafe_protocol::vp::client_id::ClientId;
use vouchsafe_protocol::vp::dcql::DcqlQuery;
use vouchsafe_protocol::vp::request::{Identity, MEDIA_TYPE};
use vouchsafe_protocol::vp::response::PostedResponse;
use vouchsafe_protocol::vp::transaction_data::{self, TransactionData};
use vouchsafe_protocol::vp::values::{LocalizedText, Nonce, State};
use vouchsafe_protocol::vp::verify::{
    PresentationError, Received, StatusSource, StatusSourceError, Transaction,
    VerifiedPresentation, VerifierPolicy, Way, verify_presentation,
};

use super::{Leaf, NOW, json};
use crate::presentation::PageAnswer;

pub(crate) struct ScriptedVerifier {
    leaf: Leaf,
    trust: IssuerTrust,
    full_id: String,
    client_id: ClientId,
    response_uri: Url,
    nonce: Nonce,
    state: State,
    key: AgreementKey,
    pub(crate) query: Value,
    /// What the person is asked to authorise.
    pub(crate) transaction_data: Vec<TransactionData>,
    /// Changes the claims of the request object before it is signed.
    pub(crate) edit_request: fn(&mut Value),
    pub(crate) method: &'static str,
}

struct NoStatus;

#[async_trait]
impl StatusSource for NoStatus {
    async fn list(
        &self,
        _: &StatusRef,
        _: &IssuerIdentity,
    ) -> Result<Arc<VerifiedStatusList>, StatusSourceError> {
        panic!("the cards of these tests have no status")
    }
}

impl ScriptedVerifier {
    pub(crate) fn new(leaf: Leaf, anchors: TrustAnchors) -> Self {
        let rng = SeededRng::new(77);
        let trusted = TrustedIssuer {
            id: super::issuer::URL.to_owned(),
            method: IssuerMethod::X509 {
                anchors: Arc::new(anchors),
                subject: None,
            },
            types: vec!["urn:vouchsafe:membership:1".to_owned()],
            status: StatusMethod::SameIssuer,
        };
        Self {
            full_id: ClientId::x509_hash(&leaf.chain).as_str().to_owned(),
            client_id: ClientId::x509_hash(&leaf.chain),
            leaf,
            trust: IssuerTrust::new(vec![trusted]).unwrap(),
            response_uri: "https://shop.example.com/vp/response/1".parse().unwrap(),
            nonce: Nonce::fresh(&rng),
            state: State::fresh(&rng),
            key: AgreementKey::generate(&rng),
            query: value!({"credentials": [{
                "id": "card",
                "format": "dc+sd-jwt",
                "meta": {"vct_values": ["urn:vouchsafe:membership:1"]},
                "claims": [{"path": ["tier"]}],
            }]}),
            transaction_data: Vec::new(),
            edit_request: |_| {},
            method: "get",
        }
    }

    /// The verifier believes the mdocs below these anchors too.
    pub(crate) fn believing_mdocs(mut self, anchors: TrustAnchors) -> Self {
        let club = self.trust.by_id(super::issuer::URL).unwrap().clone();
        let authority = TrustedIssuer {
            id: "https://licences.example".to_owned(),
            method: IssuerMethod::Iaca {
                anchors: Arc::new(anchors),
            },
            types: vec![MDL.to_owned()],
            status: StatusMethod::SameIssuer,
        };
        self.trust = IssuerTrust::new(vec![club, authority]).unwrap();
        self
    }

    /// The same verifier, with another nonce.
    pub(crate) fn with_another_nonce(mut self) -> Self {
        self.nonce = Nonce::fresh(&SeededRng::new(78));
        self
    }

    pub(crate) fn link(&self) -> String {
        let query = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("client_id", &self.full_id)
            .append_pair("request_uri", "https://shop.example.com/vp/request/1")
            .append_pair("request_uri_method", self.method)
            .finish();
        format!("openid4vp://?{query}")
    }

    /// Values as long as a verifier may make them.
    pub(crate) fn long_values(&mut self) {
        self.nonce = Nonce::parse(&"n".repeat(43)).unwrap();
        self.state = State::parse(&"s".repeat(64)).unwrap();
    }

    pub(crate) fn leaf(&self) -> &Leaf {
        &self.leaf
    }

    /// Asks under another identifier.
    pub(crate) fn client(&mut self, client_id: &str) {
        self.full_id = client_id.to_owned();
    }

    pub(crate) async fn request_object(&self, fetched: &HttpRequest) -> HttpResponse {
        let claims = self.claims(fetched);
        let header = Header::new(TokenType::RequestObject).with_x5c(&self.leaf.chain);
        let signer: &dyn Signer = &self.leaf.key;
        object(jws::sign(&header, &claims, signer).await.unwrap())
    }

    /// The claims of the request object for a wallet that fetched it so.
    pub(crate) fn claims(&self, fetched: &HttpRequest) -> Value {
        let mut claims = self.claims_alone();
        let posted: Vec<_> = url::form_urlencoded::parse(&fetched.body)
            .into_owned()
            .collect();
        if let Some((_, nonce)) = posted.iter().find(|(name, _)| name == "wallet_nonce") {
            claims["wallet_nonce"] = value!(nonce);
        }
        (self.edit_request)(&mut claims);
        claims
    }

    /// The claims for a wallet that says nothing of itself.
    pub(crate) fn claims_alone(&self) -> Value {
        let mut jwk = self.key.public_key().to_jwk();
        jwk["kid"] = value!(self.key.public_key().thumbprint());
        jwk["alg"] = value!("ECDH-ES");
        jwk["use"] = value!("enc");
        let mut claims = value!({
            "client_id": self.full_id,
            "aud": "https://self-issued.me/v2",
            "response_type": "vp_token",
            "response_mode": "direct_post.jwt",
            "response_uri": self.response_uri.as_str(),
            "nonce": self.nonce.as_str(),
            "state": self.state.as_str(),
            "iat": NOW.seconds(),
            "exp": NOW.plus(120).seconds(),
            "dcql_query": self.query,
            "verifier_info": [{
                "format": "urn:vouchsafe:verifier-info:1",
                "data": {
                    "client_name": "Wine & More \u{202e}",
                    "purpose": "To give you the member price",
                },
            }],
            "client_metadata": {
                "jwks": {"keys": [jwk]},
                "encrypted_response_enc_values_supported": ["A128GCM", "A256GCM"],
                "vp_formats_supported": {
                    "dc+sd-jwt": {
                        "sd-jwt_alg_values": ["ES256"], "kb-jwt_alg_values": ["ES256"],
                    },
                    "mso_mdoc": {"issuerauth_alg_values": [-7, -9], "deviceauth_alg_values": [-9]},
                },
            },
        });
        if let Some(strings) = transaction_data::write(&self.transaction_data) {
            claims["transaction_data"] = strings;
        }
        claims
    }

    /// Checks an answer as a verifier does.
    pub(crate) async fn verify(
        &self,
        posted: &HttpRequest,
    ) -> Result<VerifiedPresentation, PresentationError> {
        let query = DcqlQuery::parse(&self.query).unwrap();
        let Ok(PostedResponse::Encrypted(response)) = PostedResponse::parse(&posted.body) else {
            panic!("not an encrypted response")
        };
        let way = Way::DirectPost {
            client_id: &self.client_id,
            response_uri: &self.response_uri,
            state: &self.state,
            key: &self.key,
        };
        let received = Received::Posted {
            response: &response,
            at: &posted.url,
        };
        self.judge(received, way, &query).await
    }

    /// Checks what a browser gave to the page of `origin`.
    pub(crate) async fn verify_page(
        &self,
        origin: &Origin,
        answer: &PageAnswer,
    ) -> Result<VerifiedPresentation, PresentationError> {
        let query = DcqlQuery::parse(&self.query).unwrap();
        let body = value!({"protocol": answer.protocol, "data": answer.data}).to_string();
        let answer = ApiAnswer::parse(body.as_bytes()).unwrap();
        let way = Way::Api {
            origin,
            client_id: &self.client_id,
            protocols: &Protocol::ALL,
            key: Some(&self.key),
        };
        self.judge(Received::Returned(&answer), way, &query).await
    }

    async fn judge(
        &self,
        received: Received<'_>,
        way: Way<'_>,
        query: &DcqlQuery,
    ) -> Result<VerifiedPresentation, PresentationError> {
        let transaction = Transaction {
            way,
            nonce: &self.nonce,
            query,
            transaction_data: &self.transaction_data,
            expires_at: NOW.plus(300),
        };
        let policy = VerifierPolicy {
            trust: &self.trust,
            status: StatusPolicy::WhenPresent,
            same_holder: true,
            statuses: &NoStatus,
            crypto: &Portable,
            now: NOW,
        };
        verify_presentation(received, &transaction, &policy).await
    }

    /// What pages of `origin` hand to the browser: signed and unsigned.
    pub(crate) async fn for_pages(&self, origin: &Origin) -> [ApiOffer; 2] {
        let query = DcqlQuery::parse(&self.query).unwrap();
        let name = LocalizedText {
            default: "Wine & More".to_owned(),
            ..LocalizedText::default()
        };
        let new = NewApiRequest {
            nonce: &self.nonce,
            query: &query,
            transaction_data: &self.transaction_data,
            encryption_key: Some(self.key.public_key()),
            client_name: Some(&name),
            purpose: None,
        };
        let identity = Identity::x509_hash(&self.leaf.chain);
        let signer: &dyn Signer = &self.leaf.key;
        let times = (NOW, NOW.plus(120));
        let origins = std::slice::from_ref(origin);
        let signed = api::signed(&new, origins, times, &identity, signer).await;
        [signed.unwrap(), api::unsigned(&new)]
    }

    pub(crate) fn accepted(&self) -> HttpResponse {
        json(
            200,
            &value!({
                "redirect_uri": "https://shop.example.com/vp/return?response_code=abc",
                "consent_uri": "https://shop.example.com/consents/token1",
            }),
        )
    }

    pub(crate) fn error_of(&self, posted: &HttpRequest) -> String {
        match PostedResponse::parse(&posted.body).unwrap() {
            PostedResponse::Error(error) => {
                assert_eq!(error.state.as_ref(), Some(&self.state));
                error.code.unwrap().as_str().to_owned()
            }
            PostedResponse::Encrypted(_) => panic!("an answer where an error was expected"),
        }
    }
}

pub(crate) fn object(compact: String) -> HttpResponse {
    HttpResponse {
        status: 200,
        headers: [("content-type", MEDIA_TYPE)].into_iter().collect(),
        body: compact.into_bytes(),
    }
}
