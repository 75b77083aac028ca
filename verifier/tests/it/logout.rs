//! RP-initiated logout and what follows from it.

use axum::http::StatusCode;

use crate::world::steps::{log_in, rows};
use crate::world::{on_each_database, on_sqlite};

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
        let registered = "http://127.0.0.1:9000/bye";
        let cases: [&[(&str, &str)]; 7] = [
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
            &[("post_logout_redirect_uri", registered)],
            &[("id_token_hint", hint), ("client_id", "cafe")],
        ];
        for fields in cases {
            browser
                .get(&address(fields))
                .await
                .assert_page(StatusCode::BAD_REQUEST, "a request that we cannot answer");
        }
        assert_eq!(rows(&world, "login_sessions").await, 1);
    })
    .await;
}
