//! Who is who.

use axum::http::StatusCode;
use vouchsafe_credentials::testing::SeededRng;

use crate::world::issuer::TestIssuer;
use crate::world::steps::{log_in, rows, same_device};
use crate::world::{on_each_database, on_sqlite};

#[tokio::test]
async fn two_logins_of_one_card_are_one_person() {
    on_each_database(async |world| {
        let wallet = world.person("M-1").await;
        let first = log_in(
            &mut world.browser(),
            &wallet,
            &world.shop(),
            "openid membership",
        )
        .await;
        let second = log_in(
            &mut world.browser(),
            &wallet,
            &world.shop(),
            "openid membership",
        )
        .await;
        assert_eq!(first.sub(), second.sub());
        assert_ne!(first.sid(), second.sid());
        assert_eq!(rows(&world, "subjects").await, 1);
    })
    .await;
}

#[tokio::test]
async fn cat_382_two_sectors_see_two_people() {
    on_each_database(async |world| {
        let wallet = world.person("M-1").await;
        let shop = log_in(
            &mut world.browser(),
            &wallet,
            &world.shop(),
            "openid membership",
        )
        .await;
        let cafe = log_in(
            &mut world.browser(),
            &wallet,
            &world.cafe(),
            "openid membership",
        )
        .await;
        assert_ne!(shop.sub(), cafe.sub());
        assert_eq!(rows(&world, "subjects").await, 1);
    })
    .await;
}

#[tokio::test]
async fn a_reissued_card_with_a_new_key_is_the_same_person() {
    on_each_database(async |world| {
        let old = world.person("M-1").await;
        let first = log_in(
            &mut world.browser(),
            &old,
            &world.shop(),
            "openid membership",
        )
        .await;
        // A new phone: new key, new card, and meanwhile the issuer has a new certificate too.
        let renewed = TestIssuer::new(
            &world.pki.issuer.renewed("The Club"),
            "https://club.example",
            world.network.clone(),
        );
        let mut new = world.wallet();
        new.receive_membership_of(&world, &renewed, "M-1").await;
        assert_ne!(
            old.cards[1].credential.registered().holder_key,
            new.cards[0].credential.registered().holder_key
        );
        let second = log_in(
            &mut world.browser(),
            &new,
            &world.shop(),
            "openid membership",
        )
        .await;
        assert_eq!(first.sub(), second.sub());
    })
    .await;
}

#[tokio::test]
async fn people_with_equal_attributes_are_different_people() {
    on_sqlite(async |world| {
        let one = log_in(
            &mut world.browser(),
            &world.person("M-1").await,
            &world.shop(),
            "openid membership",
        )
        .await;
        let two = log_in(
            &mut world.browser(),
            &world.person("M-2").await,
            &world.shop(),
            "openid membership",
        )
        .await;
        assert_eq!(
            one.userinfo["membership_tier"],
            two.userinfo["membership_tier"]
        );
        assert_ne!(one.sub(), two.sub());
    })
    .await;
}

#[tokio::test]
async fn cat_343_385_the_same_number_from_another_issuer_is_another_person() {
    on_each_database(async |world| {
        let ours = log_in(
            &mut world.browser(),
            &world.person("M-1").await,
            &world.shop(),
            "openid membership",
        )
        .await;
        let mut rival = world.wallet();
        rival
            .receive_membership_of(&world, &world.other_issuer, "M-1")
            .await;
        let theirs = log_in(
            &mut world.browser(),
            &rival,
            &world.shop(),
            "openid membership",
        )
        .await;
        assert_ne!(ours.sub(), theirs.sub());
        assert_eq!(rows(&world, "subjects").await, 2);
    })
    .await;
}

