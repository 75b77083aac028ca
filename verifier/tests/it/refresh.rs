//! Refresh tokens: an application goes on while the person is away, and what ends that.

use axum::http::{StatusCode, header};
use futures::future::join_all;
use serde_json::{Value, json};
use vouchsafe_credentials::status_list::Status;
use vouchsafe_credentials::time::Clock as _;

use crate::world::browser::{Browser, form};
use crate::world::rp::RelyingParty;
use crate::world::steps::{begin, log_in, rows, same_device};
use crate::world::{NOW, World, on_each_database, on_sqlite};

const SCOPE: &str = "openid membership offline_access";

/// Tokens with which an application goes on.
struct Stay {
    access: String,
    refresh: String,
    id_token: String,
    scope: Value,
}

impl Stay {
    fn read(body: &Value) -> Self {
        let text = |name: &str| {
            body[name]
                .as_str()
                .unwrap_or_else(|| panic!("{name}"))
                .to_owned()
        };
        Self {
            access: text("access_token"),
            refresh: text("refresh_token"),
            id_token: text("id_token"),
            scope: body["scope"].clone(),
        }
    }
}

async fn stay_in(browser: &mut Browser, world: &World, rp: &RelyingParty) -> Stay {
    let wallet = world.person("M-1").await;
    let answer = same_device(browser, &wallet, &rp.authorize(SCOPE, &[])).await;
    Stay::read(&rp.redeem(&rp.code(&answer)).await.json())
}

async fn stay(world: &World, rp: &RelyingParty) -> Stay {
    stay_in(&mut world.browser(), world, rp).await
}

async fn next(rp: &RelyingParty, before: &Stay) -> Stay {
    let answer = rp.refresh(&before.refresh).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    // RFC 6749, section 5.1.
    assert_eq!(answer.headers[header::CACHE_CONTROL], "no-store");
    Stay::read(&answer.json())
}

async fn refused(rp: &RelyingParty, token: &str) {
    let answer = rp.refresh(token).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{}", answer.body);
    assert_eq!(answer.json(), json!({ "error": "invalid_grant" }));
}

async fn over(rp: &RelyingParty, stay: &Stay) {
    let answer = rp.userinfo(&stay.access).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    refused(rp, &stay.refresh).await;
}

#[tokio::test]
async fn core_section_12_new_tokens_say_who_it_is_and_nothing_of_the_card() {
    on_each_database(async |world| {
        for rp in [world.shop(), world.spa()] {
            world.issuer.publish(world.clock.now()).await;
            let first = stay(&world, &rp).await;
            assert_eq!(first.scope, SCOPE);
            let told = rp.userinfo(&first.access).await.json();
            assert_eq!(told["membership_tier"], "gold");
            world.clock.advance(1000);
            let second = next(&rp, &first).await;
            assert!(second.refresh != first.refresh && second.access != first.access);
            assert_eq!(second.scope, "openid offline_access");
            assert_eq!(
                rp.userinfo(&second.access).await.json(),
                json!({ "sub": told["sub"] })
            );
            let before = rp.id_token(&first.id_token).await;
            let after = rp.id_token(&second.id_token).await;
            for name in ["iss", "sub", "aud", "auth_time", "sid", "amr", "acr"] {
                assert_eq!(after[name], before[name], "{name}");
            }
            assert_eq!(
                after["iat"].as_i64().unwrap(),
                before["iat"].as_i64().unwrap() + 1000
            );
            assert!(after.get("nonce").is_none());
            assert!(after.get("membership_tier").is_none());
            // And on and on.
            let third = next(&rp, &second).await;
            assert_eq!(
                rp.userinfo(&third.access).await.json(),
                json!({ "sub": told["sub"] })
            );
        }
    })
    .await;
}

#[tokio::test]
async fn cat_371_a_refresh_token_that_comes_twice_ends_its_grant() {
    on_each_database(async |world| {
        let rp = world.spa();
        let first = stay(&world, &rp).await;
        let second = next(&rp, &first).await;
        let third = next(&rp, &second).await;
        let other = stay(&world, &rp).await;
        refused(&rp, &first.refresh).await;
        for dead in [&first, &second, &third] {
            over(&rp, dead).await;
        }
        // What another login brought lives on.
        next(&rp, &other).await;
    })
    .await;
}

#[tokio::test]
async fn cat_371_of_fifty_refreshes_at_once_one_succeeds_and_the_grant_ends() {
    on_each_database(async |world| {
        let shop = world.shop();
        let first = stay(&world, &shop).await;
        let answers = join_all((0..50).map(|_| shop.refresh(&first.refresh))).await;
        let (good, bad): (Vec<_>, Vec<_>) = answers
            .into_iter()
            .partition(|answer| answer.status == StatusCode::OK);
        assert_eq!(good.len(), 1);
        assert!(bad.iter().all(|a| a.json()["error"] == "invalid_grant"));
        over(&shop, &Stay::read(&good[0].json())).await;
    })
    .await;
}

