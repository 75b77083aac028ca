//! What a tap in a journey counts for, beside sessions and cards.

use axum::http::StatusCode;

use crate::journeys::{ABROAD, HOME, with_more};
use crate::passkey_journeys::{MEMBER, begins, has, member, skip, without_session};
use crate::world::browser::{Answer, Browser};
use crate::world::passkeys::{ON, add, begin_adding, device, script, tap};
use crate::world::steps::{begin, wallet_link};
use crate::world::wallet::Wallet;
use crate::world::{NOW, World};

const VC: &str = "urn:vouchsafe:acr:vc";

/// Cards are shown anew each day.
const DAILY: &str = "\n[passkeys]\nenabled = true\ncard_max_age_days = 1\n";

/// A card, and a passkey too of who has one.
const BOTH: &str = r#"
id = "both"
version = 1
clients = ["suite"]
timeout_s = 300
subject = "issuer_scoped_claim"

[[step]]
id = "card"
kind = "present"
query = "membership"

[[step]]
id = "key"
kind = "passkey"
when = 'user.exists && "passkey" in user.linked'
on = { declined = "deny:declined", error = "deny:no_passkey" }

[[step]]
id = "ok"
kind = "finish"
"#;

/// Example B without the steps of the risk.
fn without_risk() -> String {
    let (start, end) = (
        MEMBER.find("[[step]]\nid = \"risk\"").unwrap(),
        MEMBER.find("[[step]]\nid = \"card\"").unwrap(),
    );
    let text = format!("{}{}", &MEMBER[..start], &MEMBER[end..]);
    text.replace(
        "\n  || risk.level in [\"high\", \"critical\"] || risk.impossible_travel",
        "",
    )
}

async fn shows(browser: &mut Browser, path: &str, wallet: &Wallet) -> Answer {
    let page = browser.get(path).await;
    let back = wallet.follow(&wallet_link(&page)).await;
    browser.get(&back).await
}

async fn a_day_later(world: &World) {
    world.clock.advance(86_401);
    world.issuer.publish(NOW.plus(86_401)).await;
}

/// The first login of a person in [`BOTH`], who then adds a passkey.
async fn first(
    world: &World,
) -> (
    Browser,
    Wallet,
    vouchsafe_service::webauthn::testing::Device,
) {
    let wallet = world.person("M-1").await;
    let mut browser = world.browser().from(HOME);
    let (path, _) = begins(world, &mut browser).await;
    let answer = shows(&mut browser, &path, &wallet).await;
    world.suite().code(&answer);
    let mut device = device(world);
    let added = add(&mut browser, &mut device, "phone").await;
    assert_eq!(added.status, StatusCode::OK, "{}", added.body);
    world.tick().await;
    (browser, wallet, device)
}

/// Whoever stole a session and a passkey must not make more of it.
#[tokio::test]
async fn a_tap_beside_a_session_makes_no_card_new() {
    with_more(&[("both.toml", BOTH)], ON, async |world, _| {
        let (mut browser, _, mut device) = first(&world).await;
        world.clock.advance(700);
        let (path, page) = begins(&world, &mut browser).await;
        page.assert_page(StatusCode::OK, "Your passkey");
        let answer = tap(&mut browser, &path, &mut device).await;
        let tokens = world.suite().tokens(&world.suite().code(&answer)).await;
        // The card counts, and the login is as old as it is.
        assert_eq!(tokens.claims["acr"], VC);
        assert!(has(&tokens, "vp") && has(&tokens, "swk"));
        assert_eq!(tokens.claims["auth_time"], NOW.0);
        let (_, asked) = begin_adding(&mut browser).await;
        assert_eq!(asked.status, StatusCode::FORBIDDEN);
        assert_eq!(asked.json()["code"], "card_stale");
        // What the session is worth now is the tap.
        assert_eq!(
            world
                .count("SELECT COUNT(*) FROM login_sessions WHERE acr = 'urn:vouchsafe:acr:vc'")
                .await,
            0
        );
    })
    .await;
}

