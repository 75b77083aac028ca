//! OAuth clients of the administration API.

use axum::body::Body;
use axum::http::Request;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use vouchsafe_credentials::crypto::{Signer, SigningKey};
use vouchsafe_credentials::time::Clock;
use vouchsafe_protocol::oauth::assertion::JWT_BEARER;

use super::haip::jwt;
use super::harness::{Answer, Harness, ISSUER, everywhere};

const FORM: &str = "application/x-www-form-urlencoded";

fn scopes(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn basic(id: &str, secret: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{id}:{secret}")))
}

async fn ask(h: &Harness, authorization: Option<&str>, fields: &[(&str, &str)]) -> Answer {
    let headers: Vec<_> = authorization
        .map(|value| ("authorization", value))
        .into_iter()
        .collect();
    h.form_with("/oauth2/token", fields, &headers).await
}

/// A client with a secret, and how it authenticates.
async fn with_secret(h: &Harness, names: &[&str]) -> (String, String) {
    let client = h.issuer.create_api_client("crm", scopes(names), None).await;
    let client = client.unwrap();
    let secret = client.secret.unwrap();
    (client.id.clone(), basic(&client.id, secret.expose()))
}

fn as_caller(h: &Harness, token: &Answer) -> Harness {
    assert_eq!(token.status, 200, "{}", token.text);
    Harness {
        key: token.json()["access_token"].as_str().unwrap().to_owned(),
        ..h.clone()
    }
}

const GRANT: (&str, &str) = ("grant_type", "client_credentials");

#[tokio::test]
async fn a_client_fetches_a_token_and_calls_with_it() {
    everywhere(async |h| {
        let (id, auth) = with_secret(&h, &["offers:read", "offers:write", "audit:read"]).await;
        let answer = ask(&h, Some(&auth), &[GRANT]).await;
        let body = answer.json();
        assert_eq!(body["token_type"], "Bearer", "{}", answer.text);
        assert_eq!(body["expires_in"], 600);
        assert_eq!(body["scope"], "offers:read offers:write audit:read");
        assert_eq!(answer.header("cache-control"), "no-store");
        let client = as_caller(&h, &answer);
        let offer = client.offer(json!({})).await;
        assert_eq!(client.admin_get("/v1/credentials").await.error().0, 403);
        // The log names the client.
        let path = format!("/v1/audit?target={}", offer["id"].as_str().unwrap());
        let log = client.admin_get(&path).await.json();
        assert_eq!(log["items"][0]["actor"], format!("client:{id}"));
        // Ten minutes, and not a second more.
        h.clock.advance(599);
        assert_eq!(client.admin_get("/v1/offers").await.status, 200);
        h.clock.advance(1);
        let late = client.admin_get("/v1/offers").await;
        assert_eq!(late.error(), (401, "unauthorized".into()));
    })
    .await;
}

#[tokio::test]
async fn a_token_brings_what_was_asked_for_and_never_more() {
    everywhere(async |h| {
        let (_, auth) = with_secret(&h, &["offers:read", "credentials:read"]).await;
        let less = ask(&h, Some(&auth), &[GRANT, ("scope", "offers:read")]).await;
        assert_eq!(less.json()["scope"], "offers:read");
        let client = as_caller(&h, &less);
        assert_eq!(client.admin_get("/v1/offers").await.status, 200);
        assert_eq!(client.admin_get("/v1/credentials").await.error().0, 403);
        for scope in [
            "offers:write",
            "offers:read audit:read",
            "offers:read  credentials:read",
            "*",
        ] {
            let answer = ask(&h, Some(&auth), &[GRANT, ("scope", scope)]).await;
            assert_eq!(answer.error(), (400, "invalid_scope".into()), "{scope}");
        }
    })
    .await;
}

#[tokio::test]
async fn who_does_not_authenticate_as_registered_gets_nothing() {
    everywhere(async |h| {
        let (id, auth) = with_secret(&h, &["offers:read"]).await;
        let secret = STANDARD
            .decode(auth.strip_prefix("Basic ").unwrap())
            .unwrap();
        let secret = String::from_utf8(secret).unwrap();
        let secret = secret.split_once(':').unwrap().1.to_owned();
        let unknown = "019370d0-7c00-7000-8000-000000000001";
        for wrong in [
            None,
            Some(basic(&id, "")),
            Some(basic(&id, &secret.to_uppercase())),
            Some(basic(unknown, &secret)),
            Some(format!("Bearer {}", h.key)),
            Some(format!("Bearer {secret}")),
        ] {
            let answer = ask(&h, wrong.as_deref(), &[GRANT]).await;
            assert_eq!(answer.error(), (401, "invalid_client".into()), "{wrong:?}");
            assert!(!answer.text.contains(&secret));
        }
        // The secret in the body is another method than the registered one.
        let fields = [
            GRANT,
            ("client_id", id.as_str()),
            ("client_secret", secret.as_str()),
        ];
        let posted = ask(&h, None, &fields).await;
        assert_eq!(posted.error(), (401, "invalid_client".into()));
        for (fields, code) in [
            (vec![("grant_type", "password")], "unsupported_grant_type"),
            (
                vec![("grant_type", "authorization_code")],
                "unsupported_grant_type",
            ),
            (vec![], "invalid_request"),
            (vec![GRANT, GRANT], "invalid_request"),
        ] {
            let answer = ask(&h, Some(&auth), &fields).await;
            assert_eq!(answer.error(), (400, code.into()), "{fields:?}");
        }
        let query = Request::post("/oauth2/token?grant_type=client_credentials")
            .header("content-type", FORM)
            .header("authorization", &auth);
        let answer = h.send(query.body(Body::empty()).unwrap()).await;
        assert_eq!(answer.error(), (400, "invalid_request".into()));
        let headers = [("authorization", auth.as_str())];
        let json = h
            .post("/oauth2/token", "application/json", &headers, "{}")
            .await;
        assert_eq!(json.status, 415);
        // Neither do clients of the wallets' endpoint come in here, nor these there.
        let wallet = ask(&h, None, &[GRANT, ("client_id", super::harness::WALLET)]).await;
        assert_eq!(wallet.error(), (401, "invalid_client".into()));
        let there = h
            .form_with("/token", &[GRANT], &[("authorization", &auth)])
            .await;
        assert!(there.status.is_client_error(), "{}", there.text);
        let metadata = h.get("/.well-known/oauth-authorization-server").await;
        assert!(!metadata.text.contains("client_credentials"));
        assert!(!metadata.text.contains("/oauth2/"));
    })
    .await;
}

#[tokio::test]
async fn a_revoked_client_and_its_tokens_are_out_at_once() {
    everywhere(async |h| {
        let (id, auth) = with_secret(&h, &["offers:read"]).await;
        let client = as_caller(&h, &ask(&h, Some(&auth), &[GRANT]).await);
        assert_eq!(client.admin_get("/v1/offers").await.status, 200);
        assert!(h.issuer.revoke_api_client(&id).await.unwrap());
        assert!(!h.issuer.revoke_api_client(&id).await.unwrap());
        assert_eq!(client.admin_get("/v1/offers").await.error().0, 401);
        let answer = ask(&h, Some(&auth), &[GRANT]).await;
        assert_eq!(answer.error(), (401, "invalid_client".into()));
    })
    .await;
}

fn keys(key: &SigningKey) -> String {
    json!({ "keys": [key.public_key().to_jwk()] }).to_string()
}

async fn assertion(h: &Harness, id: &str, key: &SigningKey, change: (&str, Value)) -> String {
    let now = h.clock.now().0;
    let header = json!({ "alg": "ES256", "typ": "JWT" });
    let mut claims = json!({
        "iss": id, "sub": id, "aud": ISSUER, "exp": now + 60, "iat": now,
        "jti": h.issuer.core().ids.next_text(),
    });
    claims[change.0] = change.1;
    jwt(&header, &claims, key).await
}

async fn ask_with(h: &Harness, assertion: &str) -> Answer {
    let fields = [
        GRANT,
        ("client_assertion_type", JWT_BEARER),
        ("client_assertion", assertion),
    ];
    ask(h, None, &fields).await
}

#[tokio::test]
async fn cat_256_assertions_of_api_clients() {
    everywhere(async |h| {
        let (own, other) = (h.holder(1), h.holder(2));
        let own_keys = keys(&own);
        let made = h
            .issuer
            .create_api_client("crm", scopes(&["offers:read"]), Some(&own_keys));
        let made = made.await.unwrap();
        assert!(made.secret.is_none());
        let id = made.id;
        let good = assertion(&h, &id, &own, ("note", json!("good"))).await;
        let client = as_caller(&h, &ask_with(&h, &good).await);
        assert_eq!(client.admin_get("/v1/offers").await.status, 200);
        // Once.
        assert_eq!(
            ask_with(&h, &good).await.error(),
            (401, "invalid_client".into())
        );
        let now = h.clock.now().0;
        for change in [
            ("aud", json!(format!("{ISSUER}/oauth2/token"))),
            ("aud", json!([ISSUER])),
            ("aud", json!("https://other.example")),
            ("aud", Value::Null),
            ("iss", json!("somebody")),
            ("sub", json!("019370d0-7c00-7000-8000-000000000001")),
            ("exp", json!(now - 60)),
            ("exp", json!(now + 100_000)),
            ("exp", Value::Null),
            ("jti", Value::Null),
        ] {
            let bad = assertion(&h, &id, &own, change.clone()).await;
            let answer = ask_with(&h, &bad).await;
            assert_eq!(answer.error(), (401, "invalid_client".into()), "{change:?}");
        }
        let forged = assertion(&h, &id, &other, ("note", json!(1))).await;
        assert_eq!(
            ask_with(&h, &forged).await.error(),
            (401, "invalid_client".into())
        );
        // A secret for a client with keys, an assertion for one with a secret.
        let answer = ask(&h, Some(&basic(&id, "")), &[GRANT]).await;
        assert_eq!(answer.error(), (401, "invalid_client".into()));
        let (secret_id, _) = with_secret(&h, &["offers:read"]).await;
        let wrong = assertion(&h, &secret_id, &own, ("note", json!(1))).await;
        assert_eq!(
            ask_with(&h, &wrong).await.error(),
            (401, "invalid_client".into())
        );
    })
    .await;
}

#[tokio::test]
async fn only_public_keys_make_a_client() {
    everywhere(async |h| {
        let mut private = h.holder(1).public_key().to_jwk();
        private["d"] = json!("AAAA");
        let private = json!({ "keys": [private] }).to_string();
        for bad in ["", "{}", r#"{"keys":[]}"#, "[]", private.as_str()] {
            let made = h
                .issuer
                .create_api_client("crm", scopes(&["offers:read"]), Some(bad));
            assert!(made.await.is_err(), "{bad}");
        }
    })
    .await;
}
