//! Passkeys of people: added on the account page, used at the next login in place of the card.

use axum::http::StatusCode;
use serde_json::{Value, json};
use vouchsafe_credentials::status_list::Status;
use vouchsafe_service::audit;
use vouchsafe_service::webauthn::testing::Device;

use crate::world::browser::{Answer, Browser};
use crate::world::passkeys::{ON, add, begin_adding, device, on_each, tap};
use crate::world::rp::Tokens;
use crate::world::steps::{begin, log_in, rows, same_device, wallet_link};
use crate::world::wallet::Wallet;
use crate::world::{NOW, World, with_config};

const VC: &str = "urn:vouchsafe:acr:vc";

/// Somebody with a card and a passkey: their browser, wallet and device, and their first login.
pub async fn somebody(world: &World, member: &str) -> (Browser, Wallet, Device, Tokens) {
    let wallet = world.person(member).await;
    let mut browser = world.browser();
    let tokens = log_in(&mut browser, &wallet, &world.suite(), "openid").await;
    let mut device = device(world);
    let added = add(&mut browser, &mut device, "My <phone>").await;
    assert_eq!(added.status, StatusCode::OK, "{}", added.body);
    assert_eq!(added.json()["next"], "/account");
    (browser, wallet, device, tokens)
}

/// A login at the suite by passkey, in a browser that has no session.
pub async fn by_passkey(world: &World, browser: &mut Browser, device: &mut Device) -> Answer {
    let (path, _) = begin(browser, &world.suite().authorize("openid", &[])).await;
    tap(browser, &path, device).await
}

fn says(tokens: &Tokens, method: &str) -> bool {
    let methods = tokens.claims["amr"].as_array().unwrap();
    methods.iter().any(|one| one == method)
}

#[tokio::test]
async fn a_passkey_brings_the_same_person_back() {
    on_each(async |world| {
        let (mut browser, wallet, mut device, first) = somebody(&world, "M-1").await;
        let page = browser.get("/account").await;
        page.assert_page(StatusCode::OK, "My &lt;phone&gt;");
        assert_eq!(rows(&world, "subject_means").await, 2);

        world.clock.advance(60);
        let mut other = world.browser();
        let answer = by_passkey(&world, &mut other, &mut device).await;
        let tokens = world.suite().tokens(&world.suite().code(&answer)).await;
        assert_eq!(tokens.sub(), first.sub());
        assert!(says(&tokens, "swk") && says(&tokens, "user"));
        assert!(!says(&tokens, "hwk") && !says(&tokens, "vp"));
        // Two kinds of factor: the device, and whoever it verified.
        assert_eq!(tokens.claims["acr"], "urn:vouchsafe:acr:mfa");
        assert_eq!(tokens.claims["auth_time"], NOW.0 + 60);
        assert_eq!(tokens.claims.get("member_id"), None);

        // The session of the passkey answers by itself, as that of the card does.
        let address = world.suite().authorize("openid", &[]);
        let again = other.get(&address).await;
        let again = world.suite().tokens(&world.suite().code(&again)).await;
        assert_eq!(again.sub(), first.sub());
        assert!(!says(&again, "vp"));

        // Same account for the card.
        let third = log_in(&mut world.browser(), &wallet, &world.suite(), "openid").await;
        assert_eq!(third.sub(), first.sub());
        assert_eq!(rows(&world, "subjects").await, 1);

        let log = audit::page(&world.db, None, None, 10).await.unwrap();
        let added = log.iter().find(|e| e.action == "means.add").unwrap();
        assert_eq!(added.detail, "passkey");
        assert!(added.actor.starts_with("subject:"));
    })
    .await;
}

#[tokio::test]
async fn the_handle_of_an_account_is_random_and_one_device_is_not_registered_twice() {
    on_each(async |world| {
        let (mut browser, _, device, tokens) = somebody(&world, "M-1").await;
        let (_, asked) = begin_adding(&mut browser).await;
        let options = asked.json()["publicKey"].clone();
        let known = options["excludeCredentials"].as_array().unwrap();
        assert_eq!(known.len(), 1);
        assert_eq!(options["user"]["id"], b64(&device.user));
        let handle = String::from_utf8(device.user.clone()).unwrap();
        assert!(handle.len() >= 43 && !tokens.id_token.contains(&handle));
        assert_ne!(tokens.sub(), handle);
        assert_eq!(options["attestation"], "none");
        let wanted = &options["authenticatorSelection"];
        assert_eq!(wanted["residentKey"], "required");
        assert_eq!(wanted["userVerification"], "required");
        let somebody =
            "SELECT COUNT(*) FROM passkey_handles h JOIN subjects s ON s.id = h.user_handle";
        assert_eq!(world.count(somebody).await, 0);
    })
    .await;
}

