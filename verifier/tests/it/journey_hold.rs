//! What a run that waits is worth when it goes on: whoever is told must hear it, the risk must not have grown,
//! and a session that stood for a card must still be there.

use axum::http::StatusCode;

use crate::journey_notify::{SECRET, System};
use crate::journey_wait::HOLD;
use crate::journeys::{ABROAD, HOME, log_out, with, with_more, write};
use crate::passkey_journeys::without_session;
use crate::world::World;
use crate::world::browser::{Answer, Browser};
use crate::world::steps::{begin, log_in, rows, same_device, wallet_link};
use crate::world::wallet::Wallet;

const DAY_S: i64 = 86_400;
const LATER: &str = "Please come back later";
const HOLDS: &str = "SELECT COUNT(*) FROM journey_holds";

/// How the run of a login ended.
async fn outcome(world: &World, path: &str) -> String {
    let reference = &path["/login/".len()..][..8];
    let traces = world.verifier.journey_traces(reference).await.unwrap();
    traces[0].outcome.clone()
}

/// Goes on with a run that waited; what its page says at the end.
async fn goes_on(browser: &mut Browser, path: &str) -> Answer {
    let answer = browser.get(path).await;
    match answer.status {
        StatusCode::SEE_OTHER if answer.location() == path => browser.get(path).await,
        _ => answer,
    }
}

/// Shows a card to the journey, which begins to wait.
async fn waits(world: &World, browser: &mut Browser, wallet: &Wallet) -> String {
    let (path, page) = begin(browser, &world.suite().authorize("openid", &[])).await;
    let back = wallet.follow(&wallet_link(&page)).await;
    assert_eq!(browser.get(&back).await.location(), path);
    let page = browser.get(&path).await;
    page.assert_page(StatusCode::OK, LATER);
    path
}

/// A run keeps its text. Where the system that its step tells is not configured any more, nobody would hear of
/// the wait, and it does not begin.
#[tokio::test]
async fn nothing_waits_of_which_nobody_hears_any_more() {
    let system = System::default();
    let url = system.listen().await;
    let told =
        format!("\n[journeys.notify]\nurl = \"{url}\"\nsecret = \"{SECRET}\"\nsubject = true\n");
    let all = HOLD.replace("[\"user\"]", "[\"all_channels\"]");
    let edit = |toml: String| toml + &told;
    crate::journeys::with_edited(&[("held.toml", &all)], edit, async |mut world, folder| {
        let wallet = world.person("M-1").await;
        let mut owner = world.browser();
        log_in(&mut owner, &wallet, &world.shop(), "openid membership").await;
        let mut browser = world.browser().from(HOME);
        let (path, page) = begin(&mut browser, &world.suite().authorize("openid", &[])).await;
        let back = wallet.follow(&wallet_link(&page)).await;
        // The file that is there now tells the person alone; the run goes on with its own.
        write(folder, &[("held.toml", HOLD)]);
        let journeys = format!("\n[journeys]\ndir = \"{}\"\n", folder.display());
        world.restart(|toml| toml + &journeys).await;
        let mut browser = browser.at(world.router());
        let answer = browser.get(&back).await;
        let to = answer.headers.get("location");
        let to = to.map(|to| to.to_str().unwrap().to_owned());
        assert!(to.is_none_or(|to| !to.starts_with("https://suite.example")));
        let page = browser.get(&path).await;
        assert!(!page.body.contains(LATER), "{}", page.body);
        assert_eq!(world.count(HOLDS).await, 0);
        // A new one is told on the page of the account, without any system.
        let mut browser = world.browser().from(HOME);
        waits(&world, &mut browser, &world.person("M-1").await).await;
        assert_eq!(world.count(HOLDS).await, 1);
        write(folder, &[("held.toml", &all)]);
    })
    .await;
}

/// The risk is assessed before the wait, and again after it.
fn assessed() -> String {
    let risk = "[[step]]\nid = \"risk\"\nkind = \"risk\"\nmodel = \"freeman\"\n\n";
    HOLD.replace(
        "[[step]]\nid = \"hold\"",
        &format!("{risk}[[step]]\nid = \"hold\""),
    )
}

