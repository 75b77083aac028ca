//! Tokens after they were issued: shown in a form, asked about, given up.

use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use futures::future::join_all;
use serde_json::json;

use crate::world::browser::{Answer, form, send};
use crate::world::rp::{RelyingParty, Tokens};
use crate::world::steps::{log_in, rows, same_device};
use crate::world::{NOW, OP, World, on_each_database, on_sqlite};

const FORM: &str = "application/x-www-form-urlencoded";

async fn user_info(
    world: &World,
    method: Method,
    header: Option<&str>,
    content_type: Option<&str>,
    fields: &[(&str, &str)],
) -> Answer {
    let mut request = Request::builder().method(method).uri("/userinfo");
    if let Some(token) = header {
        request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
    }
    if let Some(kind) = content_type {
        request = request.header(header::CONTENT_TYPE, kind);
    }
    let body = Body::from(form(fields));
    send(&world.router(), request.body(body).unwrap()).await
}

fn challenge(answer: &Answer) -> &str {
    answer.headers[header::WWW_AUTHENTICATE].to_str().unwrap()
}

async fn member(world: &World, rp: &RelyingParty) -> Tokens {
    let wallet = world.person("M-1").await;
    log_in(&mut world.browser(), &wallet, rp, "openid membership").await
}

#[tokio::test]
async fn rfc_6750_section_2_2_user_info_takes_the_token_in_a_form() {
    on_sqlite(async |world| {
        let tokens = member(&world, &world.shop()).await;
        let token = tokens.access_token.as_str();
        let fields = [("access_token", token)];
        let posted = user_info(&world, Method::POST, None, Some(FORM), &fields).await;
        assert_eq!(posted.status, StatusCode::OK);
        assert_eq!(posted.json(), tokens.userinfo);
        let by_header = user_info(&world, Method::POST, Some(token), None, &[]).await;
        assert_eq!(by_header.json(), tokens.userinfo);
        // A form that says something else beside the header.
        let other = [("x", "1")];
        let by_header = user_info(&world, Method::POST, Some(token), Some(FORM), &other).await;
        assert_eq!(by_header.json(), tokens.userinfo);

        // Section 2: never two methods, the same token or not.
        for other in [token, "abc"] {
            let both = user_info(&world, Method::POST, Some(other), Some(FORM), &fields).await;
            assert_eq!(both.status, StatusCode::BAD_REQUEST);
            assert_eq!(challenge(&both), "Bearer error=\"invalid_request\"");
        }
        let twice = [("access_token", token), ("access_token", token)];
        let twice = user_info(&world, Method::POST, None, Some(FORM), &twice).await;
        assert_eq!(twice.status, StatusCode::BAD_REQUEST);
        assert!(challenge(&twice).contains("invalid_request"));
        // Never with GET, nor in another kind of body.
        let none = user_info(&world, Method::GET, None, Some(FORM), &fields).await;
        assert_eq!(none.status, StatusCode::UNAUTHORIZED);
        assert_eq!(challenge(&none), "Bearer");
        let text = user_info(&world, Method::POST, None, Some("text/plain"), &fields).await;
        assert_eq!(challenge(&text), "Bearer");
        // Section 2.3: nor in the address, which logs keep.
        for (address, header) in [("?access_token=x", Some(token)), ("?access_token=x", None)] {
            let mut request = Request::get(format!("/userinfo{address}"));
            if let Some(token) = header {
                request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
            }
            let request = request.body(Body::empty()).unwrap();
            let answer = send(&world.router(), request).await;
            assert_eq!(answer.status, StatusCode::BAD_REQUEST);
            assert!(challenge(&answer).starts_with("Bearer error=\"invalid_request\""));
        }
        let wrong = [("access_token", tokens.id_token.as_str())];
        let wrong = user_info(&world, Method::POST, None, Some(FORM), &wrong).await;
        assert_eq!(wrong.status, StatusCode::UNAUTHORIZED);
        assert!(challenge(&wrong).contains("invalid_token"));
    })
    .await;
}

#[tokio::test]
async fn rfc_7662_an_application_and_its_service_learn_what_a_token_is_good_for() {
    on_each_database(async |world| {
        let tokens = member(&world, &world.shop()).await;
        let expected = json!({
            "active": true,
            "iss": OP,
            "client_id": "shop",
            "sub": tokens.sub(),
            "scope": "openid membership",
            "token_type": "Bearer",
            "iat": NOW.seconds(),
            "exp": NOW.seconds() + 300,
            "auth_time": tokens.claims["auth_time"],
            "acr": tokens.claims["acr"],
            "amr": tokens.claims["amr"],
        });
        for asks in [world.shop(), world.shop_api()] {
            assert_eq!(asks.introspect(&tokens.access_token).await, expected);
        }
        // Nobody else learns whether there is such a token, and nothing else is one.
        let inactive = json!({ "active": false });
        for stranger in [world.cafe(), world.suite()] {
            assert_eq!(stranger.introspect(&tokens.access_token).await, inactive);
        }
        let unknown = "x".repeat(43);
        for other in [tokens.id_token.as_str(), unknown.as_str(), "x"] {
            assert_eq!(world.shop().introspect(other).await, inactive);
        }
        world.clock.advance(301);
        let over = world.shop().introspect(&tokens.access_token).await;
        assert_eq!(over, inactive);
    })
    .await;
}

