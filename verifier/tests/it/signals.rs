//! Security events for applications: streams, their management, push and poll (Shared Signals
//! Framework 1.0, CAEP 1.0, RFC 8935, RFC 8936).

use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use serde_json::{Value, json};
use vouchsafe_credentials::status_list::Status;
use vouchsafe_service::db::testing;
use vouchsafe_verifier::store::MIGRATIONS;

use crate::world::browser::{Answer, form, send};
use crate::world::rp::{RelyingParty, Tokens};
use crate::world::steps::{log_in, rows};
use crate::world::{NOW, OP, World, on_sqlite};

const REVOKED: &str = "https://schemas.openid.net/secevent/caep/event-type/session-revoked";
const VERIFICATION: &str = "https://schemas.openid.net/secevent/ssf/event-type/verification";

/// The shop and the café take events, the others do not.
fn receivers(toml: String) -> String {
    [
        "http://127.0.0.1:9000/backchannel",
        "http://127.0.0.2:9001/backchannel",
    ]
    .into_iter()
    .fold(toml, |toml, uri| {
        let line = format!("backchannel_logout_uri = \"{uri}\"\n");
        assert!(toml.contains(&line));
        toml.replace(&line, &format!("{line}security_events = true\n"))
    })
}

async fn on_each_database(test: impl AsyncFn(World)) {
    testing::for_each_database(&[MIGRATIONS], async |db| {
        test(World::with_config(db, receivers).await).await;
    })
    .await;
}

async fn on_one(test: impl AsyncFn(World)) {
    let temporary = testing::sqlite(&[MIGRATIONS]).await;
    test(World::with_config(temporary.db.clone(), receivers).await).await;
}

/// An application that manages its stream.
struct Receiver<'a> {
    world: &'a World,
    token: String,
}

impl<'a> Receiver<'a> {
    async fn new(world: &'a World, rp: &RelyingParty, scope: &str) -> Self {
        let fields = [("grant_type", "client_credentials"), ("scope", scope)];
        let answer = rp.token(&fields).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
        let body = answer.json();
        assert_eq!(
            (&body["token_type"], &body["scope"]),
            (&json!("Bearer"), &json!(scope))
        );
        assert!(body.get("refresh_token").is_none() && body.get("id_token").is_none());
        Self {
            world,
            token: body["access_token"].as_str().unwrap().to_owned(),
        }
    }

    async fn call(&self, method: Method, path: &str, body: &Value) -> Answer {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::AUTHORIZATION, format!("Bearer {}", self.token))
            .header(header::CONTENT_TYPE, "application/json");
        let body = Body::from(body.to_string());
        send(&self.world.router(), request.body(body).unwrap()).await
    }

    async fn post(&self, path: &str, body: &Value) -> Answer {
        self.call(Method::POST, path, body).await
    }

    async fn get(&self, path: &str) -> Answer {
        self.call(Method::GET, path, &json!({})).await
    }

    /// Makes a stream and gives its name.
    async fn stream(&self, request: &Value) -> String {
        let answer = self.post("/ssf/stream", request).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.body);
        answer.json()["stream_id"].as_str().unwrap().to_owned()
    }

    /// What a poll gives, at once.
    async fn poll(&self, stream: &str, taken: &[&str]) -> Value {
        let body = json!({ "returnImmediately": true, "ack": taken });
        let answer = self.post(&format!("/ssf/poll/{stream}"), &body).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
        answer.json()
    }
}

fn polled() -> Value {
    json!({ "events_requested": [REVOKED, "urn:something:else"] })
}

fn pushed() -> Value {
    json!({
        "events_requested": [REVOKED],
        "delivery": {
            "method": "urn:ietf:rfc:8935",
            "endpoint_url": "http://127.0.0.1:9000/events",
            "authorization_header": "Bearer for-the-shop",
        },
    })
}

