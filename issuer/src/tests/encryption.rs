//! Encrypted requests and responses, with josekit on the wallet's side.

use serde_json::{Value, json};
use vouchsafe_credentials::crypto::AgreementKey;
use vouchsafe_credentials::encoding::b64url;
use vouchsafe_credentials::testing::SeededRng;
use vouchsafe_credentials::time::Clock;
use vouchsafe_service::jose::jwe::{self, ContentEncryption};

use super::harness::{Answer, Harness, config_text, everywhere, with_config};
use crate::request_keys::PERIOD_S;

const BOTH: [ContentEncryption; 2] = [ContentEncryption::A128Gcm, ContentEncryption::A256Gcm];

/// The wallet's key for responses, with its private half.
fn wallet_key() -> Value {
    let key = AgreementKey::generate(&SeededRng::new(70));
    let mut jwk = key.public_key().to_jwk();
    jwk["d"] = json!(b64url(key.to_bytes().as_slice()));
    jwk["kid"] = json!("wallet");
    jwk["alg"] = json!("ECDH-ES");
    jwk
}

fn response_encryption(enc: &str) -> Value {
    let mut jwk = wallet_key();
    jwk.as_object_mut().unwrap().remove("d");
    json!({ "jwk": jwk, "enc": enc })
}

/// The key of the metadata.
async fn request_key(h: &Harness) -> Value {
    let metadata = h.get("/.well-known/openid-credential-issuer").await.json();
    metadata["credential_request_encryption"]["jwks"]["keys"][0].clone()
}

async fn body(h: &Harness, encryption: Option<Value>) -> Value {
    let nonce = h.nonce().await;
    let proof = h.proof(&h.holder(1), &nonce).await;
    let mut body = json!({
        "credential_configuration_id": "membership", "proofs": { "jwt": [proof] }, "extra": 1,
    });
    if let Some(encryption) = encryption {
        body["credential_response_encryption"] = encryption;
    }
    body
}

async fn send_sealed(h: &Harness, token: &str, key: &Value, body: &Value) -> Answer {
    send_sealed_to(h, "/credential", token, key, body).await
}

async fn send_sealed_to(h: &Harness, path: &str, token: &str, key: &Value, body: &Value) -> Answer {
    let plain = body.to_string();
    let sealed = jwe::encrypt(plain.as_bytes(), key, BOTH[0], Some("json")).unwrap();
    let bearer = format!("Bearer {token}");
    let headers = [("authorization", bearer.as_str())];
    h.post(path, "application/jwt", &headers, &sealed).await
}

fn opened(answer: &Answer) -> Value {
    assert_eq!(answer.header("content-type"), "application/jwt");
    assert_eq!(answer.header("cache-control"), "no-store");
    let plain = jwe::open(&answer.text, &wallet_key(), &BOTH).unwrap();
    serde_json::from_slice(&plain).unwrap()
}

fn invalid() -> (u16, String) {
    (400, "invalid_encryption_parameters".into())
}

#[tokio::test]
async fn josekit_opens_what_we_encrypt_and_the_reverse() {
    everywhere(async |h| {
        let key = request_key(&h).await;
        for enc in ["A128GCM", "A256GCM"] {
            let body = body(&h, Some(response_encryption(enc))).await;
            let answer = send_sealed(&h, &h.token().await, &key, &body).await;
            assert_eq!(answer.status, 200, "{}", answer.text);
            let response = opened(&answer);
            assert_eq!(response["credentials"].as_array().unwrap().len(), 1);
            assert!(response["notification_id"].is_string());
        }
        // An encrypted request for a plain response.
        let body = body(&h, None).await;
        let answer = send_sealed(&h, &h.token().await, &key, &body).await;
        assert_eq!(answer.header("content-type"), "application/json");
        assert_eq!(answer.status, 200, "{}", answer.text);
    })
    .await;
}

