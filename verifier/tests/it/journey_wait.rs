//! A run that waits: it goes on after its time, once, and whoever has the account can stop it until then.

use axum::http::StatusCode;
use futures::future::join_all;

use crate::journey_files::refused;
use crate::journey_notify::SECRET;
use crate::journeys::{leave, with, write};
use crate::world::World;
use crate::world::browser::{Answer, Browser};
use crate::world::passkeys::ON;
use crate::world::steps::{begin, log_in, rows, wallet_link};
use crate::world::wallet::Wallet;

const DAY_S: i64 = 86_400;

pub const HOLD: &str = r#"
id = "held"
version = 1
clients = ["suite"]

[[step]]
id = "card"
kind = "present"
query = "membership"

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

/// A passkey is made after the card.
pub const KEY: &str = r#"
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
id = "in"
kind = "finish"
"#;

/// Whoever has the account can stop it.
const STOP: &str = "cancel_link = true\n";

/// A way on for who was stopped.
fn past(outcome: &str) -> String {
    format!("{STOP}on = {{ {outcome} = \"in\" }}\n")
}

const LATER: &str = "Please come back later";
const MINE: &str = "Waiting for you to say no";

/// Somebody who has an account, and a login to it that waits.
async fn waiting(world: &World, wallet: &Wallet) -> (Browser, Browser, String) {
    let mut owner = world.browser();
    log_in(&mut owner, wallet, &world.shop(), "openid membership").await;
    let mut browser = world.browser();
    let path = show(world, &mut browser, wallet).await;
    (owner, browser, path)
}

async fn show(world: &World, browser: &mut Browser, wallet: &Wallet) -> String {
    let (path, page) = begin(browser, &world.suite().authorize("openid", &[])).await;
    let back = wallet.follow(&wallet_link(&page)).await;
    assert_eq!(browser.get(&back).await.location(), path);
    path
}

fn is_in(answer: &Answer) -> bool {
    let to = answer.headers.get("location");
    to.is_some_and(|to| to.to_str().unwrap().starts_with("https://suite.example/cb"))
}

#[tokio::test]
async fn a_run_waits_and_goes_on_once_with_its_text_in_another_process() {
    with(&[("held.toml", HOLD)], async |world, folder| {
        let wallet = world.person("M-1").await;
        let (_, mut browser, path) = waiting(&world, &wallet).await;
        let page = browser.get(&path).await;
        page.assert_page(StatusCode::OK, LATER);
        assert_eq!(
            page.attribute("id=\"come-back\"", "href").unwrap(),
            format!("{}{path}", crate::world::OP)
        );
        // Whoever closes the browser comes back with it.
        let cookie = page.headers["set-cookie"].to_str().unwrap();
        assert!(
            cookie.contains("Max-Age=") && cookie.contains("HttpOnly"),
            "{cookie}"
        );
        // Another text is for other runs.
        let shut = HOLD.replace("kind = \"finish\"", "kind = \"deny\"\ncode = \"shut\"");
        write(folder, &[("held.toml", &shut)]);
        world.later(DAY_S - 1).await;
        world.tick().await;
        browser.get(&path).await.assert_page(StatusCode::OK, LATER);
        // That of the owner is over after hours, and nobody else has got in.
        assert_eq!(rows(&world, "login_sessions").await, 0);
        world.later(1).await;
        world.tick().await;

        let other = world.another_process().await;
        let windows = [
            &other.router(),
            &world.router(),
            &other.router(),
            &world.router(),
        ]
        .map(|router| browser.window(router.clone()));
        let answers = join_all(windows.map(|mut window| {
            let path = path.clone();
            async move { window.get(&path).await }
        }))
        .await;
        let done: Vec<&Answer> = answers.iter().filter(|answer| is_in(answer)).collect();
        assert_eq!(done.len(), 1);
        let tokens = world.suite().tokens(&world.suite().code(done[0])).await;
        assert_eq!(tokens.claims["acr"], "urn:vouchsafe:acr:vc");
        assert_eq!(rows(&world, "subjects").await, 1);
        assert!(!is_in(&browser.get(&path).await));
        write(folder, &[("held.toml", HOLD)]);
    })
    .await;
}

