//! What stands outside in tests of sign-ins: a provider and an organisation's system, over http on
//! loopback, and a service that may talk to them.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use axum::extract::{RawForm, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};
use vouchsafe_credentials::crypto::SigningKey;
use vouchsafe_credentials::time::Clock;
use vouchsafe_protocol::oauth::pkce::CodeVerifier;
use vouchsafe_protocol::vci::proof::{self, ProofFor};
use vouchsafe_service::jose::{JwtKey, SigningAlg};

use crate::paths::authorize_upstream;

use super::harness::{
    Answer, Harness, ISSUER, NOW, REDIRECT, WALLET, config_text, everywhere_with,
};

pub(super) const LOCAL: &str = "http://127.0.0.1:4999";
pub(super) const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// What stands outside, and how it behaves.
#[derive(Clone)]
pub(super) struct Outside {
    pub url: String,
    key: JwtKey,
    /// What the ID token says beside the usual.
    pub person: Arc<Mutex<Value>>,
    nonces: Arc<Mutex<HashMap<String, String>>>,
    /// Whether it names itself in its answers (RFC 9207).
    pub sends_iss: Arc<AtomicBool>,
    /// How often the token endpoint was asked.
    pub exchanges: Arc<AtomicU32>,
    /// The answers of the system, the last one again and again.
    pub answers: Arc<Mutex<Vec<(u16, Value)>>>,
    /// The status list of somebody else's cards, while their host answers.
    pub status: Arc<Mutex<Option<String>>>,
    /// What the system was sent.
    pub asked: Arc<Mutex<Vec<(HeaderMap, Value)>>>,
}

fn query(text: &str) -> HashMap<String, String> {
    url::form_urlencoded::parse(text.as_bytes())
        .into_owned()
        .collect()
}

impl Outside {
    pub(super) async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let own = Self {
            url: format!("http://{}", listener.local_addr().unwrap()),
            key: JwtKey::generate(SigningAlg::Es256).unwrap(),
            person: Arc::new(Mutex::new(json!({
                "sub": "ada", "member": "M-1", "level": { "now": "gold" }, "until": "2027-12-31",
            }))),
            nonces: Arc::default(),
            sends_iss: Arc::new(AtomicBool::new(true)),
            exchanges: Arc::default(),
            answers: Arc::new(Mutex::new(vec![(200, json!({}))])),
            status: Arc::default(),
            asked: Arc::default(),
        };
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(metadata))
            .route("/jwks", get(keys))
            .route("/token", post(token))
            .route("/system", post(system))
            .route("/status", get(status))
            .with_state(own.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        own
    }

    /// What a person does at the provider: the way back to us.
    pub(super) fn sign_in(&self, address: &str) -> String {
        let address = url::Url::parse(address).unwrap();
        assert!(
            address
                .as_str()
                .starts_with(&format!("{}/login?", self.url))
        );
        let asked = query(address.query().unwrap());
        let way_back = authorize_upstream(&self.url);
        assert_eq!(asked["redirect_uri"], format!("{LOCAL}{way_back}"));
        let code = format!("code {}", asked["state"]);
        self.nonces
            .lock()
            .unwrap()
            .insert(code.clone(), asked["nonce"].clone());
        let mut answer = vec![("code", code.as_str()), ("state", &asked["state"])];
        if self.sends_iss.load(Ordering::Relaxed) {
            answer.push(("iss", &self.url));
        }
        let answer = serde_urlencoded::to_string(answer).unwrap();
        format!("{way_back}?{answer}")
    }

    pub(super) fn answer(&self, answers: &[(u16, Value)]) {
        *self.answers.lock().unwrap() = answers.iter().rev().cloned().collect();
        self.asked.lock().unwrap().clear();
    }

    pub(super) fn asked(&self) -> Vec<Value> {
        self.asked
            .lock()
            .unwrap()
            .iter()
            .map(|(_, body)| body.clone())
            .collect()
    }

    /// `[[authentication]]` at the provider.
    pub(super) fn provider(&self, rest: &str) -> String {
        format!(
            "[[authentication]]\nmethod = \"openid_connect\"\ncredential_types = [\"membership\"]\n\
             issuer = \"{}\"\nclient_id = \"us\"\nclient_secret = \"secret\"\n{rest}\n",
            self.url
        )
    }

    /// A section that names the system.
    pub(super) fn system(&self, section: &str, rest: &str) -> String {
        format!(
            "[[{section}]]\ncredential_types = [\"membership\"]\nurl = \"{}/system\"\n\
             secret = \"{SECRET}\"\ntimeout_s = 1\npatience_s = 1\n{rest}\n",
            self.url
        )
    }
}

