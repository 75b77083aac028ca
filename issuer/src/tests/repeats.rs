//! What is sent again gets the answer that it got, however things have changed since; and what ends
//! takes along what was begun in its place.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::Notify;
use vouchsafe_service::db::DbError;

use super::harness::{Answer, Harness, NOW, everywhere, membership, offer_body};
use super::types::{definition, put};
use crate::domain::credential::CredentialStatus;
use crate::domain::ids::CredentialId;
use crate::store::{credentials, offers};

const KEY: [(&str, &str); 1] = [("idempotency-key", "once")];

async fn id_of_newest(h: &Harness) -> String {
    h.newest().await["id"].as_str().unwrap().to_owned()
}

async fn post(h: &Harness, id: &str, verb: &str, body: &Value) -> Answer {
    let path = format!("/v1/credentials/{id}/{verb}");
    h.admin_post(&path, &body.to_string(), &KEY).await
}

#[tokio::test]
async fn cat_394_a_renewal_sent_again_gets_its_answer_whatever_became_of_the_credential() {
    everywhere(async |h| {
        // The claims are those of the offer, as long as that keeps them.
        let offer = h.offer(json!({ "redemptions": 2 })).await;
        h.issue_with(&h.token_of(&offer).await, &h.holder(1)).await;
        let id = id_of_newest(&h).await;
        let body = json!({ "grant": "pre_authorized_code" });
        let first = post(&h, &id, "renew", &body).await;
        assert_eq!(first.status, 201, "{}", first.text);
        let revoked = format!("/v1/credentials/{id}/revoke");
        assert_eq!(h.admin_post(&revoked, "", &[]).await.status, 200);
        let again = post(&h, &id, "renew", &body).await;
        assert_eq!((again.status, &again.text), (first.status, &first.text));
        assert_eq!(again.header("location"), first.header("location"));
        // Another request is another request, and another key is not answered from here.
        let other = json!({ "grant": "authorization_code" });
        let other = post(&h, &id, "renew", &other).await;
        assert_eq!(other.error(), (422, "idempotency_key_reused".into()));
        let path = format!("/v1/credentials/{id}/renew");
        let (body, key) = (body.to_string(), [("idempotency-key", "two")]);
        let fresh = h.admin_post(&path, &body, &key).await;
        assert_eq!(fresh.error(), (422, "claims_needed".into()));
    })
    .await;
}

#[tokio::test]
async fn cat_394_an_offer_sent_again_gets_its_answer_though_the_type_has_changed() {
    everywhere(async |h| {
        let made = put(&h, "library", &definition(), &[]).await;
        assert!(made.status.is_success(), "{}", made.text);
        let mut body = offer_body();
        body["credential_type"] = json!("library");
        body["claims"] = json!({ "number": "1", "branches": ["north"] });
        let table = json!([{ "record_id": "crm-1", "claims": body["claims"] }]).to_string();
        let body = body.to_string();
        let batch = async || {
            let query = "credential_type=library&grant=pre_authorized_code";
            let authorization = format!("Bearer {}", h.key);
            let headers = [
                ("authorization", &*authorization),
                ("idempotency-key", "table"),
            ];
            let path = format!("/v1/offer-batches?{query}");
            h.post(&path, "application/json", &headers, &table).await
        };
        let first = [h.admin_post("/v1/offers", &body, &KEY).await, batch().await];
        let mut next = definition();
        next["vct"] = json!("https://issuer.example/types/library/2");
        next["claim"][0]["path"] = json!(["volume"]);
        let tag = [("if-match", made.header("etag"))];
        let changed = put(&h, "library", &next, &tag).await;
        assert!(changed.status.is_success(), "{}", changed.text);
        let again = [h.admin_post("/v1/offers", &body, &KEY).await, batch().await];
        for (first, again) in first.iter().zip(&again) {
            assert_eq!(first.status, 201, "{}", first.text);
            assert_eq!((again.status, &again.text), (first.status, &first.text));
        }
        let fresh = h.admin_post("/v1/offers", &body, &[]).await;
        assert_eq!(fresh.error(), (422, "invalid_claims".into()));
    })
    .await;
}

/// A card that another one replaces is renewed no more: the offer to renew it is closed with it.
#[tokio::test]
async fn an_offer_to_renew_ends_with_the_card_that_is_replaced_by_another() {
    everywhere(async |h| {
        h.issue(&h.holder(1)).await;
        let old = id_of_newest(&h).await;
        h.issue(&h.holder(2)).await;
        let new = id_of_newest(&h).await;
        let renewal = json!({ "claims": membership("M-1"), "grant": "pre_authorized_code" });
        let path = format!("/v1/credentials/{old}/renew");
        let offer = h.admin_post(&path, &renewal.to_string(), &[]).await.json();
        let token = h.token_of(&offer).await;
        let replaced = post(&h, &old, "supersede", &json!({ "by": new })).await;
        assert_eq!(replaced.status, 200, "{}", replaced.text);
        let path = format!("/v1/offers/{}", offer["id"].as_str().unwrap());
        assert_eq!(h.admin_get(&path).await.json()["state"], "redeemed");
        let proof = h.proof(&h.holder(3), &h.nonce().await).await;
        let answer = h.credential(&token, &[proof]).await;
        assert_eq!(answer.error(), (401, "invalid_token".into()));

        // One that nobody has opened yet is over.
        h.issue(&h.holder(4)).await;
        let old = id_of_newest(&h).await;
        let path = format!("/v1/credentials/{old}/renew");
        let offer = h.admin_post(&path, &renewal.to_string(), &[]).await.json();
        let path = format!("/v1/credentials/{old}/supersede");
        let by = json!({ "by": new }).to_string();
        assert_eq!(h.admin_post(&path, &by, &[]).await.status, 200);
        let path = format!("/v1/offers/{}", offer["id"].as_str().unwrap());
        assert_eq!(h.admin_get(&path).await.json()["state"], "expired");
    })
    .await;
}

/// What replaces a card is looked at when nobody changes it any more.
#[tokio::test]
async fn a_card_is_not_replaced_by_one_that_is_being_revoked() {
    everywhere(async |h| {
        h.issue(&h.holder(1)).await;
        let old = id_of_newest(&h).await;
        let other = h.offer(json!({})).await;
        h.issue_with(&h.token_of(&other).await, &h.holder(2)).await;
        let new = id_of_newest(&h).await;
        let (db, id) = (
            h.issuer.core().db.clone(),
            CredentialId::parse(&new).unwrap(),
        );
        let (held, go) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let (told, waits) = (Arc::clone(&held), Arc::clone(&go));
        let revoking = tokio::spawn(async move {
            db.write(async move |tx| {
                let found = credentials::find_in(tx, &id).await?.unwrap();
                offers::lock(tx, &found.offer).await?;
                told.notify_one();
                waits.notified().await;
                let revoked = CredentialStatus::Revoked;
                credentials::set_status(tx, &found, revoked, NOW).await?;
                Ok::<_, DbError>(())
            })
            .await
        });
        held.notified().await;
        let (wallet, by) = (h.clone(), json!({ "by": new }));
        let from = old.clone();
        let mut replacing =
            tokio::spawn(async move { post(&wallet, &from, "supersede", &by).await });
        // It must not come to an end meanwhile.
        let early = tokio::time::timeout(Duration::from_millis(700), &mut replacing).await;
        go.notify_one();
        revoking.await.unwrap().unwrap();
        let answer = match early {
            Ok(answer) => answer.unwrap(),
            Err(_elapsed) => replacing.await.unwrap(),
        };
        assert_eq!(answer.error(), (422, "invalid_successor".into()));
    })
    .await;
}