#[tokio::test]
async fn who_has_the_account_stops_it_and_nobody_else_does() {
    with(&[("held.toml", HOLD)], async |world, _| {
        let wallet = world.person("M-1").await;
        let (mut owner, mut thief, path) = waiting(&world, &wallet).await;
        let page = owner.get("/account").await;
        page.assert_page(StatusCode::OK, MINE);
        let id = path.trim_start_matches("/login/");
        let stop = format!("/account/holds/{id}/cancel");
        // Somebody else's session, or no token, changes nothing.
        let someone = world.person("M-2").await;
        let mut other = world.browser();
        log_in(&mut other, &someone, &world.shop(), "openid membership").await;
        let others = other.get("/account").await;
        assert!(!others.body.contains(MINE));
        let csrf = others.attribute("name=\"csrf\"", "value").unwrap();
        other.post(&stop, &[("csrf", &csrf)]).await;
        owner.post(&stop, &[("csrf", "x")]).await;
        owner
            .get("/account")
            .await
            .assert_page(StatusCode::OK, MINE);

        let csrf = page.attribute("name=\"csrf\"", "value").unwrap();
        let answer = owner.post(&stop, &[("csrf", &csrf)]).await;
        assert_eq!(answer.location(), "/account");
        let page = owner.get("/account").await;
        assert!(!page.body.contains(MINE), "{}", page.body);
        world.later(DAY_S).await;
        assert_eq!(thief.get(&path).await.location(), path);
        let page = thief.get(&path).await;
        page.assert_page(StatusCode::FORBIDDEN, "This was stopped");
        let left = leave(&mut thief, &path).await;
        assert_eq!(world.suite().error(&left), "access_denied");
    })
    .await;
}

/// Of stopping and going on one happens: what went on cannot be stopped any more, and its time passes.
#[tokio::test]
async fn what_went_on_or_is_too_late_does_not_come_back() {
    with(&[("held.toml", HOLD)], async |world, _| {
        let wallet = world.person("M-1").await;
        let (_, mut browser, path) = waiting(&world, &wallet).await;
        let mut second = world.browser();
        let late = show(&world, &mut second, &wallet).await;
        // Whoever waits can say no as well.
        let mut third = world.browser();
        let given_up = show(&world, &mut third, &wallet).await;
        let page = third.get(&given_up).await;
        let csrf = page.attribute("name=\"csrf\"", "value").unwrap();
        let gone = third.post(&format!("{given_up}/cancel"), &[("csrf", &csrf)]).await;
        assert_eq!(world.suite().error(&gone), "access_denied");
        assert_eq!(world.count("SELECT COUNT(*) FROM journey_holds").await, 2);
        world.later(DAY_S).await;
        assert!(is_in(&browser.get(&path).await));
        let stopped = "SELECT COUNT(*) FROM journey_holds WHERE cancelled_at IS NULL AND resumed_at IS NOT NULL";
        assert_eq!(world.count(stopped).await, 1);
        world.later(DAY_S + 1).await;
        let page = second.get(&late).await;
        assert!(!is_in(&page));
        assert_ne!(page.status, StatusCode::OK);
    })
    .await;
}

/// The run that waits has the one code of its pushed request, however long it waits.
#[tokio::test]
async fn rfc_9126_section_7_3_a_run_that_waits_uses_its_pushed_request_up() {
    with(&[("held.toml", HOLD)], async |world, _| {
        let wallet = world.person("M-1").await;
        let mut owner = world.browser();
        log_in(&mut owner, &wallet, &world.shop(), "openid membership").await;
        // One request in two windows.
        let address = world.suite().push("openid", &[]).await;
        let mut browser = world.browser();
        let (path, page) = begin(&mut browser, &address).await;
        let (other, beside) = begin(&mut browser, &address).await;
        assert_ne!(path, other);
        let back = wallet.follow(&wallet_link(&page)).await;
        assert_eq!(browser.get(&back).await.location(), path);
        browser.get(&path).await.assert_page(StatusCode::OK, LATER);
        assert_eq!(world.count("SELECT COUNT(*) FROM journey_holds").await, 1);
        // The other one has nothing to wait for: nobody is told of it.
        let back = wallet.follow(&wallet_link(&beside)).await;
        assert_eq!(browser.get(&back).await.location(), other);
        let refused = browser.get(&other).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN, "{}", refused.body);
        assert_eq!(world.count("SELECT COUNT(*) FROM journey_holds").await, 1);
        let told = "SELECT COUNT(*) FROM account_notices WHERE kind = 'waiting'";
        assert_eq!(world.count(told).await, 1);

        world.later(DAY_S).await;
        let answer = browser.get(&path).await;
        assert!(is_in(&answer), "{}", answer.body);
        let tokens = world.suite().tokens(&world.suite().code(&answer)).await;
        assert_eq!(tokens.claims["acr"], "urn:vouchsafe:acr:vc");
        // It does not begin again.
        assert_eq!(browser.get(&format!("{path}/again")).await.location(), path);
    })
    .await;
}

