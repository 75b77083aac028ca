//! What is not issued again: cards that were suspended or revoked; and what happens to one offer at
//! the same time.

use futures::future::{join, join_all};
use serde_json::{Value, json};
use vouchsafe_credentials::crypto::SigningKey;
use vouchsafe_service::db::each;

use super::harness::{
    Answer, Harness, PRE_AUTHORIZED, WALLET, config_text, everywhere, everywhere_with,
};

const DENIED: &str = "credential_request_denied";

fn refreshing() -> String {
    config_text("refresh_tokens = true")
}

/// Redeems a pre-authorized code: access token and refresh token.
async fn redeem(h: &Harness, code: &str) -> Answer {
    let fields = [
        ("grant_type", PRE_AUTHORIZED),
        ("pre-authorized_code", code),
        ("client_id", WALLET),
    ];
    h.form("/token", &fields).await
}

async fn refresh(h: &Harness, token: &str) -> Answer {
    let fields = [
        ("grant_type", "refresh_token"),
        ("refresh_token", token),
        ("client_id", WALLET),
    ];
    h.form("/token", &fields).await
}

fn tokens(answer: &Answer) -> (String, String) {
    assert_eq!(answer.status, 200, "{}", answer.text);
    let json = answer.json();
    let text = |name: &str| json[name].as_str().unwrap_or_default().to_owned();
    (text("access_token"), text("refresh_token"))
}

/// Access tokens of one redemption of an offer, as many as wanted.
async fn many(h: &Harness, offer: &Value, count: usize) -> Vec<String> {
    let (access, mut next) = tokens(&redeem(h, &h.code(offer).await).await);
    let mut all = vec![access];
    while all.len() < count {
        let (access, after) = tokens(&refresh(h, &next).await);
        all.push(access);
        next = after;
    }
    all
}

async fn ask(h: &Harness, token: &str, key: &SigningKey) -> Answer {
    let proof = h.proof(key, &h.nonce().await).await;
    h.credential(token, &[proof]).await
}

async fn change(h: &Harness, credential: &Value, change: &str) -> Answer {
    let path = format!("/v1/credentials/{}", credential["id"].as_str().unwrap());
    let tag = h.admin_get(&path).await.header("etag").to_owned();
    let headers = [("if-match", tag.as_str())];
    h.admin_post(&format!("{path}/{change}"), "", &headers)
        .await
}