#[tokio::test]
async fn compression_that_is_asked_for_is_left_out() {
    everywhere(async |h| {
        let key = request_key(&h).await;
        let mut encryption = response_encryption("A256GCM");
        encryption["zip"] = json!("DEF");
        let body = body(&h, Some(encryption)).await;
        let answer = send_sealed(&h, &h.token().await, &key, &body).await;
        assert!(opened(&answer)["credentials"].is_array());
        let metadata = h.get("/.well-known/openid-credential-issuer").await.text;
        assert!(!metadata.contains("zip_values_supported"));
    })
    .await;
}

#[tokio::test]
async fn cat_275_encryption_that_is_refused() {
    everywhere(async |h| {
        let key = request_key(&h).await;
        let token = h.token().await;
        // Section 8.2: an encrypted response needs an encrypted request.
        let plain = body(&h, Some(response_encryption("A256GCM"))).await;
        let answer = h.bearer("/credential", &token, &plain).await;
        assert_eq!(answer.error(), invalid());
        for (pointer, value) in [
            ("/jwk/alg", json!("UNSUPPORTED_ALG")),
            ("/jwk/alg", Value::Null),
            ("/jwk/crv", json!("P-384")),
            ("/jwk/x5c", json!("A".repeat(10_240))),
            ("/enc", json!("A128CBC-HS256")),
            ("/zip", json!("LZ4")),
        ] {
            let mut encryption = response_encryption("A256GCM");
            let (parent, name) = pointer.rsplit_once('/').unwrap();
            encryption.pointer_mut(parent).unwrap()[name] = value;
            let body = body(&h, Some(encryption)).await;
            let answer = send_sealed(&h, &token, &key, &body).await;
            assert_eq!(answer.error(), invalid(), "{pointer}");
            // Section 8.3.1.2: errors are never encrypted.
            assert_eq!(answer.header("content-type"), "application/json");
        }
        let bearer = format!("Bearer {token}");
        let headers = [("authorization", bearer.as_str())];
        let sealed = {
            let plain = body(&h, None).await.to_string();
            jwe::encrypt(plain.as_bytes(), &key, BOTH[1], None).unwrap()
        };
        let other = AgreementKey::generate(&SeededRng::new(71));
        let mut foreign = other.public_key().to_jwk();
        foreign["kid"] = key["kid"].clone();
        let mut unknown = key.clone();
        unknown["kid"] = json!("1");
        let mut nameless = key.clone();
        nameless.as_object_mut().unwrap().remove("kid");
        for (what, text) in [
            ("rubbish", "a.b.c.d.e".to_owned()),
            ("plain", "{}".to_owned()),
            ("cut", sealed[..sealed.len() - 2].to_owned()),
            (
                "foreign",
                jwe::encrypt(b"{}", &foreign, BOTH[0], None).unwrap(),
            ),
            (
                "unknown",
                jwe::encrypt(b"{}", &unknown, BOTH[0], None).unwrap(),
            ),
            (
                "nameless",
                jwe::encrypt(b"{}", &nameless, BOTH[0], None).unwrap(),
            ),
        ] {
            let answer = h
                .post("/credential", "application/jwt", &headers, &text)
                .await;
            assert_eq!(answer.error(), invalid(), "{what}");
        }
        // What opens must still be a request.
        let text = jwe::encrypt(b"[]", &key, BOTH[0], None).unwrap();
        let answer = h
            .post("/credential", "application/jwt", &headers, &text)
            .await;
        assert_eq!(answer.error(), (400, "invalid_credential_request".into()));
        let answer = h
            .post("/credential", "application/jose", &headers, &sealed)
            .await;
        assert_eq!(answer.status, 415);
        let answer = h
            .post("/credential", "application/jwt", &headers, &sealed)
            .await;
        assert_eq!(answer.status, 200, "{}", answer.text);
    })
    .await;
}

