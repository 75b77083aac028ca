//! A service with a frozen clock and seeded randomness, and a wallet that speaks to it.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use serde_json::{Value, json};
use tower::ServiceExt;
use url::Url;
use vouchsafe_credentials::crypto::{Algorithm, AwsLc, SigningKey};
use vouchsafe_credentials::testing::{FixedClock, SeededRng};
use vouchsafe_credentials::time::{Clock, UnixTime};
use vouchsafe_protocol::http::Method;
use vouchsafe_protocol::oauth::dpop;
use vouchsafe_protocol::vci::proof::{self, ProofFor};
use vouchsafe_service::db::Db;
use vouchsafe_service::db::testing::for_each_database;

use crate::{Config, Issuer, Ports, store};

pub(crate) const ISSUER: &str = "https://issuer.example";
pub(crate) const WALLET: &str = "wallet.example";
pub(crate) const REDIRECT: &str = "https://wallet.example/cb";
pub(crate) const NOW: UnixTime = UnixTime(1_800_000_000);
pub(crate) const PRE_AUTHORIZED: &str = "urn:ietf:params:oauth:grant-type:pre-authorized_code";

/// The service and what tests turn.
#[derive(Clone)]
pub(crate) struct Harness {
    pub issuer: Issuer,
    pub clock: Arc<FixedClock>,
    pub rng: Arc<SeededRng>,
    pub key: String,
    pub router: Router,
}

/// An answer, read.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub status: StatusCode,
    pub headers: axum::http::HeaderMap,
    pub text: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or(Value::Null)
    }

    pub(crate) fn error(&self) -> (u16, String) {
        let json = self.json();
        let code = json["error"]
            .as_str()
            .or(json["code"].as_str())
            .unwrap_or_default();
        (self.status.as_u16(), code.to_owned())
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }
}

/// The configuration, as a file.
pub(crate) fn config_text(extra: &str) -> String {
    let key = SigningKey::generate(Algorithm::EdDsa, &SeededRng::new(99)).to_pkcs8_pem();
    let key = key.as_str();
    format!(
        r#"
[http]
listen = "127.0.0.1:0"
public_url = "{ISSUER}"
[database]
url = "sqlite:unused.db"
[keys]
secret = "q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA"
[issuer]
names = {{ en = "The Club", de = "Der Verein" }}
batch_size = 3
{extra}
[status]
list_size = 4096
[signing]
method = "did_key"
key = '''{key}'''
[[client]]
id = "{WALLET}"
name = "Example Wallet"
redirect_uris = ["{REDIRECT}"]
[[client]]
id = "other.example"
name = "Other Wallet"
redirect_uris = ["{REDIRECT}", "https://other.example/cb"]
"#
    )
}

impl Harness {
    pub(crate) async fn new(db: Db) -> Self {
        Self::with_config(db, &config_text("")).await
    }

    pub(crate) async fn with_config(db: Db, text: &str) -> Self {
        let config: Config = vouchsafe_service::config::parse(text).unwrap();
        let clock = Arc::new(FixedClock::new(NOW));
        let rng = Arc::new(SeededRng::new(7));
        let ports = Ports {
            clock: clock.clone(),
            rng: rng.clone(),
            crypto: Arc::new(AwsLc),
        };
        let issuer = Issuer::with_db(config, ports, db).await.unwrap();
        let key = issuer.create_api_key("tests").await.unwrap();
        let router = issuer.router();
        Self {
            issuer,
            clock,
            rng,
            key,
            router,
        }
    }

    /// Another process on the same database, with a memory of its own.
    pub(crate) async fn another_process(&self) -> Self {
        self.on(self.issuer.core().db.clone()).await
    }