/// Somebody logs in at the shop, and their card is revoked.
async fn revoke(world: &World) -> Tokens {
    let wallet = world.person("M-1").await;
    let shop = world.shop();
    let tokens = log_in(&mut world.browser(), &wallet, &shop, "openid membership").await;
    world.issuer.set(&wallet.cards[1].status, Status::Invalid);
    world.clock.advance(2);
    world.issuer.publish(NOW.plus(2)).await;
    world.tick().await;
    tokens
}

fn refused(answer: &Answer, status: StatusCode, code: &str) {
    assert_eq!(
        (answer.status, &answer.json()["code"]),
        (status, &json!(code)),
        "{}",
        answer.body
    );
}

#[tokio::test]
async fn without_a_receiver_there_is_nothing() {
    on_sqlite(async |world| {
        for path in ["/.well-known/ssf-configuration", "/ssf/stream"] {
            let request = Request::get(path).body(Body::empty()).unwrap();
            let answer = send(&world.router(), request).await;
            assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
        }
        let fields = [("grant_type", "client_credentials")];
        let answer = world.shop().token(&fields).await;
        assert_eq!(answer.json(), json!({ "error": "unsupported_grant_type" }));
    })
    .await;
}

#[tokio::test]
async fn ssf_section_7_2_the_transmitter_says_what_it_serves() {
    on_one(async |world| {
        let request = Request::get("/.well-known/ssf-configuration")
            .body(Body::empty())
            .unwrap();
        let answer = send(&world.router(), request).await;
        assert_eq!(
            answer.json(),
            json!({
                "spec_version": "1_0",
                "issuer": OP,
                "jwks_uri": format!("{OP}/jwks"),
                "delivery_methods_supported": ["urn:ietf:rfc:8935", "urn:ietf:rfc:8936"],
                "configuration_endpoint": format!("{OP}/ssf/stream"),
                "status_endpoint": format!("{OP}/ssf/status"),
                "verification_endpoint": format!("{OP}/ssf/verify"),
                "authorization_schemes": [{ "spec_urn": "urn:ietf:rfc:6749" }],
                "default_subjects": "ALL",
            })
        );
        let request = Request::get("/.well-known/openid-configuration")
            .body(Body::empty())
            .unwrap();
        let discovery = send(&world.router(), request).await.json();
        let grants = discovery["grant_types_supported"].as_array().unwrap();
        assert!(grants.contains(&json!("client_credentials")));
    })
    .await;
}

#[tokio::test]
async fn only_those_who_may_get_a_token_of_their_own() {
    on_one(async |world| {
        let ask = async |rp: RelyingParty, scope: &str| {
            let fields = [("grant_type", "client_credentials"), ("scope", scope)];
            rp.token(&fields).await.json()["error"].clone()
        };
        assert_eq!(ask(world.suite(), "ssf.read").await, "unauthorized_client");
        assert_eq!(ask(world.spa(), "ssf.read").await, "unauthorized_client");
        assert_eq!(ask(world.shop_api(), "ssf.read").await, "invalid_client");
        assert_eq!(ask(world.shop(), "openid").await, "invalid_scope");
        assert_eq!(ask(world.shop(), "ssf.read openid").await, "invalid_scope");
        assert_eq!(ask(world.shop(), "\"").await, "invalid_scope");
    })
    .await;
}

