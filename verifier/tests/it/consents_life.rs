//! What becomes of a consent: withdrawn, run out, forgotten. Nothing that rests on it goes on.

use axum::http::StatusCode;
use futures::future::join;
use serde_json::{Value, json};
use vouchsafe_service::audit;

use crate::consents::{receipt, with};
use crate::verification_webhooks::{SECRET, System};
use crate::world::browser::Browser;
use crate::world::rp::RelyingParty;
use crate::world::steps::{begin, log_in, rows, same_device, wallet_link};
use crate::world::{NOW, World, on_each_database};

const DAY: i64 = 86_400;
const SCOPE: &str = "openid membership offline_access";

async fn withdraw(browser: &mut Browser) {
    let page = browser.get("/account").await;
    let csrf = page.attribute("name=\"csrf\"", "value").unwrap();
    let action = page.attribute("&#x2f;withdraw", "action").unwrap();
    let answer = browser.post(&action, &[("csrf", &csrf)]).await;
    assert_eq!(answer.location(), "/account");
}

async fn stay(browser: &mut Browser, world: &World) -> Value {
    let wallet = world.person("M-1").await;
    let answer = same_device(browser, &wallet, &world.shop().authorize(SCOPE, &[])).await;
    world
        .shop()
        .redeem(&world.shop().code(&answer))
        .await
        .json()
}

async fn silent(browser: &mut Browser, shop: &RelyingParty) -> String {
    let answer = browser
        .get(&shop.authorize("openid membership", &[("prompt", "none")]))
        .await;
    shop.error(&answer)
}

#[tokio::test]
async fn after_a_withdrawal_userinfo_tells_nothing() {
    on_each_database(async |world| {
        let mut browser = world.browser();
        let tokens = stay(&mut browser, &world).await;
        let access = tokens["access_token"].as_str().unwrap();
        assert_eq!(
            world.shop().userinfo(access).await.json()["membership_tier"],
            "gold"
        );
        withdraw(&mut browser).await;
        assert_eq!(
            world.shop().userinfo(access).await.status,
            StatusCode::UNAUTHORIZED
        );
    })
    .await;
}

#[tokio::test]
async fn after_a_withdrawal_no_token_is_refreshed() {
    on_each_database(async |world| {
        let mut browser = world.browser();
        let tokens = stay(&mut browser, &world).await;
        withdraw(&mut browser).await;
        let answer = world
            .shop()
            .refresh(tokens["refresh_token"].as_str().unwrap())
            .await;
        assert_eq!(answer.json(), json!({ "error": "invalid_grant" }));
    })
    .await;
}

#[tokio::test]
async fn after_a_withdrawal_introspection_knows_no_token() {
    on_each_database(async |world| {
        let mut browser = world.browser();
        let tokens = stay(&mut browser, &world).await;
        let access = tokens["access_token"].as_str().unwrap();
        assert_eq!(world.shop_api().introspect(access).await["active"], true);
        withdraw(&mut browser).await;
        assert_eq!(
            world.shop_api().introspect(access).await,
            json!({ "active": false })
        );
    })
    .await;
}

#[tokio::test]
async fn after_a_withdrawal_no_code_is_redeemed_and_the_next_login_asks() {
    on_each_database(async |world| {
        let wallet = world.person("M-1").await;
        let mut browser = world.browser();
        let address = world.shop().authorize("openid membership", &[]);
        let answer = same_device(&mut browser, &wallet, &address).await;
        let code = world.shop().code(&answer);
        withdraw(&mut browser).await;
        assert_eq!(
            world.shop().redeem(&code).await.json()["error"],
            "invalid_grant"
        );
        assert_eq!(silent(&mut browser, &world.shop()).await, "login_required");
        // Asked again, and given again: another consent.
        log_in(&mut browser, &wallet, &world.shop(), "openid membership").await;
        assert_eq!(rows(&world, "consents").await, 1);
        browser
            .get("/account")
            .await
            .assert_page(StatusCode::OK, "Withdrawn on");
    })
    .await;
}

