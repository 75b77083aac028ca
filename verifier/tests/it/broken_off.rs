//! Logins whose answer was lost on its way: the browser that began one may begin again, and nothing
//! counts twice.

use axum::http::StatusCode;
use url::Url;
use vouchsafe_credentials::time::Clock as _;
use vouchsafe_service::single_use::{self, Kind};

use crate::world::browser::{Answer, Browser};
use crate::world::rp::RelyingParty;
use crate::world::steps::{begin, rows, wallet_link};
use crate::world::wallet::Wallet;
use crate::world::{World, on_each_database, on_sqlite};

const TITLE: &str = "This login has to begin again";

/// A login that was answered: its path, and the way back.
async fn answered(browser: &mut Browser, wallet: &Wallet, shop: &RelyingParty) -> (String, String) {
    let (path, page) = begin(browser, &shop.authorize("openid membership", &[])).await;
    (path, wallet.follow(&wallet_link(&page)).await)
}

/// The page offers to begin again, and that leads to a login.
async fn begins_again(browser: &mut Browser, wallet: &Wallet, shop: &RelyingParty, page: &Answer) {
    let again = page.attribute("id=\"again\"", "href").expect("a link");
    let fresh = browser.get(&again).await.location();
    let page = browser.get(&fresh).await;
    let back = wallet.follow(&wallet_link(&page)).await;
    let code = shop.code(&browser.get(&back).await);
    shop.tokens(&code).await;
}

/// Uses the way back up as a process does that dies right afterwards.
async fn use_up(world: &World, back: &str) {
    let url = Url::parse(back).unwrap();
    let (_, code) = url.query_pairs().next().unwrap();
    let used = single_use::consume_now(&world.db, Kind::ResponseCode, &code, world.clock.now());
    assert!(used.await.unwrap().taken().is_some());
}

#[tokio::test]
async fn a_process_that_dies_on_the_way_back_costs_one_more_try() {
    on_each_database(async |world| {
        let (wallet, shop) = (world.person("M-1").await, world.shop());
        let mut browser = world.browser();
        let (path, back) = answered(&mut browser, &wallet, &shop).await;
        use_up(&world, &back).await;
        // For everybody else there is nothing, and for the browser that began a way on.
        world
            .browser()
            .get(&back)
            .await
            .assert_page(StatusCode::NOT_FOUND, "There is no login here");
        let page = browser.get(&back).await;
        page.assert_page(StatusCode::FORBIDDEN, TITLE);
        begins_again(&mut browser, &wallet, &shop, &page).await;
        // The one that broke off waits until its time is over: no link ends it.
        browser
            .get(&path)
            .await
            .assert_page(StatusCode::OK, "Did no page open?");
        assert_eq!(rows(&world, "subjects").await, 1);
        assert_eq!(rows(&world, "login_sessions").await, 1);
    })
    .await;
}

#[tokio::test]
async fn a_redirect_that_is_lost_costs_one_more_try() {
    on_each_database(async |world| {
        let (wallet, shop) = (world.person("M-1").await, world.shop());
        let mut browser = world.browser();
        let (_, back) = answered(&mut browser, &wallet, &shop).await;
        let lost = shop.code(&browser.get(&back).await);
        let page = browser.get(&back).await;
        page.assert_page(StatusCode::FORBIDDEN, TITLE);
        assert!(!page.body.contains(&lost));
        begins_again(&mut browser, &wallet, &shop, &page).await;
        // The code was never shown to anybody else; where it turns up late it works once.
        shop.tokens(&lost).await;
        assert_eq!(shop.redeem(&lost).await.status, StatusCode::BAD_REQUEST);
    })
    .await;
}

#[tokio::test]
async fn a_wallet_that_hears_nothing_costs_one_more_try() {
    on_each_database(async |world| {
        let (wallet, shop) = (world.person("M-1").await, world.shop());
        let mut browser = world.browser();
        let (path, lost) = answered(&mut browser, &wallet, &shop).await;
        let page = browser.get(&path).await;
        page.assert_page(StatusCode::OK, "Did no page open?");
        begins_again(&mut browser, &wallet, &shop, &page).await;
        assert_eq!(rows(&world, "login_sessions").await, 1);
        // The way back that was lost was ended by no link: where it is found again, it leads on once.
        let code = shop.code(&browser.get(&lost).await);
        shop.tokens(&code).await;
        browser
            .get(&lost)
            .await
            .assert_page(StatusCode::FORBIDDEN, TITLE);
    })
    .await;
}

#[tokio::test]
async fn a_login_that_waits_for_its_number_or_its_wallet_does_not_begin_again() {
    on_sqlite(async |world| {
        let (wallet, shop) = (world.person("M-1").await, world.shop());
        let mut browser = world.browser();
        let (path, _) = begin(&mut browser, &shop.authorize("openid age", &[])).await;
        let again = format!("{path}/again");
        assert_eq!(browser.get(&again).await.location(), path);
        let link = crate::world::steps::qr_link(&mut browser, &path).await;
        let back = wallet.follow(&link).await;
        assert_eq!(browser.get(&again).await.location(), path);
        // Nor does the used way back of a code open it in the browser that shows the code.
        crate::world::steps::shown_number(&mut world.browser(), &back).await;
        browser
            .get(&back)
            .await
            .assert_page(StatusCode::NOT_FOUND, "There is no login here");
    })
    .await;
}

#[tokio::test]
async fn one_pushed_request_brings_one_code_even_where_it_was_lost() {
    on_sqlite(async |world| {
        let (wallet, shop) = (world.person("M-1").await, world.shop());
        let mut browser = world.browser();
        let address = shop.push("openid membership", &[]).await;
        let (path, page) = begin(&mut browser, &address).await;
        let back = wallet.follow(&wallet_link(&page)).await;
        // Not even while the answer waits.
        let again = browser.get(&format!("{path}/again")).await;
        assert_eq!(again.location(), path);
        shop.code(&browser.get(&back).await);
        browser
            .get(&back)
            .await
            .assert_page(StatusCode::NOT_FOUND, "There is no login here");
        let again = browser.get(&format!("{path}/again")).await;
        assert_eq!(again.location(), path);
    })
    .await;
}
