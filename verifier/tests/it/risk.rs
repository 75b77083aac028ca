//! Unusual logins: a session does not answer alone, and only the card behind it helps.

use axum::http::StatusCode;
use serde_json::json;
use vouchsafe_service::db::testing;
use vouchsafe_verifier::store::MIGRATIONS;

use crate::world::World;
use crate::world::browser::Browser;
use crate::world::places::{self, AMERICA, NORWAY};
use crate::world::steps::{begin, rows, same_device, wallet_link};

const HOME: &str = "192.0.2.7";
const ABROAD: &str = "198.51.100.7";
const FAILURES: &str = "SELECT COUNT(*) FROM risk_failures";
const QUESTION: [(&str, &str); 1] = [("scope", "openid")];

/// A service that knows two countries and the addresses that a proxy tells it.
async fn with_places(test: impl AsyncFn(World)) {
    let folder = tempfile::tempdir().unwrap();
    let places = places::write(&folder, &[NORWAY, AMERICA]);
    let risk = format!("\n[risk]\nplaces = \"{}\"\n", places.display());
    testing::for_each_database(&[MIGRATIONS], async |db| {
        let world = World::with_config(db, |toml| {
            let proxies = "[http]\ntrusted_proxies = [\"0.0.0.0\"]";
            toml.replacen("[http]", proxies, 1) + &risk
        });
        test(world.await).await;
    })
    .await;
}

/// Logs a member in at the suite, whose plain `openid` a session answers.
async fn at_home(world: &World) -> Browser {
    let wallet = world.person("M-1").await;
    let mut browser = world.browser().from(HOME);
    let address = world.suite().authorize("openid", &QUESTION);
    let answer = same_device(&mut browser, &wallet, &address).await;
    world.suite().code(&answer);
    world.tick().await;
    browser
}

#[tokio::test]
async fn a_session_answers_at_home_and_asks_for_the_card_abroad() {
    with_places(async |world| {
        let mut browser = at_home(&world).await;
        let address = world.suite().authorize("openid", &QUESTION);
        let answer = browser.get(&address).await;
        world.suite().code(&answer);
        // The same browser at the same place within a day says nothing new.
        assert_eq!(rows(&world, "risk_logins").await, 1);

        let mut browser = browser.from(ABROAD);
        let (_, page) = begin(&mut browser, &address).await;
        page.assert_page(StatusCode::OK, "id=\"unusual\"");
        page.assert_page(
            StatusCode::OK,
            "from a country that is new for your account",
        );
        // What nobody does is not counted as usual.
        assert_eq!(rows(&world, "risk_logins").await, 1);
        let again = browser.get(&address).await;
        assert!(again.location().starts_with("/login/"));

        let wallet = world.person("M-1").await;
        let back = wallet.follow(&wallet_link(&page)).await;
        let answer = browser.get(&back).await;
        let tokens = world.suite().tokens(&world.suite().code(&answer)).await;
        assert_eq!(tokens.claims["amr"], json!(["pop", "rba", "vp"]));
        assert_eq!(tokens.claims["acr"], "urn:vouchsafe:acr:vc");
        assert_eq!(rows(&world, "risk_logins").await, 2);
        // Now the country is known, and the person is where they were a moment ago.
        let answer = browser.get(&address).await;
        world.suite().code(&answer);
        // Back at home eight hours later: a flight away.
        world.clock.advance(8 * 3600 - 60);
        let answer = browser.from(HOME).get(&address).await;
        world.suite().code(&answer);
    })
    .await;
}

/// Catalogue 365: a stolen session cookie, used elsewhere, opens nothing without the card.
#[tokio::test]
async fn cat_365_a_stolen_session_abroad_needs_the_card_of_its_owner() {
    with_places(async |world| {
        let victim = at_home(&world).await;
        let cookie = victim.cookie("vs_op_session").expect("a session");
        let mut thief = world.browser().from(ABROAD);
        thief.set_cookie("vs_op_session", cookie);
        let address = world.suite().authorize("openid", &QUESTION);
        let (_, page) = begin(&mut thief, &address).await;
        page.assert_page(StatusCode::OK, "id=\"unusual\"");
        // The thief's own card belongs to another account: an error, never a switch.
        let other = world.person("M-2").await;
        let back = other.follow(&wallet_link(&page)).await;
        let answer = thief.get(&back).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN);
        assert!(answer.body.contains("This card belongs to another account"));
        // Nothing may be shown: nothing is told.
        let silent = [QUESTION[0], ("prompt", "none")];
        let answer = thief.get(&world.suite().authorize("openid", &silent)).await;
        assert_eq!(world.suite().error(&answer), "login_required");
    })
    .await;
}