#[tokio::test]
async fn guests_are_somebody_else_each_time() {
    on_sqlite(async |world| {
        let wallet = world.person("M-1").await;
        let mut browser = world.browser();
        let first = log_in(&mut browser, &wallet, &world.shop(), "openid age").await;
        let second = log_in(&mut browser, &wallet, &world.shop(), "openid age").await;
        assert_ne!(first.sub(), second.sub());
        assert_eq!(browser.cookie("vs_op_session"), None);
        assert_eq!(rows(&world, "subjects").await, 0);
    })
    .await;
}

#[tokio::test]
async fn another_account_in_the_same_browser_is_an_error_and_no_switch() {
    on_each_database(async |world| {
        let mut browser = world.browser();
        let first = log_in(
            &mut browser,
            &world.person("M-1").await,
            &world.shop(),
            "openid membership",
        )
        .await;
        let other = world.person("M-2").await;
        let page = same_device(
            &mut browser,
            &other,
            &world.shop().authorize("openid membership", &[]),
        )
        .await;
        page.assert_page(
            StatusCode::FORBIDDEN,
            "This card belongs to another account",
        );
        // The first session is as it was, and no account was made for the second card.
        assert_eq!(
            world.shop().userinfo(&first.access_token).await.status,
            StatusCode::OK
        );
        assert_eq!(rows(&world, "subjects").await, 1);
        // Only when the application asks for it, accounts change, and the old session ends.
        let address = world
            .shop()
            .authorize("openid membership", &[("prompt", "select_account")]);
        let answer = same_device(&mut browser, &other, &address).await;
        let second = world.shop().tokens(&world.shop().code(&answer)).await;
        assert_ne!(first.sub(), second.sub());
        assert_eq!(
            world.shop().userinfo(&first.access_token).await.status,
            StatusCode::UNAUTHORIZED
        );
        world.tick().await;
        assert_eq!(world.network.logouts().len(), 1);
    })
    .await;
}

#[tokio::test]
async fn cat_365_the_session_cookie_changes_at_every_login_and_the_sid_stays() {
    on_each_database(async |world| {
        let wallet = world.person("M-1").await;
        let mut browser = world.browser();
        // A planted cookie becomes nobody's session.
        let planted = vouchsafe_credentials::random::token(&SeededRng::new(99));
        browser.set_cookie("vs_op_session", &planted);
        let first = log_in(&mut browser, &wallet, &world.shop(), "openid membership").await;
        let one = browser.cookie("vs_op_session").unwrap().to_owned();
        assert_ne!(one, planted);
        world.clock.advance(10);
        let second = log_in(&mut browser, &wallet, &world.shop(), "openid membership").await;
        let two = browser.cookie("vs_op_session").unwrap().to_owned();
        assert_ne!(one, two);
        assert_eq!(first.sid(), second.sid());
        assert_eq!(
            second.claims["auth_time"].as_i64().unwrap(),
            first.claims["auth_time"].as_i64().unwrap() + 10
        );
        let mut old = world.browser();
        old.set_cookie("vs_op_session", &one);
        old.get("/account")
            .await
            .assert_page(StatusCode::OK, "You are not logged in here");
    })
    .await;
}

#[tokio::test]
async fn an_id_token_hint_pins_the_person() {
    on_sqlite(async |world| {
        let first = log_in(
            &mut world.browser(),
            &world.person("M-1").await,
            &world.shop(),
            "openid membership",
        )
        .await;
        let address = world
            .shop()
            .authorize("openid membership", &[("id_token_hint", &first.id_token)]);
        let mut browser = world.browser();
        let page = same_device(&mut browser, &world.person("M-2").await, &address).await;
        page.assert_page(
            StatusCode::FORBIDDEN,
            "This card belongs to another account",
        );
        let leave = page.attribute("id=\"leave\"", "href").unwrap();
        assert_eq!(
            world.shop().error(&browser.get(&leave).await),
            "login_required"
        );
        let answer = same_device(&mut world.browser(), &world.person("M-1").await, &address).await;
        world.shop().code(&answer);
    })
    .await;
}
