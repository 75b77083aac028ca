//! One question to people who have logged in: off unless it is configured, one answer for each login, and
//! nobody's answer.

use std::sync::atomic::{AtomicUsize, Ordering};

use axum::http::StatusCode;
use vouchsafe_service::db::testing;
use vouchsafe_service::telemetry::install_metrics;
use vouchsafe_service::tenant::Tenant;
use vouchsafe_verifier::store::MIGRATIONS;

use crate::journeys::log_out;
use crate::numbers::{series, value};
use crate::numbers_rest::{read, tile};
use crate::world::browser::{Answer, Browser};
use crate::world::steps::log_in;
use crate::world::{NOW, World, on_sqlite, with_config};

const ON: &str = "\n[numbers]\nsatisfaction = true\n";
const CLOSED: &str = "This question is closed";

async fn on_each(test: impl AsyncFn(World)) {
    testing::for_each_database(&[MIGRATIONS], async |db| {
        test(World::with_config(db, |toml| toml + ON).await).await;
    })
    .await;
}

/// Somebody who has just logged in.
async fn comes(world: &World, number: &str) -> Browser {
    let wallet = world.person(number).await;
    let mut browser = world.browser();
    log_in(&mut browser, &wallet, &world.suite(), "openid").await;
    browser
}

/// Where a page asks how the login was.
fn question(page: &Answer) -> String {
    let link = page.attribute("id=\"satisfaction\"", "href");
    link.unwrap_or_else(|| panic!("no question in {}", page.body))
}

async fn asked(browser: &mut Browser) -> String {
    question(&browser.get("/account").await)
}

async fn answer(browser: &mut Browser, link: &str, answer: &str) -> Answer {
    let page = browser.get(link).await;
    page.assert_page(StatusCode::OK, "value=\"5\"");
    let csrf = page.attribute("name=\"csrf\"", "value").unwrap();
    let login = page.attribute("name=\"login\"", "value").unwrap();
    let fields = [
        ("csrf", csrf.as_str()),
        ("login", &login),
        ("answer", answer),
    ];
    browser.post("/satisfaction", &fields).await
}

async fn counted(world: &World) -> i64 {
    let sum =
        "SELECT CAST(COALESCE(SUM(n), 0) AS BIGINT) FROM login_numbers WHERE what = 'satisfaction'";
    world.count(sum).await
}

#[tokio::test]
async fn nobody_is_asked_unless_that_is_configured() {
    on_sqlite(async |world| {
        let page = world.browser().get("/satisfaction").await;
        assert_eq!(page.status, StatusCode::NOT_FOUND);
    })
    .await;
    with_config("\n[numbers]\n", async |world| {
        let page = world.browser().get("/satisfaction").await;
        assert_eq!(page.status, StatusCode::NOT_FOUND);
        let mut browser = comes(&world, "M-1").await;
        let page = browser.get("/account").await;
        assert!(!page.body.contains("/satisfaction"));
        let numbers = read(&world, "/admin/numbers").await.json();
        let tiles = numbers["tiles"].as_array().unwrap();
        assert!(!tiles.iter().any(|tile| tile["id"] == "satisfaction"));
    })
    .await;
}

#[tokio::test]
async fn answers_show_five_at_a_time_and_are_nobodys() {
    install_metrics();
    let runs = AtomicUsize::new(0);
    on_each(async |world| {
        let run = runs.fetch_add(1, Ordering::Relaxed);
        let tenant = Tenant::parse(&format!("satisfaction-{run}")).unwrap();
        for (n, given) in ["5", "4", "1", "2", "5", "3"].into_iter().enumerate() {
            let mut browser = comes(&world, &format!("M-CANARY-{n}")).await;
            let link = asked(&mut browser).await;
            let thanks = tenant.scope(Box::pin(answer(&mut browser, &link, given)));
            thanks.await.assert_page(StatusCode::OK, "Thank you");
            world.tick().await;
            // What shows at once would be that of whoever has just logged in.
            let whole = if n < 4 { 0 } else { 5 };
            assert_eq!(counted(&world).await, whole, "after {}", n + 1);
            let (text, _) = series(&tenant).await;
            let shown = value(&text, "vouchsafe_satisfaction_total", &[]);
            assert_eq!(shown, whole, "after {}", n + 1);
        }
        let numbers = read(&world, "/admin/numbers").await.json();
        let satisfied = tile(&numbers, "satisfaction");
        assert_eq!((satisfied.1, satisfied.2), (3, Some(5)));
        // By the hour, and with no label of an application, a journey or a channel.
        let bare = world
            .count(
                "SELECT CAST(SUM(n) AS BIGINT) FROM login_numbers WHERE what = 'satisfaction' AND at_hour % 3600 = 0 \
                 AND journey = '' AND client = '' AND channel = '' AND method = '' AND step = ''",
            )
            .await;
        assert_eq!(bare, 5);
        // That somebody answered is kept under a key, and until the end of a day.
        let plain = world
            .count(
                "SELECT COUNT(*) FROM satisfaction_answers WHERE expires_at % 86400 <> 0 \
                 OR login IN (SELECT id FROM login_sessions)",
            )
            .await;
        assert_eq!(plain, 0);
    })
    .await;
}