async fn statuses(h: &Harness) -> Vec<String> {
    let list = h.admin_get("/v1/credentials?limit=200").await.json();
    let items = list["items"].as_array().unwrap().iter();
    items
        .map(|one| one["status"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn a_revoked_card_is_not_issued_again_with_the_token_in_hand() {
    everywhere_with(&refreshing(), async |h| {
        let (access, next) = tokens(&redeem(&h, &h.code(&h.offer(json!({})).await).await).await);
        let key = h.holder(1);
        assert_eq!(ask(&h, &access, &key).await.status, 200);
        assert_eq!(change(&h, &h.newest().await, "revoke").await.status, 200);
        for key in [&key, &h.holder(2)] {
            let answer = ask(&h, &access, key).await;
            assert_eq!(answer.error(), (401, "invalid_token".into()));
        }
        assert_eq!(
            refresh(&h, &next).await.error(),
            (400, "invalid_grant".into())
        );
        assert_eq!(statuses(&h).await, ["revoked"]);
    })
    .await;
}

#[tokio::test]
async fn an_offer_of_a_revoked_card_is_closed_and_other_redemptions_go_on() {
    everywhere(async |h| {
        let offer = h.offer(json!({ "redemptions": 3 })).await;
        let code = h.code(&offer).await;
        let (one, _) = tokens(&redeem(&h, &code).await);
        let (two, _) = tokens(&redeem(&h, &code).await);
        assert_eq!(ask(&h, &one, &h.holder(1)).await.status, 200);
        assert_eq!(change(&h, &h.newest().await, "revoke").await.status, 200);
        assert_eq!(
            redeem(&h, &code).await.error(),
            (400, "invalid_grant".into())
        );
        let mine = ask(&h, &one, &h.holder(1)).await;
        assert_eq!(mine.error(), (401, "invalid_token".into()));
        assert_eq!(ask(&h, &two, &h.holder(2)).await.status, 200);
        let path = format!("/v1/offers/{}", offer["id"].as_str().unwrap());
        assert_eq!(h.admin_get(&path).await.json()["state"], "expired");
    })
    .await;
}

#[tokio::test]
async fn a_suspended_card_is_not_issued_again_until_it_is_resumed() {
    everywhere_with(&refreshing(), async |h| {
        let tokens = many(&h, &h.offer(json!({})).await, 2).await;
        let key = h.holder(1);
        assert_eq!(ask(&h, &tokens[0], &key).await.status, 200);
        let card = h.newest().await;
        assert_eq!(change(&h, &card, "suspend").await.status, 200);
        for (token, key) in [(&tokens[0], &key), (&tokens[1], &h.holder(2))] {
            assert_eq!(ask(&h, token, key).await.error(), (400, DENIED.into()));
        }
        // It stays suspended: nothing replaced it, and nothing came beside it.
        assert_eq!(statuses(&h).await, ["suspended"]);
        assert_eq!(change(&h, &card, "resume").await.status, 200);
        assert_eq!(ask(&h, &tokens[0], &key).await.status, 200);
        assert_eq!(statuses(&h).await, ["valid", "revoked"]);
    })
    .await;
}

#[tokio::test]
async fn a_suspended_key_gets_no_card_from_another_redemption() {
    everywhere(async |h| {
        let code = h.code(&h.offer(json!({ "redemptions": 3 })).await).await;
        let (one, _) = tokens(&redeem(&h, &code).await);
        let (two, _) = tokens(&redeem(&h, &code).await);
        assert_eq!(ask(&h, &one, &h.holder(1)).await.status, 200);
        assert_eq!(change(&h, &h.newest().await, "suspend").await.status, 200);
        let again = ask(&h, &two, &h.holder(1)).await;
        assert_eq!(again.error(), (400, DENIED.into()));
        // Who else redeemed the offer has nothing to do with it.
        assert_eq!(ask(&h, &two, &h.holder(2)).await.status, 200);
    })
    .await;
}

/// One redemption of an offer for several does not use up what the others may have.
#[tokio::test]
async fn limits_go_by_redemption() {
    everywhere(async |h| {
        let limit = h.issuer.core().settings.max_credentials_per_offer as usize;
        let code = h.code(&h.offer(json!({ "redemptions": 2 })).await).await;
        let (one, _) = tokens(&redeem(&h, &code).await);
        let (two, _) = tokens(&redeem(&h, &code).await);
        for n in 0..limit {
            assert_eq!(
                ask(&h, &one, &h.holder(n as u64 + 1)).await.status,
                200,
                "{n}"
            );
        }
        let more = ask(&h, &one, &h.holder(900)).await;
        assert_eq!(more.error(), (400, DENIED.into()));
        assert_eq!(ask(&h, &two, &h.holder(901)).await.status, 200);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn cat_274_two_tokens_and_one_key_at_once_bring_one_active_card() {
    everywhere_with(&refreshing(), async |h| {
        for round in 0..12 {
            let tokens = many(&h, &h.offer(json!({})).await, 4).await;
            let key = h.holder(100 + round);
            let asking = tokens.iter().map(|token| ask(&h, token, &key));
            for answer in join_all(asking).await {
                assert_eq!(answer.status, 200, "{}", answer.text);
            }
            let valid = statuses(&h).await;
            let valid = valid.iter().filter(|status| *status == "valid").count();
            assert_eq!(valid as u64, round + 1);
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_race_opens_more_transactions_than_eight() {
    everywhere_with(&refreshing(), async |h| {
        let tokens = many(&h, &h.offer(json!({ "hold": true })).await, 16).await;
        let keys: Vec<_> = (0..16).map(|n| h.holder(200 + n)).collect();
        let asking = tokens
            .iter()
            .zip(&keys)
            .map(|(token, key)| ask(&h, token, key));
        let answers = join_all(asking).await;
        let open = answers.iter().filter(|answer| answer.status == 202).count();
        assert_eq!(open, 8);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_request_leaves_claims_behind_a_denial() {
    everywhere_with(&refreshing(), async |h| {
        for round in 0..6 {
            let offer = h.offer(json!({ "hold": true })).await;
            let tokens = many(&h, &offer, 6).await;
            let keys: Vec<_> = (0..6).map(|n| h.holder(300 + 10 * round + n)).collect();
            let asking = tokens
                .iter()
                .zip(&keys)
                .map(|(token, key)| ask(&h, token, key));
            let path = format!("/v1/offers/{}/deny", offer["id"].as_str().unwrap());
            let (answers, denied) = join(join_all(asking), h.admin_post(&path, "", &[])).await;
            assert_eq!(denied.status, 200, "{}", denied.text);
            for answer in answers {
                assert!(
                    answer.status == 202 || answer.error().1 == DENIED,
                    "{}",
                    answer.text
                );
            }
        }
        let db = &h.issuer.core().db;
        let sealed = each!(db, p => sqlx::query_scalar::<_, i64>(
            "SELECT COUNT(*) FROM issuer_transactions WHERE order_sealed IS NOT NULL")
            .fetch_one(p).await);
        assert_eq!(sealed.unwrap(), 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_rotation_in_flight_survives_the_end_of_its_family() {
    everywhere_with(&refreshing(), async |h| {
        for _ in 0..12 {
            let (_, first) = tokens(&redeem(&h, &h.code(&h.offer(json!({})).await).await).await);
            let (_, second) = tokens(&refresh(&h, &first).await);
            let (replay, rotation) = join(refresh(&h, &first), refresh(&h, &second)).await;
            assert_eq!(replay.error(), (400, "invalid_grant".into()));
            if rotation.status == 200 {
                let (access, third) = tokens(&rotation);
                assert_eq!(
                    refresh(&h, &third).await.error(),
                    (400, "invalid_grant".into())
                );
                let answer = ask(&h, &access, &h.holder(1)).await;
                assert_eq!(answer.error(), (401, "invalid_token".into()));
            }
        }
    })
    .await;
}

/// A revocation by hand while tokens are refreshed: none that comes out of it is good.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_refresh_in_flight_survives_a_revocation() {
    everywhere_with(&refreshing(), async |h| {
        for round in 0..12 {
            let (access, next) =
                tokens(&redeem(&h, &h.code(&h.offer(json!({})).await).await).await);
            let key = h.holder(400 + round);
            assert_eq!(ask(&h, &access, &key).await.status, 200);
            let id = h.newest().await["id"].as_str().unwrap().to_owned();
            let path = format!("/v1/credentials/{id}/revoke");
            let (revoked, refreshed) = join(h.admin_post(&path, "", &[]), refresh(&h, &next)).await;
            assert_eq!(revoked.status, 200, "{}", revoked.text);
            if refreshed.status == 200 {
                let (access, _) = tokens(&refreshed);
                let answer = ask(&h, &access, &key).await;
                assert_eq!(answer.error(), (401, "invalid_token".into()));
            }
        }
    })
    .await;
}

#[tokio::test]
async fn hold_is_for_offers_that_are_redeemed_once() {
    everywhere(async |h| {
        let mut body = super::harness::offer_body();
        body["hold"] = json!(true);
        body["redemptions"] = json!(2);
        let answer = h.admin_post("/v1/offers", &body.to_string(), &[]).await;
        assert_eq!(answer.error(), (422, "invalid_hold".into()));
    })
    .await;
}

/// What is refused for certain is refused before a place is drawn or anything is signed.
#[tokio::test]
async fn a_used_nonce_costs_no_signature() {
    everywhere(async |h| {
        let proof = [h.proof(&h.holder(1), &h.nonce().await).await];
        let held = h.token_of(&h.offer(json!({ "hold": true })).await).await;
        assert_eq!(h.credential(&held, &proof).await.status, 202);
        let again = h.credential(&h.token().await, &proof).await;
        assert_eq!(again.error(), (400, "invalid_nonce".into()));
        let db = &h.issuer.core().db;
        let lists = each!(db, p => sqlx::query_scalar::<_, i64>(
            "SELECT COUNT(*) FROM issuer_status_lists").fetch_one(p).await);
        assert_eq!(lists.unwrap(), 0);
    })
    .await;
}

/// Without refresh tokens a held offer's token comes back a day later, for what waits alone.
#[tokio::test]
async fn the_token_of_a_held_offer_lives_as_long_as_the_decision_takes() {
    everywhere(async |h| {
        let offer = h.offer(json!({ "hold": true })).await;
        let answer = redeem(&h, &h.code(&offer).await).await;
        assert_eq!(answer.json()["expires_in"], 300 + 30 * 86_400);
        let (access, refresh) = tokens(&answer);
        assert!(refresh.is_empty());
        let waiting = ask(&h, &access, &h.holder(1)).await;
        assert_eq!(waiting.status, 202, "{}", waiting.text);
        let id = json!({ "transaction_id": waiting.json()["transaction_id"] });
        h.clock.advance(86_400);
        h.issuer.purge().await.unwrap();
        let poll = h.bearer("/deferred_credential", &access, &id).await;
        assert_eq!(poll.status, 202, "{}", poll.text);
        let path = format!("/v1/offers/{}/approve", offer["id"].as_str().unwrap());
        assert_eq!(h.admin_post(&path, "", &[]).await.status, 200);
        // For a new request it is over.
        let new = ask(&h, &access, &h.holder(2)).await;
        assert_eq!(new.error(), (401, "invalid_token".into()));
        let done = h.bearer("/deferred_credential", &access, &id).await;
        assert_eq!(done.status, 200, "{}", done.text);
        let notice = json!({
            "notification_id": done.json()["notification_id"], "event": "credential_accepted",
        });
        let told = h.bearer("/notification", &access, &notice).await;
        assert_eq!(told.status, 204);
        h.clock.advance(30 * 86_400);
        let over = h.bearer("/deferred_credential", &access, &id).await;
        assert_eq!(over.error(), (401, "invalid_token".into()));
        h.issuer.purge().await.unwrap();
        let db = &h.issuer.core().db;
        let rows = each!(db, p => sqlx::query_scalar::<_, i64>(
            "SELECT COUNT(*) FROM issuer_access_tokens").fetch_one(p).await);
        assert_eq!(rows.unwrap(), 0);
        // Any other token says what it said.
        let plain = redeem(&h, &h.code(&h.offer(json!({})).await).await).await;
        assert_eq!(plain.json()["expires_in"], 300);
    })
    .await;
}

/// Section 13.6.3: wrong tries add up over all redemptions, right ones cost nothing.
#[tokio::test]
async fn cat_235_a_redemption_gives_no_tries_back() {
    everywhere(async |h| {
        let offer = h.offer(json!({ "tx_code": true, "redemptions": 20 })).await;
        let code = h.code(&offer).await;
        let right = offer["tx_code"].as_str().unwrap();
        let wrong = if right == "000000" {
            "000001"
        } else {
            "000000"
        };
        let typed = async |typed: &str| {
            let fields = [
                ("grant_type", PRE_AUTHORIZED),
                ("pre-authorized_code", code.as_str()),
                ("tx_code", typed),
            ];
            h.form("/token", &fields).await.status.as_u16()
        };
        for _ in 0..7 {
            assert_eq!(typed(right).await, 200);
        }
        for _ in 0..4 {
            assert_eq!(typed(wrong).await, 400);
            assert_eq!(typed(right).await, 200);
        }
        assert_eq!(typed(wrong).await, 400);
        assert_eq!(typed(right).await, 400);
    })
    .await;
}
