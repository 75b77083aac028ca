//! An organisation that asks over REST.

use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use serde_json::{Value, json};
use vouchsafe_service::db::testing;
use vouchsafe_verifier::store::MIGRATIONS;

use super::World;
use super::browser::{Answer, send};
use super::wallet::Asked;

/// Three organisations that may ask; wallets of other devices may answer two of them.
pub const CALLERS: &str = r#"
[verifications]
lifetime_s = 120
keep_s = 600

[[verifications.caller]]
id = "door"
name = "The <Door>"
host = "door.example"
queries = ["age"]
return_urls = ["https://door.example/back?lang=en"]
cross_device = true
most_open = 3

[[verifications.caller]]
id = "clinic"
name = "The Clinic"
queries = ["membership"]
inline_queries = true
cross_device = true

[[verifications.caller]]
id = "web"
name = "The Shop"
queries = ["age"]
return_urls = ["https://web.example/back"]
"#;

/// Runs a test with these organisations on each database.
pub async fn with_callers(test: impl AsyncFn(World)) {
    testing::for_each_database(&[MIGRATIONS], async |db| {
        test(World::with_config(db, |toml| toml + CALLERS).await).await;
    })
    .await;
}

/// A caller with a key.
pub struct Caller {
    router: axum::Router,
    key: String,
}

impl Caller {
    pub async fn new(world: &World, id: &str) -> Self {
        Self::with_scopes(world, id, &[]).await
    }

    pub async fn with_scopes(world: &World, id: &str, scopes: &[&str]) -> Self {
        let scopes: Vec<String> = scopes.iter().map(|&scope| scope.to_owned()).collect();
        let key = world.verifier.create_api_key(id, &scopes).await.unwrap();
        Self::with_key(world, &key.key)
    }

    pub fn with_key(world: &World, key: &str) -> Self {
        Self {
            router: world.router(),
            key: key.to_owned(),
        }
    }

    pub fn request(&self, method: Method, path: &str) -> axum::http::request::Builder {
        Request::builder()
            .method(method)
            .uri(path)
            .header(header::AUTHORIZATION, format!("Bearer {}", self.key))
    }

    pub async fn get(&self, path: &str) -> Answer {
        let request = self.request(Method::GET, path).body(Body::empty());
        send(&self.router, request.unwrap()).await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        let request = self.request(Method::DELETE, path).body(Body::empty());
        send(&self.router, request.unwrap()).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.post_with(path, &[], &body.to_string()).await
    }

    pub async fn post_with(&self, path: &str, more: &[(&str, &str)], body: &str) -> Answer {
        let mut request = self.request(Method::POST, path);
        if !more.iter().any(|(name, _)| *name == "content-type") {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        for (name, value) in more {
            request = request.header(*name, *value);
        }
        send(
            &self.router,
            request.body(Body::from(body.to_owned())).unwrap(),
        )
        .await
    }

    /// Asks, and expects that it works.
    pub async fn ask(&self, body: &Value) -> Question {
        let answer = self.post("/v1/verifications", body).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.body);
        Question::of(&answer.json())
    }

    /// The verification as it stands.
    pub async fn read(&self, question: &Question) -> Value {
        let answer = self.get(&question.path()).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
        answer.json()
    }

    pub async fn status(&self, question: &Question) -> String {
        self.read(question).await["status"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    pub async fn redeem(&self, question: &Question, code: &str) -> Answer {
        let path = format!("{}/redeem", question.path());
        self.post(&path, &json!({ "response_code": code })).await
    }
}

/// A question that was put.
pub struct Question {
    pub id: String,
    pub link: String,
    pub json: Value,
}

impl Question {
    pub fn of(json: &Value) -> Self {
        let text = |name: &str| json[name].as_str().unwrap().to_owned();
        Self {
            id: text("id"),
            link: text("link"),
            json: json.clone(),
        }
    }

    pub fn path(&self) -> String {
        format!("/v1/verifications/{}", self.id)
    }
}

/// The code of a question: what stands in the QR code and in the addresses of the wallet's side.
pub fn request_id(asked: &Asked) -> String {
    let uri = asked.request.response_uri();
    uri.path().rsplit('/').next().unwrap().to_owned()
}