fn b64(bytes: &[u8]) -> Value {
    use base64::Engine as _;
    base64::prelude::BASE64_URL_SAFE_NO_PAD.encode(bytes).into()
}

/// What only a card answers is asked of the card.
#[tokio::test]
async fn facts_levels_and_guests_are_asked_of_the_card() {
    on_each(async |world| {
        somebody(&world, "M-1").await;
        let vc = [("acr_values", VC)];
        let (suite, shop) = (world.suite(), world.shop());
        for address in [
            suite.authorize("openid membership", &[]),
            suite.authorize("openid", &vc),
            shop.authorize("openid age", &[]),
            shop.authorize("openid membership offline_access", &[]),
        ] {
            let mut browser = world.browser();
            let (path, page) = begin(&mut browser, &address).await;
            assert!(!page.body.contains("id=\"passkey\""), "{address}");
            let csrf = page.attribute("name=\"csrf\"", "value").unwrap();
            let to = format!("{path}/passkey/challenge");
            let asked = crate::world::passkeys::script(&mut browser, &to, &csrf, &json!({})).await;
            assert_eq!(asked.status, StatusCode::NOT_FOUND);
        }
        let (_, page) = begin(&mut world.browser(), &suite.authorize("openid", &[])).await;
        assert!(page.body.contains("id=\"passkey\""));
    })
    .await;
}

#[tokio::test]
async fn an_application_may_take_no_passkeys() {
    let change = "id = \"suite\"\npasskeys = false";
    let temporary =
        vouchsafe_service::db::testing::sqlite(&[vouchsafe_verifier::store::MIGRATIONS]).await;
    let world = World::with_config(temporary.db.clone(), |toml| {
        toml.replace("id = \"suite\"", change) + ON
    });
    let world = world.await;
    let (_, page) = begin(
        &mut world.browser(),
        &world.suite().authorize("openid", &[]),
    )
    .await;
    assert!(!page.body.contains("id=\"passkey\""));
}

#[tokio::test]
async fn without_the_section_there_are_none() {
    with_config("", async |world| {
        let wallet = world.person("M-1").await;
        let mut browser = world.browser();
        log_in(&mut browser, &wallet, &world.suite(), "openid").await;
        let page = browser.get("/account").await;
        assert!(!page.body.contains("passkey"), "{}", page.body);
        let answer = browser.post("/account/passkeys", &[]).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND);
        assert_eq!(world.count("SELECT COUNT(*) FROM account_cards").await, 0);
    })
    .await;
}

/// A card that was not shown for too long is shown again, by the same person or by nobody.
#[tokio::test]
async fn after_a_while_the_card_is_asked_of_the_same_person() {
    let days = "\n[passkeys]\nenabled = true\ncard_max_age_days = 1\n";
    with_config(days, async |world| {
        let (_, wallet, mut device, first) = somebody(&world, "M-1").await;
        let stranger = world.person("M-2").await;
        world.clock.advance(86_401);
        world.issuer.publish(NOW.plus(86_401)).await;

        let mut browser = world.browser();
        let asked = by_passkey(&world, &mut browser, &mut device).await;
        let page = browser.get(&asked.location()).await;
        page.assert_page(StatusCode::OK, "id=\"passkey-card\"");
        assert!(!page.body.contains("id=\"passkey\""));
        let back = stranger.follow(&wallet_link(&page)).await;
        let answer = browser.get(&back).await;
        answer.assert_page(StatusCode::FORBIDDEN, "");
        assert_eq!(rows(&world, "subjects").await, 1);

        let mut browser = world.browser();
        let asked = by_passkey(&world, &mut browser, &mut device).await;
        let page = browser.get(&asked.location()).await;
        let back = wallet.follow(&wallet_link(&page)).await;
        let answer = browser.get(&back).await;
        let tokens = world.suite().tokens(&world.suite().code(&answer)).await;
        assert_eq!(tokens.sub(), first.sub());
        assert!(
            ["vp", "pop", "swk", "user", "mfa"]
                .iter()
                .all(|one| says(&tokens, one))
        );
        assert_eq!(tokens.claims["acr"], VC);

        let answer = by_passkey(&world, &mut world.browser(), &mut device).await;
        world.suite().code(&answer);
    })
    .await;
}

