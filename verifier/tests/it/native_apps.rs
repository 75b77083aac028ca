//! Applications in browsers and on the person's own machine.

use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use serde_json::json;

use crate::world::browser::{Answer, send};
use crate::world::registrar::with_more;
use crate::world::rp::RelyingParty;
use crate::world::steps::same_device;
use crate::world::{World, on_sqlite};

async fn call(world: &World, method: Method, path: &str, origin: &str) -> Answer {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header(header::ORIGIN, origin)
        .header(header::ACCESS_CONTROL_REQUEST_METHOD, "POST")
        .body(Body::empty());
    send(&world.router(), request.unwrap()).await
}

fn permitted(answer: &Answer) -> Option<&str> {
    let value = answer.headers.get(header::ACCESS_CONTROL_ALLOW_ORIGIN);
    value.map(|value| value.to_str().unwrap())
}

/// Catalogue 122: who may read what is for everybody, and nothing else without being known.
#[tokio::test]
async fn cat_122_pages_of_known_applications_alone_may_call() {
    on_sqlite(async |world| {
        let (spa, evil) = ("https://spa.example", "https://evil.example");
        for path in ["/token", "/userinfo", "/revoke", "/par"] {
            let asked = call(&world, Method::OPTIONS, path, spa).await;
            assert_eq!(asked.status, StatusCode::NO_CONTENT, "{path}");
            assert_eq!(permitted(&asked), Some(spa), "{path}");
            let allowed = &asked.headers[header::ACCESS_CONTROL_ALLOW_HEADERS];
            assert_eq!(allowed, "Authorization, Content-Type, DPoP");
            let called = call(&world, Method::POST, path, spa).await;
            assert!(called.status.is_client_error(), "{path}");
            assert_eq!(permitted(&called), Some(spa), "{path}");
            let exposed = &called.headers[header::ACCESS_CONTROL_EXPOSE_HEADERS];
            assert_eq!(exposed, "DPoP-Nonce, WWW-Authenticate");
            for origin in [
                evil,
                "null",
                "https://spa.example.evil.example",
                "http://spa.example",
            ] {
                let asked = call(&world, Method::OPTIONS, path, origin).await;
                assert_eq!(asked.status, StatusCode::METHOD_NOT_ALLOWED, "{path}");
                assert_eq!(permitted(&asked), None, "{path} {origin}");
                let called = call(&world, Method::POST, path, origin).await;
                assert_eq!(permitted(&called), None, "{path} {origin}");
                assert!(
                    called
                        .headers
                        .get_all(header::VARY)
                        .iter()
                        .any(|v| v == "Origin")
                );
            }
            // No cookie goes along.
            let credentials = header::ACCESS_CONTROL_ALLOW_CREDENTIALS;
            assert!(asked.headers.get(credentials).is_none());
        }
        for path in ["/.well-known/openid-configuration", "/jwks"] {
            let read = call(&world, Method::GET, path, evil).await;
            assert_eq!((read.status, permitted(&read)), (StatusCode::OK, Some("*")));
        }
        for path in ["/account", "/introspect", "/authorize", "/logout"] {
            let answer = call(&world, Method::POST, path, spa).await;
            assert_eq!(permitted(&answer), None, "{path}");
        }
    })
    .await;
}

const CLI: &str = r#"
[[client]]
id = "cli"
name = "Command line"
redirect_uris = ["http://127.0.0.1/cb"]
scopes = ["age"]
"#;

/// RFC 8252, section 7.3: an application on the person's machine listens where there is room.
#[tokio::test]
async fn rfc_8252_section_7_3_the_port_of_a_loopback_address_is_free() {
    with_more(CLI, async |world| {
        let at = |uri: &'static str| RelyingParty::new(world.router(), "cli", None, uri);
        let shop = at("http://127.0.0.1:51777/cb");
        let wallet = world.person("M-1").await;
        let mut browser = world.browser();
        let address = shop.authorize("openid age", &[]);
        let answer = same_device(&mut browser, &wallet, &address).await;
        assert!(answer.location().starts_with("http://127.0.0.1:51777/cb?"));
        // The code is good where it was sent, and at no other port (RFC 6749, section 4.1.3).
        let code = shop.code(&answer);
        let elsewhere = at("http://127.0.0.1:51778/cb").redeem(&code).await;
        assert_eq!(elsewhere.json()["error"], "invalid_grant");
        let answer = same_device(&mut browser, &wallet, &shop.authorize("openid age", &[])).await;
        shop.tokens(&shop.code(&answer)).await;
        for other in ["http://127.0.0.1:51777/other", "http://localhost:51777/cb"] {
            let answer = browser.get(&at(other).authorize("openid age", &[])).await;
            assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{other}");
        }
        // Who keeps a secret is a server, with a port of its own.
        let secret = Some("shop-secret-0123456789");
        let uri = "http://127.0.0.1:51777/cb";
        let shop = RelyingParty::new(world.router(), "shop", secret, uri);
        let answer = browser.get(&shop.authorize("openid age", &[])).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    })
    .await;
}

/// OpenID Connect Core 1.0, section 5.5.1.1: an essential `acr` is one of the values that were asked for.
#[tokio::test]
async fn an_essential_acr_is_answered_with_a_value_that_was_named() {
    on_sqlite(async |world| {
        let shop = world.shop();
        let wallet = world.person("M-1").await;
        let asked = |values: &[&str]| {
            let acr = json!({ "essential": true, "values": values });
            json!({ "id_token": { "acr": acr } }).to_string()
        };
        let (low, card) = ("urn:vouchsafe:acr:1fa", "urn:vouchsafe:acr:vc");
        for (values, told) in [(&[low][..], low), (&[low, card], card), (&[card], card)] {
            let claims = asked(values);
            let address = shop.authorize("openid age", &[("claims", &claims)]);
            let answer = same_device(&mut world.browser(), &wallet, &address).await;
            let tokens = shop.tokens(&shop.code(&answer)).await;
            assert_eq!(tokens.claims["acr"], told, "{values:?}");
        }
    })
    .await;
}

/// RFC 6749, section 5.2: who sent a header that nobody can read is told the scheme.
#[tokio::test]
async fn an_authorization_header_that_cannot_be_read_gets_a_challenge() {
    on_sqlite(async |world| {
        for value in ["Basic !!!", "Basic YmFzaWM=", "Digest x"] {
            let request = Request::post("/token")
                .header(header::AUTHORIZATION, value)
                .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
                .body(Body::from("grant_type=authorization_code&code=x"));
            let answer = send(&world.router(), request.unwrap()).await;
            assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{value}");
            assert!(
                answer.headers.contains_key(header::WWW_AUTHENTICATE),
                "{value}"
            );
        }
    })
    .await;
}
