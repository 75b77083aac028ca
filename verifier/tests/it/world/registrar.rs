//! An application that registers by itself.

use axum::Router;
use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use serde_json::{Value, json};
use vouchsafe_service::db::testing;
use vouchsafe_verifier::store::MIGRATIONS;

use super::World;
use super::browser::{Answer, send};
use super::rp::RelyingParty;

pub const REGISTRATION: &str = r#"
[registration]
allowed_scopes = ["membership", "offline_access"]
default_query = "member-login"
cross_device = true
devices = true
"#;

pub const CALLBACK: &str = "https://app.example/cb";

/// Both databases, with registration by token.
pub async fn with_registration(test: impl AsyncFn(World)) {
    testing::for_each_database(&[MIGRATIONS], async |db| {
        test(World::with_config(db, |toml| toml + REGISTRATION).await).await;
    })
    .await;
}

/// SQLite, with something more in the configuration.
pub async fn with_more(more: &'static str, test: impl AsyncFn(World)) {
    let temporary = testing::sqlite(&[MIGRATIONS]).await;
    let db = temporary.db.clone();
    test(World::with_config(db, |toml| toml + more).await).await;
}

/// A request with JSON, where there is a body, and a token, where there is one.
pub async fn ask(
    router: &Router,
    (method, path): (Method, &str),
    token: Option<&str>,
    body: Option<&Value>,
) -> Answer {
    let path = path.strip_prefix(super::OP).unwrap_or(path);
    let mut request = Request::builder().method(method).uri(path);
    if let Some(token) = token {
        request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
    }
    let request = match body {
        Some(body) => request
            .header(header::CONTENT_TYPE, "application/json")
            .body(Body::from(body.to_string())),
        None => request.body(Body::empty()),
    };
    send(router, request.unwrap()).await
}

pub async fn post(world: &World, token: Option<&str>, body: &Value) -> Answer {
    ask(
        &world.router(),
        (Method::POST, "/register"),
        token,
        Some(body),
    )
    .await
}

/// An initial access token.
pub async fn initial(world: &World, uses: i64) -> String {
    let made = world.verifier.create_registration_token("test", uses, 3600);
    made.await.unwrap().1
}

/// A registered application.
pub struct App {
    pub told: Value,
    router: Router,
}

impl App {
    /// Registers with a token of its own; `more` is added to the usual metadata.
    pub async fn register(world: &World, more: Value) -> Self {
        let token = initial(world, 1).await;
        Self::register_with(world, Some(&token), more).await
    }

    pub async fn register_with(world: &World, token: Option<&str>, more: Value) -> Self {
        let answer = post(world, token, &metadata(more)).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.body);
        assert_eq!(answer.headers[header::CACHE_CONTROL], "no-store");
        Self {
            told: answer.json(),
            router: world.router(),
        }
    }

    pub fn text(&self, name: &str) -> &'static str {
        leaked(self.told[name].as_str().unwrap_or_else(|| panic!("{name}")))
    }

    /// It as one that logs people in.
    pub fn rp(&self) -> RelyingParty {
        self.rp_at(self.router.clone())
    }

    pub fn rp_at(&self, router: Router) -> RelyingParty {
        let secret = self.told["client_secret"].as_str().map(leaked);
        let redirect_uri = self.told["redirect_uris"][0].as_str().map(leaked);
        let redirect_uri = redirect_uri.unwrap_or(CALLBACK);
        RelyingParty::new(router, self.text("client_id"), secret, redirect_uri)
    }

    pub async fn manage(&self, method: Method, body: Option<&Value>) -> Answer {
        let token = self.text("registration_access_token");
        self.manage_as(token, method, body).await
    }

    pub async fn manage_as(&self, token: &str, method: Method, body: Option<&Value>) -> Answer {
        let path = self.text("registration_client_uri");
        ask(&self.router, (method, path), Some(token), body).await
    }
}

pub fn metadata(more: Value) -> Value {
    let mut metadata = json!({
        "client_name": "The App",
        "redirect_uris": [CALLBACK],
        "grant_types": ["authorization_code", "refresh_token"],
    });
    let base = metadata.as_object_mut().unwrap();
    base.extend(more.as_object().unwrap().clone());
    metadata
}

fn leaked(text: &str) -> &'static str {
    Box::leak(text.to_owned().into_boxed_str())
}
