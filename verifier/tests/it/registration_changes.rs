//! Registrations that are looked after (RFC 7592), stopped and removed.

use axum::http::{Method, StatusCode, header};
use serde_json::{Value, json};

use crate::device::{codes, heard};
use crate::world::browser::Answer;
use crate::world::registrar::{App, CALLBACK, ask, metadata, with_more, with_registration};
use crate::world::rp::RelyingParty;
use crate::world::steps::{begin, log_in, rows, same_device};
use crate::world::{OP, World};

const STAYS: &str = "openid membership offline_access";

/// A login that goes on while the person is away: access and refresh token.
async fn stay(world: &World, rp: &RelyingParty) -> (String, String) {
    let wallet = world.person("M-1").await;
    let address = rp.authorize(STAYS, &[]);
    let answer = same_device(&mut world.browser(), &wallet, &address).await;
    let body = rp.redeem(&rp.code(&answer)).await.json();
    let text = |name: &str| body[name].as_str().unwrap().to_owned();
    (text("access_token"), text("refresh_token"))
}

fn unauthorized(answer: &Answer) {
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{}", answer.body);
    assert_eq!(answer.json(), json!({ "error": "invalid_token" }));
    let challenge = &answer.headers[header::WWW_AUTHENTICATE];
    assert_eq!(challenge, "Bearer error=\"invalid_token\"");
}

fn bad(answer: &Answer) {
    assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{}", answer.body);
    assert_eq!(answer.json()["error"], "invalid_client_metadata");
}

/// Metadata with the `client_id` that a change must have.
fn change(app: &App, more: Value) -> Value {
    let mut body = metadata(more);
    let body_object = body.as_object_mut().unwrap();
    body_object.insert("client_id".to_owned(), json!(app.text("client_id")));
    body
}

#[tokio::test]
async fn rfc_7592_section_2_1_one_answer_for_every_token_that_is_not_good() {
    with_registration(async |world| {
        let (app, other) = (
            App::register(&world, json!({})).await,
            App::register(&world, json!({})).await,
        );
        let body = change(&app, json!({}));
        for method in [Method::GET, Method::PUT, Method::DELETE] {
            let body = (method == Method::PUT).then_some(&body);
            let initial = crate::world::registrar::initial(&world, 1).await;
            let foreign = other.text("registration_access_token");
            for token in [foreign, &initial, &"x".repeat(43), "x"] {
                unauthorized(&app.manage_as(token, method.clone(), body).await);
            }
            // Unknown, configured, and a name that is none: as if they were all one.
            let own = app.text("registration_access_token");
            for id in ["reg-unknown", "shop", "%00", "https:%2F%2Fapp.example%2Fx"] {
                let path = format!("/register/{id}");
                let place = (method.clone(), path.as_str());
                unauthorized(&ask(&world.router(), place, Some(own), body).await);
            }
            let place = (method.clone(), app.text("registration_client_uri"));
            unauthorized(&ask(&world.router(), place, None, body).await);
        }
        assert_eq!(app.manage(Method::GET, None).await.status, StatusCode::OK);
    })
    .await;
}

#[tokio::test]
async fn rfc_7592_an_application_reads_and_changes_its_registration() {
    with_registration(async |world| {
        let app = App::register(&world, json!({})).await;
        let id = app.text("client_id");
        assert_eq!(
            app.text("registration_client_uri"),
            format!("{OP}/register/{id}")
        );
        let read = app.manage(Method::GET, None).await;
        let mut expected = app.told.clone();
        // Nobody here knows it any more.
        for name in ["client_secret", "client_secret_expires_at"] {
            expected.as_object_mut().unwrap().remove(name);
        }
        assert_eq!(read.json(), expected);
        assert_eq!(read.headers[header::CACHE_CONTROL], "no-store");

        let other = "https://app.example/other";
        let body = change(
            &app,
            json!({ "redirect_uris": [other], "client_name": "Renamed" }),
        );
        let changed = app.manage(Method::PUT, Some(&body)).await;
        assert_eq!(changed.status, StatusCode::OK, "{}", changed.body);
        let changed = changed.json();
        assert_eq!(changed["redirect_uris"], json!([other]));
        assert!(changed.get("client_secret").is_none());
        assert_eq!(app.manage(Method::GET, None).await.json(), changed);
        // It holds at once: the old address is none, the secret is the old one.
        let page = world
            .browser()
            .get(&app.rp().authorize("openid", &[]))
            .await;
        page.assert_page(StatusCode::BAD_REQUEST, "a request that we cannot answer");
        let secret = Some(app.text("client_secret"));
        let rp = RelyingParty::new(world.router(), id, secret, other);
        let (_, page) = begin(&mut world.browser(), &rp.authorize("openid", &[])).await;
        assert!(page.body.contains("Renamed"), "{}", page.body);
        assert_eq!(rp.introspect("x").await["active"], false);

        // Without a secret, and with one again: a new one, told once.
        let public = change(&app, json!({ "token_endpoint_auth_method": "none" }));
        let answer = app.manage(Method::PUT, Some(&public)).await.json();
        assert!(answer.get("client_secret").is_none());
        let refused = rp.post("/introspect", &[("token", "x")]).await;
        assert_eq!(refused.json()["error"], "invalid_client");
        let again = change(&app, json!({}));
        let answer = app.manage(Method::PUT, Some(&again)).await.json();
        let fresh = answer["client_secret"].as_str().unwrap();
        assert_ne!(fresh, app.text("client_secret"));
        assert_eq!(answer["client_secret_expires_at"], 0);
    })
    .await;
}

