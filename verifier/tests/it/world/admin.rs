//! Somebody who runs the service, over REST.

use axum::body::Body;
use axum::http::{Method, StatusCode, header};
use serde_json::{Value, json};
use vouchsafe_service::db::testing;
use vouchsafe_verifier::store::MIGRATIONS;

use super::World;
use super::browser::{Answer, send};
use super::rest::Caller;
use super::rp::RelyingParty;

pub const ADMINISTRATION: &str = "\n[administration]\n";

/// Everything that an administrator may do.
pub const ALL: [&str; 7] = [
    "clients:read",
    "clients:write",
    "sessions:read",
    "sessions:end",
    "keys:read",
    "trust:read",
    "queries:read",
];

pub const CALLBACK: &str = "https://app.example/cb";

/// Both databases, with administration.
pub async fn on_each_database(test: impl AsyncFn(World)) {
    testing::for_each_database(&[MIGRATIONS], async |db| {
        test(World::with_config(db, |toml| toml + ADMINISTRATION).await).await;
    })
    .await;
}

/// An administrator with a key.
pub struct Admin {
    caller: Caller,
    router: axum::Router,
}

impl Admin {
    pub async fn new(world: &World) -> Self {
        Self::with(world, &ALL).await
    }

    pub async fn with(world: &World, scopes: &[&str]) -> Self {
        Self {
            caller: Caller::with_scopes(world, "operations", scopes).await,
            router: world.router(),
        }
    }

    /// The same key at another process.
    pub fn at(self, router: axum::Router) -> Self {
        Self { router, ..self }
    }

    pub async fn send(
        &self,
        (method, path): (Method, &str),
        more: &[(&str, &str)],
        body: Option<&str>,
    ) -> Answer {
        let mut request = self.caller.request(method, path);
        if body.is_some() && !more.iter().any(|(name, _)| *name == "content-type") {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        for (name, value) in more {
            request = request.header(*name, *value);
        }
        let body = body.map_or_else(Body::empty, |body| Body::from(body.to_owned()));
        send(&self.router, request.body(body).unwrap()).await
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send((Method::GET, path), &[], None).await
    }

    pub async fn put(&self, id: &str, more: &[(&str, &str)], body: &Value) -> Answer {
        let path = format!("/v1/clients/{id}");
        let text = body.to_string();
        self.send((Method::PUT, &path), more, Some(&text)).await
    }

    pub async fn delete(&self, path: &str, more: &[(&str, &str)]) -> Answer {
        self.send((Method::DELETE, path), more, None).await
    }

    pub async fn rotate(&self, id: &str, more: &[(&str, &str)], body: &Value) -> Answer {
        let path = format!("/v1/clients/{id}/secret");
        let text = body.to_string();
        self.send((Method::POST, &path), more, Some(&text)).await
    }

    /// Makes an application that is told of logouts.
    pub async fn made(&self, id: &str) -> Made {
        let answer = self
            .put(id, &[("if-none-match", "*")], &settings(json!({})))
            .await;
        assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.body);
        Made {
            secret: answer.json()["client_secret"].as_str().unwrap().to_owned(),
            tag: tag(&answer),
            id: id.to_owned(),
            router: self.router.clone(),
        }
    }
}

/// An application that was made.
pub struct Made {
    pub id: String,
    pub secret: String,
    pub tag: String,
    router: axum::Router,
}

impl Made {
    pub fn rp(&self) -> RelyingParty {
        self.rp_with(&self.secret)
    }

    pub fn rp_with(&self, secret: &str) -> RelyingParty {
        let leaked = |text: &str| -> &'static str { Box::leak(text.to_owned().into_boxed_str()) };
        let secret = Some(leaked(secret));
        RelyingParty::new(self.router.clone(), leaked(&self.id), secret, CALLBACK)
    }
}

pub fn tag(answer: &Answer) -> String {
    answer.headers[header::ETAG].to_str().unwrap().to_owned()
}

pub fn settings(more: Value) -> Value {
    let mut settings = json!({
        "name": "The App",
        "redirect_uris": [CALLBACK],
        "backchannel_logout_uri": "https://app.example/backchannel",
        "scopes": ["membership"],
        "offline_access": true,
        "default_query": "member-login",
    });
    let members = settings.as_object_mut().unwrap();
    for (name, value) in more.as_object().unwrap() {
        match value {
            Value::Null => members.remove(name),
            value => members.insert(name.clone(), value.clone()),
        };
    }
    settings
}

pub fn refused(answer: &Answer, status: u16, code: &str) {
    assert_eq!(answer.status.as_u16(), status, "{}", answer.body);
    let problem = answer.json();
    assert_eq!(problem["code"], code, "{}", answer.body);
    assert_eq!(problem["type"], format!("urn:vouchsafe:problem:{code}"));
    assert_eq!(
        answer.headers[header::CONTENT_TYPE],
        "application/problem+json"
    );
}
