//! A provider that behaves as a test tells it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::extract::{RawForm, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use vouchsafe_credentials::{
    encoding::b64url,
    testing::FixedClock,
    time::{Clock, UnixTime},
};

use crate::jose::{self, Expected, Expiry, Jwks, JwtKey, SigningAlg, TypeRule};

pub(super) const NOW: UnixTime = UnixTime(1_800_000_000);

type Change<T> = Box<dyn Fn(&mut T) + Send>;

/// How it behaves.
pub(super) struct Behaviour {
    pub(super) auth_method: &'static str,
    pub(super) client_keys: Value,
    pub(super) pushes: bool,
    /// `iss` of its answers, and whether it says that it sends one.
    pub(super) answers_iss: Option<String>,
    pub(super) promises_iss: bool,
    pub(super) key: JwtKey,
    pub(super) published: Vec<Value>,
    pub(super) metadata: Change<Value>,
    pub(super) claims: Change<Map<String, Value>>,
    /// The whole ID token, instead of one that it signs.
    pub(super) id_token: Option<String>,
    pub(super) user_info: Value,
    pub(super) token_status: u16,
    /// Of metadata and keys.
    pub(super) described_status: u16,
    pub(super) user_info_status: u16,
    pub(super) push_takes: Duration,
    pub(super) fetched: (u32, u32),
    requests: HashMap<String, HashMap<String, String>>,
    codes: HashMap<String, HashMap<String, String>>,
}

#[derive(Clone)]
pub(super) struct Provider {
    pub(super) issuer: String,
    pub(super) clock: Arc<FixedClock>,
    state: Arc<Mutex<Behaviour>>,
}

/// A form in which nothing comes twice.
fn form(text: &[u8]) -> Option<HashMap<String, String>> {
    let mut form = HashMap::new();
    for (name, value) in url::form_urlencoded::parse(text).into_owned() {
        if form.insert(name, value).is_some() {
            return None;
        }
    }
    Some(form)
}

impl Provider {
    pub(super) async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let issuer = format!("http://{}", listener.local_addr().unwrap());
        let key = JwtKey::generate(SigningAlg::Es256).unwrap();
        let behaviour = Behaviour {
            auth_method: "client_secret_basic",
            client_keys: json!({"keys": []}),
            pushes: false,
            answers_iss: Some(issuer.clone()),
            promises_iss: true,
            published: vec![key.public_jwk().clone()],
            key,
            metadata: Box::new(|_| {}),
            claims: Box::new(|_| {}),
            id_token: None,
            user_info: json!({"sub": "person 1", "given_name": "Ada", "member": "said"}),
            token_status: 200,
            described_status: 200,
            user_info_status: 200,
            push_takes: Duration::ZERO,
            fetched: (0, 0),
            requests: HashMap::new(),
            codes: HashMap::new(),
        };
        let own = Self {
            issuer,
            clock: Arc::new(FixedClock::new(NOW)),
            state: Arc::new(Mutex::new(behaviour)),
        };
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(metadata))
            .route("/jwks", get(keys))
            .route("/par", post(push))
            .route("/token", post(token))
            .route("/userinfo", get(user_info))
            .with_state(own.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        own
    }

    pub(super) fn change(&self, change: impl FnOnce(&mut Behaviour)) {
        change(&mut self.state.lock().unwrap());
    }

    /// Signs with another key from now on; gives the old one.
    pub(super) fn exchange_key(&self, key: JwtKey) -> JwtKey {
        std::mem::replace(&mut self.state.lock().unwrap().key, key)
    }

    /// How many requests were pushed.
    pub(super) fn pushed(&self) -> usize {
        self.state.lock().unwrap().requests.len()
    }

    pub(super) fn fetched(&self) -> (u32, u32) {
        self.state.lock().unwrap().fetched
    }

    /// What the browser does there: the query that it comes back with.
    pub(super) async fn browser(&self, url: &str) -> String {
        let url = url::Url::parse(url).unwrap();
        assert_eq!(url.path(), "/authorize");
        let mut asked = form(url.query().unwrap().as_bytes()).expect("each parameter once");
        let mut state = self.state.lock().unwrap();
        if let Some(request) = asked.get("request_uri") {
            asked = state.requests.remove(request).expect("a pushed request");
        }
        for (name, value) in [
            ("response_type", "code"),
            ("client_id", "us here"),
            ("redirect_uri", super::REDIRECT),
            ("scope", "openid profile"),
            ("code_challenge_method", "S256"),
        ] {
            assert_eq!(asked[name], value);
        }
        let code = format!("code-{}", asked["state"]);
        let mut answer = url::form_urlencoded::Serializer::new(String::new());
        answer
            .append_pair("code", &code)
            .append_pair("state", &asked["state"]);
        if let Some(iss) = &state.answers_iss {
            answer.append_pair("iss", iss);
        }
        state.codes.insert(code, asked);
        answer.finish()
    }
}

