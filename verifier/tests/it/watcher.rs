//! A card that is revoked ends what rests on it.

use axum::http::StatusCode;
use vouchsafe_credentials::status_list::Status;

use crate::world::steps::{begin, log_in, rows, wallet_link};
use crate::world::{on_each_database, on_sqlite};

#[tokio::test]
async fn cat_346_a_revoked_card_ends_the_session_and_the_application_is_told() {
    on_each_database(async |world| {
        let wallet = world.person("M-1").await;
        let mut browser = world.browser();
        let tokens = log_in(&mut browser, &wallet, &world.shop(), "openid membership").await;
        world.tick().await;
        assert_eq!(rows(&world, "login_sessions").await, 1);

        world.issuer.set(&wallet.cards[1].status, Status::Invalid);
        world.clock.advance(2);
        world.issuer.publish(crate::world::NOW.plus(2)).await;
        world.tick().await;

        assert_eq!(rows(&world, "login_sessions").await, 0);
        assert_eq!(
            world.shop().userinfo(&tokens.access_token).await.status,
            StatusCode::UNAUTHORIZED
        );
        browser
            .get("/account")
            .await
            .assert_page(StatusCode::OK, "You are not logged in here");
        let logouts = world.network.logouts();
        assert_eq!(logouts.len(), 1);
        assert_eq!(logouts[0].0, "http://127.0.0.1:9000/backchannel");
        let claims = world.shop().logout_token(&logouts[0].1).await;
        assert_eq!(claims["sid"], tokens.sid());
        assert_eq!(claims["sub"], tokens.sub());
        assert!(
            claims["events"]
                .get("http://schemas.openid.net/event/backchannel-logout")
                .is_some()
        );
        assert!(claims.get("nonce").is_none());
        // And it is not told again.
        world.clock.advance(10);
        world.tick().await;
        assert_eq!(world.network.logouts().len(), 1);
        // The next login is refused.
        let page = same_device_refused(&world, &wallet).await;
        page.assert_page(StatusCode::FORBIDDEN, "This card is no longer valid");
    })
    .await;
}

#[tokio::test]
async fn a_suspended_card_ends_the_session_too() {
    on_sqlite(async |world| {
        let wallet = world.person("M-1").await;
        log_in(
            &mut world.browser(),
            &wallet,
            &world.shop(),
            "openid membership",
        )
        .await;
        world.issuer.set(&wallet.cards[1].status, Status::Suspended);
        world.clock.advance(2);
        world.issuer.publish(crate::world::NOW.plus(2)).await;
        world.tick().await;
        assert_eq!(rows(&world, "login_sessions").await, 0);
        let page = same_device_refused(&world, &wallet).await;
        page.assert_page(StatusCode::FORBIDDEN, "This card is paused");
    })
    .await;
}

#[tokio::test]
async fn a_guest_session_is_watched_as_well() {
    on_sqlite(async |world| {
        let wallet = world.person("M-1").await;
        log_in(&mut world.browser(), &wallet, &world.shop(), "openid age").await;
        world.issuer.set(&wallet.cards[0].status, Status::Invalid);
        world.clock.advance(2);
        world.issuer.publish(crate::world::NOW.plus(2)).await;
        world.tick().await;
        assert_eq!(world.network.logouts().len(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_login_fails_closed_when_the_status_cannot_be_asked() {
    on_sqlite(async |world| {
        let wallet = world.person("M-1").await;
        world.network.set_down(true);
        let page = same_device_ended(&world, &wallet, "temporarily_unavailable").await;
        page.assert_page(
            StatusCode::FORBIDDEN,
            "We cannot ask whether the card is still valid",
        );
    })
    .await;
}

#[tokio::test]
async fn an_older_list_than_one_seen_before_does_not_bring_a_card_back() {
    on_sqlite(async |world| {
        let wallet = world.person("M-1").await;
        log_in(
            &mut world.browser(),
            &wallet,
            &world.shop(),
            "openid membership",
        )
        .await;
        world.issuer.set(&wallet.cards[1].status, Status::Invalid);
        world.clock.advance(10);
        world.issuer.publish(crate::world::NOW.plus(10)).await;
        world.tick().await;
        // Whoever serves the list goes back to an older one on which the card was good.
        world.issuer.set(&wallet.cards[1].status, Status::Valid);
        world.issuer.publish(crate::world::NOW.plus(5)).await;
        world.clock.advance(10);
        let page = same_device_refused(&world, &wallet).await;
        page.assert_page(
            StatusCode::FORBIDDEN,
            "We cannot ask whether the card is still valid",
        );
    })
    .await;
}

#[tokio::test]
async fn not_knowing_has_a_limit_for_live_sessions() {
    on_sqlite(async |world| {
        let wallet = world.person("M-1").await;
        log_in(
            &mut world.browser(),
            &wallet,
            &world.shop(),
            "openid membership",
        )
        .await;
        world.network.set_down(true);
        world.clock.advance(590);
        world.tick().await;
        assert_eq!(rows(&world, "login_sessions").await, 1);
        world.clock.advance(20);
        world.tick().await;
        assert_eq!(rows(&world, "login_sessions").await, 0);
    })
    .await;
}

#[tokio::test]
async fn cat_463_one_list_is_fetched_once_for_many_sessions() {
    on_sqlite(async |world| {
        for name in ["M-1", "M-2", "M-3"] {
            log_in(
                &mut world.browser(),
                &world.person(name).await,
                &world.shop(),
                "openid membership",
            )
            .await;
        }
        let before = world.network.fetches();
        world.clock.advance(5);
        world.tick().await;
        assert_eq!(world.network.fetches(), before + 1);
    })
    .await;
}

#[tokio::test]
async fn a_logout_token_that_is_not_taken_comes_again() {
    on_each_database(async |world| {
        let wallet = world.person("M-1").await;
        log_in(
            &mut world.browser(),
            &wallet,
            &world.shop(),
            "openid membership",
        )
        .await;
        world.network.refuse_logouts(2);
        world.issuer.set(&wallet.cards[1].status, Status::Invalid);
        world.clock.advance(2);
        world.issuer.publish(crate::world::NOW.plus(2)).await;
        world.tick().await;
        assert_eq!(world.network.logouts().len(), 0);
        world.clock.advance(1);
        world.tick().await;
        assert_eq!(world.network.logouts().len(), 0);
        world.clock.advance(2);
        world.tick().await;
        assert_eq!(world.network.logouts().len(), 1);
    })
    .await;
}

/// A login whose card is refused: the wallet gets 400, the browser the page, the application
/// `access_denied`.
async fn same_device_refused(
    world: &crate::world::World,
    wallet: &crate::world::wallet::Wallet,
) -> crate::world::browser::Answer {
    same_device_ended(world, wallet, "access_denied").await
}

/// The same with what the application is told.
async fn same_device_ended(
    world: &crate::world::World,
    wallet: &crate::world::wallet::Wallet,
    told: &str,
) -> crate::world::browser::Answer {
    let mut browser = world.browser();
    let (path, page) = begin(
        &mut browser,
        &world.shop().authorize("openid membership", &[]),
    )
    .await;
    let answer = wallet.answer(&wallet.open(&wallet_link(&page)).await).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{}", answer.body);
    assert_eq!(answer.json()["error"], "access_denied");
    let back = answer.json()["redirect_uri"].as_str().unwrap().to_owned();
    let page = browser.get(&back).await;
    assert_eq!(
        world
            .shop()
            .error(&browser.get(&format!("{path}/leave")).await),
        told
    );
    page
}
