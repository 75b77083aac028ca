//! Passkeys in journeys: example B of the login document, driven with a browser, a device and a wallet.

use axum::http::StatusCode;
use vouchsafe_service::webauthn::testing::Device;

use crate::journeys::{ABROAD, HOME, with_more};
use crate::world::World;
use crate::world::browser::{Answer, Browser};
use crate::world::passkeys::{ON, add, device, tap};
use crate::world::rp::Tokens;
use crate::world::steps::{begin, wallet_link};
use crate::world::wallet::Wallet;

/// Example B, for cards of this world.
pub const MEMBER: &str = r#"
id = "member-login"
version = 7
stage = "retention"
clients = ["suite"]
timeout_s = 300
subject = "issuer_scoped_claim"

[[step]]
id = "who"
kind = "identify"
accept = ["passkey_autofill", "username"]
when = '!session.exists'

[[step]]
id = "key"
kind = "passkey"
when = '!session.exists && user.exists && "passkey" in user.linked'
on = { declined = "card", error = "card" }

[[step]]
id = "risk"
kind = "risk"
model = "freeman"

[[step]]
id = "block"
kind = "deny"
when = 'risk.level == "critical"'
code = "risk_blocked"

[[step]]
id = "card"
kind = "present"
query = "membership"
bind = "current_user"
when = '''
  (!session.exists && !("key" in done))
  || risk.level in ["high", "critical"] || risk.impossible_travel
  || acr.at_least(request.acr_values, "vc")
'''
on = { no_credential = "deny:use_recovery", declined = "deny:declined", invalid = "deny:not_proven", timeout = "deny:timeout", error = "deny:error" }

[[step]]
id = "ok"
kind = "finish"
"#;

pub fn has(tokens: &Tokens, method: &str) -> bool {
    let methods = tokens.claims["amr"].as_array().unwrap();
    methods.iter().any(|one| one == method)
}

pub async fn begins(world: &World, browser: &mut Browser) -> (String, Answer) {
    begin(browser, &world.suite().authorize("openid", &[])).await
}

/// Says that one goes on with the card.
pub async fn skip(browser: &mut Browser, path: &str, page: &Answer) -> Answer {
    page.assert_page(StatusCode::OK, "Continue with my card");
    let csrf = page.attribute("name=\"csrf\"", "value").unwrap();
    let fields = [("csrf", csrf.as_str()), ("skip", "1")];
    let next = browser.post(&format!("{path}/identify"), &fields).await;
    assert_eq!(next.location(), path);
    browser.get(path).await
}

/// A member who logged in with the card at home and added a passkey.
pub async fn member(world: &World) -> (Browser, Wallet, Device, Tokens) {
    let wallet = world.person("M-1").await;
    let mut browser = world.browser().from(HOME);
    let (path, page) = begins(world, &mut browser).await;
    let page = skip(&mut browser, &path, &page).await;
    let back = wallet.follow(&wallet_link(&page)).await;
    let answer = browser.get(&back).await;
    let tokens = world.suite().tokens(&world.suite().code(&answer)).await;
    let mut device = device(world);
    let added = add(&mut browser, &mut device, "phone").await;
    assert_eq!(added.status, StatusCode::OK, "{}", added.body);
    world.tick().await;
    (browser, wallet, device, tokens)
}

/// The same browser, logged out.
pub fn without_session(mut browser: Browser) -> Browser {
    browser.set_cookie("vs_op_session", "");
    browser
}

#[tokio::test]
async fn b_a_known_device_is_one_tap_and_no_card() {
    with_more(&[("member.toml", MEMBER)], ON, async |world, _| {
        let (browser, _, mut device, first) = member(&world).await;
        let mut browser = without_session(browser);
        let (path, page) = begins(&world, &mut browser).await;
        page.assert_page(StatusCode::OK, "id=\"passkey\"");
        let answer = tap(&mut browser, &path, &mut device).await;
        let tokens = world.suite().tokens(&world.suite().code(&answer)).await;
        assert_eq!(tokens.sub(), first.sub());
        assert!(has(&tokens, "swk") && has(&tokens, "user") && !has(&tokens, "vp"));
        assert_eq!(tokens.claims["acr"], "urn:vouchsafe:acr:mfa");
    })
    .await;
}