/// What a passkey stands for is of no interest where the card itself is there.
#[tokio::test]
async fn a_tap_after_the_card_needs_no_earlier_card() {
    with_more(&[("both.toml", BOTH)], DAILY, async |world, _| {
        let (browser, wallet, mut device) = first(&world).await;
        a_day_later(&world).await;
        let mut browser = without_session(browser);
        let (path, _) = begins(&world, &mut browser).await;
        let next = shows(&mut browser, &path, &wallet).await;
        assert_eq!(next.location(), path);
        let answer = tap(&mut browser, &path, &mut device).await;
        let tokens = world.suite().tokens(&world.suite().code(&answer)).await;
        assert!(has(&tokens, "vp") && has(&tokens, "swk"));
        assert_eq!(tokens.claims["acr"], VC);

        // The passkey of somebody else is an error, also of whose card is new here.
        let stranger = world.person("M-2").await;
        let mut other = world.browser().from(HOME);
        let (path, _) = begins(&world, &mut other).await;
        let answer = shows(&mut other, &path, &stranger).await;
        world.suite().code(&answer);
    })
    .await;
}

#[tokio::test]
async fn where_facts_are_wanted_a_run_asks_for_the_card() {
    with_more(&[("member.toml", MEMBER)], ON, async |world, _| {
        let (_, wallet, _, _) = member(&world).await;
        let mut browser = world.browser().from(HOME);
        let address = world.suite().authorize("openid membership", &[]);
        let (path, page) = begin(&mut browser, &address).await;
        assert!(!page.body.contains("id=\"passkey\""), "{}", page.body);
        let csrf = page.attribute("name=\"csrf\"", "value").unwrap();
        let to = format!("{path}/passkey/challenge");
        let refused = script(&mut browser, &to, &csrf, &serde_json::json!({})).await;
        assert_eq!(refused.status, StatusCode::NOT_FOUND);
        skip(&mut browser, &path, &page).await;
        let answer = shows(&mut browser, &path, &wallet).await;
        let tokens = world.suite().tokens(&world.suite().code(&answer)).await;
        assert!(has(&tokens, "vp") && !has(&tokens, "swk"));
    })
    .await;
}

/// A tap of one person, which does not count, and then the card of another.
async fn another_card_is_refused(
    world: &World,
    (mut browser, path): (Browser, String),
    stranger: &Wallet,
) {
    let answer = shows(&mut browser, &path, stranger).await;
    let end = browser.get(&answer.location()).await;
    assert_eq!(end.status, StatusCode::FORBIDDEN, "{}", end.body);
    assert_eq!(world.count("SELECT COUNT(*) FROM subjects").await, 1);
}

#[tokio::test]
async fn after_an_unusual_tap_the_card_is_that_of_the_same_person() {
    let text = without_risk();
    with_more(&[("member.toml", &text)], ON, async |world, _| {
        let (_, wallet, mut device, first) = member(&world).await;
        let stranger = world.person("M-2").await;
        let mut browsers = Vec::new();
        for _ in 0..2 {
            let mut browser = world.browser().from(ABROAD);
            let (path, _) = begins(&world, &mut browser).await;
            let next = tap(&mut browser, &path, &mut device).await;
            assert_eq!(next.location(), path);
            let page = browser.get(&path).await;
            page.assert_page(StatusCode::OK, "Your passkey was right");
            assert!(!page.body.contains("still logged in"), "{}", page.body);
            assert!(!page.body.contains("id=\"passkey\""));
            browsers.push((browser, path));
        }
        another_card_is_refused(&world, browsers.remove(0), &stranger).await;
        let (mut browser, path) = browsers.remove(0);
        let answer = shows(&mut browser, &path, &wallet).await;
        let tokens = world.suite().tokens(&world.suite().code(&answer)).await;
        assert_eq!(tokens.sub(), first.sub());
        assert!(has(&tokens, "vp") && has(&tokens, "rba") && !has(&tokens, "swk"));
    })
    .await;
}

