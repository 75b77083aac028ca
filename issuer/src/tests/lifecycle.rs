//! Credentials that end early, are renewed or are replaced.

use futures::future::join_all;
use serde_json::{Value, json};
use vouchsafe_credentials::encoding::b64url_decode;
use vouchsafe_credentials::status_list::{Bits, Status, StatusList};
use vouchsafe_credentials::time::Clock;
use vouchsafe_service::audit;
use vouchsafe_service::db::{each, execute};

use super::harness::{
    Answer, Harness, ISSUER, PRE_AUTHORIZED, config_text, everywhere, everywhere_with, membership,
};
use crate::domain::ids::StatusListId;
use crate::handlers::admin::views::rfc3339;
use crate::store::status_lists;

async fn id_of_newest(h: &Harness) -> String {
    h.newest().await["id"].as_str().unwrap().to_owned()
}

async fn read(h: &Harness, id: &str) -> Answer {
    h.admin_get(&format!("/v1/credentials/{id}")).await
}

fn text(body: &Value) -> String {
    match body {
        Value::Null => String::new(),
        body => body.to_string(),
    }
}

async fn post(h: &Harness, id: &str, verb: &str, body: &Value) -> Answer {
    h.admin_post(&format!("/v1/credentials/{id}/{verb}"), &text(body), &[])
        .await
}

/// The same with the entity tag that was read.
async fn post_seen(h: &Harness, id: &str, verb: &str, body: &Value) -> Answer {
    let tag = read(h, id).await.header("etag").to_owned();
    let path = format!("/v1/credentials/{id}/{verb}");
    h.admin_post(&path, &text(body), &[("if-match", &tag)])
        .await
}

fn renewal() -> Value {
    json!({ "claims": membership("M-4712"), "grant": "pre_authorized_code" })
}

/// What the published list says of a credential.
async fn listed(h: &Harness, id: &str) -> Status {
    let view = read(h, id).await.json();
    let core = h.issuer.core();
    h.issuer.publish_status_lists().await.unwrap();
    let uri = view["status_list"]["uri"].as_str().unwrap();
    let list = uri.rsplit('/').next().unwrap();
    let list = StatusListId::parse(list).unwrap();
    let row = status_lists::find(&core.db, &list).await;
    let row = row.unwrap().unwrap();
    let payload = row.token.split('.').nth(1).unwrap();
    let payload = b64url_decode(payload).unwrap();
    let payload: Value = serde_json::from_slice(&payload).unwrap();
    let list = payload["status_list"]["lst"].as_str().unwrap();
    let list = StatusList::decode(Bits::Two, list);
    let idx = view["status_list"]["idx"].as_u64().unwrap();
    list.unwrap().get(idx).unwrap()
}

async fn events(h: &Harness) -> Vec<String> {
    let entries = audit::page(&h.issuer.core().db, None, None, 200)
        .await
        .unwrap();
    entries.into_iter().map(|entry| entry.action).collect()
}

#[tokio::test]
async fn an_expired_card_is_invalid_and_is_not_issued_again() {
    everywhere_with(&config_text("refresh_tokens = true"), async |h| {
        let token = h.token().await;
        let key = h.holder(1);
        h.issue_with(&token, &key).await;
        let id = id_of_newest(&h).await;
        assert_eq!(listed(&h, &id).await, Status::Valid);
        let ended = post(&h, &id, "expire", &Value::Null).await;
        assert_eq!(ended.status, 200, "{}", ended.text);
        assert_eq!(ended.json()["status"], "expired");
        assert_eq!(ended.header("etag"), "\"2\"");
        assert_eq!(listed(&h, &id).await, Status::Invalid);
        let proof = h.proof(&key, &h.nonce().await).await;
        let again = h.credential(&token, &[proof]).await;
        assert_eq!(again.error(), (401, "invalid_token".into()));
        // Nothing leads away from it.
        let by = json!({ "by": id });
        for (verb, body) in [
            ("suspend", Value::Null),
            ("resume", Value::Null),
            ("revoke", Value::Null),
            ("expire", Value::Null),
            ("supersede", by),
        ] {
            let answer = post_seen(&h, &id, verb, &body).await;
            assert_eq!(answer.error(), (409, "status_conflict".into()), "{verb}");
        }
        assert!(events(&h).await.contains(&"credential.expire".to_owned()));
    })
    .await;
}