pub(super) const MAPPED: &str = "claims = { member_id = \"member\", tier = [\"level\", \"now\"], \
                                 valid_until = \"until\" }";

/// The configuration of a service on loopback.
pub(super) fn local_text(rest: &str) -> String {
    let text = config_text("").replace(ISSUER, LOCAL);
    format!("{text}\n[dev]\nloopback_http = true\n{rest}")
}

/// Runs a test on every database with a service on loopback.
pub(super) async fn locally<F: AsyncFn(Harness)>(rest: &str, test: F) {
    everywhere_with(&local_text(rest), test).await;
}

async fn metadata(State(own): State<Outside>) -> Json<Value> {
    Json(json!({
        "issuer": own.url,
        "authorization_endpoint": format!("{}/login", own.url),
        "token_endpoint": format!("{}/token", own.url),
        "jwks_uri": format!("{}/jwks", own.url),
        "id_token_signing_alg_values_supported": ["ES256"],
        "authorization_response_iss_parameter_supported": own.sends_iss.load(Ordering::Relaxed),
    }))
}

async fn keys(State(own): State<Outside>) -> Json<Value> {
    Json(json!({"keys": [own.key.public_jwk()]}))
}

async fn token(State(own): State<Outside>, RawForm(body): RawForm) -> Response {
    let form = query(std::str::from_utf8(&body).unwrap());
    own.exchanges.fetch_add(1, Ordering::Relaxed);
    let Some(nonce) = own.nonces.lock().unwrap().remove(&form["code"]) else {
        let error = Json(json!({"error": "invalid_grant"}));
        return (StatusCode::BAD_REQUEST, error).into_response();
    };
    let mut claims = json!({
        "iss": own.url, "aud": "us", "nonce": nonce, "iat": NOW.0, "exp": NOW.0 + 300,
    });
    for (name, value) in own.person.lock().unwrap().as_object().unwrap() {
        claims[name] = value.clone();
    }
    let id_token = own.key.sign("JWT", claims.as_object().unwrap()).unwrap();
    Json(json!({"access_token": "a", "token_type": "Bearer", "id_token": id_token})).into_response()
}

async fn status(State(own): State<Outside>) -> Response {
    match own.status.lock().unwrap().clone() {
        Some(list) => ([("content-type", "application/statuslist+jwt")], list).into_response(),
        None => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}

async fn system(State(own): State<Outside>, headers: HeaderMap, body: String) -> Response {
    let body = serde_json::from_str(&body).unwrap();
    own.asked.lock().unwrap().push((headers, body));
    let mut answers = own.answers.lock().unwrap();
    let (status, answer) = match answers.len() {
        1 => answers[0].clone(),
        _ => answers.pop().unwrap(),
    };
    (StatusCode::from_u16(status).unwrap(), Json(answer)).into_response()
}

/// A wallet and a browser in front of a service on loopback.
pub(super) struct Guest<'a> {
    pub h: &'a Harness,
    verifier: CodeVerifier,
    pub cookie: Mutex<String>,
    /// As whom the wallet got its token: nobody, before it redeemed a code.
    client: Mutex<Option<&'static str>>,
}

impl<'a> Guest<'a> {
    pub(super) fn new(h: &'a Harness) -> Self {
        Self {
            h,
            verifier: CodeVerifier::generate(&*h.rng),
            cookie: Mutex::default(),
            client: Mutex::default(),
        }
    }

    fn keep(&self, answer: Answer) -> Answer {
        let cookie = answer
            .header("set-cookie")
            .split(';')
            .next()
            .unwrap_or_default();
        if !cookie.is_empty() {
            *self.cookie.lock().unwrap() = cookie.to_owned();
        }
        answer
    }

