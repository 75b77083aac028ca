//! RP-initiated logout and what follows from it.

use axum::http::{StatusCode, header};
use serde_json::json;
use vouchsafe_service::db::testing;
use vouchsafe_verifier::store::MIGRATIONS;

use crate::world::pki::ClientKey;
use crate::world::rp::RelyingParty;
use crate::world::steps::{log_in, rows};
use crate::world::{NOW, OP, World, on_each_database, on_sqlite};

/// An application that a session answers, and that is told of its end.
const TOLD: &str = r#"
[[client]]
id = "told"
name = "Told"
secret = "told-secret-0123456789"
redirect_uris = ["https://told.example/cb"]
post_logout_redirect_uris = ["https://told.example/bye"]
backchannel_logout_uri = "https://told.example/backchannel"
default_query = "member-login"
"#;

fn address(fields: &[(&str, &str)]) -> String {
    format!("/logout?{}", crate::world::browser::form(fields))
}

#[tokio::test]
async fn with_an_id_token_the_session_ends_everywhere_and_the_person_goes_back() {
    on_each_database(async |world| {
        let wallet = world.person("M-1").await;
        let mut browser = world.browser();
        let shop = log_in(&mut browser, &wallet, &world.shop(), "openid membership").await;
        let cafe = log_in(&mut browser, &wallet, &world.cafe(), "openid membership").await;
        let back = "http://127.0.0.1:9000/bye";
        let fields = [
            ("id_token_hint", shop.id_token.as_str()),
            ("post_logout_redirect_uri", back),
            ("state", "s 1"),
        ];
        let answer = browser.get(&address(&fields)).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER);
        assert_eq!(answer.location(), format!("{back}?state=s+1"));
        assert_eq!(browser.cookie("vs_op_session"), None);
        world.tick().await;
        let mut told: Vec<String> = world
            .network
            .logouts()
            .into_iter()
            .map(|(uri, _)| uri)
            .collect();
        told.sort();
        assert_eq!(
            told,
            [
                "http://127.0.0.1:9000/backchannel",
                "http://127.0.0.2:9001/backchannel"
            ]
        );
        assert_eq!(
            world.shop().userinfo(&shop.access_token).await.status,
            StatusCode::UNAUTHORIZED
        );
        assert_eq!(
            world.cafe().userinfo(&cafe.access_token).await.status,
            StatusCode::UNAUTHORIZED
        );
        // A hint that has expired is still good to log out with, and doing it twice is fine.
        world.clock.advance(3600);
        assert_eq!(
            browser.get(&address(&fields)).await.status,
            StatusCode::SEE_OTHER
        );
    })
    .await;
}

#[tokio::test]
async fn without_an_id_token_the_person_is_asked_first() {
    on_sqlite(async |world| {
        let wallet = world.person("M-1").await;
        let mut browser = world.browser();
        log_in(&mut browser, &wallet, &world.shop(), "openid membership").await;
        let page = browser.get("/logout").await;
        page.assert_page(StatusCode::OK, "Log out?");
        assert_eq!(rows(&world, "login_sessions").await, 1);
        browser
            .post("/logout", &[("confirmation", "x")])
            .await
            .assert_page(StatusCode::BAD_REQUEST, "a request that we cannot answer");
        assert_eq!(rows(&world, "login_sessions").await, 1);
        let confirmation = page.attribute("name=\"confirmation\"", "value").unwrap();
        browser
            .post("/logout", &[("confirmation", &confirmation)])
            .await
            .assert_page(StatusCode::OK, "You are logged out");
        assert_eq!(rows(&world, "login_sessions").await, 0);
        browser
            .get("/logout")
            .await
            .assert_page(StatusCode::OK, "You are logged out");
    })
    .await;
}

