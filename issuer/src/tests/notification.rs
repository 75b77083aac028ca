//! What wallets say they did with credentials.

use serde_json::{Value, json};
use vouchsafe_credentials::crypto::{Algorithm, SigningKey};
use vouchsafe_credentials::testing::SeededRng;

use super::harness::{Harness, PRE_AUTHORIZED, everywhere};

/// Issues and gives the token and the notification_id.
async fn issued(h: &Harness, proofs: u64) -> (String, String) {
    let token = h.token().await;
    let nonce = h.nonce().await;
    let mut jwts = Vec::new();
    for seed in 1..=proofs {
        jwts.push(h.proof(&h.holder(seed), &nonce).await);
    }
    let answer = h.credential(&token, &jwts).await;
    let id = answer.json()["notification_id"]
        .as_str()
        .unwrap()
        .to_owned();
    (token, id)
}

async fn notify(h: &Harness, token: &str, id: &str, event: &str) -> (u16, String) {
    let body = json!({
        "notification_id": id, "event": event, "event_description": "some text", "extra": [1],
    });
    h.bearer("/notification", token, &body).await.error()
}

async fn events(h: &Harness) -> Vec<Value> {
    let list = h.admin_get("/v1/credentials").await.json();
    let items = list["items"].as_array().unwrap();
    items
        .iter()
        .map(|item| item["wallet_event"].clone())
        .collect()
}

#[tokio::test]
async fn events_are_shown_with_the_credentials() {
    everywhere(async |h| {
        let (token, id) = issued(&h, 2).await;
        assert_eq!(events(&h).await, [Value::Null, Value::Null]);
        let accepted = notify(&h, &token, &id, "credential_accepted").await;
        assert_eq!(accepted, (204, String::new()));
        let shown = events(&h).await;
        assert_eq!(shown[0]["event"], "credential_accepted");
        assert_eq!(shown[0], shown[1]);
        // Section 11: idempotent; the time stays that of the first.
        h.clock.advance(60);
        assert_eq!(notify(&h, &token, &id, "credential_accepted").await.0, 204);
        assert_eq!(events(&h).await, shown);
        assert_eq!(notify(&h, &token, &id, "credential_deleted").await.0, 204);
        let later = events(&h).await;
        assert_eq!(later[0]["event"], "credential_deleted");
        assert_ne!(later[0]["at"], shown[0]["at"]);
        let one = h.newest().await["id"].as_str().unwrap().to_owned();
        let one = h.admin_get(&format!("/v1/credentials/{one}")).await.json();
        assert_eq!(one["wallet_event"], later[0]);
        // A card of another response knows nothing of it.
        issued(&h, 1).await;
        assert_eq!(events(&h).await[0], Value::Null);
    })
    .await;
}

/// A bound token is bound at each endpoint, by a proof for that endpoint.
#[tokio::test]
async fn cat_251_bound_tokens_at_the_other_endpoints() {
    everywhere(async |h| {
        let key = SigningKey::generate(Algorithm::EdDsa, &SeededRng::new(40));
        let code = h.code(&h.offer(json!({ "hold": true })).await).await;
        let proof = h.dpop(&key, "/token", None).await;
        let fields = [
            ("grant_type", PRE_AUTHORIZED),
            ("pre-authorized_code", code.as_str()),
        ];
        let answer = h.form_with("/token", &fields, &[("dpop", &proof)]).await;
        let token = answer.json()["access_token"].as_str().unwrap().to_owned();
        let (bearer, dpop) = (format!("Bearer {token}"), format!("DPoP {token}"));
        let body = json!({
            "notification_id": "x", "event": "credential_accepted", "transaction_id": "x",
        });
        let body = body.to_string();
        for (path, unknown) in [
            ("/notification", "invalid_notification_id"),
            ("/deferred_credential", "invalid_transaction_id"),
        ] {
            let send = async |scheme: &str, proof: Option<&str>| {
                let mut headers = vec![("authorization", scheme)];
                headers.extend(proof.map(|proof| ("dpop", proof)));
                h.post(path, "application/json", &headers, &body)
                    .await
                    .error()
            };
            let right = h.dpop(&key, path, Some(&token)).await;
            let elsewhere = h.dpop(&key, "/credential", Some(&token)).await;
            assert_eq!(send(&bearer, None).await, (401, "invalid_token".into()));
            assert_eq!(send(&dpop, None).await.0, 401);
            assert_eq!(send(&dpop, Some(&elsewhere)).await.0, 401);
            assert_eq!(send(&dpop, Some(&right)).await, (400, unknown.into()));
            assert_eq!(send(&dpop, Some(&right)).await.0, 401);
        }
    })
    .await;
}

#[tokio::test]
async fn notifications_that_are_refused() {
    everywhere(async |h| {
        let (token, id) = issued(&h, 1).await;
        let other = h.token().await;
        for (token, id) in [(&token, "unknown"), (&other, id.as_str())] {
            let error = notify(&h, token, id, "credential_accepted").await;
            assert_eq!(error, (400, "invalid_notification_id".into()));
        }
        for event in ["", "Credential_Accepted", "credential_lost"] {
            let error = notify(&h, &token, &id, event).await;
            assert_eq!(
                error,
                (400, "invalid_notification_request".into()),
                "{event}"
            );
        }
        let described = json!({
            "notification_id": id, "event": "credential_failure", "event_description": "a\"b",
        });
        for body in [
            json!({}),
            json!([]),
            json!({ "notification_id": id }),
            described,
        ] {
            let error = h.bearer("/notification", &token, &body).await.error();
            assert_eq!(
                error,
                (400, "invalid_notification_request".into()),
                "{body}"
            );
        }
        let body = json!({ "notification_id": id, "event": "credential_accepted" }).to_string();
        let bearer = format!("Bearer {token}");
        let auth = [("authorization", bearer.as_str())];
        let form = h.post("/notification", "text/plain", &auth, &body).await;
        assert_eq!(form.status, 415);
        let nobody = h
            .post("/notification", "application/json", &[], &body)
            .await;
        assert_eq!(nobody.status, 401);
        assert!(nobody.headers.contains_key("www-authenticate"));
        let wrong = [("authorization", "Bearer x")];
        let wrong = h
            .post("/notification", "application/json", &wrong, &body)
            .await;
        assert_eq!(wrong.error(), (401, "invalid_token".into()));
        h.clock.advance(300);
        let late = notify(&h, &token, &id, "credential_accepted").await;
        assert_eq!(late, (401, "invalid_token".into()));
        assert_eq!(events(&h).await, [Value::Null]);
    })
    .await;
}