#[tokio::test]
async fn after_a_tap_that_does_not_stand_the_card_is_that_of_the_same_person() {
    let text = without_risk();
    with_more(&[("member.toml", &text)], DAILY, async |world, _| {
        let (_, wallet, mut device, first) = member(&world).await;
        let stranger = world.person("M-2").await;
        a_day_later(&world).await;
        let mut browsers = Vec::new();
        for _ in 0..2 {
            let mut browser = world.browser().from(HOME);
            let (path, _) = begins(&world, &mut browser).await;
            let next = tap(&mut browser, &path, &mut device).await;
            assert_eq!(next.location(), path);
            browsers.push((browser, path));
        }
        another_card_is_refused(&world, browsers.remove(0), &stranger).await;
        let (mut browser, path) = browsers.remove(0);
        let answer = shows(&mut browser, &path, &wallet).await;
        let tokens = world.suite().tokens(&world.suite().code(&answer)).await;
        assert_eq!(tokens.sub(), first.sub());
        assert!(has(&tokens, "vp") && !has(&tokens, "swk"));
    })
    .await;
}

/// With and without a journey.
#[tokio::test]
async fn a_passkey_that_was_removed_meanwhile_does_not_count_beside_the_card() {
    let text = without_risk();
    for files in [&[][..], &[("member.toml", text.as_str())]] {
        with_more(files, ON, async |world, _| {
            let (mut mine, wallet, mut device) = match files.is_empty() {
                true => first(&world).await,
                false => {
                    let (browser, wallet, device, _) = member(&world).await;
                    (browser, wallet, device)
                }
            };
            let (place, level) = match files.is_empty() {
                true => (ABROAD, &[][..]),
                false => (HOME, &[("acr_values", VC)][..]),
            };
            let mut browser = world.browser().from(place);
            let address = world.suite().authorize("openid", level);
            let (path, _) = begin(&mut browser, &address).await;
            let next = tap(&mut browser, &path, &mut device).await;
            assert_eq!(next.location(), path);
            let page = mine.get("/account").await;
            let csrf = page.attribute("name=\"csrf\"", "value").unwrap();
            let removal = (page.body.split("action=\""))
                .filter_map(|part| Some(part.split('"').next()?.replace("&#x2f;", "/")))
                .find(|action| action.ends_with("/remove"));
            mine.post(&removal.unwrap(), &[("csrf", &csrf)]).await;
            assert_eq!(world.count("SELECT COUNT(*) FROM passkeys").await, 0);
            let answer = shows(&mut browser, &path, &wallet).await;
            let end = match answer.status {
                StatusCode::SEE_OTHER => browser.get(&answer.location()).await,
                _ => answer,
            };
            assert_eq!(end.status, StatusCode::FORBIDDEN, "{}", end.body);
        })
        .await;
    }
}

#[tokio::test]
async fn cards_are_forgotten_after_their_time_and_without_passkeys() {
    let temporary =
        vouchsafe_service::db::testing::sqlite(&[vouchsafe_verifier::store::MIGRATIONS]).await;
    let mut world = World::with_config(temporary.db.clone(), |toml| toml + DAILY).await;
    let cards = "SELECT COUNT(*) FROM account_cards";
    crate::passkeys::somebody(&world, "M-1").await;
    world.tick().await;
    assert!(world.count(cards).await > 0);
    a_day_later(&world).await;
    world.tick().await;
    assert_eq!(world.count(cards).await, 0);
    let mut browser = world.browser();
    let wallet = world.person("M-3").await;
    crate::world::steps::log_in(&mut browser, &wallet, &world.suite(), "openid").await;
    assert!(world.count(cards).await > 0);
    world.restart(|toml| toml).await;
    world.tick().await;
    assert_eq!(world.count(cards).await, 0);
}