async fn metadata(State(own): State<Provider>) -> Response {
    let mut state = own.state.lock().unwrap();
    state.fetched.0 += 1;
    let mut document = json!({
        "issuer": own.issuer,
        "authorization_endpoint": format!("{}/authorize", own.issuer),
        "token_endpoint": format!("{}/token", own.issuer),
        "jwks_uri": format!("{}/jwks", own.issuer),
        "userinfo_endpoint": format!("{}/userinfo", own.issuer),
        "response_types_supported": ["code"],
        "id_token_signing_alg_values_supported": ["ES256"],
        "token_endpoint_auth_methods_supported": [state.auth_method],
        "authorization_response_iss_parameter_supported": state.promises_iss,
    });
    if state.pushes {
        document["pushed_authorization_request_endpoint"] = json!(format!("{}/par", own.issuer));
    }
    (state.metadata)(&mut document);
    (described(&state), Json(document)).into_response()
}

async fn keys(State(own): State<Provider>) -> Response {
    let mut state = own.state.lock().unwrap();
    state.fetched.1 += 1;
    let keys = json!({"keys": state.published});
    (described(&state), Json(keys)).into_response()
}

fn described(state: &Behaviour) -> StatusCode {
    StatusCode::from_u16(state.described_status).unwrap()
}

fn oauth_error(code: &str) -> Response {
    (StatusCode::BAD_REQUEST, Json(json!({"error": code}))).into_response()
}

/// Whether the client proved who it is, in the one way that this provider takes.
fn authenticated(
    own: &Provider,
    state: &Behaviour,
    headers: &HeaderMap,
    form: &HashMap<String, String>,
) -> bool {
    let header = headers
        .get("authorization")
        .map(|value| value.to_str().unwrap());
    match state.auth_method {
        "client_secret_basic" => {
            let wanted = format!("Basic {}", STANDARD.encode("us+here:s3cr%3At%26%25"));
            header == Some(&wanted) && !form.contains_key("client_secret")
        }
        "client_secret_post" => header.is_none() && form["client_secret"] == "s3cr:t&%",
        "private_key_jwt" => {
            let expected = Expected {
                algorithms: &[SigningAlg::Es256],
                typ: TypeRule::JwtOrAbsent,
                issuer: "us here",
                audience: &own.issuer,
                expiry: Expiry::Enforced,
                now: own.clock.now(),
                leeway: 0,
            };
            let keys = Jwks::from_value(&state.client_keys).unwrap();
            jose::verify(&form["client_assertion"], &keys, &expected)
                .is_ok_and(|jwt| jwt.text("sub") == Some("us here") && jwt.text("jti").is_some())
        }
        _ => false,
    }
}

async fn push(State(own): State<Provider>, headers: HeaderMap, RawForm(body): RawForm) -> Response {
    let pause = own.state.lock().unwrap().push_takes;
    tokio::time::sleep(pause).await;
    let mut state = own.state.lock().unwrap();
    let Some(form) = form(&body) else {
        return oauth_error("invalid_request");
    };
    if !authenticated(&own, &state, &headers, &form) {
        return oauth_error("invalid_client");
    }
    let uri = format!("urn:ietf:params:oauth:request_uri:{}", state.requests.len());
    state.requests.insert(uri.clone(), form);
    let body = json!({"request_uri": uri, "expires_in": 60});
    (StatusCode::CREATED, Json(body)).into_response()
}

async fn token(
    State(own): State<Provider>,
    headers: HeaderMap,
    RawForm(body): RawForm,
) -> Response {
    let mut state = own.state.lock().unwrap();
    let Some(form) = form(&body) else {
        return oauth_error("invalid_request");
    };
    if state.token_status != 200 {
        return StatusCode::from_u16(state.token_status)
            .unwrap()
            .into_response();
    }
    if !authenticated(&own, &state, &headers, &form) {
        return oauth_error("invalid_client");
    }
    let Some(asked) = state.codes.remove(&form["code"]) else {
        return oauth_error("invalid_grant");
    };
    let challenge = b64url(&Sha256::digest(&form["code_verifier"]));
    if asked["code_challenge"] != challenge || asked["redirect_uri"] != form["redirect_uri"] {
        return oauth_error("invalid_grant");
    }
    let now = own.clock.now();
    let claims = json!({
        "iss": own.issuer,
        "sub": "person 1",
        "aud": "us here",
        "iat": now.0,
        "exp": now.plus(300).0,
        "nonce": asked["nonce"],
        "auth_time": now.plus(-120).0,
        "acr": "silver",
        "amr": ["pwd"],
        "member": "signed",
        "at_hash": b64url(&Sha256::digest("the access token")[..16]),
    });
    let mut claims = claims.as_object().unwrap().clone();
    (state.claims)(&mut claims);
    let signed = state.key.sign("JWT", &claims).unwrap();
    Json(json!({
        "access_token": "the access token",
        "token_type": "bearer",
        "id_token": state.id_token.clone().unwrap_or(signed),
    }))
    .into_response()
}

async fn user_info(State(own): State<Provider>, headers: HeaderMap) -> Response {
    if headers["authorization"] != "Bearer the access token" {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let state = own.state.lock().unwrap();
    let status = StatusCode::from_u16(state.user_info_status).unwrap();
    (status, Json(state.user_info.clone())).into_response()
}
