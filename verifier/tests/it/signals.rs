//! Security events for applications: streams and their management (Shared Signals Framework 1.0).

use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use serde_json::json;

use crate::world::browser::{form, send};
use crate::world::receiver::{
    REVOKED, Receiver, on_each_database, on_one, polled, pushed, refused,
};
use crate::world::rp::RelyingParty;
use crate::world::steps::{log_in, rows};
use crate::world::{OP, on_sqlite};

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

#[tokio::test]
async fn cat_113_signals_are_managed_with_json_alone() {
    on_one(async |world| {
        let receiver = Receiver::new(&world, &world.shop(), "ssf.manage").await;
        for kind in ["text/plain", "application/x-www-form-urlencoded", ""] {
            for path in ["/ssf/stream", "/ssf/status", "/ssf/verify", "/ssf/poll/x"] {
                let request = Request::post(path)
                    .header(header::AUTHORIZATION, format!("Bearer {}", receiver.token))
                    .header(header::CONTENT_TYPE, kind)
                    .body(Body::from(polled().to_string()));
                let answer = send(&world.router(), request.unwrap()).await;
                let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
                assert_eq!(answer.status, status, "{path} {kind}");
            }
        }
    })
    .await;
}
