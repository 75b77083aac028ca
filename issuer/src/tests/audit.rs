use serde_json::json;
use vouchsafe_service::audit::Broken;
use vouchsafe_service::db::{DbError, Tx, execute};

use super::harness::{Harness, everywhere, offer_body};

async fn sql(h: &Harness, text: &'static str) {
    let db = h.issuer.core().db.clone();
    db.write(async move |tx: &mut Tx| {
        execute!(tx, sqlx::query(text)).map(drop)?;
        Ok::<_, DbError>(())
    })
    .await
    .unwrap();
}

async fn actions(h: &Harness, query: &str) -> Vec<String> {
    let page = h.admin_get(&format!("/v1/audit{query}")).await.json();
    let items = page["items"].as_array().unwrap();
    let text = |item: &serde_json::Value| item["action"].as_str().unwrap().to_owned();
    items.iter().map(text).collect()
}

#[tokio::test]
async fn what_a_key_does_is_in_the_log_and_what_fails_is_not() {
    everywhere(async |h| {
        h.issue(&h.holder(1)).await;
        let id = h.newest().await["id"].as_str().unwrap().to_owned();
        let path = |verb: &str| format!("/v1/credentials/{id}/{verb}");
        let resume = path("resume");
        let refused = h.admin_post(&resume, "", &[("if-match", "\"1\"")]).await;
        assert_eq!(refused.status, 409);
        let key = [("idempotency-key", "once"), ("if-match", "\"1\"")];
        for _ in 0..2 {
            assert_eq!(h.admin_post(&path("suspend"), "", &key).await.status, 200);
        }
        assert_eq!(h.admin_post(&path("revoke"), "", &[]).await.status, 200);
        let expected = [
            "credential.revoke",
            "credential.suspend",
            "offer.create",
            "api_key.create",
        ];
        assert_eq!(actions(&h, "").await, expected);
        assert_eq!(actions(&h, &format!("?target={id}")).await, expected[..2]);
        assert_eq!(actions(&h, "?limit=1&before=3").await, ["offer.create"]);
        for bad in ["?before=0", "?before=x", "?sort=at", "?limit=0"] {
            let answer = h.admin_get(&format!("/v1/audit{bad}")).await;
            assert_eq!(answer.error(), (400, "invalid_query".into()), "{bad}");
        }
        let page = h.admin_get("/v1/audit?limit=1").await.json();
        assert_eq!(page["next"], "4");
        let actor = page["items"][0]["actor"].as_str().unwrap();
        assert!(actor.starts_with("key:"), "{actor}");
    })
    .await;
}

#[tokio::test]
async fn cat_404_an_edited_log_is_found() {
    everywhere(async |h| {
        h.offer(json!({})).await;
        let head = h.issuer.verify_audit(None).await.unwrap().unwrap();
        assert_eq!(head.seq, 2);
        sql(&h, "UPDATE audit_event SET target = 'x' WHERE seq = 2").await;
        let found = h.issuer.verify_audit(None).await.unwrap();
        assert_eq!(found, Err(Broken::Changed(2)));
        sql(&h, "DELETE FROM audit_event WHERE seq = 2").await;
        let found = h.issuer.verify_audit(Some(&head)).await.unwrap();
        assert_eq!(found, Err(Broken::Missing(2)));
    })
    .await;
}

/// Security default 12: no record, no change.
#[tokio::test]
async fn without_a_log_nothing_is_done() {
    everywhere(async |h| {
        h.issue(&h.holder(1)).await;
        let id = h.newest().await["id"].as_str().unwrap().to_owned();
        sql(&h, "DROP TABLE audit_event").await;
        let revoke = format!("/v1/credentials/{id}/revoke");
        assert_eq!(h.admin_post(&revoke, "", &[]).await.status, 500);
        assert_eq!(h.newest().await["status"], "valid");
        let body = offer_body().to_string();
        assert_eq!(h.admin_post("/v1/offers", &body, &[]).await.status, 500);
        let offers = h.admin_get("/v1/offers").await.json();
        assert_eq!(offers["items"].as_array().unwrap().len(), 1);
    })
    .await;
}

#[tokio::test]
async fn the_log_holds_no_claims_and_no_secrets() {
    everywhere(async |h| {
        let offer = h.offer(json!({ "tx_code": true })).await;
        let log = h.admin_get("/v1/audit").await.text;
        let code = offer["tx_code"].as_str().unwrap();
        for secret in ["M-4711", "gold", "crm-4711", code, h.key.as_str()] {
            assert!(!log.contains(secret), "{secret}");
        }
    })
    .await;
}
