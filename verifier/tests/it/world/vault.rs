//! An application under the FAPI 2.0 Security Profile.

use std::cell::Cell;

use axum::http::StatusCode;
use serde_json::{Value, json};
use vouchsafe_credentials::time::Clock as _;

use super::browser::{Answer, form};
use super::proof::{ProofKey, ath};
use super::rp::RelyingParty;
use super::steps::same_device;
use super::{OP, World};

const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
const STAY: &str = "openid membership offline_access";

/// An application of the profile, with the keys of the test's bank.
pub struct Vault<'a> {
    world: &'a World,
    pub rp: RelyingParty,
    pub key: ProofKey,
    assertions: Cell<u32>,
}

impl<'a> Vault<'a> {
    pub fn new(world: &'a World) -> Self {
        let uri = "https://vault.example/cb";
        Self {
            world,
            rp: RelyingParty::new(world.router(), "vault", None, uri),
            key: ProofKey::new(1),
            assertions: Cell::new(0),
        }
    }

    pub fn claims(&self) -> Value {
        let number = self.assertions.get() + 1;
        self.assertions.set(number);
        let exp = self.world.clock.now().seconds() + 60;
        let jti = format!("vault-{number}");
        json!({ "iss": "vault", "sub": "vault", "aud": OP, "jti": jti, "exp": exp })
    }

    pub fn assertion(&self) -> String {
        self.world.pki.client_key.sign(&self.claims())
    }

    pub async fn push(&self, scope: &str, extra: &[(&str, &str)], proofs: &[&str]) -> Answer {
        let assertion = self.assertion();
        self.push_as(scope, extra, &assertion, proofs).await
    }

    pub async fn push_as(
        &self,
        scope: &str,
        extra: &[(&str, &str)],
        assertion: &str,
        proofs: &[&str],
    ) -> Answer {
        let mut fields = authenticated(assertion).to_vec();
        fields.extend(extra);
        self.rp.pushed_with(scope, &fields, proofs).await
    }

    /// The address that follows a pushed request.
    pub async fn address(&self, scope: &str, extra: &[(&str, &str)]) -> String {
        let answer = self.push(scope, extra, &[]).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.body);
        let pushed = answer.json();
        // Section 5.3.2.2, clause 12.
        assert!(pushed["expires_in"].as_i64().unwrap() < 600);
        address("vault", pushed["request_uri"].as_str().unwrap())
    }

    pub async fn code(&self, extra: &[(&str, &str)]) -> String {
        let wallet = self.world.person("M-1").await;
        let address = self.address(STAY, extra).await;
        let answer = same_device(&mut self.world.browser(), &wallet, &address).await;
        self.rp.code(&answer)
    }

    /// A nonce, as every answer of an endpoint for proofs brings it.
    pub async fn nonce(&self) -> String {
        let answer = self.rp.userinfo("x").await;
        nonce(&answer)
    }

    pub async fn proof(&self, key: &ProofKey, path: &str) -> String {
        let nonce = self.nonce().await;
        let change = |_: &mut Value, claims: &mut Value| claims["nonce"] = json!(nonce);
        key.changed(self.world, path, change).await
    }

    pub async fn redeem(&self, code: &str) -> Answer {
        let proof = self.proof(&self.key, "/token").await;
        let assertion = self.assertion();
        let fields = authenticated(&assertion);
        self.rp.redeem_with(code, &fields, &[&proof]).await
    }

    pub async fn refresh(&self, token: &str, proofs: &[&str]) -> Answer {
        let assertion = self.assertion();
        let fields = authenticated(&assertion);
        self.rp.refresh_with(token, &fields, proofs).await
    }

    pub async fn userinfo(&self, token: &str) -> Answer {
        let (nonce, ath) = (self.nonce().await, ath(token));
        let change = |_: &mut Value, claims: &mut Value| {
            claims["htm"] = json!("GET");
            claims["ath"] = json!(ath);
            claims["nonce"] = json!(nonce);
        };
        let proof = self.key.changed(self.world, "/userinfo", change).await;
        self.rp.userinfo_with("DPoP", token, &[&proof]).await
    }

    pub async fn introspect(&self, token: &str) -> Value {
        let assertion = self.assertion();
        let mut fields = authenticated(&assertion).to_vec();
        fields.push(("token", token));
        self.rp.post("/introspect", &fields).await.json()
    }
}

pub fn authenticated(assertion: &str) -> [(&str, &str); 2] {
    [
        ("client_assertion_type", JWT_BEARER),
        ("client_assertion", assertion),
    ]
}

pub fn address(client: &str, request_uri: &str) -> String {
    let fields = form(&[("client_id", client), ("request_uri", request_uri)]);
    format!("{OP}/authorize?{fields}")
}

pub fn nonce(answer: &Answer) -> String {
    answer.headers["dpop-nonce"].to_str().unwrap().to_owned()
}
