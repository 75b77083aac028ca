//! A recovery beside others: what somebody else began with the old means, what the person takes back while it
//! waits, and what two accounts have in common.

use axum::http::StatusCode;

use crate::journey_recovery::{
    at_once, cards, enrolled, lost, makes, proves, recovery, tapped, with_recovery,
};
use crate::journeys::{ABROAD, HOME, leave, with_more};
use crate::world::browser::Browser;
use crate::world::passkeys::{ON, add, device};
use crate::world::steps::{begin, log_in, qr_link, shown_number, type_number, wallet_link};

const DAY_S: i64 = 86_400;
const KEYS: &str = "SELECT COUNT(*) FROM passkeys";

/// Withdraws every consent of the account to be known again.
pub async fn withdraw(browser: &mut Browser) {
    let page = browser.get("/account").await;
    let csrf = page.attribute("name=\"csrf\"", "value").unwrap();
    let own = |one: &&str| one.contains("Be known again") && one.contains("action=\"");
    let links: Vec<String> = (page.body.split("<li").filter(own))
        .filter_map(|one| one.split("action=\"").nth(1)?.split('"').next())
        .map(|link| link.replace("&#x2f;", "/"))
        .collect();
    assert!(!links.is_empty(), "{}", page.body);
    for link in links {
        browser.post(&link, &[("csrf", &csrf)]).await;
    }
}

/// Of two runs that wait the first one ends what the second began with.
#[tokio::test]
async fn a_second_run_that_waits_does_not_outlive_the_recovery() {
    with_recovery(&recovery(), async |world, _, _| {
        let wallet = cards(&world, "M-1", "1980-01-02").await;
        let owner = enrolled(&world, &wallet, "C-1").await;
        let mut browser = world.browser().from(ABROAD);
        let path = proves(&world, &mut browser, &wallet, "C-1").await;
        let mut thief = world.browser().from(ABROAD);
        let second = proves(&world, &mut thief, &wallet, "C-1").await;
        for (browser, path) in [(&mut browser, &path), (&mut thief, &second)] {
            let page = browser.get(path).await;
            page.assert_page(StatusCode::OK, "Please come back later");
        }
        world.later(DAY_S).await;
        assert_eq!(browser.get(&path).await.location(), path);
        let mut new = device(&world);
        let answer = makes(&mut browser, &path, &mut new).await;
        lost(&world).code(&answer);
        thief.get(&second).await;
        let page = thief.get(&second).await;
        page.assert_page(StatusCode::FORBIDDEN, "This was stopped");
        let left = leave(&mut thief, &second).await;
        assert_eq!(lost(&world).error(&left), "access_denied");
        assert_eq!(world.count(KEYS).await, 1);
        world.later(DAY_S).await;
        assert_eq!(tapped(&world, &mut new).await, Some(owner.sub));
    })
    .await;
}

/// Two runs stand before the new passkey: the second one hears that it is over.
#[tokio::test]
async fn a_run_that_began_before_the_recovery_makes_no_passkey() {
    with_recovery(&at_once(), async |world, _, _| {
        let wallet = cards(&world, "M-1", "1980-01-02").await;
        let owner = enrolled(&world, &wallet, "C-1").await;
        let mut browser = world.browser().from(HOME);
        let path = proves(&world, &mut browser, &wallet, "C-1").await;
        let mut thief = world.browser().from(HOME);
        let second = proves(&world, &mut thief, &wallet, "C-1").await;
        let mut new = device(&world);
        let answer = makes(&mut browser, &path, &mut new).await;
        lost(&world).code(&answer);
        makes(&mut thief, &second, &mut device(&world)).await;
        let page = thief.get(&second).await;
        page.assert_page(StatusCode::FORBIDDEN, "This was stopped");
        assert_eq!(world.count(KEYS).await, 1);
        assert_eq!(tapped(&world, &mut new).await, Some(owner.sub));
    })
    .await;
}

/// What the check compared is taken back while the run waits.
#[tokio::test]
async fn who_is_not_known_again_any_more_does_not_go_on() {
    with_recovery(&recovery(), async |world, _, _| {
        let wallet = cards(&world, "M-1", "1980-01-02").await;
        let mut owner = enrolled(&world, &wallet, "C-1").await;
        let mut browser = world.browser().from(ABROAD);
        let path = proves(&world, &mut browser, &wallet, "C-1").await;
        let page = browser.get(&path).await;
        page.assert_page(StatusCode::OK, "Please come back later");
        withdraw(&mut owner.browser).await;
        world.later(DAY_S).await;
        browser.get(&path).await;
        let page = browser.get(&path).await;
        page.assert_page(StatusCode::FORBIDDEN, "Card and account do not match");
        assert_eq!(world.count(KEYS).await, 1);
    })
    .await;
}