/// A login that waited and failed is not begun again with a request that was used up.
#[tokio::test]
async fn rfc_9126_section_7_3_what_waited_and_was_stopped_brings_no_code() {
    with(&[("held.toml", HOLD)], async |world, _| {
        let wallet = world.person("M-1").await;
        let mut owner = world.browser();
        log_in(&mut owner, &wallet, &world.shop(), "openid membership").await;
        let mut thief = world.browser();
        let (path, page) = begin(&mut thief, &world.suite().push("openid", &[]).await).await;
        let back = wallet.follow(&wallet_link(&page)).await;
        assert_eq!(thief.get(&back).await.location(), path);
        let page = owner.get("/account").await;
        let csrf = page.attribute("name=\"csrf\"", "value").unwrap();
        let id = path.trim_start_matches("/login/");
        let stop = format!("/account/holds/{id}/cancel");
        owner.post(&stop, &[("csrf", &csrf)]).await;
        world.later(DAY_S).await;
        assert_eq!(thief.get(&path).await.location(), path);
        let page = thief.get(&path).await;
        page.assert_page(StatusCode::FORBIDDEN, "This was stopped");
        assert!(!page.body.contains("id=\"again\""), "{}", page.body);
        assert_eq!(thief.get(&format!("{path}/again")).await.location(), path);
        let left = leave(&mut thief, &path).await;
        assert_eq!(world.suite().error(&left), "access_denied");
    })
    .await;
}

/// What is about nobody could be stopped by nobody.
#[tokio::test]
async fn who_has_no_account_yet_waits_for_nothing() {
    with(&[("held.toml", HOLD)], async |world, _| {
        let wallet = world.person("M-1").await;
        let mut browser = world.browser();
        let path = show(&world, &mut browser, &wallet).await;
        let page = browser.get(&path).await;
        assert_eq!(page.status, StatusCode::FORBIDDEN, "{}", page.body);
        let reference = path.trim_start_matches("/login/").get(..8).unwrap();
        let traces = world.verifier.journey_traces(reference).await.unwrap();
        assert_eq!(traces[0].outcome, "policy_error");
        assert_eq!(world.count("SELECT COUNT(*) FROM journey_holds").await, 0);
    })
    .await;
}

/// What would hold nobody, or would rest on what is not there any more, stops the start.
#[tokio::test]
async fn a_wait_that_nobody_could_stop_is_refused() {
    assert_eq!(refused(&[("j.toml", HOLD)], "").await, "");
    assert_eq!(refused(&[("j.toml", KEY)], ON).await, "");
    let optional = "query = \"membership\"\nwhen = '!session.exists'";
    let guests = "query = \"age\"";
    let around = "query = \"membership\"\non = { no_credential = \"key\" }";
    let scanned = "query = \"membership\"\nchannels = [\"qr\"]";
    let tells = "kind = \"finish\"\nclaims = { tier = 'cred.card.claims.tier' }";
    let bound =
        "query = \"membership\"\ncheck = 'cred.card.claims.member_id == user.binding.number'";
    let cases = [
        (
            HOLD.replace("notify = [\"user\"]\n", ""),
            "nobody is told of it",
        ),
        (
            HOLD.replace("cancel_link = true\n", ""),
            "can always stop it",
        ),
        (
            HOLD.replace("cancel_link = true", "cancel_link = false"),
            "can always stop it",
        ),
        (
            HOLD.replace("query = \"membership\"", guests),
            "nobody could stop it",
        ),
        (HOLD.replace(STOP, &past("declined")), "leads past a wait"),
        (HOLD.replace(STOP, &past("invalid")), "leads past a wait"),
        (HOLD.replace(STOP, &past("error")), "leads past a wait"),
        (
            KEY.replace("query = \"membership\"", scanned)
                .replace("[\"suite\"]", "[\"shop\"]"),
            "is served by none of these ways",
        ),
        (
            HOLD.replace("kind = \"finish\"", tells),
            "nothing is kept of what cards said",
        ),
        (
            KEY.replace("query = \"membership\"", optional),
            "no card has proven",
        ),
        (
            KEY.replace("query = \"membership\"", around),
            "no card has proven",
        ),
        (
            KEY.replace("query = \"membership\"", guests),
            "no card has proven",
        ),
        (
            KEY.replace("query = \"membership\"", bound),
            "no question binds `number`",
        ),
    ];
    for (text, expected) in cases {
        let said = refused(&[("j.toml", &text)], ON).await;
        assert!(
            said.contains("not_held") && said.contains(expected),
            "{expected}: {said}"
        );
    }
    // Of whom the system that is told does not hear, nobody is told.
    let all = HOLD.replace("[\"user\"]", "[\"all_channels\"]");
    let told = format!("[journeys.notify]\nurl = \"https://s.example/\"\nsecret = \"{SECRET}\"\n");
    let said = refused(&[("j.toml", &all)], &told).await;
    assert!(said.contains("does not hear whose account it is"), "{said}");
    let told = told + "subject = true\n";
    assert_eq!(refused(&[("j.toml", &all)], &told).await, "");
    let said = refused(&[("j.toml", KEY)], "").await;
    assert!(said.contains("no `[passkeys]`"), "{said}");
}
