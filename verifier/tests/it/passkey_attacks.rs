//! Answers of devices that prove nobody.

use axum::http::StatusCode;
use serde_json::{Value, json};
use vouchsafe_service::audit;
use vouchsafe_service::webauthn::testing::Device;

use crate::journeys::{HOME, with_more};
use crate::passkey_journeys::{MEMBER, begins, member};
use crate::passkeys::{by_passkey, somebody};
use crate::world::World;
use crate::world::browser::Browser;
use crate::world::passkeys::{ON, ask, begin_adding, bring, device, on_each, script, tap};
use crate::world::steps::{begin, log_in, rows};

const UP: u8 = 0x01;
const UV: u8 = 0x04;

async fn login(world: &World) -> (Browser, String) {
    let mut browser = world.browser();
    let (path, _) = begin(&mut browser, &world.suite().authorize("openid", &[])).await;
    (browser, path)
}

async fn refused(world: &World, device: &mut Device) {
    let (mut browser, path) = login(world).await;
    let answer = tap(&mut browser, &path, device).await;
    answer.assert_page(StatusCode::FORBIDDEN, "nobody is logged in yet");
    // The way with the card is still open.
    assert!(answer.body.contains("id=\"show-card\""));
}

#[tokio::test]
async fn an_answer_for_another_site_or_without_the_person_is_refused() {
    on_each(async |world| {
        let (_, _, mut device, _) = somebody(&world, "M-1").await;
        let before = rows(&world, "login_sessions").await;
        let (origin, rp_id, flags) = (device.origin.clone(), device.rp_id.clone(), device.flags);
        for wrong in [
            "http://127.0.0.1:8081",
            "https://localhost:8081",
            "http://localhost",
        ] {
            device.origin = wrong.to_owned();
            refused(&world, &mut device).await;
        }
        device.origin = origin;
        device.rp_id = "login.example".to_owned();
        refused(&world, &mut device).await;
        device.rp_id = rp_id;
        for flags in [flags & !UV, flags & !UP] {
            device.flags = flags;
            refused(&world, &mut device).await;
        }
        device.flags = flags;
        device.extra = json!({ "crossOrigin": true });
        refused(&world, &mut device).await;
        device.extra = json!({ "topOrigin": "https://evil.example" });
        refused(&world, &mut device).await;
        device.extra = json!({});
        // What was backed up is not another device.
        device.flags = flags & !0x18;
        refused(&world, &mut device).await;
        device.flags = flags;
        assert_eq!(rows(&world, "login_sessions").await, before);
        by_passkey(&world, &mut world.browser(), &mut device).await;
        assert_eq!(rows(&world, "login_sessions").await, before + 1);
    })
    .await;
}

#[tokio::test]
async fn a_challenge_is_of_one_browser_and_good_once() {
    on_each(async |world| {
        let (_, _, device, _) = somebody(&world, "M-1").await;
        let (mut mine, path) = login(&world).await;
        let (csrf, asked) = ask(&mut mine, &path).await;
        let answer = device.sign_in(&asked).await;
        // Another browser has neither the login nor its challenge.
        let (mut theirs, other) = login(&world).await;
        let (foreign, _) = ask(&mut theirs, &other).await;
        let refused = bring(&mut theirs, &other, &foreign, &answer).await;
        refused.assert_page(StatusCode::FORBIDDEN, "nobody is logged in yet");
        let refused = bring(&mut theirs, &path, &foreign, &answer).await;
        assert_eq!(refused.status, StatusCode::NOT_FOUND);
        // A newer challenge ends the one before.
        let (_, second) = ask(&mut mine, &path).await;
        let refused = bring(&mut mine, &path, &csrf, &answer).await;
        refused.assert_page(StatusCode::FORBIDDEN, "nobody is logged in yet");
        let answer = device.sign_in(&second).await;
        let done = bring(&mut mine, &path, &csrf, &answer).await;
        world.suite().code(&done);
        let again = bring(&mut mine, &path, &csrf, &answer).await;
        assert_eq!(again.location(), path);
        // Nor does it open another login.
        let (mut browser, path) = login(&world).await;
        let (csrf, _) = ask(&mut browser, &path).await;
        let refused = bring(&mut browser, &path, &csrf, &answer).await;
        refused.assert_page(StatusCode::FORBIDDEN, "nobody is logged in yet");
    })
    .await;
}

/// The login and the session last longer than their challenges.
#[tokio::test]
async fn a_challenge_is_good_for_five_minutes() {
    let longer = MEMBER.replace("timeout_s = 300", "timeout_s = 900");
    with_more(&[("member.toml", &longer)], ON, async |world, _| {
        let (mut mine, _, mut device, _) = member(&world).await;
        let (session_csrf, asked) = begin_adding(&mut mine).await;
        let made = crate::world::passkeys::device(&world).register(&asked.json()["publicKey"]);
        let mut browser = world.browser().from(HOME);
        let (path, _) = begins(&world, &mut browser).await;
        let (csrf, question) = ask(&mut browser, &path).await;
        world.clock.advance(301);
        let answer = device.sign_in(&question).await;
        let late = bring(&mut browser, &path, &csrf, &answer).await;
        late.assert_page(StatusCode::FORBIDDEN, "nobody is logged in yet");
        let body = json!({ "name": "x", "passkey": made });
        let late = script(&mut mine, "/account/passkeys", &session_csrf, &body).await;
        assert_eq!(late.json()["code"], "passkey_refused");
        let next = tap(&mut browser, &path, &mut device).await;
        assert_eq!(next.status, StatusCode::SEE_OTHER, "{}", next.body);
    })
    .await;
}