#[tokio::test]
async fn an_end_that_was_said_ahead_comes_when_it_comes() {
    everywhere(async |h| {
        h.issue(&h.holder(1)).await;
        let id = id_of_newest(&h).await;
        let at = |seconds: i64| {
            let at = h.clock.now().plus(seconds);
            json!({ "at": rfc3339(at) })
        };
        // It can be said anew, so it needs the version that was seen (catalogue 395).
        let blind = post(&h, &id, "expire", &at(100)).await;
        assert_eq!(blind.error(), (428, "if_match_required".into()));
        for (bad, code) in [
            (at(0), (422, "invalid_end")),
            (at(-5), (422, "invalid_end")),
            (at(40 * 365 * 86_400), (422, "invalid_end")),
            (json!({ "at": "tomorrow" }), (400, "invalid_body")),
            (json!({ "at": 5 }), (400, "invalid_body")),
            (json!({ "when": "now" }), (400, "invalid_body")),
        ] {
            let answer = post_seen(&h, &id, "expire", &bad).await;
            assert_eq!(answer.error(), (code.0, code.1.into()), "{bad}");
        }
        let said = post_seen(&h, &id, "expire", &at(100)).await;
        assert_eq!(said.json()["status"], "valid", "{}", said.text);
        assert_eq!(said.json()["ends_at"], at(100)["at"]);
        let later = post_seen(&h, &id, "expire", &at(200)).await;
        assert_eq!(later.json()["ends_at"], at(200)["at"]);
        h.clock.advance(150);
        h.issuer.end_due().await.unwrap();
        assert_eq!(listed(&h, &id).await, Status::Valid);
        h.clock.advance(50);
        // Two processes look at the same time.
        let other = h.another_process().await;
        let (one, two) = futures::join!(h.issuer.end_due(), other.issuer.end_due());
        one.unwrap();
        two.unwrap();
        let view = read(&h, &id).await.json();
        assert_eq!(
            (&view["status"], &view["version"]),
            (&json!("expired"), &json!(4))
        );
        assert_eq!(view["ends_at"], Value::Null);
        assert_eq!(listed(&h, &id).await, Status::Invalid);
        let ended = events(&h).await;
        let count = |action: &str| ended.iter().filter(|one| *one == action).count();
        assert_eq!(count("credential.expire"), 3, "{ended:?}");
    })
    .await;
}

#[tokio::test]
async fn what_ends_later_is_not_issued_again_before() {
    everywhere(async |h| {
        let token = h.token().await;
        h.issue_with(&token, &h.holder(1)).await;
        let id = id_of_newest(&h).await;
        let at = rfc3339(h.clock.now().plus(1000));
        let said = post_seen(&h, &id, "expire", &json!({ "at": at })).await;
        assert_eq!(said.status, 200, "{}", said.text);
        let proof = h.proof(&h.holder(2), &h.nonce().await).await;
        let again = h.credential(&token, &[proof]).await;
        assert_eq!(again.error(), (401, "invalid_token".into()));
    })
    .await;
}

#[tokio::test]
async fn a_renewed_card_replaces_the_old_one_when_it_is_issued() {
    everywhere(async |h| {
        h.issue(&h.holder(1)).await;
        let old = id_of_newest(&h).await;
        let offer = post(&h, &old, "renew", &renewal()).await;
        assert_eq!(offer.status, 201, "{}", offer.text);
        let offer = offer.json();
        assert_eq!(offer["renews"], json!(old));
        // Nothing happened yet.
        assert_eq!(listed(&h, &old).await, Status::Valid);
        let token = h.token_of(&offer).await;
        assert_eq!(listed(&h, &old).await, Status::Valid);
        h.issue_with(&token, &h.holder(2)).await;
        let new = h.newest().await;
        let view = read(&h, &old).await.json();
        assert_eq!(view["status"], "superseded");
        assert_eq!(view["superseded_by"], new["id"]);
        let record = read(&h, new["id"].as_str().unwrap()).await.json();
        assert_eq!(record["record_id"], "crm-4711");
        assert_eq!(listed(&h, &old).await, Status::Invalid);
        assert_eq!(listed(&h, new["id"].as_str().unwrap()).await, Status::Valid);
        // The offer may bring further copies; what is replaced is not replaced again.
        h.issue_with(&token, &h.holder(3)).await;
        assert_eq!(read(&h, &old).await.json()["superseded_by"], new["id"]);
        let twice = post(&h, &old, "renew", &renewal()).await;
        assert_eq!(twice.error(), (409, "status_conflict".into()));
    })
    .await;
}

