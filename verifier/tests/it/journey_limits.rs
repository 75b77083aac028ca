//! `limits.per_account_per_day`: exactly so many, and the answer does not tell whether there is an account.

use axum::http::StatusCode;
use futures::future::join_all;

use crate::accounts::{QUERIES, desk, identify, import, invited};
use crate::journey_people::DESK;
use crate::journeys::{ABROAD, HOME, leave, member, with, with_more};
use crate::world::World;
use crate::world::browser::{Answer, Browser};
use crate::world::steps::{begin, wallet_link};

const TOO_OFTEN: &str = "This was tried too often today";

fn limited(text: &str, most: u32) -> String {
    let limits = format!("[limits]\nper_account_per_day = {most}\n\n[[step]]");
    text.replacen("[[step]]", &limits, 1)
}

/// Names an account in a fresh browser; the page that follows.
async fn name(world: &World, who: &str) -> (Browser, String, Answer) {
    name_from(world, who, HOME).await
}

async fn name_from(world: &World, who: &str, address: &'static str) -> (Browser, String, Answer) {
    let mut browser = world.browser().from(address);
    let address = desk(world).authorize("openid", &[]);
    let path = browser.get(&address).await.location();
    let page = identify(&mut browser, &path, who).await;
    (browser, path, page)
}

#[tokio::test]
async fn many_starts_at_once_are_exactly_as_many_as_may_be() {
    let text = limited(DESK, 7);
    with_more(&[("desk.toml", &text)], QUERIES, async |world, _| {
        import(&world, "external_id\nC-1\n").await;
        // There is no C-404, and nobody can tell.
        for (who, address) in [("C-1", HOME), ("C-404", ABROAD)] {
            let starts = join_all((0..12).map(|_| name_from(&world, who, address))).await;
            let (let_in, refused): (Vec<_>, Vec<_>) = starts
                .into_iter()
                .partition(|(_, _, page)| page.status == StatusCode::OK);
            assert_eq!(let_in.len(), 7, "{who}");
            assert_eq!(refused.len(), 5);
            for (mut browser, path, page) in refused.into_iter().take(3) {
                page.assert_page(StatusCode::FORBIDDEN, TOO_OFTEN);
                let left = leave(&mut browser, &path).await;
                assert_eq!(desk(&world).error(&left), "access_denied");
            }
        }
        let plain = "SELECT COUNT(*) FROM journey_starts WHERE account LIKE '%C-%'";
        assert_eq!(world.count(plain).await, 0);
        assert_eq!(world.count("SELECT COUNT(*) FROM journey_starts").await, 2);
    })
    .await;
}

/// Whoever only knows what an account is called does not lock its owner out, who is elsewhere.
#[tokio::test]
async fn what_is_only_said_counts_where_it_is_said() {
    let text = limited(DESK, 2);
    with_more(&[("desk.toml", &text)], QUERIES, async |world, _| {
        import(&world, "external_id\nC-1\n").await;
        let wallet = world.person("M-1").await;
        invited(&world, &wallet, "C-1").await;
        for expected in [200, 200, 403] {
            let (_, _, page) = name_from(&world, "C-1", ABROAD).await;
            assert_eq!(page.status.as_u16(), expected);
        }
        let (mut owner, _, page) = name(&world, "C-1").await;
        let back = wallet.follow(&wallet_link(&page)).await;
        desk(&world).code(&owner.get(&back).await);
    })
    .await;
}

/// One run names one account for each visit of a page that asks.
#[tokio::test]
async fn a_run_does_not_name_account_after_account() {
    let text = limited(DESK, 2);
    with_more(&[("desk.toml", &text)], QUERIES, async |world, _| {
        let mut browser = world.browser().from(HOME);
        let address = desk(&world).authorize("openid", &[]);
        let path = browser.get(&address).await.location();
        let page = browser.get(&path).await;
        let csrf = page.attribute("name=\"csrf\"", "value").unwrap();
        for who in ["C-1", "C-2", "C-3", "C-4"] {
            let fields = [("csrf", csrf.as_str()), ("identifier", who)];
            let next = browser.post(&format!("{path}/identify"), &fields).await;
            assert_eq!(next.location(), path);
        }
        assert_eq!(world.count("SELECT COUNT(*) FROM journey_starts").await, 1);
        browser.get(&path).await.assert_page(StatusCode::OK, "<h1");
    })
    .await;
}

/// A run counts once, however often its pages are loaded; another account and another day are their own.
#[tokio::test]
async fn a_start_counts_once_and_for_its_account_and_its_day() {
    let text = limited(DESK, 1);
    with_more(&[("desk.toml", &text)], QUERIES, async |world, _| {
        import(&world, "external_id\nC-1\nC-2\n").await;
        let wallet = world.person("M-1").await;
        invited(&world, &wallet, "C-1").await;
        let (mut browser, path, _) = name(&world, "C-1").await;
        for _ in 0..3 {
            browser.get(&path).await.assert_page(StatusCode::OK, "<h1");
        }
        let page = browser.get(&path).await;
        let back = wallet.follow(&wallet_link(&page)).await;
        let answer = browser.get(&back).await;
        desk(&world).code(&answer);
        let (_, _, page) = name(&world, " C-1 ").await;
        page.assert_page(StatusCode::FORBIDDEN, TOO_OFTEN);
        let (_, _, page) = name(&world, "C-2").await;
        page.assert_page(StatusCode::OK, "<h1");
        world.clock.advance(86_400);
        let (_, _, page) = name(&world, "C-1").await;
        page.assert_page(StatusCode::OK, "<h1");
    })
    .await;
}

const SESSION: &str = r#"
id = "again"
version = 1
clients = ["suite"]

[[step]]
id = "card"
kind = "present"
query = "membership"

[[step]]
id = "in"
kind = "finish"
"#;

/// A card counts for its account; a session does not, for any site can send a browser through a login.
#[tokio::test]
async fn a_card_counts_for_its_account_and_a_session_does_not() {
    let text = limited(SESSION, 3);
    with(&[("again.toml", &text)], async |world, _| {
        let wallet = world.person("M-1").await;
        let mut browser = world.browser();
        // The first login makes the account: there was none to count for.
        member(&world, &mut browser, &wallet).await;
        let silent = world.suite().authorize("openid", &[("prompt", "none")]);
        for _ in 0..9 {
            world.suite().code(&browser.get(&silent).await);
        }
        let address = world.suite().authorize("openid", &[]);
        for _ in 0..5 {
            world.suite().code(&browser.get(&address).await);
        }
        for _ in 0..3 {
            member(&world, &mut world.browser(), &wallet).await;
        }
        let mut late = world.browser();
        let (path, page) = begin(&mut late, &address).await;
        let back = wallet.follow(&wallet_link(&page)).await;
        late.get(&back).await;
        let page = late.get(&path).await;
        page.assert_page(StatusCode::FORBIDDEN, TOO_OFTEN);
        world.suite().code(&browser.get(&address).await);
    })
    .await;
}
