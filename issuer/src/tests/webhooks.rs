use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use axum::http::HeaderMap;
use serde_json::{Value, json};
use vouchsafe_service::fetch::FetchError;
use vouchsafe_service::webhooks::{Busy, Delivery, Post, deliver_due};

use super::harness::{Harness, everywhere};

/// The organisation's system.
#[derive(Default)]
struct System(Mutex<Vec<Value>>);

#[async_trait]
impl Post for System {
    async fn post(&self, _: &str, headers: HeaderMap, body: String) -> Result<u16, FetchError> {
        assert!(
            headers["webhook-signature"]
                .to_str()
                .unwrap()
                .starts_with("v1,")
        );
        self.0
            .lock()
            .unwrap()
            .push(serde_json::from_str(&body).unwrap());
        Ok(204)
    }
}

/// Sends what is due and gives the events that arrived.
async fn arrived(h: &Harness) -> Vec<Value> {
    let system = Arc::new(System::default());
    let core = h.issuer.core();
    let delivery = Delivery {
        db: core.db.clone(),
        clock: core.clock.clone(),
        sealer: core.keys.columns.clone(),
        post: system.clone(),
        busy: Busy::default(),
    };
    deliver_due(&delivery).await.unwrap();
    let mut got = system.0.lock().unwrap().clone();
    got.sort_by_key(|message| message["type"].to_string());
    got
}

fn names(messages: &[Value]) -> Vec<&str> {
    let name = |message: &Value| message["type"].as_str().map(str::len).unwrap_or_default();
    assert!(messages.iter().all(|message| name(message) > 0));
    messages
        .iter()
        .filter_map(|message| message["type"].as_str())
        .collect()
}

async fn subscribe(h: &Harness, body: Value) -> Value {
    let answer = h.admin_post("/v1/webhooks", &body.to_string(), &[]).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    answer.json()
}

async fn delete(h: &Harness, path: &str) -> u16 {
    let request = axum::http::Request::delete(path)
        .header("authorization", format!("Bearer {}", h.key))
        .body(axum::body::Body::empty())
        .unwrap();
    h.send(request).await.status.as_u16()
}

const URL: &str = "https://club.example/hook";

#[tokio::test]
async fn an_organisation_hears_of_the_life_of_a_card() {
    everywhere(async |h| {
        subscribe(&h, json!({ "url": URL })).await;
        let card = h.issue(&h.holder(1)).await;
        let first = arrived(&h).await;
        let expected = ["credential.issued", "offer.accepted", "offer.opened"];
        assert_eq!(names(&first), expected);
        let newest = h.newest().await;
        assert_eq!(first[0]["data"]["credential_id"], newest["id"]);
        assert_eq!(first[1]["data"]["offer_id"], newest["offer_id"]);
        let text = Value::from(first).to_string();
        for secret in ["M-4711", "gold", "crm-4711", card.as_str()] {
            assert!(!text.contains(secret), "{secret}");
        }
        let id = newest["id"].as_str().unwrap().to_owned();
        for (verb, tag, event) in [
            ("suspend", "\"1\"", "credential.suspended"),
            ("resume", "\"2\"", "credential.resumed"),
            ("revoke", "\"3\"", "credential.revoked"),
        ] {
            let path = format!("/v1/credentials/{id}/{verb}");
            let done = h.admin_post(&path, "", &[("if-match", tag)]).await;
            assert_eq!(done.status, 200, "{}", done.text);
            assert_eq!(names(&arrived(&h).await), [event]);
        }
    })
    .await;
}

#[tokio::test]
async fn an_offer_is_opened_once_and_ends_once() {
    everywhere(async |h| {
        subscribe(&h, json!({ "url": URL })).await;
        let offer = h.offer(json!({ "expires_in_s": 60 })).await;
        for _ in 0..3 {
            h.offer_object(&offer).await;
        }
        assert_eq!(names(&arrived(&h).await), ["offer.opened"]);
        h.offer(json!({ "expires_in_s": 60 })).await;
        h.clock.advance(60);
        for _ in 0..2 {
            h.issuer.purge().await.unwrap();
        }
        let ended = arrived(&h).await;
        assert_eq!(names(&ended), ["offer.expired", "offer.expired"]);
    })
    .await;
}