#[tokio::test]
async fn a_step_up_for_which_a_passkey_does_not_do_is_counted_once() {
    let more = "\n[numbers]\n\n[passkeys]\nenabled = true\ncard_max_age_days = 1\n";
    with_config(more, async |world| {
        let (_, _, mut device, _) = somebody(&world, "M-1").await;
        world.clock.advance(86_300);
        world.issuer.publish(NOW.plus(86_300)).await;
        let mut browser = world.browser();
        let answer = by_passkey(&world, &mut browser, &mut device).await;
        world.suite().code(&answer);
        // The session is too old, and so is the card behind the passkey.
        world.clock.advance(101);
        world.issuer.publish(NOW.plus(86_401)).await;
        let address = world.suite().authorize("openid", &[("max_age", "60")]);
        let (path, _) = begin(&mut browser, &address).await;
        let asked = tap(&mut browser, &path, &mut device).await;
        let page = browser.get(&asked.location()).await;
        page.assert_page(StatusCode::OK, "id=\"passkey-card\"");
        world.tick().await;
        let required = "SELECT CAST(COALESCE(SUM(n), 0) AS BIGINT) FROM login_numbers \
             WHERE what = 'step_up' AND outcome = 'required'";
        assert_eq!(world.count(required).await, 1);
        assert_eq!(
            world
                .count(
                    "SELECT CAST(COALESCE(SUM(n), 0) AS BIGINT) FROM login_numbers \
                     WHERE what = 'step_up' AND outcome = 'required' AND method = 'max_age'"
                )
                .await,
            1
        );
    })
    .await;
}

/// A revoked card ends sessions by passkey as it ends those by card, and stands for nothing.
#[tokio::test]
async fn cat_346_a_revoked_card_ends_the_session_of_a_passkey() {
    on_each(async |world| {
        let (mut browser, wallet, mut device, _) = somebody(&world, "M-1").await;
        let mut other = world.browser();
        let answer = by_passkey(&world, &mut other, &mut device).await;
        world.suite().code(&answer);
        browser.get("/account").await;
        world.tick().await;
        assert_eq!(rows(&world, "login_sessions").await, 2);

        world.issuer.set(&wallet.cards[1].status, Status::Invalid);
        world.clock.advance(2);
        world.issuer.publish(NOW.plus(2)).await;
        world.tick().await;
        assert_eq!(rows(&world, "login_sessions").await, 0);

        let mut third = world.browser();
        let asked = by_passkey(&world, &mut third, &mut device).await;
        let page = third.get(&asked.location()).await;
        page.assert_page(StatusCode::OK, "id=\"passkey-card\"");
        let asked = wallet.open(&wallet_link(&page)).await;
        let refused = wallet.answer(&asked).await;
        let back = refused.json()["redirect_uri"].as_str().unwrap().to_owned();
        let answer = third.get(&back).await;
        answer.assert_page(StatusCode::FORBIDDEN, "This card is no longer valid");
        assert_eq!(rows(&world, "login_sessions").await, 0);
    })
    .await;
}

/// Whoever has the passkey alone does not make more of it.
#[tokio::test]
async fn a_passkey_is_added_soon_after_a_card_and_not_after_a_passkey() {
    on_each(async |world| {
        let (mut browser, _, mut known, _) = somebody(&world, "M-1").await;
        let mut other = world.browser();
        let answer = by_passkey(&world, &mut other, &mut known).await;
        world.suite().code(&answer);
        let (_, asked) = begin_adding(&mut other).await;
        assert_eq!(asked.status, StatusCode::FORBIDDEN);
        assert_eq!(asked.json()["code"], "card_stale");

        let second = add(&mut browser, &mut device(&world), "").await;
        assert_eq!(second.status, StatusCode::OK, "{}", second.body);
        world.clock.advance(601);
        let (_, asked) = begin_adding(&mut browser).await;
        assert_eq!(asked.status, StatusCode::FORBIDDEN);
        assert_eq!(rows(&world, "subject_means").await, 3);
    })
    .await;
}

