//! A verifier, its certificate and a good request.

pub(super) use serde_json::{Value, json};
pub(super) use url::Url;
pub(super) use vouchsafe_credentials::crypto::{AgreementKey, Portable, Signer as _};
pub(super) use vouchsafe_credentials::encoding::b64url;
pub(super) use vouchsafe_credentials::jwe::ContentEncryption;
pub(super) use vouchsafe_credentials::jws::{self, Header, JwsError, TokenType};
pub(super) use vouchsafe_credentials::testing::SeededRng;
pub(super) use vouchsafe_credentials::x509::{Role, TrustAnchors, X509Error};

pub(super) use super::super::*;
pub(super) use crate::http::UrlRule;
pub(super) use crate::vp::client_id::{ClientId, ClientIdError};
pub(super) use crate::vp::dcql::DcqlQuery;
pub(super) use crate::vp::metadata::{MetadataError, key_id};
pub(super) use crate::vp::response::ErrorCode;
pub(super) use crate::vp::testing::{Authority, NOW, Party};
pub(super) use crate::vp::values::{LocalizedText, Nonce, State};

pub(super) struct Setup {
    pub(super) anchors: TrustAnchors,
    pub(super) verifier: Party,
    pub(super) client_id: ClientId,
    pub(super) encryption: AgreementKey,
    pub(super) claims: Value,
}

impl Setup {
    pub(super) fn new() -> Self {
        let authority = Authority::new("Access CA");
        let verifier = authority.leaf("Shop", "verifier.example");
        let client_id = ClientId::x509_hash(&verifier.chain);
        let encryption = AgreementKey::generate(&SeededRng::new(7));
        let mut jwk = encryption.public_key().to_jwk();
        jwk["kid"] = json!("k");
        jwk["alg"] = json!("ECDH-ES");
        let claims = json!({
            "aud": AUDIENCE,
            "client_id": client_id.as_str(),
            "response_type": "vp_token",
            "response_mode": "direct_post.jwt",
            "response_uri": "https://verifier.example/vp/response/1",
            "nonce": "n-0S6_WzA2Mj",
            "state": "s-1",
            "dcql_query": query(),
            "client_metadata": {
                "jwks": {"keys": [jwk]},
                "encrypted_response_enc_values_supported": ["A128GCM", "A256GCM"],
                "vp_formats_supported": {"dc+sd-jwt": {"kb-jwt_alg_values": ["ES256"]}}
            },
            "iat": NOW.seconds(),
            "exp": NOW.plus(120).seconds()
        });
        Setup {
            anchors: authority.anchors(Role::VerifierAccess),
            verifier,
            client_id,
            encryption,
            claims,
        }
    }

    pub(super) fn policy(&self) -> WalletPolicy<'_> {
        WalletPolicy {
            anchors: &self.anchors,
            crypto: &Portable,
            now: NOW,
            urls: UrlRule::PublicHttps,
        }
    }

    pub(super) fn identity(&self) -> Identity {
        Identity::x509_hash(&self.verifier.chain)
    }

    pub(super) fn header(&self) -> Header {
        Header::new(TokenType::RequestObject).with_x5c(&self.verifier.chain)
    }

    pub(super) async fn sign(&self, claims: &Value) -> String {
        jws::sign(&self.header(), claims, &self.verifier.key)
            .await
            .unwrap()
    }

    pub(super) async fn verify(&self, claims: &Value) -> Result<PresentationRequest, Refusal> {
        let compact = self.sign(claims).await;
        verify_request(&compact, self.client_id.as_str(), None, &self.policy())
    }

    /// The refusal of a request whose claim `name` is `value` (`null`: left out).
    pub(super) async fn refused(&self, name: &str, value: Value) -> Refusal {
        let mut claims = self.claims.clone();
        if value.is_null() {
            claims.as_object_mut().unwrap().remove(name);
        } else {
            claims[name] = value;
        }
        self.verify(&claims).await.expect_err(name)
    }

    pub(super) async fn code(&self, name: &str, value: Value) -> (&'static str, ErrorCode) {
        let refusal = self.refused(name, value).await;
        (refusal.error.code(), refusal.error.error_code())
    }
}

pub(super) fn query() -> Value {
    json!({"credentials": [{
        "id": "age", "format": "dc+sd-jwt", "meta": {"vct_values": ["urn:vouchsafe:age:1"]},
        "claims": [{"path": ["age_equal_or_over", "18"], "values": [true]}]
    }]})
}