#[tokio::test]
async fn the_id_of_another_account_proves_nobody() {
    on_each(async |world| {
        let (_, _, one, _) = somebody(&world, "M-1").await;
        let (_, _, mut two, _) = somebody(&world, "M-2").await;
        let (id, user) = (two.id.clone(), two.user.clone());
        two.id = one.id.clone();
        refused(&world, &mut two).await;
        two.user = one.user.clone();
        refused(&world, &mut two).await;
        two.id = id;
        refused(&world, &mut two).await;
        two.user = user;
        by_passkey(&world, &mut world.browser(), &mut two).await;
        // A device of nobody.
        let mut stranger = device(&world);
        stranger.user = one.user.clone();
        refused(&world, &mut stranger).await;
    })
    .await;
}

/// WebAuthn Level 3, section 6.1.1.
#[tokio::test]
async fn a_counter_that_goes_back_is_refused_and_written_down() {
    on_each(async |world| {
        let (_, _, mut device, _) = somebody(&world, "M-1").await;
        device.count = 5;
        let answer = by_passkey(&world, &mut world.browser(), &mut device).await;
        world.suite().code(&answer);
        for count in [5, 4, 0] {
            device.count = count;
            refused(&world, &mut device).await;
        }
        let log = audit::page(&world.db, None, None, 10).await.unwrap();
        let doubted: Vec<_> = log
            .iter()
            .filter(|e| e.action == "passkey.doubted")
            .collect();
        assert_eq!(doubted.len(), 3);
        device.count = 6;
        let answer = by_passkey(&world, &mut world.browser(), &mut device).await;
        world.suite().code(&answer);
    })
    .await;
}

#[tokio::test]
async fn what_is_no_answer_is_refused_and_nothing_else() {
    on_each(async |world| {
        somebody(&world, "M-1").await;
        let (mut browser, path) = login(&world).await;
        let (csrf, _) = ask(&mut browser, &path).await;
        let long = "x".repeat(40_000);
        for answer in [
            "",
            "{",
            "[]",
            "{\"id\":1}",
            "{\"id\":\"a\",\"id\":\"b\"}",
            &long,
        ] {
            let fields = [("csrf", csrf.as_str()), ("answer", answer)];
            let refused = browser.post(&format!("{path}/passkey"), &fields).await;
            assert!(refused.status.is_client_error(), "{}", refused.status);
        }
        let fields = [("csrf", "x"), ("answer", "{}")];
        let refused = browser.post(&format!("{path}/passkey"), &fields).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN);
        let to = format!("{path}/passkey/challenge");
        let refused = script(&mut browser, &to, "x", &json!({})).await;
        assert_eq!(refused.json()["code"], "foreign_form");
    })
    .await;
}

#[tokio::test]
async fn a_new_passkey_is_of_this_session_and_of_one_account() {
    on_each(async |world| {
        let (mut mine, wallet, known, _) = somebody(&world, "M-1").await;
        let (mut theirs, _, _, _) = somebody(&world, "M-2").await;
        let (csrf, asked) = begin_adding(&mut mine).await;
        let mut fresh = device(&world);
        let made = fresh.register(&asked.json()["publicKey"]);
        let body = |made: &Value| json!({ "name": "x", "passkey": made });
        let (other, _) = begin_adding(&mut theirs).await;
        let refused = script(&mut theirs, "/account/passkeys", &other, &body(&made)).await;
        assert_eq!(refused.json()["code"], "passkey_refused");
        let refused = script(&mut mine, "/account/passkeys", "x", &body(&made)).await;
        assert_eq!(refused.json()["code"], "foreign_form");
        let refused = script(&mut mine, "/account/passkeys", &csrf, &json!({ "a": 1 })).await;
        assert_eq!(refused.json()["code"], "passkey_malformed");
        let done = script(&mut mine, "/account/passkeys", &csrf, &body(&made)).await;
        assert_eq!(done.status, StatusCode::OK, "{}", done.body);
        let again = script(&mut mine, "/account/passkeys", &csrf, &body(&made)).await;
        assert_eq!(again.json()["code"], "passkey_refused");
        // The id of a passkey that is known already.
        let mut copy = device(&world);
        copy.id = known.id.clone();
        let (csrf, asked) = begin_adding(&mut theirs).await;
        let made = copy.register(&asked.json()["publicKey"]);
        let taken = script(&mut theirs, "/account/passkeys", &csrf, &body(&made)).await;
        assert_eq!(taken.json()["code"], "passkey_taken");
        // Where nobody is logged in there is nothing to add to.
        let mut nobody = world.browser();
        let refused = script(&mut nobody, "/account/passkeys", "x", &json!({})).await;
        assert_eq!(refused.json()["code"], "not_logged_in");
        // A guest is nobody.
        let mut guest = world.browser();
        log_in(&mut guest, &wallet, &world.shop(), "openid age").await;
        let refused = script(&mut guest, "/account/passkeys", "x", &json!({})).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN);
    })
    .await;
}