/// Somebody at `place` shows a card that leads to another account than the browser's session.
async fn refused(world: &World, browser: &mut Browser) {
    let other = world.person("M-2").await;
    let fresh = [QUESTION[0], ("prompt", "login")];
    let (_, page) = begin(browser, &world.suite().authorize("openid", &fresh)).await;
    let back = other.follow(&wallet_link(&page)).await;
    assert_eq!(browser.get(&back).await.status, StatusCode::FORBIDDEN);
}

/// Catalogue 365: cards are tried one after another. From the fifth refusal on nobody there is logged
/// in by a session alone, for ten minutes; elsewhere nobody notices.
#[tokio::test]
async fn cat_365_after_a_burst_of_refusals_a_session_does_not_answer_there() {
    with_places(async |world| {
        let mut owner = at_home(&world).await;
        let address = world.suite().authorize("openid", &QUESTION);
        let mut thief = world.browser().from(HOME);
        thief.set_cookie(
            "vs_op_session",
            owner.cookie("vs_op_session").expect("a session"),
        );
        for _ in 0..4 {
            refused(&world, &mut thief).await;
        }
        world.suite().code(&owner.get(&address).await);
        refused(&world, &mut thief).await;
        let (_, page) = begin(&mut owner, &address).await;
        page.assert_page(StatusCode::OK, "id=\"unusual\"");
        page.assert_page(StatusCode::OK, "were refused just now");
        assert_eq!(world.count(FAILURES).await, 5);

        world.clock.advance(601);
        world.suite().code(&owner.get(&address).await);
        world.tick().await;
        assert_eq!(world.count(FAILURES).await, 0);
    })
    .await;
}

/// Who says no, or lets the time pass, is under no suspicion.
#[tokio::test]
async fn who_says_no_five_times_is_no_burst() {
    with_places(async |world| {
        let mut browser = at_home(&world).await;
        let fresh = [QUESTION[0], ("prompt", "login")];
        for _ in 0..5 {
            let (path, page) =
                begin(&mut browser, &world.suite().authorize("openid", &fresh)).await;
            let csrf = page.attribute("name=\"csrf\"", "value").expect("a form");
            browser
                .post(&format!("{path}/cancel"), &[("csrf", &csrf)])
                .await;
        }
        assert_eq!(world.count(FAILURES).await, 0);
        let address = world.suite().authorize("openid", &QUESTION);
        world.suite().code(&browser.get(&address).await);
    })
    .await;
}

#[tokio::test]
async fn a_login_is_counted_once_at_each_of_its_levels() {
    with_places(async |world| {
        at_home(&world).await;
        assert_eq!(rows(&world, "risk_accounts").await, 1);
        // A value of each of seven levels, and nine totals.
        assert_eq!(rows(&world, "risk_values").await, 7 + 9);
        assert_eq!(rows(&world, "risk_pairs").await, 5);
    })
    .await;
}

#[tokio::test]
async fn logins_are_forgotten_after_six_months_and_nothing_remains_counted() {
    with_places(async |world| {
        at_home(&world).await;
        world.clock.advance(184 * 86_400);
        world.tick().await;
        assert_eq!(rows(&world, "risk_logins").await, 0);
        assert_eq!(rows(&world, "risk_accounts").await, 0);
        assert_eq!(rows(&world, "risk_pairs").await, 0);
        let left = "SELECT COUNT(*) FROM risk_values WHERE logins <> 0";
        assert_eq!(world.count(left).await, 0);
    })
    .await;
}

#[tokio::test]
async fn no_address_no_browser_and_no_place_is_in_the_database_in_clear() {
    let folder = tempfile::tempdir().unwrap();
    let places = places::write(&folder, &[NORWAY, AMERICA]);
    let temporary = testing::sqlite(&[MIGRATIONS]).await;
    let world = World::with_config(temporary.db.clone(), |toml| {
        let proxies = "[http]\ntrusted_proxies = [\"0.0.0.0\"]";
        let risk = format!("\n[risk]\nplaces = \"{}\"\n", places.display());
        toml.replacen("[http]", proxies, 1) + &risk
    })
    .await;
    at_home(&world).await;
    assert_eq!(rows(&world, "risk_logins").await, 1);
    // `192.0.2.7`, `Firefox` and `country` in hexadecimal digits.
    for sql in [
        "SELECT COUNT(*) FROM risk_logins WHERE HEX(features) LIKE '%3139322E302E322E37%'",
        "SELECT COUNT(*) FROM risk_logins WHERE HEX(features) LIKE '%46697265666F78%'",
        "SELECT COUNT(*) FROM risk_logins WHERE HEX(place) LIKE '%636F756E747279%'",
    ] {
        assert_eq!(world.count(sql).await, 0, "{sql}");
    }
}