    /// The same on a database that says the same.
    pub(crate) async fn on(&self, db: Db) -> Self {
        let config: Config = vouchsafe_service::config::parse(&config_text("")).unwrap();
        let rng = Arc::new(SeededRng::new(8));
        let ports = Ports {
            clock: self.clock.clone(),
            rng: rng.clone(),
            crypto: Arc::new(AwsLc),
        };
        let issuer = Issuer::with_db(config, ports, db).await.unwrap();
        Self {
            router: issuer.router(),
            issuer,
            rng,
            ..self.clone()
        }
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = axum::body::to_bytes(body, 4 << 20).await.unwrap();
        Answer {
            status: parts.status,
            headers: parts.headers,
            text: String::from_utf8(bytes.to_vec()).unwrap(),
        }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(Request::get(path).body(Body::empty()).unwrap())
            .await
    }

    pub(crate) async fn form(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        self.form_with(path, fields, &[]).await
    }

    pub(crate) async fn form_with(
        &self,
        path: &str,
        fields: &[(&str, &str)],
        headers: &[(&str, &str)],
    ) -> Answer {
        let body = serde_urlencoded::to_string(fields).unwrap();
        let mut request =
            Request::post(path).header("content-type", "application/x-www-form-urlencoded");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.send(request.body(Body::from(body)).unwrap()).await
    }

    pub(crate) async fn admin_get(&self, path: &str) -> Answer {
        let auth = format!("Bearer {}", self.key);
        self.send(
            Request::get(path)
                .header("authorization", auth)
                .body(Body::empty())
                .unwrap(),
        )
        .await
    }

    pub(crate) async fn admin_post(
        &self,
        path: &str,
        body: &str,
        headers: &[(&str, &str)],
    ) -> Answer {
        let mut request = Request::post(path)
            .header("authorization", format!("Bearer {}", self.key))
            .header("content-type", "application/json");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.send(request.body(Body::from(body.to_owned())).unwrap())
            .await
    }

