//! Offers that the organisation looks at once more.

use serde_json::{Value, json};
use vouchsafe_service::db::each;

use super::harness::{
    Answer, Harness, PRE_AUTHORIZED, WALLET, config_text, everywhere, everywhere_with,
};

/// A held offer, its token, and the transaction of a request for it.
async fn waiting(h: &Harness) -> (Value, String, String) {
    let offer = h.offer(json!({ "hold": true })).await;
    let token = h.token_of(&offer).await;
    let answer = request(h, &token, 1).await;
    assert_eq!(answer.status, 202, "{}", answer.text);
    assert_eq!(answer.header("cache-control"), "no-store");
    let json = answer.json();
    assert!(json["interval"].as_i64().unwrap() > 0);
    assert!(json.get("credentials").is_none() && json.get("notification_id").is_none());
    let id = json["transaction_id"].as_str().unwrap().to_owned();
    (offer, token, id)
}

async fn request(h: &Harness, token: &str, seed: u64) -> Answer {
    let nonce = h.nonce().await;
    h.credential(token, &[h.proof(&h.holder(seed), &nonce).await])
        .await
}

async fn poll(h: &Harness, token: &str, id: &str) -> Answer {
    let body = json!({ "transaction_id": id, "extra": true });
    h.bearer("/deferred_credential", token, &body).await
}

async fn decide(h: &Harness, offer: &Value, decision: &str) -> Answer {
    let path = format!("/v1/offers/{}/{decision}", offer["id"].as_str().unwrap());
    h.admin_post(&path, "", &[]).await
}

async fn sealed_orders(h: &Harness) -> i64 {
    let db = &h.issuer.core().db;
    each!(db, p => sqlx::query_scalar::<_, i64>(
        "SELECT COUNT(*) FROM issuer_transactions WHERE order_sealed IS NOT NULL")
        .fetch_one(p).await)
    .unwrap()
}

#[tokio::test]
async fn from_waiting_to_issued() {
    everywhere(async |h| {
        let (offer, token, id) = waiting(&h).await;
        assert_eq!(offer["decision"], "waiting");
        let pending = poll(&h, &token, &id).await;
        assert_eq!(pending.status, 202, "{}", pending.text);
        assert_eq!(pending.json()["transaction_id"], id.as_str());
        let approved = decide(&h, &offer, "approve").await;
        assert_eq!(approved.json()["decision"], "approved", "{}", approved.text);
        let done = poll(&h, &token, &id).await;
        assert_eq!(done.status, 200, "{}", done.text);
        assert_eq!(done.json()["credentials"].as_array().unwrap().len(), 1);
        assert!(done.json()["notification_id"].is_string());
        assert_eq!(sealed_orders(&h).await, 0);
        // Section 9.1: the id is over once the credential was handed out.
        let again = poll(&h, &token, &id).await;
        assert_eq!(again.error(), (400, "invalid_transaction_id".into()));
        let list = h.admin_get("/v1/credentials").await.json();
        assert_eq!(list["items"].as_array().unwrap().len(), 1);
        // Who lost the answer asks anew; there is nothing to decide any more.
        assert_eq!(request(&h, &token, 1).await.status, 200);
    })
    .await;
}

#[tokio::test]
async fn what_is_denied_is_forgotten() {
    everywhere(async |h| {
        let (offer, token, id) = waiting(&h).await;
        assert_eq!(sealed_orders(&h).await, 1);
        assert_eq!(
            decide(&h, &offer, "deny").await.json()["decision"],
            "denied"
        );
        assert_eq!(sealed_orders(&h).await, 0);
        let denied = (400, "credential_request_denied".to_owned());
        assert_eq!(poll(&h, &token, &id).await.error(), denied);
        assert_eq!(poll(&h, &token, &id).await.error(), denied);
        assert_eq!(request(&h, &token, 1).await.error(), denied);
        for decision in ["approve", "deny"] {
            let again = decide(&h, &offer, decision).await;
            assert_eq!(again.error(), (409, "not_waiting".into()), "{decision}");
        }
        // An offer that nobody redeemed yet is dead with its claims.
        let open = h.offer(json!({ "hold": true })).await;
        decide(&h, &open, "deny").await;
        let code = h.code(&open).await;
        let fields = [
            ("grant_type", PRE_AUTHORIZED),
            ("pre-authorized_code", code.as_str()),
        ];
        assert_eq!(
            h.form("/token", &fields).await.error(),
            (400, "invalid_grant".into())
        );
    })
    .await;
}