/// The wallet of the first login holds the address of a consent that another one replaced.
#[tokio::test]
async fn withdrawing_what_was_replaced_withdraws_what_replaced_it_in_every_browser() {
    on_each_database(async |world| {
        let wallet = world.person("M-1").await;
        let (mut one, mut two) = (world.browser(), world.browser());
        let (_, page) = begin(&mut one, &world.shop().authorize("openid membership", &[])).await;
        let answer = wallet
            .answer(&wallet.open(&wallet_link(&page)).await)
            .await
            .json();
        let back = one.get(answer["redirect_uri"].as_str().unwrap()).await;
        let first = world.shop().tokens(&world.shop().code(&back)).await;
        world.clock.advance(5);
        let second = log_in(&mut two, &wallet, &world.shop(), "openid membership").await;
        let elsewhere = log_in(
            &mut world.browser(),
            &wallet,
            &world.cafe(),
            "openid membership",
        )
        .await;
        let withdrawn = wallet
            .withdraw(answer["consent_uri"].as_str().unwrap())
            .await;
        assert_eq!(withdrawn.status, StatusCode::NO_CONTENT);
        for tokens in [&first, &second] {
            let answer = world.shop().userinfo(&tokens.access_token).await;
            assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
        }
        // What was agreed to with others goes on.
        assert_eq!(
            world.cafe().userinfo(&elsewhere.access_token).await.status,
            StatusCode::OK
        );
    })
    .await;
}

#[tokio::test]
async fn a_withdrawal_is_told_once_and_is_in_the_history_and_the_audit_log() {
    let system = System::default();
    let hook = format!(
        "webhook = {{ url = \"{}\", secret = \"{SECRET}\" }}",
        system.listen().await
    );
    with(&hook, async |world| {
        let wallet = world.person("M-1").await;
        let mut browser = world.browser();
        let tokens = log_in(&mut browser, &wallet, &world.shop(), "openid membership").await;
        assert_eq!(system.told(&world).await, Vec::<Value>::new());
        let page = browser.get("/account").await;
        let csrf = page.attribute("name=\"csrf\"", "value").unwrap();
        let action = page.attribute("&#x2f;withdraw", "action").unwrap();
        browser.post(&action, &[("csrf", &csrf)]).await;
        // The session is over with it; in another one the same button does nothing more.
        world.clock.advance(5);
        let mut again = world.browser();
        log_in(&mut again, &wallet, &world.cafe(), "openid membership").await;
        let csrf = again
            .get("/account")
            .await
            .attribute("name=\"csrf\"", "value")
            .unwrap();
        again.post(&action, &[("csrf", &csrf)]).await;
        let told = system.told(&world).await;
        assert_eq!(told.len(), 1, "{told:?}");
        assert_eq!(told[0]["type"], "consent.withdrawn");
        assert_eq!(told[0]["data"]["sub"], tokens.sub());
        assert_eq!(told[0]["data"]["client_id"], "shop");
        let id = told[0]["data"]["consent_id"].as_str().unwrap();
        assert!(action.contains(id));
        let receipt = again
            .get(&format!("/account/consents/{id}/receipt"))
            .await
            .json();
        let events = receipt["dpv:hasRecordOfActivity"]["dpv:hasConsentStatus"]
            .as_array()
            .unwrap();
        let names: Vec<_> = events.iter().map(|event| &event["@type"][0]).collect();
        assert_eq!(names, ["dpv:ConsentGiven", "dpv:ConsentWithdrawn"]);
        let log = audit::page(&world.db, None, None, 10).await.unwrap();
        let text = format!("{log:?}");
        assert_eq!(text.matches("consent.withdraw").count(), 1, "{text}");
        assert!(text.contains(id) && !text.contains("gold"));
    })
    .await;
}