/// Who redeemed it was told of, and the rest of it is nobody's.
#[tokio::test]
async fn an_offer_that_was_redeemed_in_part_did_not_expire() {
    everywhere(async |h| {
        subscribe(&h, json!({ "url": URL, "events": ["offer.expired"] })).await;
        let several = json!({ "expires_in_s": 60, "redemptions": 3 });
        let (in_part, asked) = (
            h.offer(several.clone()).await,
            h.offer(several.clone()).await,
        );
        let unused = h.offer(several).await;
        h.token_of(&in_part).await;
        h.token_of(&asked).await;
        let code = h.code(&asked).await;
        h.clock.advance(60);
        let fields = [
            ("grant_type", super::harness::PRE_AUTHORIZED),
            ("pre-authorized_code", code.as_str()),
        ];
        assert_eq!(h.form("/token", &fields).await.status, 400);
        h.issuer.purge().await.unwrap();
        let told = arrived(&h).await;
        assert_eq!(names(&told), ["offer.expired"]);
        assert_eq!(told[0]["data"]["offer_id"], unused["id"]);
    })
    .await;
}

/// The wallet that asks again gets a new credential, and the one before it is revoked.
#[tokio::test]
async fn a_credential_that_is_replaced_is_told_as_revoked() {
    everywhere(async |h| {
        let (token, key) = (h.token().await, h.holder(1));
        h.issue_with(&token, &key).await;
        let first = h.newest().await;
        subscribe(&h, json!({ "url": URL })).await;
        h.issue_with(&token, &key).await;
        let told = arrived(&h).await;
        assert_eq!(names(&told), ["credential.issued", "credential.revoked"]);
        assert_eq!(told[0]["data"]["credential_id"], h.newest().await["id"]);
        assert_eq!(told[1]["data"]["credential_id"], first["id"]);
        assert_eq!(told[1]["data"]["offer_id"], first["offer_id"]);
    })
    .await;
}

/// The log says who is told of what; the rest of an address may be a secret of its host.
#[tokio::test]
async fn the_log_names_the_host_and_the_events_of_an_endpoint() {
    everywhere(async |h| {
        subscribe(
            &h,
            json!({ "url": "https://club.example/hook?token=canary" }),
        )
        .await;
        let two = ["offer.opened", "credential.revoked"];
        subscribe(
            &h,
            json!({ "url": "https://CRM.club.example/", "events": two }),
        )
        .await;
        let log = h.admin_get("/v1/audit?limit=2").await;
        let items = log.json()["items"].clone();
        assert_eq!(items[1]["detail"], "club.example: all events");
        let detail = "crm.club.example: offer.opened credential.revoked";
        assert_eq!(items[0]["detail"], detail);
        assert!(!log.text.contains("canary") && !log.text.contains("hook?"));
    })
    .await;
}

/// The limit holds for requests at once, and a request that is sent again gets its answer.
#[tokio::test]
async fn there_are_fifty_endpoints_at_most() {
    everywhere(async |h| {
        let body = json!({ "url": URL }).to_string();
        let key = [("idempotency-key", "once")];
        let first = h.admin_post("/v1/webhooks", &body, &key).await;
        assert_eq!(first.status, 201);
        let many = (0..60).map(|_| h.admin_post("/v1/webhooks", &body, &[]));
        let many = futures::future::join_all(many).await;
        let made = many.iter().filter(|one| one.status == 201).count();
        assert_eq!(made, 49);
        let refused = (409, "too_many_webhooks".to_owned());
        let mut others = many.iter().filter(|one| one.status != 201);
        assert!(others.all(|one| one.error() == refused));
        let again = h.admin_post("/v1/webhooks", &body, &key).await;
        assert_eq!((again.status, again.text), (first.status, first.text));
    })
    .await;
}

#[tokio::test]
async fn a_locked_offer_is_told() {
    everywhere(async |h| {
        let wanted = json!({ "url": URL, "events": ["offer.locked", "offer.expired"] });
        subscribe(&h, wanted).await;
        let offer = h.offer(json!({ "tx_code": true })).await;
        let code = h.code(&offer).await;
        for _ in 0..5 {
            let fields = [
                ("grant_type", super::harness::PRE_AUTHORIZED),
                ("pre-authorized_code", code.as_str()),
                ("tx_code", "x"),
            ];
            assert_eq!(h.form("/token", &fields).await.status, 400);
        }
        h.issuer.purge().await.unwrap();
        assert_eq!(names(&arrived(&h).await), ["offer.locked"]);
    })
    .await;
}