/// A passkey stands for a card: the last card stays as long as there are passkeys.
#[tokio::test]
async fn the_last_card_stays_and_a_removed_passkey_is_over() {
    on_each(async |world| {
        let (mut browser, _, mut device, _) = somebody(&world, "M-1").await;
        let page = browser.get("/account").await;
        let csrf = page.attribute("name=\"csrf\"", "value").unwrap();
        let removals: Vec<String> = (page.body.split("action=\""))
            .filter_map(|part| Some(part.split('"').next()?.replace("&#x2f;", "/")))
            .filter(|action| action.ends_with("/remove"))
            .collect();
        assert_eq!(removals.len(), 1, "{}", page.body);
        let mut other = world.browser();
        by_passkey(&world, &mut other, &mut device).await;
        assert_eq!(rows(&world, "login_sessions").await, 2);

        let done = browser.post(&removals[0], &[("csrf", &csrf)]).await;
        assert_eq!(done.location(), "/account");
        assert_eq!(rows(&world, "subject_means").await, 1);
        assert_eq!(world.count("SELECT COUNT(*) FROM passkeys").await, 0);
        // One of the others may rest on it.
        assert_eq!(rows(&world, "login_sessions").await, 1);
        let refused = by_passkey(&world, &mut world.browser(), &mut device).await;
        refused.assert_page(StatusCode::FORBIDDEN, "nobody is logged in yet");
    })
    .await;
}

/// Another question is another card: what it demands was never shown.
#[tokio::test]
async fn a_passkey_stands_for_the_question_that_was_answered() {
    on_each(async |world| {
        let wallet = world.person("M-1").await;
        let mut browser = world.browser();
        log_in(&mut browser, &wallet, &world.shop(), "openid membership").await;
        let mut device = device(&world);
        add(&mut browser, &mut device, "key").await;
        let mut other = world.browser();
        let asked = by_passkey(&world, &mut other, &mut device).await;
        let page = other.get(&asked.location()).await;
        page.assert_page(StatusCode::OK, "id=\"passkey-card\"");
        let back = wallet.follow(&wallet_link(&page)).await;
        world.suite().code(&other.get(&back).await);
        let answer = by_passkey(&world, &mut world.browser(), &mut device).await;
        world.suite().code(&answer);
    })
    .await;
}

/// The person whom the application expects, or nobody.
#[tokio::test]
async fn a_passkey_of_somebody_else_is_no_switch() {
    on_each(async |world| {
        let (mut browser, _, _, _) = somebody(&world, "M-1").await;
        let (_, _, mut theirs, second) = somebody(&world, "M-2").await;
        let suite = world.suite();
        let again = [("prompt", "login")];
        let (path, _) = begin(&mut browser, &suite.authorize("openid", &again)).await;
        let answer = tap(&mut browser, &path, &mut theirs).await;
        let page = browser.get(&answer.location()).await;
        page.assert_page(StatusCode::FORBIDDEN, "");
        // Nobody was switched.
        let answer = browser.get(&suite.authorize("openid", &[])).await;
        let tokens = suite.tokens(&suite.code(&answer)).await;
        assert_ne!(tokens.sub(), second.sub());
    })
    .await;
}

#[tokio::test]
async fn step_up_from_a_passkey_asks_for_the_card_of_the_same_person() {
    on_each(async |world| {
        let (_, wallet, mut device, first) = somebody(&world, "M-1").await;
        let mut browser = world.browser();
        by_passkey(&world, &mut browser, &mut device).await;
        let suite = world.suite();
        let address = suite.authorize("openid", &[("acr_values", VC)]);
        let stranger = world.person("M-2").await;
        let answer = same_device(&mut browser, &stranger, &address).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{}", answer.body);
        let answer = same_device(&mut browser, &wallet, &address).await;
        let tokens = suite.tokens(&suite.code(&answer)).await;
        assert_eq!(
            (tokens.sub(), &tokens.claims["acr"]),
            (first.sub(), &json!(VC))
        );
    })
    .await;
}