#[tokio::test]
async fn core_section_11_only_who_is_registered_and_asks_gets_one_and_never_for_a_guest() {
    on_sqlite(async |world| {
        let wallet = world.person("M-1").await;
        let shop = world.shop();
        let spa = world.spa();
        let cases = [
            (&shop, "openid membership"),
            (&shop, "openid age offline_access"),
            (&spa, "openid"),
            (&world.cafe(), SCOPE),
        ];
        for (rp, scope) in cases {
            let address = rp.authorize(scope, &[]);
            let answer = same_device(&mut world.browser(), &wallet, &address).await;
            let body = rp.redeem(&rp.code(&answer)).await.json();
            assert!(body.get("refresh_token").is_none(), "{scope}");
            assert!(
                !body["scope"].as_str().unwrap().contains("offline"),
                "{scope}"
            );
        }
        assert_eq!(rows(&world, "refresh_grants").await, 0);
        let answer = world.cafe().refresh(&"x".repeat(43)).await;
        assert_eq!(answer.json()["error"], "unauthorized_client");
        let answer = shop.token(&[("grant_type", "refresh_token")]).await;
        assert_eq!(answer.json()["error"], "invalid_request");
        for unknown in ["x", &"x".repeat(43)] {
            refused(&shop, unknown).await;
        }
    })
    .await;
}

#[tokio::test]
async fn core_section_11_the_person_is_asked_each_time() {
    on_sqlite(async |world| {
        let wallet = world.person("M-1").await;
        let spa = world.spa();
        let mut browser = world.browser();
        log_in(&mut browser, &wallet, &spa, "openid").await;
        // The session would answer without a question.
        spa.code(&browser.get(&spa.authorize("openid", &[])).await);
        let address = spa.authorize("openid offline_access", &[]);
        let (_, page) = begin(&mut browser, &address).await;
        page.assert_page(StatusCode::OK, "for up to 24 days");
        let address = spa.authorize("openid offline_access", &[("prompt", "none")]);
        assert_eq!(spa.error(&browser.get(&address).await), "login_required");
        let (_, page) = begin(&mut browser, &world.shop().authorize("openid age", &[])).await;
        assert!(!page.body.contains("id=\"stays\""));
    })
    .await;
}

#[tokio::test]
async fn a_revoked_card_ends_it_and_the_application_is_told() {
    on_each_database(async |world| {
        let shop = world.shop();
        let mut browser = world.browser();
        let wallet = world.person("M-1").await;
        let address = shop.authorize(SCOPE, &[]);
        let answer = same_device(&mut browser, &wallet, &address).await;
        let first = Stay::read(&shop.redeem(&shop.code(&answer)).await.json());
        let claims = shop.id_token(&first.id_token).await;
        // The person logs out; the application goes on (Back-Channel Logout 1.0, section 2.7).
        let hint = form(&[("id_token_hint", &first.id_token)]);
        browser.get(&format!("/logout?{hint}")).await;
        world.tick().await;
        assert_eq!(world.network.logouts().len(), 1);
        let answer = shop.userinfo(&first.access).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
        let second = next(&shop, &first).await;
        let told = shop.introspect(&second.refresh).await;
        assert_eq!(told["active"], true);
        world.tick().await;

        world.issuer.set(&wallet.cards[1].status, Status::Invalid);
        world.clock.advance(2);
        world.issuer.publish(NOW.plus(2)).await;
        world.tick().await;
        over(&shop, &second).await;
        let inactive = json!({ "active": false });
        for token in [&second.refresh, &second.access] {
            assert_eq!(shop.introspect(token).await, inactive);
        }
        let logouts = world.network.logouts();
        assert_eq!(logouts.len(), 2);
        let told = shop.logout_token(&logouts[1].1).await;
        assert_eq!(
            (&told["sid"], &told["sub"]),
            (&claims["sid"], &claims["sub"])
        );
    })
    .await;
}

#[tokio::test]
async fn a_consent_that_is_withdrawn_ends_it_after_the_logout_too() {
    on_each_database(async |world| {
        let shop = world.shop();
        let mut browser = world.browser();
        let wallet = world.person("M-1").await;
        let (_, page) = begin(&mut browser, &shop.authorize(SCOPE, &[])).await;
        let link = crate::world::steps::wallet_link(&page);
        let answer = wallet.answer(&wallet.open(&link).await).await.json();
        let back = browser.get(answer["redirect_uri"].as_str().unwrap()).await;
        let first = Stay::read(&shop.redeem(&shop.code(&back)).await.json());
        let hint = form(&[("id_token_hint", &first.id_token)]);
        browser.get(&format!("/logout?{hint}")).await;
        let second = next(&shop, &first).await;
        let withdrawn = wallet
            .withdraw(answer["consent_uri"].as_str().unwrap())
            .await;
        assert_eq!(withdrawn.status, StatusCode::NO_CONTENT);
        over(&shop, &second).await;
        assert_eq!(rows(&world, "login_sessions").await, 0);
    })
    .await;
}