#[tokio::test]
async fn rfc_7592_section_2_2_changes_that_are_none() {
    with_registration(async |world| {
        let app = App::register(&world, json!({})).await;
        let before = app.manage(Method::GET, None).await.json();
        bad(&app.manage(Method::PUT, Some(&metadata(json!({})))).await);
        bad(&app.manage(Method::PUT, Some(&metadata(json!({ "client_id": "shop" })))).await);
        bad(&app.manage(Method::PUT, Some(&json!([]))).await);
        for more in [
            json!({ "registration_access_token": "x" }),
            json!({ "registration_client_uri": "https://app.example" }),
            json!({ "client_id_issued_at": 1 }),
            json!({ "client_secret_expires_at": 0 }),
            json!({ "client_secret": "one-of-my-own-0123456789" }),
            json!({ "client_secret": 7 }),
            json!({ "subject_type": "public" }),
            json!({ "scope": "age" }),
            json!({ "jwks_uri": "https://10.0.0.1/jwks", "token_endpoint_auth_method": "private_key_jwt" }),
        ] {
            let answer = app.manage(Method::PUT, Some(&change(&app, more.clone()))).await;
            // `age` is not allowed, but the query without a scope is.
            match more.get("scope") {
                Some(_) => assert_eq!(answer.json()["scope"], "openid", "{}", answer.body),
                None => bad(&answer),
            }
        }
        let redirect = json!({ "redirect_uris": ["http://app.example/cb"] });
        let answer = app.manage(Method::PUT, Some(&change(&app, redirect))).await;
        assert_eq!(answer.json()["error"], "invalid_redirect_uri");
        let same = json!({ "client_secret": app.text("client_secret") });
        let answer = app.manage(Method::PUT, Some(&change(&app, same))).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
        assert_eq!(answer.json(), before);
    })
    .await;
}

#[tokio::test]
async fn rfc_7592_section_2_3_what_an_application_was_given_ends_with_it() {
    with_registration(async |world| {
        let app = App::register(&world, json!({})).await;
        let kept = App::register(&world, json!({})).await;
        let (rp, other) = (app.rp(), kept.rp());
        let (access, refresh) = stay(&world, &rp).await;
        let (other_access, other_refresh) = stay(&world, &other).await;
        let begun = rp.authorize("openid membership", &[]);
        let mut browser = world.browser();
        let (path, _) = begin(&mut browser, &begun).await;
        assert_eq!(rows(&world, "refresh_grants").await, 2);
        let sessions = rows(&world, "login_sessions").await;

        let answer = app.manage(Method::DELETE, None).await;
        assert_eq!(answer.status, StatusCode::NO_CONTENT, "{}", answer.body);
        for method in [Method::GET, Method::DELETE] {
            unauthorized(&app.manage(method, None).await);
        }
        assert_eq!(rp.userinfo(&access).await.status, StatusCode::UNAUTHORIZED);
        assert_eq!(rp.refresh(&refresh).await.json()["error"], "invalid_client");
        assert_eq!(browser.get(&path).await.status, StatusCode::NOT_FOUND);
        let page = browser.get(&begun).await;
        page.assert_page(StatusCode::BAD_REQUEST, "a request that we cannot answer");
        // The session that went on without a browser is over, and no other one.
        assert_eq!(rows(&world, "login_sessions").await, sessions - 1);
        assert_eq!(rows(&world, "access_tokens").await, 1);
        assert_eq!(other.userinfo(&other_access).await.status, StatusCode::OK);
        assert_eq!(other.refresh(&other_refresh).await.status, StatusCode::OK);
    })
    .await;
}