/// Whoever reads the database does not learn who was born on one day.
#[tokio::test]
async fn what_two_accounts_are_known_by_is_never_equal() {
    with_recovery(&at_once(), async |world, _, _| {
        let one = cards(&world, "M-1", "1980-01-02").await;
        enrolled(&world, &one, "C-1").await;
        let two = cards(&world, "M-2", "1980-01-02").await;
        enrolled(&world, &two, "C-2").await;
        let kept =
            "SELECT COUNT(DISTINCT value_mac) FROM account_bindings WHERE name = 'birthdate'";
        assert_eq!(world.count(kept).await, 2);
    })
    .await;
}

/// A passkey, then the old ones end, then the run waits once more.
const THEN_WAITS: &str = r#"
id = "key"
version = 1
clients = ["suite"]

[[step]]
id = "card"
kind = "present"
query = "membership"

[[step]]
id = "key"
kind = "passkey"
mode = "register"

[[step]]
id = "clean"
kind = "notify"
notify = ["user"]
revoke = ["old_passkeys"]

[[step]]
id = "hold"
kind = "wait"
seconds = 86400
notify = ["user"]
cancel_link = true

[[step]]
id = "in"
kind = "finish"
"#;

/// The new passkey is there, and the old one gone, when the login is over; of a run that is refused neither.
#[tokio::test]
async fn a_run_that_is_refused_after_the_passkey_changes_nothing() {
    let ended = "SELECT COUNT(*) FROM account_notices WHERE kind = 'ended'";
    with_more(&[("key.toml", THEN_WAITS)], ON, async |world, _| {
        let wallet = world.person("M-1").await;
        let mut owner = world.browser();
        log_in(&mut owner, &wallet, &world.shop(), "openid membership").await;
        let mut old = device(&world);
        let added = add(&mut owner, &mut old, "old phone").await;
        assert_eq!(added.status, StatusCode::OK, "{}", added.body);
        world.clock.advance(1);
        let mut paths = Vec::new();
        for _ in 0..2 {
            let mut browser = world.browser();
            let (path, page) = begin(&mut browser, &world.suite().authorize("openid", &[])).await;
            let back = wallet.follow(&wallet_link(&page)).await;
            browser.get(&back).await;
            makes(&mut browser, &path, &mut device(&world)).await;
            let page = browser.get(&path).await;
            page.assert_page(StatusCode::OK, "Please come back later");
            paths.push((browser, path));
        }
        let page = owner.get("/account").await;
        page.assert_page(StatusCode::OK, "old phone");
        assert!(!page.body.contains("new phone"));
        assert_eq!((world.count(KEYS).await, world.count(ended).await), (1, 0));
        let (mut stopped, path) = paths.remove(0);
        let id = path.trim_start_matches("/login/");
        let csrf = page.attribute("name=\"csrf\"", "value").unwrap();
        let stop = format!("/account/holds/{id}/cancel");
        owner.post(&stop, &[("csrf", &csrf)]).await;
        world.later(DAY_S).await;
        stopped.get(&path).await;
        let page = stopped.get(&path).await;
        page.assert_page(StatusCode::FORBIDDEN, "This was stopped");
        assert_eq!((world.count(KEYS).await, world.count(ended).await), (1, 0));
        let (mut browser, path) = paths.remove(0);
        let answer = browser.get(&path).await;
        world.suite().code(&answer);
        assert_eq!((world.count(KEYS).await, world.count(ended).await), (1, 1));
        let mut again = world.browser();
        log_in(&mut again, &wallet, &world.shop(), "openid membership").await;
        let page = again.get("/account").await;
        page.assert_page(StatusCode::OK, "new phone");
        assert!(!page.body.contains("old phone"), "{}", page.body);
    })
    .await;
}

/// RFC 10027: what was scanned may have been relayed. Where a passkey is only offered none is made.
#[tokio::test]
async fn a_code_that_is_scanned_makes_no_passkey() {
    let offered = "kind = \"passkey\"\nmode = \"register\"\non = { error = \"in\" }";
    let demanded = "kind = \"passkey\"\nmode = \"register\"";
    let key = THEN_WAITS.replace(demanded, offered);
    with_more(&[("key.toml", &key)], ON, async |world, _| {
        let wallet = world.person("M-1").await;
        let mut owner = world.browser();
        log_in(&mut owner, &wallet, &world.shop(), "openid membership").await;
        let mut browser = world.browser();
        let address = world.suite().authorize("openid", &[]);
        let (path, _) = begin(&mut browser, &address).await;
        let link = qr_link(&mut browser, &path).await;
        let back = wallet.follow(&link).await;
        let number = shown_number(&mut world.browser(), &back).await;
        let answer = type_number(&mut browser, &path, &number).await;
        world.suite().code(&answer);
        assert_eq!(world.count(KEYS).await, 0);
    })
    .await;
}