#[tokio::test]
async fn b_a_new_country_asks_for_the_card_after_the_tap() {
    with_more(&[("member.toml", MEMBER)], ON, async |world, _| {
        let (browser, wallet, mut device, first) = member(&world).await;
        world.clock.advance(12 * 3600);
        world
            .issuer
            .publish(crate::world::NOW.plus(12 * 3600))
            .await;
        let mut browser = without_session(browser).from(ABROAD);
        let (path, _) = begins(&world, &mut browser).await;
        let next = tap(&mut browser, &path, &mut device).await;
        assert_eq!(next.location(), path);
        let page = browser.get(&path).await;
        let back = wallet.follow(&wallet_link(&page)).await;
        let answer = browser.get(&back).await;
        let tokens = world.suite().tokens(&world.suite().code(&answer)).await;
        assert_eq!(tokens.sub(), first.sub());
        assert!(["vp", "rba", "swk"].iter().all(|one| has(&tokens, one)));
        assert_eq!(tokens.claims["acr"], "urn:vouchsafe:acr:vc");

        // The card of somebody else is an error, never a switch.
        let stranger = world.person("M-2").await;
        let mut thief = world.browser().from("203.0.113.9");
        let (path, _) = begins(&world, &mut thief).await;
        let next = tap(&mut thief, &path, &mut device).await;
        if next.status == StatusCode::SEE_OTHER && next.location() == path {
            let page = thief.get(&path).await;
            if page.status == StatusCode::OK {
                let back = stranger.follow(&wallet_link(&page)).await;
                let answer = thief.get(&back).await;
                let end = thief.get(&answer.location()).await;
                assert_eq!(end.status, StatusCode::FORBIDDEN, "{}", end.body);
            }
        }
    })
    .await;
}

#[tokio::test]
async fn who_says_not_now_at_a_passkey_step_shows_the_card() {
    let only = MEMBER
        .replace(
            "accept = [\"passkey_autofill\", \"username\"]\nwhen = '!session.exists'",
            "accept = [\"passkey_autofill\"]\nwhen = 'false'",
        )
        .replace(
            "when = '!session.exists && user.exists && \"passkey\" in user.linked'",
            "when = '!session.exists'",
        );
    with_more(&[("member.toml", &only)], ON, async |world, _| {
        let wallet = world.person("M-1").await;
        let mut browser = world.browser().from(HOME);
        let (path, page) = begins(&world, &mut browser).await;
        page.assert_page(StatusCode::OK, "Your passkey");
        let csrf = page.attribute("name=\"csrf\"", "value").unwrap();
        let fields = [("csrf", csrf.as_str())];
        let next = browser.post(&format!("{path}/cancel"), &fields).await;
        assert_eq!(next.location(), path);
        let page = browser.get(&path).await;
        let back = wallet.follow(&wallet_link(&page)).await;
        let answer = browser.get(&back).await;
        let tokens = world.suite().tokens(&world.suite().code(&answer)).await;
        assert!(has(&tokens, "vp") && !has(&tokens, "swk"));

        // And with one it is one tap.
        let mut device = device(&world);
        add(&mut browser, &mut device, "phone").await;
        world.tick().await;
        let mut browser = without_session(browser);
        let (path, _) = begins(&world, &mut browser).await;
        let refused = {
            device.flags &= !0x04;
            let refused = tap(&mut browser, &path, &mut device).await;
            device.flags |= 0x04;
            refused
        };
        refused.assert_page(StatusCode::FORBIDDEN, "nobody is logged in yet");
        let answer = tap(&mut browser, &path, &mut device).await;
        let second = world.suite().tokens(&world.suite().code(&answer)).await;
        assert_eq!(second.sub(), tokens.sub());
        assert!(has(&second, "swk") && !has(&second, "vp"));
    })
    .await;
}

/// Decision 0047 holds without a journey too: who comes from a new country shows the card after the tap.
#[tokio::test]
async fn an_unusual_login_by_passkey_shows_the_card_of_the_same_person() {
    with_more(&[], ON, async |world, _| {
        let wallet = world.person("M-1").await;
        let suite = world.suite();
        let mut browser = world.browser().from(HOME);
        let (_, page) = begins(&world, &mut browser).await;
        let back = wallet.follow(&wallet_link(&page)).await;
        let first = suite.tokens(&suite.code(&browser.get(&back).await)).await;
        let mut device = device(&world);
        add(&mut browser, &mut device, "phone").await;
        world.tick().await;

        let mut browser = without_session(browser).from(ABROAD);
        let (path, _) = begins(&world, &mut browser).await;
        let next = tap(&mut browser, &path, &mut device).await;
        assert_eq!(next.location(), path);
        let page = browser.get(&path).await;
        page.assert_page(StatusCode::OK, "id=\"unusual\"");
        page.assert_page(StatusCode::OK, "Your passkey was right");
        assert!(!page.body.contains("id=\"passkey\""));
        let back = wallet.follow(&wallet_link(&page)).await;
        let tokens = suite.tokens(&suite.code(&browser.get(&back).await)).await;
        assert_eq!(tokens.sub(), first.sub());
        assert!(["vp", "rba", "swk"].iter().all(|one| has(&tokens, one)));
    })
    .await;
}