/// Whoever is faster: once it is withdrawn, nothing that the login brought is good.
#[tokio::test]
async fn a_withdrawal_and_the_end_of_its_login_at_once_leave_nothing() {
    on_each_database(async |world| {
        let wallet = world.person("M-1").await;
        for round in 0..12 {
            let mut browser = world.browser();
            let (_, page) = begin(&mut browser, &world.shop().authorize(SCOPE, &[])).await;
            let answer = wallet
                .answer(&wallet.open(&wallet_link(&page)).await)
                .await
                .json();
            let consent = answer["consent_uri"].as_str().unwrap().to_owned();
            let login = async {
                let back = browser.get(answer["redirect_uri"].as_str().unwrap()).await;
                if back.status != StatusCode::SEE_OTHER {
                    return None;
                }
                let redeemed = world.shop().redeem(&world.shop().code(&back)).await;
                (redeemed.status == StatusCode::OK).then(|| redeemed.json())
            };
            let take_back = async {
                if round % 2 == 1 {
                    tokio::task::yield_now().await;
                }
                wallet.withdraw(&consent).await.status
            };
            let (tokens, withdrawn) = join(login, take_back).await;
            assert_eq!(withdrawn, StatusCode::NO_CONTENT);
            if let Some(tokens) = tokens {
                let access = tokens["access_token"].as_str().unwrap();
                assert_eq!(
                    world.shop().userinfo(access).await.status,
                    StatusCode::UNAUTHORIZED
                );
                let refresh = tokens["refresh_token"].as_str().unwrap();
                assert_eq!(
                    world.shop().refresh(refresh).await.status,
                    StatusCode::BAD_REQUEST
                );
            }
            assert_eq!(rows(&world, "login_sessions").await, 0, "round {round}");
            assert_eq!(rows(&world, "consents").await, 0);
        }
    })
    .await;
}

/// Many logins of one person and many withdrawals wait for each other and not for ever.
#[tokio::test]
async fn logins_and_withdrawals_of_one_person_do_not_lock_each_other_out() {
    on_each_database(async |world| {
        let wallet = world.person("M-1").await;
        let rounds = (0..10).map(|_| async {
            let mut browser = world.browser();
            let (_, page) = begin(
                &mut browser,
                &world.shop().authorize("openid membership", &[]),
            )
            .await;
            let answer = wallet
                .answer(&wallet.open(&wallet_link(&page)).await)
                .await
                .json();
            let back = browser.get(answer["redirect_uri"].as_str().unwrap()).await;
            assert!(!back.status.is_server_error(), "{}", back.body);
            let status = wallet
                .withdraw(answer["consent_uri"].as_str().unwrap())
                .await
                .status;
            assert_eq!(status, StatusCode::NO_CONTENT);
        });
        futures::future::join_all(rounds).await;
        assert_eq!(rows(&world, "login_sessions").await, 0);
    })
    .await;
}

#[tokio::test]
async fn a_consent_runs_out_with_what_rests_on_it_and_is_asked_again() {
    with("expires_days = 2", async |world| {
        let mut browser = world.browser();
        let tokens = stay(&mut browser, &world).await;
        world.clock.advance(2 * DAY - 10);
        let refreshed = world
            .shop()
            .refresh(tokens["refresh_token"].as_str().unwrap())
            .await;
        assert_eq!(refreshed.status, StatusCode::OK, "{}", refreshed.body);
        let tokens = refreshed.json();
        world.clock.advance(20);
        let refresh = tokens["refresh_token"].as_str().unwrap();
        assert_eq!(
            world.shop().refresh(refresh).await.json()["error"],
            "invalid_grant"
        );
        let access = tokens["access_token"].as_str().unwrap();
        assert_eq!(
            world.shop().userinfo(access).await.status,
            StatusCode::UNAUTHORIZED
        );
        assert_eq!(silent(&mut browser, &world.shop()).await, "login_required");
        world.tick().await;
        world.issuer.publish(NOW.plus(2 * DAY + 10)).await;
        let wallet = world.person("M-1").await;
        let address = world.shop().authorize("openid membership", &[]);
        let answer = same_device(&mut browser, &wallet, &address).await;
        world.shop().code(&answer);
        browser
            .get("/account")
            .await
            .assert_page(StatusCode::OK, "Ran out on");
        let all = browser.get("/account/consents.json").await.body;
        assert_eq!(all.matches("dpv:ConsentExpired").count(), 1);
        let log = audit::page(&world.db, None, None, 10).await.unwrap();
        assert!(format!("{log:?}").contains("consent.expire"));
    })
    .await;
}

#[tokio::test]
async fn a_consent_that_is_over_is_forgotten_after_its_time_and_one_that_holds_is_not() {
    on_each_database(async |world| {
        let wallet = world.person("M-1").await;
        let mut browser = world.browser();
        log_in(&mut browser, &wallet, &world.shop(), "openid membership").await;
        withdraw(&mut browser).await;
        log_in(&mut browser, &wallet, &world.cafe(), "openid membership").await;
        let all = "SELECT COUNT(*) FROM consents";
        let events = "SELECT COUNT(*) FROM consent_events";
        world.clock.advance(364 * DAY);
        world.tick().await;
        assert_eq!((world.count(all).await, world.count(events).await), (2, 3));
        world.clock.advance(2 * DAY);
        world.tick().await;
        assert_eq!((world.count(all).await, world.count(events).await), (1, 1));
    })
    .await;
}