    /// Prepares an offer for a membership card.
    pub(crate) async fn offer(&self, change: Value) -> Value {
        let mut body = offer_body();
        for (name, value) in change.as_object().unwrap() {
            body[name] = value.clone();
        }
        let answer = self.admin_post("/v1/offers", &body.to_string(), &[]).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text);
        answer.json()
    }

    /// The offer object behind a prepared offer, fetched by reference as a wallet does.
    pub(crate) async fn offer_object(&self, offer: &Value) -> Value {
        let uri = offer["credential_offer_uri"].as_str().unwrap();
        let answer = self.get(&uri[uri.find("/offers/").unwrap()..]).await;
        assert_eq!(answer.status, StatusCode::OK);
        answer.json()
    }

    /// The pre-authorized code of a prepared offer.
    pub(crate) async fn code(&self, offer: &Value) -> String {
        let object = self.offer_object(offer).await;
        object["grants"][PRE_AUTHORIZED]["pre-authorized_code"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    /// A fresh offer without a transaction code, redeemed: the access token.
    pub(crate) async fn token(&self) -> String {
        let offer = self.offer(json!({})).await;
        self.token_of(&offer).await
    }

    /// An access token for a prepared offer without a transaction code.
    pub(crate) async fn token_of(&self, offer: &Value) -> String {
        let code = self.code(offer).await;
        let answer = self
            .form(
                "/token",
                &[
                    ("grant_type", PRE_AUTHORIZED),
                    ("pre-authorized_code", &code),
                ],
            )
            .await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
        answer.json()["access_token"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn nonce(&self) -> String {
        let answer = self.form("/nonce", &[]).await;
        answer.json()["c_nonce"].as_str().unwrap().to_owned()
    }

    /// A key proof.
    pub(crate) async fn proof(&self, key: &SigningKey, nonce: &str) -> String {
        let request = ProofFor {
            issuer: ISSUER,
            client_id: None,
            nonce: Some(nonce),
        };
        proof::build(&request, key, self.clock.now()).await.unwrap()
    }

    /// A DPoP proof for one of our endpoints.
    pub(crate) async fn dpop(&self, key: &SigningKey, path: &str, token: Option<&str>) -> String {
        let url = Url::parse(&format!("{ISSUER}{path}")).unwrap();
        let request = dpop::ProofFor {
            method: Method::Post,
            url: &url,
            access_token: token,
            nonce: None,
        };
        dpop::build(&request, key, self.clock.now(), &*self.rng)
            .await
            .unwrap()
    }

    /// A credential request with these proofs.
    pub(crate) async fn credential(&self, token: &str, proofs: &[String]) -> Answer {
        let body = json!({
            "credential_configuration_id": "membership",
            "proofs": { "jwt": proofs },
        });
        self.credential_raw(
            &[("authorization", &format!("Bearer {token}"))],
            &body.to_string(),
        )
        .await
    }

    pub(crate) async fn credential_raw(&self, headers: &[(&str, &str)], body: &str) -> Answer {
        self.post("/credential", "application/json", headers, body)
            .await
    }

    /// A request with a body of a media type.
    pub(crate) async fn post(
        &self,
        path: &str,
        media_type: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Answer {
        let mut request = Request::post(path).header("content-type", media_type);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.send(request.body(Body::from(body.to_owned())).unwrap())
            .await
    }

    /// A JSON request to one of the endpoints that want an access token.
    pub(crate) async fn bearer(&self, path: &str, token: &str, body: &Value) -> Answer {
        let bearer = format!("Bearer {token}");
        let headers = [("authorization", bearer.as_str())];
        self.post(path, "application/json", &headers, &body.to_string())
            .await
    }

    /// The whole way: offer, token, nonce, proof, credential.
    pub(crate) async fn issue(&self, key: &SigningKey) -> String {
        let token = self.token().await;
        self.issue_with(&token, key).await
    }

    pub(crate) async fn issue_with(&self, token: &str, key: &SigningKey) -> String {
        let nonce = self.nonce().await;
        let answer = self
            .credential(token, &[self.proof(key, &nonce).await])
            .await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
        answer.json()["credentials"][0]["credential"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    /// The newest credential as the administration API shows it.
    pub(crate) async fn newest(&self) -> Value {
        self.admin_get("/v1/credentials?limit=1").await.json()["items"][0].clone()
    }

    pub(crate) fn holder(&self, seed: u64) -> SigningKey {
        SigningKey::generate(Algorithm::Es256, &SeededRng::new(seed))
    }

    pub(crate) fn issuer_key(&self) -> vouchsafe_credentials::crypto::PublicKey {
        let key = self.issuer.core().signing.sd_jwt.at(self.clock.now());
        key.unwrap().signer.public_key().clone()
    }
}

pub(crate) fn offer_body() -> Value {
    json!({
        "record_id": "crm-4711",
        "credential_type": "membership",
        "claims": membership("M-4711"),
        "grant": "pre_authorized_code",
    })
}

pub(crate) fn membership(member_id: &str) -> Value {
    json!({
        "member_id": member_id,
        "tier": "gold",
        "valid_from": "2026-01-01",
        "valid_until": "2027-12-31",
    })
}

/// Runs a test on every database.
pub(crate) async fn everywhere<F: AsyncFn(Harness)>(test: F) {
    for_each_database(&[store::MIGRATIONS], async |db| {
        let harness = Harness::new(db).await;
        test(harness).await;
    })
    .await;
}

/// Runs a test on every database with a changed configuration.
pub(crate) async fn everywhere_with<F: AsyncFn(Harness)>(text: &str, test: F) {
    for_each_database(&[store::MIGRATIONS], async |db| {
        let harness = Harness::with_config(db, text).await;
        test(harness).await;
    })
    .await;
}

/// Runs a test on SQLite with a changed configuration.
pub(crate) async fn with_config<F: AsyncFn(Harness)>(text: &str, test: F) {
    let database = vouchsafe_service::db::testing::sqlite(&[store::MIGRATIONS]).await;
    let harness = Harness::with_config(database.db.clone(), text).await;
    test(harness).await;
}