#[tokio::test]
async fn cat_367_nobody_is_sent_to_an_address_that_is_not_registered() {
    on_sqlite(async |world| {
        let wallet = world.person("M-1").await;
        let mut browser = world.browser();
        let tokens = log_in(&mut browser, &wallet, &world.shop(), "openid membership").await;
        let hint = tokens.id_token.as_str();
        let header = vouchsafe_credentials::encoding::b64url(br#"{"alg":"none","typ":"JWT"}"#);
        let unsigned = format!("{header}.{}.", hint.split('.').nth(1).unwrap());
        let cut = &hint[..hint.len() - 4];
        // The same claims signed by somebody else, and claims that an application made up.
        let foreign = ClientKey::new().sign(&tokens.claims);
        let made_up = ClientKey::new().sign(&json!({
            "iss": "shop", "sub": "SubjectID", "aud": OP, "nonce": "flibble",
            "iat": NOW.seconds(), "exp": NOW.seconds() + 300,
        }));
        let registered = "http://127.0.0.1:9000/bye";
        let cases: [&[(&str, &str)]; 9] = [
            &[
                ("id_token_hint", hint),
                (
                    "post_logout_redirect_uri",
                    "http://127.0.0.1:9000/bye?foo=bar",
                ),
            ],
            &[
                ("id_token_hint", hint),
                ("post_logout_redirect_uri", "https://evil.example/"),
            ],
            &[
                ("id_token_hint", hint),
                ("post_logout_redirect_uri", "https://suite.example/bye"),
            ],
            &[
                ("id_token_hint", &unsigned),
                ("post_logout_redirect_uri", registered),
            ],
            &[
                ("id_token_hint", cut),
                ("post_logout_redirect_uri", registered),
            ],
            &[
                ("id_token_hint", &foreign),
                ("post_logout_redirect_uri", registered),
            ],
            &[
                ("id_token_hint", &made_up),
                ("post_logout_redirect_uri", registered),
            ],
            &[("post_logout_redirect_uri", registered)],
            &[("id_token_hint", hint), ("client_id", "cafe")],
        ];
        for fields in cases {
            let answer = browser.get(&address(fields)).await;
            answer.assert_page(StatusCode::BAD_REQUEST, "a request that we cannot answer");
            assert!(answer.headers.get(header::LOCATION).is_none());
        }
        assert_eq!(rows(&world, "login_sessions").await, 1);
    })
    .await;
}

/// Back-Channel Logout 1.0, sections 2.4 and 2.5; RP-Initiated Logout 1.0, section 2.
#[tokio::test]
async fn oidf_after_a_logout_the_application_knows_and_nobody_is_let_in_silently() {
    testing::for_each_database(&[MIGRATIONS], async |db| {
        let world = World::with_config(db, |toml| toml + TOLD).await;
        let secret = Some("told-secret-0123456789");
        let rp = RelyingParty::new(world.router(), "told", secret, "https://told.example/cb");
        let wallet = world.person("M-1").await;
        let state = "x".repeat(128);
        for (number, state) in [Some(state.as_str()), None].into_iter().enumerate() {
            let mut browser = world.browser();
            let tokens = log_in(&mut browser, &wallet, &rp, "openid").await;
            let silent = rp.authorize("openid", &[("prompt", "none")]);
            rp.code(&browser.get(&silent).await);

            let back = "https://told.example/bye";
            let mut fields = vec![
                ("id_token_hint", tokens.id_token.as_str()),
                ("post_logout_redirect_uri", back),
            ];
            fields.extend(state.map(|state| ("state", state)));
            let answer = browser.get(&address(&fields)).await;
            assert_eq!(answer.status, StatusCode::SEE_OTHER);
            let expected = match state {
                Some(state) => format!("{back}?state={state}"),
                None => back.to_owned(),
            };
            assert_eq!(answer.location(), expected);

            world.tick().await;
            let logouts = world.network.logouts();
            assert_eq!(logouts.len(), number + 1);
            let (uri, token) = logouts.last().unwrap();
            assert_eq!(uri, "https://told.example/backchannel");
            let claims = rp.logout_token(token).await;
            let mut names: Vec<&String> = claims.as_object().unwrap().keys().collect();
            names.sort();
            // No nonce.
            let known = ["aud", "events", "exp", "iat", "iss", "jti", "sid", "sub"];
            assert_eq!(names, known);
            assert_eq!(
                (&claims["iss"], &claims["aud"]),
                (&json!(OP), &json!("told"))
            );
            assert_eq!(claims["iat"], NOW.seconds());
            assert_eq!(claims["sub"], tokens.sub());
            assert_eq!(claims["sid"], tokens.sid());
            let event = "http://schemas.openid.net/event/backchannel-logout";
            assert_eq!(claims["events"], json!({ event: {} }));

            assert_eq!(rp.error(&browser.get(&silent).await), "login_required");
        }
    })
    .await;
}

/// RP-Initiated Logout 1.0, section 2: nobody goes back who did not say where to.
#[tokio::test]
async fn oidf_pages_after_a_logout_without_an_address() {
    on_sqlite(async |world| {
        let wallet = world.person("M-1").await;
        let shop = world.shop();
        let mut browser = world.browser();
        let tokens = log_in(&mut browser, &wallet, &shop, "openid membership").await;
        let fields = [("id_token_hint", tokens.id_token.as_str()), ("state", "s1")];
        let page = browser.get(&address(&fields)).await;
        page.assert_page(StatusCode::OK, "You are logged out");
        assert!(page.headers.get(header::LOCATION).is_none());
        assert_eq!(rows(&world, "login_sessions").await, 0);

        log_in(&mut browser, &wallet, &shop, "openid membership").await;
        let page = browser.get(&address(&[("state", "s1")])).await;
        page.assert_page(StatusCode::OK, "Log out?");
        let confirmation = page.attribute("name=\"confirmation\"", "value").unwrap();
        let page = browser
            .post("/logout", &[("confirmation", &confirmation)])
            .await;
        page.assert_page(StatusCode::OK, "You are logged out");
        assert!(page.headers.get(header::LOCATION).is_none());
        assert_eq!(rows(&world, "login_sessions").await, 0);
    })
    .await;
}

#[tokio::test]
async fn an_application_that_never_answers_keeps_no_other_from_its_logout_token() {
    on_sqlite(async |world| {
        let wallet = world.person("M-1").await;
        let mut browser = world.browser();
        let shop = log_in(&mut browser, &wallet, &world.shop(), "openid membership").await;
        log_in(&mut browser, &wallet, &world.cafe(), "openid membership").await;
        world.network.silence("http://127.0.0.1:9000/backchannel");
        browser
            .get(&address(&[("id_token_hint", &shop.id_token)]))
            .await;
        let waits = world.tick();
        tokio::pin!(waits);
        let other_is_told = async {
            while world.network.logouts().is_empty() {
                tokio::task::yield_now().await;
            }
        };
        tokio::select! {
            () = &mut waits => panic!("the silent one answered"),
            () = other_is_told => {}
        }
        let told = world.network.logouts();
        assert_eq!(told[0].0, "http://127.0.0.2:9001/backchannel");
    })
    .await;
}