#[tokio::test]
async fn what_guests_agreed_to_is_forgotten_too() {
    on_each_database(async |world| {
        let wallet = world.person("M-1").await;
        log_in(&mut world.browser(), &wallet, &world.shop(), "openid age").await;
        world.clock.advance(366 * DAY);
        world.tick().await;
        assert_eq!(world.count("SELECT COUNT(*) FROM consents").await, 0);
    })
    .await;
}

#[tokio::test]
async fn a_consent_of_an_earlier_version_can_be_withdrawn_and_has_no_receipt() {
    on_each_database(async |world| {
        let wallet = world.person("M-1").await;
        let mut browser = world.browser();
        log_in(&mut browser, &wallet, &world.shop(), "openid membership").await;
        assert_eq!(receipt(&mut browser).await.status, StatusCode::OK);
        world
            .execute("UPDATE consents SET record = NULL, about = NULL, notice_hash = NULL")
            .await;
        let page = browser.get("/account").await;
        assert!(!page.body.contains("&#x2f;receipt"));
        withdraw(&mut browser).await;
        assert_eq!(rows(&world, "consents").await, 0);
    })
    .await;
}

#[tokio::test]
async fn a_consent_of_somebody_else_is_not_tied_to_the_account() {
    on_each_database(async |world| {
        let wallet = world.person("M-1").await;
        let mut browser = world.browser();
        let address = world.shop().authorize("openid membership", &[]);
        let (_, page) = begin(&mut browser, &address).await;
        let asked_for = wallet.open(&wallet_link(&page)).await;
        let answer = wallet.answer(&asked_for).await.json();
        world
            .execute("UPDATE consents SET subject_id = 'somebody'")
            .await;
        let back = browser.get(answer["redirect_uri"].as_str().unwrap()).await;
        assert_ne!(back.status, StatusCode::SEE_OTHER);
        assert_eq!(rows(&world, "login_sessions").await, 0);
        let theirs = "SELECT COUNT(*) FROM consents WHERE subject_id = 'somebody'";
        assert_eq!(world.count(theirs).await, 1);
    })
    .await;
}

const HOLD: &str = "SELECT COUNT(*) FROM consents WHERE over_at IS NULL";

#[tokio::test]
async fn a_narrower_consent_leaves_the_wider_one_and_a_withdrawal_ends_both() {
    on_each_database(async |world| {
        let tokens = stay(&mut world.browser(), &world).await;
        world.clock.advance(5);
        let wallet = world.person("M-1").await;
        let mut two = world.browser();
        log_in(&mut two, &wallet, &world.shop(), "openid membership").await;
        assert_eq!(world.count(HOLD).await, 2);
        withdraw(&mut two).await;
        assert_eq!(world.count(HOLD).await, 0);
        let withdrawn = "SELECT COUNT(*) FROM consent_events WHERE state = 'withdrawn'";
        assert_eq!(world.count(withdrawn).await, 2);
        let refresh = tokens["refresh_token"].as_str().unwrap();
        let answer = world.shop().refresh(refresh).await;
        assert_eq!(answer.json()["error"], "invalid_grant");
        // A wider one takes the place of a narrower one.
        log_in(&mut two, &wallet, &world.shop(), "openid membership").await;
        stay(&mut world.browser(), &world).await;
        assert_eq!(world.count(HOLD).await, 1);
    })
    .await;
}

#[tokio::test]
async fn a_consent_that_runs_out_leaves_what_rests_on_another_one() {
    on_each_database(async |world| {
        stay(&mut world.browser(), &world).await;
        world.clock.advance(5);
        let wallet = world.person("M-1").await;
        let mut two = world.browser();
        log_in(&mut two, &wallet, &world.shop(), "openid membership").await;
        world
            .execute("UPDATE consents SET expires_at = 1 WHERE offline = TRUE")
            .await;
        world.tick().await;
        assert_eq!(world.count(HOLD).await, 1);
        assert_eq!(rows(&world, "login_sessions").await, 1);
        let page = two.get("/account").await;
        page.assert_page(StatusCode::OK, "Ran out on");
    })
    .await;
}