#[tokio::test]
async fn the_copies_of_one_redemption_are_replaced_together() {
    everywhere(async |h| {
        let token = h.token().await;
        h.issue_with(&token, &h.holder(1)).await;
        let old = id_of_newest(&h).await;
        h.issue_with(&token, &h.holder(2)).await;
        let copy = id_of_newest(&h).await;
        // Another card of the same record.
        h.issue(&h.holder(3)).await;
        let other = id_of_newest(&h).await;
        let offer = post(&h, &old, "renew", &renewal()).await.json();
        h.issue_with(&h.token_of(&offer).await, &h.holder(4)).await;
        for (id, status) in [
            (&old, "superseded"),
            (&copy, "superseded"),
            (&other, "valid"),
        ] {
            assert_eq!(read(&h, id).await.json()["status"], status);
        }
        // The old token brings nothing more.
        let proof = h.proof(&h.holder(5), &h.nonce().await).await;
        let again = h.credential(&token, &[proof]).await;
        assert_eq!(again.error(), (401, "invalid_token".into()));
    })
    .await;
}

#[tokio::test]
async fn what_was_taken_is_not_given_back_by_a_renewal() {
    everywhere(async |h| {
        h.issue(&h.holder(1)).await;
        let old = id_of_newest(&h).await;
        let offer = post(&h, &old, "renew", &renewal()).await.json();
        let token = h.token_of(&offer).await;
        assert_eq!(
            post_seen(&h, &old, "suspend", &Value::Null).await.status,
            200
        );
        let refused = post(&h, &old, "renew", &renewal()).await;
        assert_eq!(refused.error(), (409, "status_conflict".into()));
        // Neither with the offer that was made before.
        let proof = h.proof(&h.holder(2), &h.nonce().await).await;
        let answer = h.credential(&token, &[proof]).await;
        assert_eq!(answer.error(), (400, "credential_request_denied".into()));
        assert_eq!(post(&h, &old, "revoke", &Value::Null).await.status, 200);
        let proof = h.proof(&h.holder(2), &h.nonce().await).await;
        let answer = h.credential(&token, &[proof]).await;
        assert_eq!(answer.error(), (401, "invalid_token".into()));
        let refused = post(&h, &old, "renew", &renewal()).await;
        assert_eq!(refused.error(), (409, "status_conflict".into()));
    })
    .await;
}

#[tokio::test]
async fn a_card_that_ended_can_be_renewed() {
    everywhere(async |h| {
        h.issue(&h.holder(1)).await;
        let old = id_of_newest(&h).await;
        assert_eq!(post(&h, &old, "expire", &Value::Null).await.status, 200);
        let offer = post(&h, &old, "renew", &renewal()).await.json();
        h.issue_with(&h.token_of(&offer).await, &h.holder(2)).await;
        let view = read(&h, &old).await.json();
        assert_eq!(view["status"], "expired");
        assert_eq!(view["superseded_by"], h.newest().await["id"]);
    })
    .await;
}

#[tokio::test]
async fn claims_are_kept_as_long_as_the_offer_is_open_and_no_longer() {
    everywhere(async |h| {
        let offer = h.offer(json!({ "redemptions": 2 })).await;
        h.issue_with(&h.token_of(&offer).await, &h.holder(1)).await;
        let old = id_of_newest(&h).await;
        let body = json!({ "grant": "pre_authorized_code" });
        let kept = post(&h, &old, "renew", &body).await;
        assert_eq!(kept.status, 201, "{}", kept.text);
        h.token_of(&offer).await;
        let gone = post(&h, &old, "renew", &body).await;
        assert_eq!(gone.error(), (422, "claims_needed".into()));
        let wrong = json!({ "grant": "pre_authorized_code", "claims": { "tier": 1 } });
        let wrong = post(&h, &old, "renew", &wrong).await;
        assert_eq!(wrong.error(), (422, "invalid_claims".into()));
    })
    .await;
}