#[tokio::test]
async fn decisions_are_for_offers_that_wait() {
    everywhere(async |h| {
        let plain = h.offer(json!({})).await;
        assert!(plain.get("decision").is_none());
        for decision in ["approve", "deny"] {
            let answer = decide(&h, &plain, decision).await;
            assert_eq!(answer.error(), (409, "not_waiting".into()));
        }
        let nobody = json!({ "id": "019370d0-7c00-7000-8000-000000000001" });
        assert_eq!(decide(&h, &nobody, "approve").await.status, 404);
        assert_eq!(decide(&h, &json!({ "id": "x" }), "deny").await.status, 404);
        // Approved before the wallet asks: issued at once.
        let offer = h.offer(json!({ "hold": true })).await;
        let path = format!("/v1/offers/{}/approve", offer["id"].as_str().unwrap());
        let key = [("idempotency-key", "k")];
        let first = h.admin_post(&path, "", &key).await;
        assert_eq!(h.admin_post(&path, "", &key).await.text, first.text);
        let token = h.token_of(&offer).await;
        assert_eq!(request(&h, &token, 1).await.status, 200);
        let path = format!("/v1/offers/{}", offer["id"].as_str().unwrap());
        let read = h.admin_get(&path).await.json();
        assert_eq!(read["decision"], "approved");
    })
    .await;
}

#[tokio::test]
async fn cat_277_transactions_of_others() {
    everywhere(async |h| {
        let (offer, token, id) = waiting(&h).await;
        let (other_offer, other_token, other_id) = waiting(&h).await;
        decide(&h, &offer, "approve").await;
        decide(&h, &other_offer, "approve").await;
        let invalid = (400, "invalid_transaction_id".to_owned());
        let mut guess = id.clone().into_bytes();
        guess[0] = if guess[0] == b'A' { b'B' } else { b'A' };
        let guess = String::from_utf8(guess).unwrap();
        assert_eq!(poll(&h, &token, &guess).await.error(), invalid);
        assert_eq!(poll(&h, &token, &other_id).await.error(), invalid);
        assert_eq!(poll(&h, &other_token, &id).await.error(), invalid);
        let nobody = json!({ "transaction_id": id });
        let nobody = h.bearer("/deferred_credential", "x", &nobody).await;
        assert_eq!(nobody.error(), (401, "invalid_token".into()));
        for body in [
            json!({}),
            json!({ "transaction_id": "" }),
            json!({ "transaction_id": 1 }),
        ] {
            let answer = h.bearer("/deferred_credential", &token, &body).await;
            assert_eq!(
                answer.error(),
                (400, "invalid_credential_request".into()),
                "{body}"
            );
        }
        assert_eq!(poll(&h, &token, &id).await.status, 200);
        assert_eq!(poll(&h, &other_token, &other_id).await.status, 200);
    })
    .await;
}

#[tokio::test]
async fn cat_278_polling_under_the_interval() {
    everywhere(async |h| {
        let (offer, token, id) = waiting(&h).await;
        // The first look is free, whenever it comes.
        assert_eq!(poll(&h, &token, &id).await.status, 202);
        h.clock.advance(29);
        let early = poll(&h, &token, &id).await;
        assert_eq!(early.status, 429);
        assert_eq!(early.header("retry-after"), "30");
        h.clock.advance(1);
        assert_eq!(poll(&h, &token, &id).await.status, 202);
        // What is decided is told at once.
        decide(&h, &offer, "approve").await;
        assert_eq!(poll(&h, &token, &id).await.status, 200);
    })
    .await;
}