#[tokio::test]
async fn a_stream_is_managed_with_its_own_token_alone() {
    on_each_database(async |world| {
        let shop = Receiver::new(&world, &world.shop(), "ssf.manage").await;
        let stream = shop.stream(&polled()).await;
        let path = format!("/ssf/stream?stream_id={stream}");
        // Another application does not learn that it is there.
        let cafe = Receiver::new(&world, &world.cafe(), "ssf.manage").await;
        let named = json!({ "stream_id": stream, "status": "disabled" });
        for answer in [
            cafe.get(&path).await,
            cafe.get(&format!("/ssf/status?stream_id={stream}")).await,
            cafe.call(Method::DELETE, &path, &json!({})).await,
            cafe.call(Method::PATCH, "/ssf/stream", &named).await,
            cafe.call(Method::PUT, "/ssf/stream", &named).await,
            cafe.post("/ssf/status", &named).await,
            cafe.post("/ssf/verify", &named).await,
            cafe.post(&format!("/ssf/poll/{stream}"), &json!({})).await,
        ] {
            refused(&answer, StatusCode::NOT_FOUND, "unknown_stream");
        }
        assert_eq!(cafe.get("/ssf/stream").await.json(), json!([]));
        // To read is not to change.
        let reader = Receiver::new(&world, &world.shop(), "ssf.read").await;
        assert_eq!(reader.get(&path).await.status, StatusCode::OK);
        assert_eq!(
            reader
                .get("/ssf/stream")
                .await
                .json()
                .as_array()
                .unwrap()
                .len(),
            1
        );
        for answer in [
            reader.call(Method::DELETE, &path, &json!({})).await,
            reader.post("/ssf/status", &named).await,
            reader
                .post(&format!("/ssf/poll/{stream}"), &json!({}))
                .await,
        ] {
            assert_eq!(answer.status, StatusCode::FORBIDDEN);
            let told = answer.headers[header::WWW_AUTHENTICATE].to_str().unwrap();
            assert!(told.contains("insufficient_scope"), "{told}");
        }
        // The token of a person, none at all, one in the address, one that is over.
        let wallet = world.person("M-1").await;
        let login = log_in(
            &mut world.browser(),
            &wallet,
            &world.shop(),
            "openid membership",
        )
        .await;
        let persons = Receiver {
            world: &world,
            token: login.access_token.clone(),
        };
        let nobody = Receiver {
            world: &world,
            token: "x".repeat(43),
        };
        let in_address = format!("{path}&{}", form(&[("access_token", &shop.token)]));
        for answer in [persons.get(&path).await, nobody.get(&in_address).await] {
            assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
            let told = answer.headers[header::WWW_AUTHENTICATE].to_str().unwrap();
            assert!(told.contains("invalid_token"), "{told}");
        }
        assert_eq!(
            world.shop().userinfo(&shop.token).await.status,
            StatusCode::UNAUTHORIZED
        );
        assert_eq!(
            world.shop().introspect(&shop.token).await,
            json!({ "active": false })
        );
        world.clock.advance(601);
        assert_eq!(shop.get(&path).await.status, StatusCode::UNAUTHORIZED);
        world.tick().await;
        assert_eq!(world.count("SELECT COUNT(*) FROM receiver_tokens").await, 0);
    })
    .await;
}