#[tokio::test]
async fn a_login_is_answered_for_once_wherever_the_question_stands() {
    on_each(async |world| {
        let mut browser = comes(&world, "M-1").await;
        let (first, second) = (asked(&mut browser).await, asked(&mut browser).await);
        assert_ne!(first, second);
        let page = browser.get(&second).await;
        answer(&mut browser, &first, "5")
            .await
            .assert_page(StatusCode::OK, "Thank you");
        // The same slip, another of the same login, and one that was open before.
        for link in [&first, &second] {
            let again = answer(&mut browser, link, "1").await;
            again.assert_page(StatusCode::GONE, CLOSED);
        }
        let csrf = page.attribute("name=\"csrf\"", "value").unwrap();
        let login = page.attribute("name=\"login\"", "value").unwrap();
        let fields = [("csrf", csrf.as_str()), ("login", &login), ("answer", "1")];
        let again = world.browser().post("/satisfaction", &fields).await;
        again.assert_page(StatusCode::GONE, CLOSED);
        // A session that answers by itself is no login of its own.
        let silent = world.suite().authorize("openid", &[("prompt", "none")]);
        world.suite().code(&browser.get(&silent).await);
        let link = asked(&mut browser).await;
        let again = answer(&mut browser, &link, "1").await;
        again.assert_page(StatusCode::GONE, CLOSED);
        // Nor is the way out of it.
        let page = browser.get("/logout").await;
        let confirmation = page.attribute("name=\"confirmation\"", "value").unwrap();
        let fields = [("confirmation", confirmation.as_str())];
        let out = question(&browser.post("/logout", &fields).await);
        let again = answer(&mut browser, &out, "1").await;
        again.assert_page(StatusCode::GONE, CLOSED);
        assert_eq!(
            world
                .count("SELECT COUNT(*) FROM satisfaction_answers")
                .await,
            1
        );
        // The next login is another one.
        let mut browser = comes(&world, "M-1").await;
        let link = asked(&mut browser).await;
        answer(&mut browser, &link, "4")
            .await
            .assert_page(StatusCode::OK, "Thank you");
        // What nobody can answer for any more is forgotten.
        world.clock.advance(40 * 86_400);
        world.tick().await;
        assert_eq!(
            world
                .count("SELECT COUNT(*) FROM satisfaction_answers")
                .await,
            0
        );
    })
    .await;
}

#[tokio::test]
async fn who_has_not_logged_in_a_moment_ago_answers_nothing() {
    with_config(ON, async |world| {
        for link in [
            "/satisfaction",
            "/satisfaction?login=",
            "/satisfaction?login=forged",
            "/satisfaction?login=a&login=b",
        ] {
            let page = world.browser().get(link).await;
            page.assert_page(StatusCode::GONE, CLOSED);
        }
        // Nobody is logged out here who was not logged in.
        let out = world.browser().get("/logout").await;
        assert!(!out.body.contains("/satisfaction"), "{}", out.body);
        let mut browser = comes(&world, "M-1").await;
        let link = asked(&mut browser).await;
        let page = browser.get(&link).await;
        let csrf = page.attribute("name=\"csrf\"", "value").unwrap();
        let login = page.attribute("name=\"login\"", "value").unwrap();
        let mut forged = login.clone().into_bytes();
        let last = forged.len() - 3;
        forged[last] = if forged[last] == b'A' { b'B' } else { b'A' };
        let forged = String::from_utf8(forged).unwrap();
        for wrong in ["", "x", forged.as_str()] {
            let fields = [("csrf", csrf.as_str()), ("login", wrong), ("answer", "1")];
            let answer = browser.post("/satisfaction", &fields).await;
            answer.assert_page(StatusCode::GONE, CLOSED);
        }
        for wrong in ["", "0", "6", "5 ", "five"] {
            let refused = answer(&mut browser, &link, wrong).await;
            assert_eq!(refused.status, StatusCode::FORBIDDEN, "{wrong}");
        }
        let fields = [("csrf", "forged"), ("login", &login), ("answer", "1")];
        let refused = browser.post("/satisfaction", &fields).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN);
        assert_eq!(
            world
                .count("SELECT COUNT(*) FROM satisfaction_answers")
                .await,
            0
        );
        // An hour later it is too late, for a page that was open as well.
        world.clock.set(NOW.plus(3600));
        world.issuer.publish(NOW.plus(3600)).await;
        let late = browser.get(&link).await;
        late.assert_page(StatusCode::GONE, CLOSED);
        let fields = [("csrf", csrf.as_str()), ("login", &login), ("answer", "1")];
        let late = browser.post("/satisfaction", &fields).await;
        late.assert_page(StatusCode::GONE, CLOSED);
        log_out(&mut browser).await;
    })
    .await;
}

#[tokio::test]
async fn a_network_answers_ten_times_a_minute() {
    with_config(ON, async |world| {
        let mut browser = comes(&world, "M-1").await;
        let link = asked(&mut browser).await;
        let page = browser.get(&link).await;
        let csrf = page.attribute("name=\"csrf\"", "value").unwrap();
        let login = page.attribute("name=\"login\"", "value").unwrap();
        let fields = [("csrf", csrf.as_str()), ("login", &login), ("answer", "5")];
        // Whoever sends one form again and again is told to wait, however slow the machine is.
        let mut often = false;
        for _ in 0..100 {
            let answer = browser.post("/satisfaction", &fields).await;
            often |= answer.status == StatusCode::TOO_MANY_REQUESTS;
        }
        assert!(often);
    })
    .await;
}