#[tokio::test]
async fn cat_388_a_stopped_application_stops_with_the_next_request_on_every_process() {
    with_registration(async |world| {
        let app = App::register(&world, json!({})).await;
        let elsewhere = world.another_process().await;
        let here = app.rp();
        let there = app.rp_at(elsewhere.router());
        let (access, refresh) = stay(&world, &here).await;
        assert_eq!(there.userinfo(&access).await.status, StatusCode::OK);
        assert!(elsewhere.disable_client(here.id).await.unwrap());
        for rp in [&here, &there] {
            assert_eq!(rp.userinfo(&access).await.status, StatusCode::UNAUTHORIZED);
            assert_eq!(rp.refresh(&refresh).await.json()["error"], "invalid_client");
            let pushed = rp.pushed("openid membership", &[]).await;
            assert_eq!(pushed.json()["error"], "invalid_client");
            let asked = rp.post("/introspect", &[("token", &access)]).await;
            assert_eq!(asked.json()["error"], "invalid_client");
        }
        let page = world.browser().get(&here.authorize("openid", &[])).await;
        page.assert_page(StatusCode::BAD_REQUEST, "a request that we cannot answer");
        unauthorized(&app.manage(Method::GET, None).await);
        let listed = world.verifier.registered_clients().await.unwrap();
        assert!(listed[0].disabled && listed[0].id == here.id);
        assert_eq!(listed[0].redirect_uris, [CALLBACK]);
        // Nothing of it is removed.
        assert!(world.verifier.enable_client(here.id).await.unwrap());
        for rp in [&here, &there] {
            assert_eq!(rp.userinfo(&access).await.status, StatusCode::OK);
        }
        // Removed, it is over everywhere.
        assert!(elsewhere.remove_client(here.id).await.unwrap());
        assert_eq!(
            here.userinfo(&access).await.status,
            StatusCode::UNAUTHORIZED
        );
        assert!(!world.verifier.remove_client(here.id).await.unwrap());
        for nobody in [here.id, "shop", "shop-api"] {
            assert!(!world.verifier.disable_client(nobody).await.unwrap());
        }
    })
    .await;
}

#[tokio::test]
async fn logout_tokens_reach_registered_applications() {
    with_registration(async |world| {
        let out = "https://app.example/out";
        let app = App::register(&world, json!({ "backchannel_logout_uri": out })).await;
        let silent = App::register(&world, json!({})).await;
        let wallet = world.person("M-1").await;
        let mut browser = world.browser();
        let told = log_in(&mut browser, &wallet, &app.rp(), "openid").await;
        // The session answers for the other one.
        let rp = silent.rp();
        let answer = browser.get(&rp.authorize("openid", &[])).await;
        rp.tokens(&rp.code(&answer)).await;
        let path = format!("/logout?id_token_hint={}", told.id_token);
        assert_eq!(browser.get(&path).await.status, StatusCode::OK);
        world.tick().await;
        let [(address, token)] = world.network.logouts().try_into().unwrap();
        assert_eq!(address, out);
        let claims = app.rp().logout_token(&token).await;
        assert_eq!(claims["sid"], told.sid());
        assert_eq!(
            world.count("SELECT COUNT(*) FROM logout_deliveries").await,
            0
        );
    })
    .await;
}

#[tokio::test]
async fn what_a_registration_demands_is_enforced() {
    with_registration(async |world| {
        let only = json!({
            "require_pushed_authorization_requests": true,
            "dpop_bound_access_tokens": true,
        });
        let app = App::register(&world, only).await;
        let rp = app.rp();
        let answer = world.browser().get(&rp.authorize("openid", &[])).await;
        assert_eq!(rp.error(&answer), "invalid_request");
        let wallet = world.person("M-1").await;
        let address = rp.push("openid", &[]).await;
        let answer = same_device(&mut world.browser(), &wallet, &address).await;
        let answer = rp.redeem(&rp.code(&answer)).await;
        assert_eq!(answer.json()["error"], "invalid_dpop_proof");
    })
    .await;
}

#[tokio::test]
async fn devices_register_where_the_operator_lets_them() {
    let grants = json!({
        "grant_types": [crate::device::GRANT],
        "redirect_uris": [],
        "token_endpoint_auth_method": "none",
    });
    with_registration(async |world| {
        let app = App::register(&world, grants.clone()).await;
        assert_eq!(app.told["response_types"], json!([]));
        let codes = codes(&app.rp(), "openid").await;
        assert_eq!(heard(&app.rp(), &codes).await, "authorization_pending");
        let page = world
            .browser()
            .get(&app.rp().authorize("openid", &[]))
            .await;
        page.assert_page(StatusCode::BAD_REQUEST, "a request that we cannot answer");
        // Any other application gets no codes.
        let app = App::register(&world, json!({})).await;
        let answer = app
            .rp()
            .post("/device_authorization", &[("scope", "openid")])
            .await;
        assert_eq!(answer.json()["error"], "unauthorized_client");
    })
    .await;
    let without = "[registration]\nallowed_scopes = [\"membership\"]\n";
    with_more(without, async |world| {
        let token = crate::world::registrar::initial(&world, 1).await;
        let body = metadata(grants.clone());
        bad(&crate::world::registrar::post(&world, Some(&token), &body).await);
    })
    .await;
}
