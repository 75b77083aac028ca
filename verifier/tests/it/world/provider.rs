//! Another OpenID Provider, over the network of this machine. It vouches for whom a test says.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use axum::extract::{RawForm, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use url::{Url, form_urlencoded};
use vouchsafe_service::jose::{JwtKey, SigningAlg};

use super::{NOW, OP};

const SECRET: &str = "secret-at-the-provider";

#[derive(Clone)]
pub struct Provider {
    pub issuer: String,
    key: Arc<JwtKey>,
    codes: Arc<Mutex<HashMap<String, Code>>>,
    down: Arc<Mutex<bool>>,
}

/// What a code stands for.
struct Code {
    asked: HashMap<String, String>,
    claims: Value,
}

impl Provider {
    pub async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let own = Self {
            issuer: format!("http://{}", listener.local_addr().unwrap()),
            key: Arc::new(JwtKey::generate(SigningAlg::Es256).unwrap()),
            codes: Arc::default(),
            down: Arc::default(),
        };
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(metadata))
            .route("/jwks", get(keys))
            .route("/token", post(token))
            .with_state(own.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        own
    }

    /// Its section of the configuration.
    pub fn section(&self, id: &str, name: &str) -> String {
        let issuer = &self.issuer;
        format!(
            "\n[[providers]]\nid = \"{id}\"\nname = \"{name}\"\nissuer = \"{issuer}\"\n\
             client_id = \"op\"\nclient_secret = \"{SECRET}\"\nscopes = [\"email\"]\n"
        )
    }

    pub fn set_down(&self, down: bool) {
        *self.down.lock().unwrap() = down;
    }

    /// Somebody signs in there: the address that the browser comes back to. `claims` stand in the ID
    /// token beside what belongs there, or in its place.
    pub fn sign_in(&self, url: &str, claims: Value) -> String {
        let asked = self.asked(url);
        let code = BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(url));
        let back = [("code", code.as_str()), ("iss", &self.issuer)];
        let back = answer(&asked, &asked["redirect_uri"], &back);
        self.codes
            .lock()
            .unwrap()
            .insert(code, Code { asked, claims });
        back
    }

    /// It answers with an error.
    pub fn refuse(&self, url: &str, error: &str) -> String {
        let asked = self.asked(url);
        let back = [("error", error), ("iss", &self.issuer)];
        answer(&asked, &asked["redirect_uri"], &back)
    }

    /// What it was asked.
    pub fn asked(&self, url: &str) -> HashMap<String, String> {
        assert!(
            url.starts_with(&format!("{}/authorize?", self.issuer)),
            "{url}"
        );
        let url = Url::parse(url).unwrap();
        url.query_pairs().into_owned().collect()
    }
}

/// An answer to a request, at an address.
pub fn answer(asked: &HashMap<String, String>, at: &str, fields: &[(&str, &str)]) -> String {
    assert!(at.starts_with(&format!("{OP}/upstream/")), "{at}");
    let mut back = form_urlencoded::Serializer::new(String::new());
    back.extend_pairs(fields)
        .append_pair("state", &asked["state"]);
    format!("{at}?{}", back.finish())
}

async fn metadata(State(own): State<Provider>) -> Response {
    if *own.down.lock().unwrap() {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    let issuer = &own.issuer;
    Json(json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/authorize"),
        "token_endpoint": format!("{issuer}/token"),
        "jwks_uri": format!("{issuer}/jwks"),
        "response_types_supported": ["code"],
        "id_token_signing_alg_values_supported": ["ES256"],
        "token_endpoint_auth_methods_supported": ["client_secret_post"],
        "authorization_response_iss_parameter_supported": true,
    }))
    .into_response()
}

async fn keys(State(own): State<Provider>) -> Json<Value> {
    Json(json!({ "keys": [own.key.public_jwk()] }))
}

/// A code is good once, for who began with it.
async fn token(State(own): State<Provider>, RawForm(form): RawForm) -> Response {
    let form: HashMap<String, String> = form_urlencoded::parse(&form).into_owned().collect();
    let code = own.codes.lock().unwrap().remove(&form["code"]);
    let Some(Code { asked, claims }) = code else {
        let refused = Json(json!({ "error": "invalid_grant" }));
        return (StatusCode::BAD_REQUEST, refused).into_response();
    };
    let challenge = BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(&form["code_verifier"]));
    assert_eq!(challenge, asked["code_challenge"]);
    assert_eq!(form["redirect_uri"], asked["redirect_uri"]);
    assert_eq!(form["client_secret"], SECRET);
    let mut token = json!({
        "iss": own.issuer, "aud": "op", "iat": NOW.0, "exp": NOW.plus(3600).0,
        "nonce": asked["nonce"],
    });
    let members = token.as_object_mut().unwrap();
    members.extend(claims.as_object().unwrap().clone());
    let token = own.key.sign("JWT", members).unwrap();
    Json(json!({ "access_token": "t", "token_type": "Bearer", "id_token": token })).into_response()
}