#[tokio::test]
async fn what_is_required_is_required() {
    let text = format!(
        "{}[encryption]\nrequests = \"required\"\nresponses = \"required\"\n",
        config_text("")
    );
    with_config(&text, async |h| {
        let metadata = h.get("/.well-known/openid-credential-issuer").await.json();
        for name in [
            "credential_request_encryption",
            "credential_response_encryption",
        ] {
            assert_eq!(metadata[name]["encryption_required"], true, "{name}");
        }
        let key = request_key(&h).await;
        let token = h.token().await;
        let plain = h.bearer("/credential", &token, &body(&h, None).await).await;
        assert_eq!(plain.error(), invalid());
        let half = send_sealed(&h, &token, &key, &body(&h, None).await).await;
        assert_eq!(half.error(), invalid());
        let body = body(&h, Some(response_encryption("A128GCM"))).await;
        let whole = send_sealed(&h, &token, &key, &body).await;
        assert!(opened(&whole)["credentials"].is_array());
        let plain = json!({ "transaction_id": "x" });
        let plain = h.bearer("/deferred_credential", &token, &plain).await;
        assert_eq!(plain.error(), invalid());
    })
    .await;
    let text = format!(
        "{}[encryption]\nrequests = \"off\"\nresponses = \"off\"\n",
        config_text("")
    );
    with_config(&text, async |h| {
        let token = h.token().await;
        let with = body(&h, Some(response_encryption("A128GCM"))).await;
        assert_eq!(
            h.bearer("/credential", &token, &with).await.error(),
            invalid()
        );
        let mut any = wallet_key();
        any["kid"] = json!("1");
        let sealed = send_sealed(&h, &token, &any, &with).await;
        assert_eq!(sealed.error(), invalid());
    })
    .await;
}

#[tokio::test]
async fn the_key_of_requests_changes_by_itself() {
    everywhere(async |h| {
        let old = request_key(&h).await;
        let other = h.another_process().await;
        assert_eq!(request_key(&other).await, old);
        h.clock.advance(PERIOD_S);
        let new = request_key(&h).await;
        assert_ne!(new["kid"], old["kid"]);
        assert_ne!(new["x"], old["x"]);
        for (key, status) in [(&old, 200), (&new, 200)] {
            let answer = send_sealed(&h, &h.token().await, key, &body(&h, None).await).await;
            assert_eq!(answer.status, status, "{}", answer.text);
        }
        h.clock.advance(PERIOD_S);
        let answer = send_sealed(&h, &h.token().await, &old, &body(&h, None).await).await;
        assert_eq!(answer.error(), invalid());
        assert!(h.clock.now().0 > 0);
    })
    .await;
}

#[tokio::test]
async fn deferred_answers_are_encrypted_with_the_newer_key() {
    everywhere(async |h| {
        let offer = h.offer(json!({ "hold": true })).await;
        let token = h.token_of(&offer).await;
        let key = request_key(&h).await;
        // Section 8.3: "regardless of the content", so the transaction too.
        let first = body(&h, Some(response_encryption("A128GCM"))).await;
        let first = send_sealed(&h, &token, &key, &first).await;
        assert_eq!(first.status, 202);
        let id = opened(&first)["transaction_id"].clone();
        let ask = async |encryption: Option<&str>| {
            let mut body = json!({ "transaction_id": id });
            if let Some(enc) = encryption {
                body["credential_response_encryption"] = response_encryption(enc);
            }
            send_sealed_to(&h, "/deferred_credential", &token, &key, &body).await
        };
        let pending = ask(Some("A256GCM")).await;
        assert_eq!(pending.status, 202, "{}", pending.text);
        assert_eq!(opened(&pending)["transaction_id"], id);
        let plain = json!({
            "transaction_id": id,
            "credential_response_encryption": response_encryption("A256GCM"),
        });
        let plain = h.bearer("/deferred_credential", &token, &plain).await;
        assert_eq!(plain.error(), invalid());
        let path = format!("/v1/offers/{}/approve", offer["id"].as_str().unwrap());
        assert_eq!(h.admin_post(&path, "", &[]).await.status, 200);
        let done = ask(Some("A256GCM")).await;
        assert_eq!(done.status, 200, "{}", done.text);
        assert!(opened(&done)["credentials"].is_array());
    })
    .await;
}