#[tokio::test]
async fn a_second_renewal_closes_the_first() {
    everywhere(async |h| {
        h.issue(&h.holder(1)).await;
        let old = id_of_newest(&h).await;
        let first = post(&h, &old, "renew", &renewal()).await.json();
        let token = h.token_of(&first).await;
        let second = post(&h, &old, "renew", &renewal()).await.json();
        let proof = h.proof(&h.holder(2), &h.nonce().await).await;
        let late = h.credential(&token, &[proof]).await;
        assert_eq!(late.error(), (401, "invalid_token".into()));
        h.issue_with(&h.token_of(&second).await, &h.holder(2)).await;
        assert_eq!(read(&h, &old).await.json()["status"], "superseded");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn cat_425_of_many_renewals_one_is_issued() {
    everywhere(async |h| {
        h.issue(&h.holder(1)).await;
        let old = id_of_newest(&h).await;
        let racers = (0..20u64).map(|n| {
            let (h, old) = (h.clone(), old.clone());
            tokio::spawn(async move {
                let offer = post(&h, &old, "renew", &renewal()).await;
                if offer.status != 201 {
                    return false;
                }
                let object = offer.json();
                let uri = object["credential_offer_uri"].as_str().unwrap();
                let path = uri.strip_prefix(ISSUER).unwrap();
                let answer = h.get(path).await;
                if answer.status != 200 {
                    return false;
                }
                let grants = &answer.json()["grants"];
                let code = grants[PRE_AUTHORIZED]["pre-authorized_code"].clone();
                let fields = [
                    ("grant_type", PRE_AUTHORIZED),
                    ("pre-authorized_code", code.as_str().unwrap()),
                ];
                let token = h.form("/token", &fields).await;
                if token.status != 200 {
                    return false;
                }
                let token = token.json()["access_token"].as_str().unwrap().to_owned();
                let proof = h.proof(&h.holder(n + 10), &h.nonce().await).await;
                h.credential(&token, &[proof]).await.status == 200
            })
        });
        let won = join_all(racers).await;
        let won = won.into_iter().filter(|one| *one.as_ref().unwrap()).count();
        // Each closes the one before it; the last link is still good.
        assert_eq!(won, 1);
        let list = h.admin_get("/v1/credentials?limit=200").await.json();
        let valid = list["items"].as_array().unwrap().iter();
        assert_eq!(valid.filter(|one| one["status"] == "valid").count(), 1);
    })
    .await;
}

#[tokio::test]
async fn only_a_valid_card_of_the_same_record_replaces() {
    everywhere(async |h| {
        h.issue(&h.holder(1)).await;
        let old = id_of_newest(&h).await;
        h.issue(&h.holder(2)).await;
        let new = id_of_newest(&h).await;
        let stranger = h.offer(json!({ "record_id": "crm-4712" })).await;
        h.issue_with(&h.token_of(&stranger).await, &h.holder(3))
            .await;
        let stranger = id_of_newest(&h).await;
        let nobody = "019370d0-7c00-7000-8000-000000000001".to_owned();
        for by in [&old, &stranger, &nobody, &"x".to_owned()] {
            let answer = post(&h, &old, "supersede", &json!({ "by": by })).await;
            assert_eq!(answer.error(), (422, "invalid_successor".into()), "{by}");
        }
        let missing = post(&h, &old, "supersede", &json!({})).await;
        assert_eq!(missing.error(), (400, "invalid_body".into()));
        let path = format!("/v1/credentials/{old}/supersede");
        let by = json!({ "by": new }).to_string();
        let other = h.admin_post(&path, &by, &[("if-match", "\"7\"")]).await;
        assert_eq!(other.error(), (412, "version_mismatch".into()));
        let key = [("idempotency-key", "once")];
        let done = h.admin_post(&path, &by, &key).await;
        assert_eq!(done.json()["superseded_by"], json!(new), "{}", done.text);
        let again = h.admin_post(&path, &by, &key).await;
        assert_eq!((again.status, &again.text), (done.status, &done.text));
        let back = post(&h, &new, "supersede", &json!({ "by": old })).await;
        assert_eq!(back.error(), (422, "invalid_successor".into()));
        assert_eq!(listed(&h, &old).await, Status::Invalid);
        assert!(
            events(&h)
                .await
                .contains(&"credential.supersede".to_owned())
        );
    })
    .await;
}

#[tokio::test]
async fn a_copy_that_is_suspended_stops_the_renewal() {
    everywhere(async |h| {
        let token = h.token().await;
        h.issue_with(&token, &h.holder(1)).await;
        let copy = id_of_newest(&h).await;
        h.issue_with(&token, &h.holder(2)).await;
        let old = id_of_newest(&h).await;
        let offer = post(&h, &old, "renew", &renewal()).await.json();
        let token = h.token_of(&offer).await;
        let suspended = post_seen(&h, &copy, "suspend", &Value::Null).await;
        assert_eq!(suspended.status, 200, "{}", suspended.text);
        let refused = post(&h, &old, "renew", &renewal()).await;
        assert_eq!(refused.error(), (409, "status_conflict".into()));
        let proof = h.proof(&h.holder(3), &h.nonce().await).await;
        let answer = h.credential(&token, &[proof]).await;
        assert_eq!(answer.error(), (400, "credential_request_denied".into()));
        assert_eq!(read(&h, &copy).await.json()["status"], "suspended");
        // Once it is resumed, both are replaced, and the log says so of each.
        let resumed = post_seen(&h, &copy, "resume", &Value::Null).await;
        assert_eq!(resumed.status, 200, "{}", resumed.text);
        h.issue_with(&token, &h.holder(3)).await;
        let new = id_of_newest(&h).await;
        for id in [&copy, &old] {
            assert_eq!(read(&h, id).await.json()["status"], "superseded");
            let log = h.admin_get(&format!("/v1/audit?target={id}")).await.json();
            let last = &log["items"][0];
            assert_eq!(last["action"], "credential.supersede", "{log}");
            assert_eq!(last["actor"], "system");
            assert_eq!(last["detail"], format!("by {new}"));
        }
    })
    .await;
}

#[tokio::test]
async fn lists_are_published_though_nothing_can_be_ended() {
    everywhere(async |h| {
        h.issue(&h.holder(1)).await;
        let due = id_of_newest(&h).await;
        let at = rfc3339(h.clock.now().plus(100));
        let said = post_seen(&h, &due, "expire", &json!({ "at": at })).await;
        assert_eq!(said.status, 200, "{}", said.text);
        h.issue(&h.holder(2)).await;
        let revoked = id_of_newest(&h).await;
        assert_eq!(post(&h, &revoked, "revoke", &Value::Null).await.status, 200);
        h.clock.advance(100);
        let db = &h.issuer.core().db;
        db.write(async |tx| execute!(tx, sqlx::query("ALTER TABLE audit_event RENAME TO gone")))
            .await
            .unwrap();
        let core = h.issuer.core();
        assert!(crate::lifecycle::end_and_publish(core).await.is_err());
        let waiting = each!(db, p => sqlx::query_scalar::<_, i64>(
            "SELECT COUNT(*) FROM issuer_status_lists WHERE published_version < version")
            .fetch_one(p).await);
        assert_eq!(waiting.unwrap(), 0);
    })
    .await;
}

#[tokio::test]
async fn verbs_ask_for_their_scopes() {
    everywhere(async |h| {
        h.issue(&h.holder(1)).await;
        let id = id_of_newest(&h).await;
        for scopes in [vec!["credentials:read"], vec!["offers:write"]] {
            let scopes = scopes.into_iter().map(str::to_owned).collect();
            let key = h.issuer.create_api_key_for("reader", scopes).await.unwrap();
            let weak = Harness { key, ..h.clone() };
            for (verb, body) in [
                ("expire", Value::Null),
                ("renew", renewal()),
                ("supersede", json!({ "by": id })),
            ] {
                let answer = post(&weak, &id, verb, &body).await;
                assert_eq!(answer.error(), (403, "forbidden".into()), "{verb}");
            }
        }
        let scopes = vec!["credentials:write".to_owned()];
        let key = h.issuer.create_api_key_for("half", scopes).await.unwrap();
        let half = Harness { key, ..h.clone() };
        let answer = post(&half, &id, "renew", &renewal()).await;
        assert_eq!(answer.error(), (403, "forbidden".into()));
    })
    .await;
}
