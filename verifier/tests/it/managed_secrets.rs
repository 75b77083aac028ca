//! Secrets of applications that administrators keep: shown once, changed with an overlap.

use axum::http::StatusCode;
use serde_json::{Value, json};
use vouchsafe_credentials::time::Clock as _;

use crate::world::World;
use crate::world::admin::{Admin, Made, on_each_database, refused, settings, tag};
use crate::world::heard::Heard;

/// Whether a secret is taken.
async fn works(made: &Made, secret: &str) -> bool {
    let answer = made.rp_with(secret).redeem("no-such-code").await;
    match answer.json()["error"].as_str() {
        Some("invalid_grant") => true,
        Some("invalid_client") => false,
        other => panic!("{other:?}: {}", answer.body),
    }
}

fn secret_of(answer: &crate::world::browser::Answer) -> String {
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.body);
    answer.json()["client_secret"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn cat_461_a_secret_is_shown_once_and_never_logged() {
    on_each_database(async |world| {
        let heard = Heard::default();
        let listening = heard.listen();
        let admin = Admin::new(&world).await;
        let made = admin.made("app").await;
        let rotated = admin
            .rotate("app", &[("if-match", made.tag.as_str())], &json!({}))
            .await;
        let second = secret_of(&rotated);
        assert!(works(&made, &made.secret).await && works(&made, &second).await);
        drop(listening);
        let read = admin.get("/v1/clients/app").await;
        let list = admin.get("/v1/clients").await;
        let changed = admin
            .put(
                "app",
                &[("if-match", tag(&read).as_str())],
                &settings(json!({})),
            )
            .await;
        for (secret, name) in [(&made.secret, "first"), (&second, "second")] {
            assert_eq!(secret.len(), 43);
            for answer in [&read, &list, &changed] {
                assert!(!answer.body.contains(secret.as_str()), "{name}");
            }
            assert!(!heard.said().contains(secret.as_str()), "{name}");
        }
        let open = world
            .count("SELECT COUNT(*) FROM managed_clients WHERE LENGTH(secret_hash) = 43")
            .await;
        assert_eq!(open, 1);
        let found =
            vouchsafe_service::each!(world.db, p => sqlx::query_as::<_, (String, String, String)>(
            "SELECT secret_hash, previous_hash, settings FROM managed_clients").fetch_one(p).await)
            .unwrap();
        let kept = format!("{found:?}");
        assert!(!kept.contains(&made.secret) && !kept.contains(&second));
    })
    .await;
}

#[tokio::test]
async fn both_secrets_count_for_a_while_and_then_the_newer_one_alone() {
    on_each_database(async |world| {
        let admin = Admin::new(&world).await;
        let made = admin.made("app").await;
        let rotate =
            async |tag: &str, body: Value| admin.rotate("app", &[("if-match", tag)], &body).await;
        refused(
            &admin.rotate("app", &[], &json!({})).await,
            428,
            "if_match_required",
        );
        refused(&rotate("\"x\"", json!({})).await, 412, "version_mismatch");
        for wrong in [-1, 30 * 86_400 + 1] {
            let answer = rotate(&made.tag, json!({ "overlap_s": wrong })).await;
            refused(&answer, 422, "invalid_overlap");
        }
        refused(
            &rotate(&made.tag, json!({ "secret": "x" })).await,
            400,
            "invalid_body",
        );
        let answer = rotate(&made.tag, json!({ "overlap_s": 600 })).await;
        let second = secret_of(&answer);
        assert!(works(&made, &made.secret).await && works(&made, &second).await);
        let view = admin.get("/v1/clients/app").await;
        assert_eq!(
            view.json()["previous_secret_until"],
            answer.json()["previous_secret_until"]
        );
        assert_eq!(tag(&view), answer.json()["etag"].as_str().unwrap());
        world.clock.advance(601);
        assert!(!works(&made, &made.secret).await && works(&made, &second).await);
        let view = admin.get("/v1/clients/app").await.json();
        assert!(view.get("previous_secret_until").is_none());
        // At once, and the one before the last does not come back.
        let answer = rotate(
            answer.json()["etag"].as_str().unwrap(),
            json!({ "overlap_s": 0 }),
        )
        .await;
        let third = secret_of(&answer);
        assert!(works(&made, &third).await);
        for old in [&made.secret, &second] {
            assert!(!works(&made, old).await);
        }
        assert!(world.clock.now().seconds() > 0);
    })
    .await;
}

#[tokio::test]
async fn cat_394_a_change_that_is_sent_twice_is_one_change() {
    on_each_database(async |world| {
        let admin = Admin::new(&world).await;
        let made = admin.made("app").await;
        let headers = [("if-match", made.tag.as_str()), ("idempotency-key", "k-1")];
        let first = admin.rotate("app", &headers, &json!({})).await;
        let again = admin.rotate("app", &headers, &json!({})).await;
        assert_eq!(secret_of(&first), secret_of(&again));
        let other = admin
            .rotate("app", &headers, &json!({ "overlap_s": 1 }))
            .await;
        refused(&other, 422, "idempotency_key_reused");
        // Keys of two callers never meet.
        let somebody = Admin::new(&world).await;
        let answer = somebody.rotate("app", &headers, &json!({})).await;
        refused(&answer, 412, "version_mismatch");
        for wrong in ["", "a b", &"x".repeat(129)] {
            let headers = [("if-match", made.tag.as_str()), ("idempotency-key", wrong)];
            let answer = admin.rotate("app", &headers, &json!({})).await;
            refused(&answer, 400, "invalid_idempotency_key");
        }
        let audited = "SELECT COUNT(*) FROM audit_event WHERE action = 'client.secret'";
        assert_eq!(world.count(audited).await, 1);
        // The answer that is kept is sealed.
        let secret = secret_of(&first);
        let kept = vouchsafe_service::each!(world.db, p => sqlx::query_scalar::<_, Vec<u8>>(
            "SELECT response FROM idempotency").fetch_all(p).await)
        .unwrap();
        let shown = |one: &Vec<u8>| String::from_utf8_lossy(one).contains(&secret);
        assert!(kept.len() == 1 && !kept.iter().any(shown));
    })
    .await;
}

#[tokio::test]
async fn an_application_without_a_secret_has_none_to_change() {
    on_each_database(async |world: World| {
        let admin = Admin::new(&world).await;
        let public = settings(json!({ "public": true }));
        let answer = admin.put("spa-2", &[], &public).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.body);
        assert_eq!(answer.json()["authentication"], "public");
        assert!(answer.json().get("client_secret").is_none());
        let headers = [("if-match", tag(&answer))];
        let headers = [(headers[0].0, headers[0].1.as_str())];
        refused(
            &admin.rotate("spa-2", &headers, &json!({})).await,
            409,
            "no_secret",
        );
        // It gets its first one when it keeps secrets, and loses it again.
        let answer = admin.put("spa-2", &headers, &settings(json!({}))).await;
        assert_eq!(answer.json()["client_secret"].as_str().unwrap().len(), 43);
        let current = tag(&answer);
        let answer = admin
            .put("spa-2", &[("if-match", current.as_str())], &public)
            .await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
        let left = "SELECT COUNT(*) FROM managed_clients WHERE secret_hash IS NOT NULL";
        assert_eq!(world.count(left).await, 0);
    })
    .await;
}