    /// The wallet opens the browser.
    pub(super) async fn begin(&self, scope: &str) -> Answer {
        let challenge = self.verifier.challenge();
        let query = [
            ("response_type", "code"),
            ("client_id", WALLET),
            ("redirect_uri", REDIRECT),
            ("state", "the wallet's"),
            ("scope", scope),
            ("code_challenge", challenge.as_str()),
            ("code_challenge_method", "S256"),
        ];
        let query = serde_urlencoded::to_string(query).unwrap();
        self.get(&format!("/authorize?{query}")).await
    }

    pub(super) async fn get(&self, path: &str) -> Answer {
        let cookie = self.cookie.lock().unwrap().clone();
        let request = axum::http::Request::get(path).header("cookie", cookie);
        let answer = self
            .h
            .send(request.body(axum::body::Body::empty()).unwrap());
        self.keep(answer.await)
    }

    /// The person fills a page in and presses a button.
    pub(super) async fn submit(&self, page: &Answer, fields: &[(&str, &str)]) -> Answer {
        let part = |text: &str, name: &str| {
            let (_, rest) = text.split_once(&format!("{name}=\""))?;
            let value = rest.split('"').next()?;
            Some(value.replace("&#x2f;", "/"))
        };
        let action = part(&page.text, "action").expect("a form");
        let hidden = page
            .text
            .split("type=\"hidden\"")
            .nth(1)
            .expect("a hidden field");
        let (name, value) = (
            part(hidden, "name").unwrap(),
            part(hidden, "value").unwrap(),
        );
        let mut all = vec![(name.as_str(), value.as_str())];
        all.extend_from_slice(fields);
        let cookie = self.cookie.lock().unwrap().clone();
        let headers = [("cookie", cookie.as_str())];
        self.keep(self.h.form_with(&action, &all, &headers).await)
    }

    /// The wallet redeems the code that came back.
    pub(super) async fn token(&self, back: &Answer) -> Answer {
        let back = returned(back);
        *self.client.lock().unwrap() = Some(WALLET);
        assert_eq!(
            (back["iss"].as_str(), back["state"].as_str()),
            (LOCAL, "the wallet's")
        );
        let fields = [
            ("client_id", WALLET),
            ("grant_type", "authorization_code"),
            ("code", back["code"].as_str()),
            ("redirect_uri", REDIRECT),
            ("code_verifier", self.verifier.as_str()),
        ];
        self.h.form("/token", &fields).await
    }

    /// The wallet asks for the card.
    pub(super) async fn card(&self, token: &str, key: &SigningKey) -> Answer {
        let client_id = *self.client.lock().unwrap();
        let request = ProofFor {
            issuer: LOCAL,
            client_id,
            nonce: Some(&self.h.nonce().await),
        };
        let proof = proof::build(&request, key, self.h.clock.now())
            .await
            .unwrap();
        self.h.credential(token, &[proof]).await
    }
}

/// The parameters with which the browser came back to the wallet.
pub(super) fn returned(answer: &Answer) -> HashMap<String, String> {
    assert_eq!(answer.status, 303, "{}", answer.text);
    let location = answer.header("location");
    assert!(location.starts_with(REDIRECT), "{location}");
    query(url::Url::parse(location).unwrap().query().unwrap())
}

pub(super) fn access_token(answer: &Answer) -> String {
    answer.json()["access_token"]
        .as_str()
        .unwrap_or_else(|| panic!("{}", answer.text))
        .to_owned()
}

/// The claims that an SD-JWT VC discloses.
pub(super) fn disclosed(answer: &Answer) -> Value {
    let credential = answer.json()["credentials"][0]["credential"].clone();
    let credential = credential
        .as_str()
        .unwrap_or_else(|| panic!("{}", answer.text))
        .to_owned();
    let mut claims = json!({});
    for part in credential
        .split('~')
        .skip(1)
        .filter(|part| !part.is_empty())
    {
        let plain = vouchsafe_credentials::encoding::b64url_decode(part).unwrap();
        let plain: Value = serde_json::from_slice(&plain).unwrap();
        claims[plain[1].as_str().unwrap()] = plain[2].clone();
    }
    claims
}