#[tokio::test]
async fn transactions_are_few_and_end() {
    everywhere(async |h| {
        let (_, token, id) = waiting(&h).await;
        for seed in 2..=8 {
            assert_eq!(request(&h, &token, seed).await.status, 202);
        }
        let ninth = request(&h, &token, 9).await;
        assert_eq!(ninth.error(), (400, "credential_request_denied".into()));
        // Nonces of a deferred request are used up.
        let nonce = h.nonce().await;
        let proof = [h.proof(&h.holder(9), &nonce).await];
        let (_, other, _) = waiting(&h).await;
        assert_eq!(h.credential(&other, &proof).await.status, 202);
        let again = h.credential(&other, &proof).await;
        assert_eq!(again.error(), (400, "invalid_nonce".into()));
        h.clock.advance(30 * 86_400);
        h.issuer.purge().await.unwrap();
        assert_eq!(sealed_orders(&h).await, 0);
        let over = poll(&h, &token, &id).await;
        assert_eq!(over.error(), (400, "invalid_transaction_id".into()));
        h.clock.advance(300);
        assert_eq!(poll(&h, &token, &id).await.status, 401);
    })
    .await;
}

/// Access tokens live for minutes, decisions take days: a refreshed token is one for the same
/// issuance (section 9), also for the notification (section 11).
#[tokio::test]
async fn a_refreshed_token_brings_what_was_decided_days_later() {
    everywhere_with(&config_text("refresh_tokens = true"), async |h| {
        let offer = h.offer(json!({ "hold": true })).await;
        let code = h.code(&offer).await;
        let redeem = [
            ("grant_type", PRE_AUTHORIZED),
            ("pre-authorized_code", code.as_str()),
            ("client_id", WALLET),
        ];
        let tokens = h.form("/token", &redeem).await.json();
        let first = request(&h, tokens["access_token"].as_str().unwrap(), 1)
            .await
            .json();
        let id = first["transaction_id"].as_str().unwrap();
        h.clock.advance(3 * 86_400);
        decide(&h, &offer, "approve").await;
        let late = poll(&h, tokens["access_token"].as_str().unwrap(), id).await;
        assert_eq!(late.error(), (401, "invalid_token".into()));
        let again = [
            ("grant_type", "refresh_token"),
            ("refresh_token", tokens["refresh_token"].as_str().unwrap()),
            ("client_id", WALLET),
        ];
        let tokens = h.form("/token", &again).await.json();
        let access = tokens["access_token"].as_str().unwrap();
        let done = poll(&h, access, id).await;
        assert_eq!(done.status, 200, "{}", done.text);
        let notice = json!({
            "notification_id": done.json()["notification_id"], "event": "credential_accepted",
        });
        assert_eq!(h.bearer("/notification", access, &notice).await.status, 204);
    })
    .await;
}

/// The database and the master secret together do not read what waits.
#[tokio::test]
async fn cat_460_what_waits_is_sealed_under_the_transaction_id() {
    everywhere(async |h| {
        let (_, _, id) = waiting(&h).await;
        let db = &h.issuer.core().db;
        let (hash, sealed) = each!(db, p => sqlx::query_as::<_, (Vec<u8>, Vec<u8>)>(
            "SELECT transaction_hash, order_sealed FROM issuer_transactions")
            .fetch_one(p).await)
        .unwrap();
        let holds = |bytes: &[u8], text: &str| {
            bytes
                .windows(text.len())
                .any(|window| window == text.as_bytes())
        };
        assert!(!holds(&sealed, "M-4711") && !holds(&sealed, "gold"));
        assert!(!holds(&hash, &id) && !holds(&sealed, &id));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn cat_277_a_transaction_is_used_once_in_a_race() {
    everywhere(async |h| {
        let (offer, token, id) = waiting(&h).await;
        decide(&h, &offer, "approve").await;
        let tasks: Vec<_> = (0..20)
            .map(|_| {
                let (h, token, id) = (h.clone(), token.clone(), id.clone());
                tokio::spawn(async move { poll(&h, &token, &id).await.error() })
            })
            .collect();
        let answers: Vec<_> = futures::future::join_all(tasks).await;
        let answers: Vec<_> = answers.into_iter().map(|done| done.unwrap()).collect();
        let good = answers.iter().filter(|(status, _)| *status == 200).count();
        assert_eq!(good, 1, "{answers:?}");
        let ended =
            |(status, code): &(u16, String)| *status == 200 || code == "invalid_transaction_id";
        assert!(answers.iter().all(ended), "{answers:?}");
        let list = h.admin_get("/v1/credentials").await.json();
        assert_eq!(list["items"].as_array().unwrap().len(), 1);
    })
    .await;
}
