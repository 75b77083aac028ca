//! An application that takes security events.

use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use serde_json::{Value, json};
use vouchsafe_credentials::status_list::Status;
use vouchsafe_service::db::testing;
use vouchsafe_verifier::store::MIGRATIONS;

use super::browser::{Answer, send};
use super::rp::{RelyingParty, Tokens};
use super::steps::log_in;
use super::{NOW, World};

pub const REVOKED: &str = "https://schemas.openid.net/secevent/caep/event-type/session-revoked";
pub const VERIFICATION: &str = "https://schemas.openid.net/secevent/ssf/event-type/verification";

/// The shop and the café take events, the others do not.
pub fn receivers(toml: String) -> String {
    [
        "http://127.0.0.1:9000/backchannel",
        "http://127.0.0.2:9001/backchannel",
    ]
    .into_iter()
    .fold(toml, |toml, uri| {
        let line = format!("backchannel_logout_uri = \"{uri}\"\n");
        assert!(toml.contains(&line));
        toml.replace(&line, &format!("{line}security_events = true\n"))
    })
}

pub async fn on_each_database(test: impl AsyncFn(World)) {
    testing::for_each_database(&[MIGRATIONS], async |db| {
        test(World::with_config(db, receivers).await).await;
    })
    .await;
}

pub async fn on_one(test: impl AsyncFn(World)) {
    let temporary = testing::sqlite(&[MIGRATIONS]).await;
    test(World::with_config(temporary.db.clone(), receivers).await).await;
}

/// An application that manages its stream.
pub struct Receiver<'a> {
    pub world: &'a World,
    pub token: String,
}

impl<'a> Receiver<'a> {
    pub async fn new(world: &'a World, rp: &RelyingParty, scope: &str) -> Self {
        let fields = [("grant_type", "client_credentials"), ("scope", scope)];
        let answer = rp.token(&fields).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
        let body = answer.json();
        assert_eq!(
            (&body["token_type"], &body["scope"]),
            (&json!("Bearer"), &json!(scope))
        );
        assert!(body.get("refresh_token").is_none() && body.get("id_token").is_none());
        Self {
            world,
            token: body["access_token"].as_str().unwrap().to_owned(),
        }
    }

    pub async fn call(&self, method: Method, path: &str, body: &Value) -> Answer {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::AUTHORIZATION, format!("Bearer {}", self.token))
            .header(header::CONTENT_TYPE, "application/json");
        let body = Body::from(body.to_string());
        send(&self.world.router(), request.body(body).unwrap()).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.call(Method::POST, path, body).await
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.call(Method::GET, path, &json!({})).await
    }

    /// Makes a stream and gives its name.
    pub async fn stream(&self, request: &Value) -> String {
        let answer = self.post("/ssf/stream", request).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.body);
        answer.json()["stream_id"].as_str().unwrap().to_owned()
    }

    /// What a poll gives, at once.
    pub async fn poll(&self, stream: &str, taken: &[&str]) -> Value {
        let body = json!({ "returnImmediately": true, "ack": taken });
        let answer = self.post(&format!("/ssf/poll/{stream}"), &body).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
        answer.json()
    }
}

pub fn polled() -> Value {
    json!({ "events_requested": [REVOKED, "urn:something:else"] })
}

pub fn pushed() -> Value {
    json!({
        "events_requested": [REVOKED],
        "delivery": {
            "method": "urn:ietf:rfc:8935",
            "endpoint_url": "http://127.0.0.1:9000/events",
            "authorization_header": "Bearer for-the-shop",
        },
    })
}

/// Somebody logs in at the shop, and their card is revoked.
pub async fn revoke(world: &World) -> Tokens {
    let wallet = world.person("M-1").await;
    let shop = world.shop();
    let tokens = log_in(&mut world.browser(), &wallet, &shop, "openid membership").await;
    world.issuer.set(&wallet.cards[1].status, Status::Invalid);
    world.clock.advance(2);
    world.issuer.publish(NOW.plus(2)).await;
    world.tick().await;
    tokens
}

pub fn refused(answer: &Answer, status: StatusCode, code: &str) {
    assert_eq!(
        (answer.status, &answer.json()["code"]),
        (status, &json!(code)),
        "{}",
        answer.body
    );
}