#[tokio::test]
async fn the_person_sees_and_ends_it_on_the_account_page() {
    on_sqlite(async |world| {
        let shop = world.shop();
        let mut browser = world.browser();
        let first = stay_in(&mut browser, &world, &shop).await;
        let page = browser.get("/account").await;
        page.assert_page(StatusCode::OK, "An app that goes on while you are away");
        let csrf = page.attribute("name=\"csrf\"", "value").unwrap();
        let row = page
            .body
            .find("An app that goes on while you are away")
            .unwrap();
        let end = page.body[row..].split("action=\"").nth(1).unwrap();
        let end = end.split('"').next().unwrap().replace("&#x2f;", "/");
        browser.post(&end, &[("csrf", &csrf)]).await;
        refused(&shop, &first.refresh).await;
        // The login in this browser goes on.
        assert_eq!(rows(&world, "login_sessions").await, 1);
        let answer = shop.userinfo(&first.access).await;
        assert_eq!(answer.status, StatusCode::OK);
    })
    .await;
}

#[tokio::test]
async fn a_refresh_token_ends_when_it_is_idle_and_after_its_longest_time() {
    on_each_database(async |world| {
        let shop = world.shop();
        let idle = stay(&world, &shop).await;
        let mut used = stay(&world, &shop).await;
        for _ in 0..3 {
            world.clock.advance(599_999);
            used = next(&shop, &used).await;
        }
        over(&shop, &idle).await;
        // 1,799,997 seconds are over, 200,003 of two million are left.
        world.clock.advance(200_002);
        let told = shop.introspect(&used.refresh).await;
        assert_eq!(told["exp"], NOW.seconds() + 2_000_000);
        used = next(&shop, &used).await;
        world.clock.advance(1);
        over(&shop, &used).await;
        world.tick().await;
    })
    .await;
}

#[tokio::test]
async fn rfc_6749_section_6_it_is_of_one_client_and_brings_no_more_than_was_granted() {
    on_sqlite(async |world| {
        let (shop, spa) = (world.shop(), world.spa());
        let first = stay(&world, &shop).await;
        let with = |scope: &'static str| {
            let token = first.refresh.clone();
            let shop = world.shop();
            async move {
                let fields = [
                    ("grant_type", "refresh_token"),
                    ("refresh_token", token.as_str()),
                    ("scope", scope),
                ];
                shop.token(&fields).await
            }
        };
        for more in ["openid age", "openid admin", "membership", "offline_access"] {
            assert_eq!(with(more).await.json()["error"], "invalid_scope", "{more}");
        }
        // Another client, without and with a secret of its own.
        refused(&spa, &first.refresh).await;
        let bare = RelyingParty::new(world.router(), "shop", None, shop.redirect_uri);
        let answer = bare.refresh(&first.refresh).await;
        assert_eq!(answer.json()["error"], "invalid_client");
        // None of that has used it up. The whole scope may be named again, or less of it.
        let answer = with("openid").await;
        assert_eq!(answer.json()["scope"], "openid", "{}", answer.body);
        let second = Stay::read(&answer.json());
        let third = next(&shop, &second).await;
        assert_eq!(third.scope, "openid offline_access");
    })
    .await;
}

#[tokio::test]
async fn cat_358_a_code_that_comes_twice_takes_its_refresh_token_along() {
    on_each_database(async |world| {
        let shop = world.shop();
        let wallet = world.person("M-1").await;
        let address = shop.authorize(SCOPE, &[]);
        let answer = same_device(&mut world.browser(), &wallet, &address).await;
        let code = shop.code(&answer);
        let first = Stay::read(&shop.redeem(&code).await.json());
        let second = next(&shop, &first).await;
        assert_eq!(shop.redeem(&code).await.json()["error"], "invalid_grant");
        over(&shop, &second).await;
    })
    .await;
}

#[tokio::test]
async fn rfc_7009_section_2_1_a_refresh_token_takes_its_access_tokens_along() {
    on_each_database(async |world| {
        let (shop, spa) = (world.shop(), world.spa());
        let first = stay(&world, &shop).await;
        let second = next(&shop, &first).await;
        // Somebody else's: refused, and nothing has changed.
        for token in [&first.refresh, &second.refresh] {
            assert_eq!(spa.revoke(token).await.json()["error"], "invalid_grant");
        }
        let third = next(&shop, &second).await;
        assert_eq!(
            world.cafe().introspect(&third.refresh).await["active"],
            false
        );
        assert_eq!(
            world.shop_api().introspect(&third.refresh).await["active"],
            false
        );
        let told = shop.introspect(&third.refresh).await;
        assert_eq!(told["active"], true);
        // What it brings, which is less than the login was granted.
        assert_eq!(told["scope"], "openid offline_access");
        assert!(told.get("token_type").is_none());
        assert_eq!(shop.revoke(&third.refresh).await.status, StatusCode::OK);
        for dead in [&first, &third] {
            over(&shop, dead).await;
        }
        // The application has done it itself; nobody needs to tell it.
        world.tick().await;
        assert_eq!(world.network.logouts().len(), 0);
        // A token that was exchanged before names the same grant.
        let first = stay(&world, &shop).await;
        let second = next(&shop, &first).await;
        assert_eq!(shop.revoke(&first.refresh).await.status, StatusCode::OK);
        over(&shop, &second).await;
    })
    .await;
}
