//! Security events on their way: push (RFC 8935), poll (RFC 8936), paused streams and receivers that
//! are away.

use axum::http::{Method, StatusCode, header};
use serde_json::json;
use vouchsafe_service::db::testing;
use vouchsafe_verifier::store::MIGRATIONS;

use crate::world::browser::form;
use crate::world::receiver::{
    REVOKED, Receiver, VERIFICATION, on_each_database, on_one, polled, pushed, receivers, refused,
    revoke,
};
use crate::world::steps::{log_in, rows};
use crate::world::{NOW, OP, World};

#[tokio::test]
async fn a_revoked_card_reaches_the_application_that_polls() {
    on_each_database(async |world| {
        let shop = Receiver::new(&world, &world.shop(), "ssf.manage").await;
        let stream = shop.stream(&polled()).await;
        // The café has a stream, too, and no session of this person.
        let cafe = Receiver::new(&world, &world.cafe(), "ssf.manage").await;
        let other = cafe.stream(&polled()).await;
        assert_eq!(
            shop.poll(&stream, &[]).await,
            json!({ "sets": {}, "moreAvailable": false })
        );
        let login = revoke(&world).await;

        let sets = shop.poll(&stream, &[]).await["sets"].clone();
        let (jti, token) = sets.as_object().unwrap().iter().next().unwrap();
        let claims = world.shop().security_event(token.as_str().unwrap()).await;
        assert_eq!(
            claims,
            json!({
                "iss": OP, "aud": "shop", "jti": jti, "iat": NOW.plus(2).0,
                "sub_id": {
                    "format": "complex",
                    "user": { "format": "iss_sub", "iss": OP, "sub": login.sub() },
                    "session": { "format": "opaque", "id": login.sid() },
                },
                "events": { REVOKED: {
                    "event_timestamp": NOW.plus(2).0,
                    "initiating_entity": "policy",
                } },
            })
        );
        assert_eq!(cafe.poll(&other, &[]).await["sets"], json!({}));
        // Until it is taken it comes again, the same; nobody else takes it away.
        assert_eq!(
            shop.poll(&stream, &["other"]).await["sets"]
                .as_object()
                .unwrap()
                .len(),
            1
        );
        cafe.poll(&other, &[jti]).await;
        let again = shop.poll(&stream, &[]).await["sets"].clone();
        assert!(again.get(jti).is_some());
        assert_eq!(shop.poll(&stream, &[jti]).await["sets"], json!({}));
        assert_eq!(rows(&world, "stream_events").await, 0);
    })
    .await;
}

#[tokio::test]
async fn an_event_is_pushed_until_it_is_taken() {
    on_each_database(async |world| {
        let shop = Receiver::new(&world, &world.shop(), "ssf.manage").await;
        shop.stream(&pushed()).await;
        world.network.answer_events(&[Err(503), Err(400)]);
        let login = revoke(&world).await;
        assert!(world.network.events().is_empty());
        // One second later, then two.
        for seconds in [1, 2] {
            world.clock.advance(seconds);
            world.tick().await;
        }
        let events = world.network.events();
        assert_eq!(events.len(), 1);
        assert_eq!(events[0].uri, "http://127.0.0.1:9000/events");
        assert_eq!(
            events[0].authorization.as_deref(),
            Some("Bearer for-the-shop")
        );
        let claims = world.shop().security_event(&events[0].token).await;
        assert_eq!(claims["sub_id"]["session"]["id"], login.sid());
        world.clock.advance(60);
        world.tick().await;
        assert_eq!(
            (
                world.network.events().len(),
                rows(&world, "stream_events").await
            ),
            (1, 0)
        );
    })
    .await;
}

#[tokio::test]
async fn rfc_8935_section_2_3_what_is_refused_is_not_sent_again() {
    on_one(async |world| {
        let shop = Receiver::new(&world, &world.shop(), "ssf.manage").await;
        shop.stream(&pushed()).await;
        world.network.answer_events(&[Ok("invalid_audience")]);
        revoke(&world).await;
        assert_eq!(
            (
                world.network.events().len(),
                rows(&world, "stream_events").await
            ),
            (0, 0)
        );
    })
    .await;
}