#[tokio::test]
async fn ssf_section_8_1_1_a_stream_is_made_read_changed_and_deleted() {
    on_each_database(async |world| {
        let shop = Receiver::new(&world, &world.shop(), "ssf.manage").await;
        let created = shop.post("/ssf/stream", &polled()).await;
        let stream = created.json()["stream_id"].as_str().unwrap().to_owned();
        let whole = json!({
            "stream_id": stream,
            "iss": OP,
            "aud": "shop",
            "events_supported": [REVOKED],
            "events_requested": [REVOKED, "urn:something:else"],
            "events_delivered": [REVOKED],
            "delivery": {
                "method": "urn:ietf:rfc:8936",
                "endpoint_url": format!("{OP}/ssf/poll/{stream}"),
            },
            "min_verification_interval": 10,
        });
        assert_eq!(created.json(), whole);
        let path = format!("/ssf/stream?stream_id={stream}");
        assert_eq!(shop.get(&path).await.json(), whole);
        refused(
            &shop.post("/ssf/stream", &polled()).await,
            StatusCode::CONFLICT,
            "stream_exists",
        );
        // Section 8.1.1.3: what is left out stays, and what is ours must be right.
        let change = json!({ "stream_id": stream, "description": "of the shop", "aud": "shop" });
        let changed = shop
            .call(Method::PATCH, "/ssf/stream", &change)
            .await
            .json();
        assert_eq!(changed["description"], "of the shop");
        assert_eq!(changed["events_requested"], whole["events_requested"]);
        let wrong = json!({ "stream_id": stream, "aud": "cafe" });
        let answer = shop.call(Method::PATCH, "/ssf/stream", &wrong).await;
        refused(&answer, StatusCode::BAD_REQUEST, "not_yours_to_change");
        // Section 8.1.1.4: what is left out is gone; the secret of the endpoint is not told.
        let mut replacement = pushed();
        replacement["stream_id"] = json!(stream);
        let replaced = shop.call(Method::PUT, "/ssf/stream", &replacement).await;
        assert!(!replaced.body.contains("for-the-shop"));
        assert!(replaced.json().get("description").is_none());
        assert_eq!(
            replaced.json()["delivery"],
            json!({ "method": "urn:ietf:rfc:8935", "endpoint_url": "http://127.0.0.1:9000/events" })
        );
        let unnamed = shop.call(Method::PUT, "/ssf/stream", &pushed()).await;
        refused(&unnamed, StatusCode::BAD_REQUEST, "stream_id_missing");
        // A stream that is pushed is not polled.
        let answer = shop.post(&format!("/ssf/poll/{stream}"), &json!({})).await;
        refused(
            &answer,
            StatusCode::BAD_REQUEST,
            "unsupported_delivery_method",
        );
        let gone = shop.call(Method::DELETE, &path, &json!({})).await;
        assert_eq!(gone.status, StatusCode::NO_CONTENT);
        refused(
            &shop.get(&path).await,
            StatusCode::NOT_FOUND,
            "unknown_stream",
        );
        assert_eq!(rows(&world, "event_streams").await, 0);
    })
    .await;
}

#[tokio::test]
async fn requests_that_are_none_are_refused() {
    on_one(async |world| {
        let shop = Receiver::new(&world, &world.shop(), "ssf.manage").await;
        let push = |endpoint: &str| json!({ "delivery": { "method": "urn:ietf:rfc:8935", "endpoint_url": endpoint } });
        for (body, code) in [
            (json!([]), "malformed"),
            (json!({ "events_requested": 5 }), "malformed"),
            (json!({ "delivery": { "method": "urn:x" } }), "unsupported_delivery_method"),
            (push("http://receiver.example/"), "unacceptable_endpoint"),
            (push("https://10.1.2.3/"), "unacceptable_endpoint"),
        ] {
            let answer = shop.post("/ssf/stream", &body).await;
            refused(&answer, StatusCode::BAD_REQUEST, code);
        }
        assert_eq!(rows(&world, "event_streams").await, 0);
        let stream = shop.stream(&polled()).await;
        for (path, body) in [
            ("/ssf/status", json!({ "stream_id": stream, "status": "asleep" })),
            ("/ssf/verify", json!({ "stream_id": stream, "state": 5 })),
            (&*format!("/ssf/poll/{stream}"), json!({ "ack": "all" })),
        ] {
            let answer = shop.post(path, &body).await;
            refused(&answer, StatusCode::BAD_REQUEST, "malformed");
        }
    })
    .await;
}

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

#[tokio::test]
async fn rfc_7009_a_token_for_a_stream_is_given_up() {
    on_one(async |world| {
        let shop = Receiver::new(&world, &world.shop(), "ssf.manage").await;
        let answer = world.cafe().revoke(&shop.token).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST);
        assert_eq!(shop.get("/ssf/stream").await.status, StatusCode::OK);
        assert_eq!(
            world.shop().revoke(&shop.token).await.status,
            StatusCode::OK
        );
        assert_eq!(
            shop.get("/ssf/stream").await.status,
            StatusCode::UNAUTHORIZED
        );
    })
    .await;
}