#[tokio::test]
async fn cat_118_398_addresses_and_events_are_checked() {
    everywhere(async |h| {
        let create = async |body: Value| h.admin_post("/v1/webhooks", &body.to_string(), &[]).await;
        for url in [
            "http://club.example/",
            "https://127.0.0.1/",
            "https://10.0.0.7/",
            "https://[::1]/",
            "https://169.254.169.254/",
            "https://club.example:8443/",
            "https://a:b@club.example/",
            "ftp://club.example/",
            "club.example",
            "",
            "https://club.example/\r\nX: y",
            "https://club.example/\ty",
            "https://club.example/\n",
            " https://club.example/",
            "https://club.example/a b",
            "https://club.example/\u{202e}fdp",
            "https://club.example/#f",
            &format!("https://club.example/{}", "a".repeat(2048)),
        ] {
            let answer = create(json!({ "url": url })).await;
            assert_eq!(answer.error(), (422, "invalid_webhook_url".into()), "{url}");
        }
        for event in ["", "offer", "offer.%", "offer.opened credential.issued"] {
            let answer = create(json!({ "url": URL, "events": [event] })).await;
            assert_eq!(answer.error(), (422, "unknown_event".into()), "{event}");
        }
        let answer = create(json!({ "url": URL, "secret": "x" })).await;
        assert_eq!(answer.error(), (400, "invalid_body".into()));
        assert_eq!(h.admin_get("/v1/webhooks").await.json()["items"], json!([]));
    })
    .await;
}

#[tokio::test]
async fn endpoints_are_listed_rotated_replayed_and_removed() {
    everywhere(async |h| {
        let made = subscribe(&h, json!({ "url": URL, "events": ["offer.opened"] })).await;
        let id = made["id"].as_str().unwrap();
        let secret = made["secret"].as_str().unwrap();
        assert!(secret.starts_with("whsec_"));
        let list = h.admin_get("/v1/webhooks").await;
        assert_eq!(list.json()["items"][0]["id"], id);
        assert!(!list.text.contains("whsec_"));
        let offer = h.offer(json!({})).await;
        h.offer_object(&offer).await;
        arrived(&h).await;
        let path = format!("/v1/webhooks/{id}/deliveries");
        let page = h.admin_get(&path).await.json();
        let delivery = &page["items"][0];
        assert_eq!(
            (&delivery["event"], &delivery["attempts"]),
            (&json!("offer.opened"), &json!(1))
        );
        assert_eq!(delivery["last_result"], "204");
        let message = delivery["message_id"].as_str().unwrap();
        let replay = format!("{path}/{message}/replay");
        assert_eq!(h.admin_post(&replay, "", &[]).await.status, 202);
        assert_eq!(names(&arrived(&h).await), ["offer.opened"]);
        let rotate = format!("/v1/webhooks/{id}/rotate-secret");
        let blind = h.admin_post(&rotate, "", &[]).await;
        assert_eq!(blind.error(), (428, "if_match_required".into()));
        let key = [("if-match", "\"1\""), ("idempotency-key", "r")];
        let rotated = h.admin_post(&rotate, "", &key).await;
        assert_ne!(rotated.json()["secret"], secret);
        // The answer was lost: the same secret again, and no third one.
        assert_eq!(h.admin_post(&rotate, "", &key).await.text, rotated.text);
        let again = h.admin_post(&rotate, "", &[("if-match", "\"1\"")]).await;
        assert_eq!(again.error(), (412, "version_mismatch".into()));
        let list = h.admin_get("/v1/webhooks").await.json();
        assert_eq!(list["items"][0]["version"], 2);
        let one = format!("/v1/webhooks/{id}");
        assert_eq!(delete(&h, &one).await, 204);
        assert_eq!(delete(&h, &one).await, 404);
        for path in [path.as_str(), "/v1/webhooks/x/deliveries"] {
            assert_eq!(h.admin_get(path).await.error(), (404, "not_found".into()));
        }
        assert_eq!(h.admin_post(&replay, "", &[]).await.status, 404);
        let log = h.admin_get("/v1/audit").await.text;
        for action in [
            "webhook.create",
            "webhook.replay",
            "webhook.rotate",
            "webhook.delete",
        ] {
            assert!(log.contains(action), "{action}");
        }
        assert!(!log.contains("whsec_") && !log.contains("/hook"));
    })
    .await;
}