#[tokio::test]
async fn ssf_section_8_1_2_paused_streams_hold_and_disabled_ones_forget() {
    on_each_database(async |world| {
        let shop = Receiver::new(&world, &world.shop(), "ssf.manage").await;
        let stream = shop.stream(&pushed()).await;
        let set = async |status: &str| {
            let body = json!({ "stream_id": stream, "status": status, "reason": "at night" });
            let answer = shop.post("/ssf/status", &body).await;
            assert_eq!(answer.json(), body);
            let read = shop.get(&format!("/ssf/status?stream_id={stream}")).await;
            assert_eq!(read.json(), body);
        };
        set("paused").await;
        revoke(&world).await;
        assert_eq!(
            (
                world.network.events().len(),
                rows(&world, "stream_events").await
            ),
            (0, 1)
        );
        set("enabled").await;
        world.tick().await;
        assert_eq!(world.network.events().len(), 1);
        set("disabled").await;
        assert_eq!(rows(&world, "stream_events").await, 0);
        let verify = shop
            .post("/ssf/verify", &json!({ "stream_id": stream }))
            .await;
        refused(&verify, StatusCode::BAD_REQUEST, "stream_disabled");
        let wallet = world.person("M-2").await;
        let mut browser = world.browser();
        let login = log_in(&mut browser, &wallet, &world.shop(), "openid membership").await;
        browser
            .get(&format!(
                "/logout?{}",
                form(&[("id_token_hint", &login.id_token)])
            ))
            .await;
        assert_eq!(rows(&world, "stream_events").await, 0);
        set("enabled").await;
        world.tick().await;
        assert_eq!(world.network.events().len(), 1);
    })
    .await;
}

#[tokio::test]
async fn ssf_section_8_1_4_a_verification_gives_the_state_back() {
    on_each_database(async |world| {
        let shop = Receiver::new(&world, &world.shop(), "ssf.manage").await;
        let stream = shop.stream(&json!({})).await;
        let body = json!({ "stream_id": stream, "state": "is anybody there" });
        let answer = shop.post("/ssf/verify", &body).await;
        assert_eq!(answer.status, StatusCode::NO_CONTENT);
        let fast = shop.post("/ssf/verify", &body).await;
        refused(
            &fast,
            StatusCode::TOO_MANY_REQUESTS,
            "too_many_verifications",
        );
        assert!(fast.headers.contains_key(header::RETRY_AFTER));
        // It waits although the stream asked for no event at all.
        let sets = shop.poll(&stream, &[]).await["sets"].clone();
        let token = sets.as_object().unwrap().values().next().unwrap();
        let claims = world.shop().security_event(token.as_str().unwrap()).await;
        assert_eq!(
            claims["sub_id"],
            json!({ "format": "opaque", "id": stream })
        );
        assert_eq!(
            claims["events"],
            json!({ VERIFICATION: { "state": "is anybody there" } })
        );
        world.clock.advance(10);
        assert_eq!(
            shop.post("/ssf/verify", &body).await.status,
            StatusCode::NO_CONTENT
        );
        // A session that ends is not told to a stream that did not ask for it.
        revoke(&world).await;
        assert_eq!(
            shop.poll(&stream, &[]).await["sets"]
                .as_object()
                .unwrap()
                .len(),
            2
        );
    })
    .await;
}

#[tokio::test]
async fn an_event_that_nobody_takes_is_forgotten_after_a_week() {
    on_one(async |world| {
        let shop = Receiver::new(&world, &world.shop(), "ssf.manage").await;
        shop.stream(&polled()).await;
        revoke(&world).await;
        world.clock.advance(7 * 86_400 - 1);
        world.tick().await;
        assert_eq!(rows(&world, "stream_events").await, 1);
        world.clock.advance(1);
        world.tick().await;
        assert_eq!(rows(&world, "stream_events").await, 0);
    })
    .await;
}

#[tokio::test]
async fn rfc_8936_an_application_that_waits_is_answered_when_something_happens() {
    on_each_database(async |world| {
        let shop = Receiver::new(&world, &world.shop(), "ssf.manage").await;
        let stream = shop.stream(&polled()).await;
        let path = format!("/ssf/poll/{stream}");
        let waits = async { shop.post(&path, &json!({})).await };
        let happens = async {
            // One question waits; a second one is answered at once.
            tokio::time::sleep(std::time::Duration::from_millis(200)).await;
            let second = shop.post(&path, &json!({})).await;
            assert_eq!(second.json()["sets"], json!({}));
            revoke(&world).await
        };
        let (answer, login) = futures::join!(waits, happens);
        let sets = answer.json()["sets"].clone();
        let token = sets.as_object().unwrap().values().next().unwrap().clone();
        let claims = world.shop().security_event(token.as_str().unwrap()).await;
        assert_eq!(claims["sub_id"]["session"]["id"], login.sid());
    })
    .await;
}