#[tokio::test]
async fn a_risk_that_grew_during_the_wait_ends_it() {
    let text = assessed();
    with(&[("held.toml", &text)], async |world, _| {
        let wallet = world.person("M-1").await;
        let mut owner = world.browser().from(HOME);
        log_in(&mut owner, &wallet, &world.shop(), "openid membership").await;
        world.tick().await;
        let mut mine = without_session(owner.window(world.router()));
        let path = waits(&world, &mut mine, &wallet).await;
        let mut second = without_session(owner.window(world.router()));
        let other = waits(&world, &mut second, &wallet).await;
        world.later(DAY_S).await;
        // As usual as it was before: it goes on.
        let answer = goes_on(&mut mine, &path).await;
        world.suite().code(&answer);
        // The account logs in far away, and a moment later this goes on at home.
        world.later(60).await;
        let mut away = world.browser().from(ABROAD);
        let shop = world.shop();
        let address = shop.authorize("openid membership", &[]);
        shop.code(&same_device(&mut away, &wallet, &address).await);
        world.tick().await;
        world.later(60).await;
        let page = goes_on(&mut second, &other).await;
        page.assert_page(StatusCode::FORBIDDEN, "The proof could not be checked");
        assert_eq!(outcome(&world, &other).await, "risk_grew");
        // Nor does it come back.
        world.later(3600).await;
        let page = goes_on(&mut second, &other).await;
        assert_eq!(page.status, StatusCode::FORBIDDEN, "{}", page.body);
    })
    .await;
}

const TWICE: &str = r#"
id = "twice"
version = 1
clients = ["suite"]

[[step]]
id = "card"
kind = "present"
query = "membership"

[[step]]
id = "again"
kind = "present"
query = "membership"
check = 'cred.card.claims.tier == "gold"'

[[step]]
id = "in"
kind = "finish"
"#;

/// The session stands for the first step, and ends while the wallet is asked for the second.
#[tokio::test]
async fn a_session_that_stood_for_a_step_must_still_be_there_beside_a_card() {
    with(&[("twice.toml", TWICE)], async |world, _| {
        let wallet = world.person("M-1").await;
        let suite = world.suite();
        for ends in [false, true] {
            let mut browser = world.browser().from(HOME);
            log_in(&mut browser, &wallet, &world.shop(), "openid membership").await;
            let address = suite.authorize("openid", &[]);
            let (path, page) = begin(&mut browser, &address).await;
            let mut window = browser.window(world.router());
            if ends {
                log_out(&mut browser).await;
            }
            let back = wallet.follow(&wallet_link(&page)).await;
            let answer = window.get(&back).await;
            if ends {
                let page = goes_on(&mut window, &path).await;
                assert_eq!(page.status, StatusCode::FORBIDDEN, "{}", page.body);
                assert_eq!(outcome(&world, &path).await, "other_account");
                // That of the other browser alone.
                assert_eq!(rows(&world, "login_sessions").await, 1);
            } else {
                suite.code(&answer);
            }
        }
    })
    .await;
}

/// A session stands for the card: for ten minutes, which is less than it lasts.
#[tokio::test]
async fn a_session_that_stood_for_the_card_must_still_be_there() {
    let text = HOLD.replace("seconds = 86400", "seconds = 600");
    with_more(&[("held.toml", &text)], "", async |world, _| {
        let wallet = world.person("M-1").await;
        let suite = world.suite();
        for ends in [false, true] {
            let mut browser = world.browser().from(HOME);
            log_in(&mut browser, &wallet, &world.shop(), "openid membership").await;
            let address = suite.authorize("openid", &[]);
            let path = browser.get(&address).await.location();
            let page = goes_on(&mut browser, &path).await;
            page.assert_page(StatusCode::OK, LATER);
            world.later(600).await;
            let mut window = browser.window(world.router());
            if ends {
                log_out(&mut browser).await;
            }
            let answer = goes_on(&mut window, &path).await;
            if ends {
                assert_eq!(answer.status, StatusCode::FORBIDDEN, "{}", answer.body);
                assert_eq!(outcome(&world, &path).await, "other_account");
            } else {
                suite.code(&answer);
            }
        }
    })
    .await;
}