#[tokio::test]
async fn rfc_7662_section_2_1_who_asks_has_proven_who_they_are() {
    on_sqlite(async |world| {
        let tokens = member(&world, &world.spa()).await;
        let token = tokens.access_token.as_str();
        let wrong = RelyingParty::new(world.router(), "shop-api", Some("wrong"), "");
        let unknown = RelyingParty::new(world.router(), "nobody", Some("wrong"), "");
        for stranger in [wrong, unknown] {
            let answer = stranger.post("/introspect", &[("token", token)]).await;
            assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
            assert_eq!(answer.json(), json!({ "error": "invalid_client" }));
            assert!(answer.headers.contains_key(header::WWW_AUTHENTICATE));
        }
        // A public client proves nothing; the service behind it does.
        let answer = world.spa().post("/introspect", &[("token", token)]).await;
        assert_eq!(answer.json()["error"], "invalid_client");
        assert_eq!(world.shop_api().introspect(token).await["active"], true);
        let answer = world.shop().post("/introspect", &[]).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST);
        assert_eq!(answer.json()["error"], "invalid_request");
        // A resource server gets no tokens of its own.
        let answer = world.shop_api().redeem("x").await;
        assert_eq!(answer.json()["error"], "invalid_client");
        let json = Request::post("/introspect")
            .header(header::CONTENT_TYPE, "application/json")
            .body(Body::from(format!("token={token}")))
            .unwrap();
        let answer = send(&world.router(), json).await;
        assert_eq!(answer.json()["error"], "invalid_request");
    })
    .await;
}

#[tokio::test]
async fn a_session_that_has_ended_takes_its_tokens_along_at_once() {
    on_each_database(async |world| {
        let wallet = world.person("M-1").await;
        let shop = world.shop();
        let mut browser = world.browser();
        let tokens = log_in(&mut browser, &wallet, &shop, "openid membership").await;
        let token = tokens.access_token.as_str();
        assert_eq!(world.shop_api().introspect(token).await["active"], true);
        let hint = form(&[("id_token_hint", &tokens.id_token)]);
        browser.get(&format!("/logout?{hint}")).await;
        let inactive = json!({ "active": false });
        assert_eq!(world.shop_api().introspect(token).await, inactive);

        // A session that is over by its own time, with a token that is not.
        let tokens = log_in(&mut browser, &wallet, &shop, "openid membership").await;
        let token = tokens.access_token.as_str();
        let changed = world.db.write(async |tx| {
            let sql = "UPDATE login_sessions SET expires_at = $1 WHERE ended_at IS NULL";
            vouchsafe_service::execute!(tx, sqlx::query(sql).bind(NOW.seconds()))
        });
        assert_eq!(changed.await.unwrap(), 1);
        assert_eq!(world.shop_api().introspect(token).await, inactive);
        let answer = shop.userinfo(token).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    })
    .await;
}

#[tokio::test]
async fn rfc_7009_an_application_gives_up_a_token_of_its_own() {
    on_each_database(async |world| {
        let (shop, spa) = (world.shop(), world.spa());
        let tokens = member(&world, &shop).await;
        let token = tokens.access_token.as_str();
        // Section 2.1: a token of another client stays, and the client is told.
        for stranger in [world.cafe(), world.spa()] {
            let answer = stranger.revoke(token).await;
            assert_eq!(answer.status, StatusCode::BAD_REQUEST);
            assert_eq!(answer.json()["error"], "invalid_grant");
        }
        let answer = world.shop_api().revoke(token).await;
        assert_eq!(answer.json()["error"], "invalid_client");
        assert_eq!(shop.userinfo(token).await.status, StatusCode::OK);
        assert_eq!(shop.revoke(token).await.status, StatusCode::OK);
        let answer = shop.userinfo(token).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
        assert_eq!(shop.introspect(token).await, json!({ "active": false }));
        assert_eq!(rows(&world, "access_tokens").await, 0);
        // The person stays logged in.
        assert_eq!(rows(&world, "login_sessions").await, 1);
        // Section 2.2: what is unknown or over is as good as revoked.
        for over in [token, "x", tokens.id_token.as_str()] {
            assert_eq!(shop.revoke(over).await.status, StatusCode::OK);
        }
        // A public client too.
        let tokens = member(&world, &spa).await;
        let answer = spa.revoke(&tokens.access_token).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
        let answer = spa.userinfo(&tokens.access_token).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
        let answer = shop.post("/revoke", &[]).await;
        assert_eq!(answer.json()["error"], "invalid_request");
    })
    .await;
}

#[tokio::test]
async fn fifty_times_given_up_at_once_is_given_up() {
    on_each_database(async |world| {
        let shop = world.shop();
        let wallet = world.person("M-1").await;
        let address = shop.authorize("openid age", &[]);
        let answer = same_device(&mut world.browser(), &wallet, &address).await;
        let tokens = shop.tokens(&shop.code(&answer)).await;
        let token = tokens.access_token.as_str();
        let answers = join_all((0..50).map(|_| shop.revoke(token))).await;
        assert!(answers.iter().all(|answer| answer.status == StatusCode::OK));
        assert_eq!(shop.introspect(token).await, json!({ "active": false }));
    })
    .await;
}