#[tokio::test]
async fn rfc_8936_section_2_as_many_as_asked_for_and_what_cannot_be_used() {
    on_one(async |world| {
        let shop = Receiver::new(&world, &world.shop(), "ssf.manage").await;
        let stream = shop.stream(&json!({})).await;
        for _ in 0..3 {
            let body = json!({ "stream_id": stream });
            assert_eq!(shop.post("/ssf/verify", &body).await.status, StatusCode::NO_CONTENT);
            world.clock.advance(10);
        }
        let path = format!("/ssf/poll/{stream}");
        let two = shop.post(&path, &json!({ "maxEvents": 2 })).await.json();
        assert_eq!((two["sets"].as_object().unwrap().len(), &two["moreAvailable"]), (2, &json!(true)));
        let mut names = two["sets"].as_object().unwrap().keys();
        let (first, second) = (names.next().unwrap(), names.next().unwrap());
        let body = json!({
            "maxEvents": 0, "ack": [first],
            "setErrs": { second.as_str(): { "err": "invalid_audience", "description": "of another" } },
        });
        let none = shop.post(&path, &body).await.json();
        assert_eq!(none, json!({ "sets": {}, "moreAvailable": true }));
        assert_eq!(rows(&world, "stream_events").await, 1);
        let last = shop.post(&path, &json!({ "maxEvents": 1 })).await.json();
        assert_eq!((last["sets"].as_object().unwrap().len(), &last["moreAvailable"]), (1, &json!(false)));
    })
    .await;
}

#[tokio::test]
async fn a_change_of_the_stream_takes_effect_at_once() {
    on_each_database(async |world| {
        let shop = Receiver::new(&world, &world.shop(), "ssf.manage").await;
        let stream = shop.stream(&pushed()).await;
        // The receiver is away for long; then it moves.
        world.network.answer_events(&[Err(503); 5]);
        revoke(&world).await;
        for _ in 0..4 {
            world.clock.advance(60);
            world.tick().await;
        }
        assert!(world.network.events().is_empty());
        let moved = json!({ "stream_id": stream, "delivery": {
            "method": "urn:ietf:rfc:8935", "endpoint_url": "http://127.0.0.1:9000/moved" } });
        let answer = shop.call(Method::PATCH, "/ssf/stream", &moved).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
        world.tick().await;
        let events = world.network.events();
        assert_eq!(events.len(), 1);
        assert_eq!(
            (events[0].uri.as_str(), &events[0].authorization),
            ("http://127.0.0.1:9000/moved", &None)
        );
    })
    .await;
}

#[tokio::test]
async fn a_receiver_that_never_answers_keeps_nobody_waiting() {
    on_one(async |world| {
        let shop = Receiver::new(&world, &world.shop(), "ssf.manage").await;
        shop.stream(&pushed()).await;
        let cafe = Receiver::new(&world, &world.cafe(), "ssf.manage").await;
        let mut other = pushed();
        other["delivery"]["endpoint_url"] = json!("http://127.0.0.2:9001/events");
        cafe.stream(&other).await;
        world.network.silence("http://127.0.0.1:9000/events");
        let wallet = world.person("M-1").await;
        let mut browser = world.browser();
        log_in(&mut browser, &wallet, &world.shop(), "openid membership").await;
        let login = log_in(&mut browser, &wallet, &world.cafe(), "openid membership").await;
        let hint = form(&[("id_token_hint", &login.id_token)]);
        browser.get(&format!("/logout?{hint}")).await;
        let waits = world.tick();
        tokio::pin!(waits);
        let other_is_told = async {
            while world.network.events().is_empty() {
                tokio::task::yield_now().await;
            }
        };
        tokio::select! {
            () = &mut waits => panic!("the silent one answered"),
            () = other_is_told => {}
        }
        let told = world
            .cafe()
            .security_event(&world.network.events()[0].token)
            .await;
        assert_eq!(told["events"][REVOKED]["initiating_entity"], "user");
    })
    .await;
}

#[tokio::test]
async fn cat_388_an_application_that_may_no_more_is_told_nothing() {
    let temporary = testing::sqlite(&[MIGRATIONS]).await;
    let world = World::with_config(temporary.db.clone(), receivers).await;
    let shop = Receiver::new(&world, &world.shop(), "ssf.manage").await;
    shop.stream(&pushed()).await;
    world.network.answer_events(&[Err(503)]);
    revoke(&world).await;
    assert_eq!(rows(&world, "stream_events").await, 1);
    // The operator takes it away from the shop; the café still has it.
    let only_cafe = |toml: String| {
        let line = "backchannel_logout_uri = \"http://127.0.0.2:9001/backchannel\"\n";
        toml.replace(line, &format!("{line}security_events = true\n"))
    };
    let after = World::with_config(temporary.db.clone(), only_cafe).await;
    after.clock.advance(3600);
    after.tick().await;
    assert!(after.network.events().is_empty());
    assert_eq!(
        (
            rows(&after, "stream_events").await,
            rows(&after, "event_streams").await
        ),
        (0, 0)
    );
    let token = Receiver {
        world: &after,
        token: shop.token.clone(),
    };
    assert_eq!(
        token.get("/ssf/stream").await.status,
        StatusCode::UNAUTHORIZED
    );
}
