//! Attempts with a passkey, and logins that were judged: each is counted once, and when it was written.

use axum::http::StatusCode;
use vouchsafe_service::db::testing;
use vouchsafe_verifier::store::MIGRATIONS;

use crate::journeys::{HOME, MEMBER, with_more};
use crate::numbers_rest::{read, tile};
use crate::passkey_journeys;
use crate::passkeys::{by_passkey, somebody};
use crate::world::World;
use crate::world::passkeys::{ON, ask, bring, tap};
use crate::world::steps::begin;

const NUMBERS: &str = "\n[numbers]\n";
/// Cards are shown anew each day.
const DAILY: &str = "\n[passkeys]\nenabled = true\ncard_max_age_days = 1\n";

async fn on_each(more: &str, test: impl AsyncFn(World)) {
    testing::for_each_database(&[MIGRATIONS], async |db| {
        let config = |toml: String| toml + NUMBERS + more;
        test(World::with_config(db, config).await).await;
    })
    .await;
}

/// Passkeys that led in, and all that were tried.
async fn attempts(world: &World) -> (i64, Option<i64>) {
    world.tick().await;
    let numbers = read(world, "/admin/numbers").await.json();
    let tile = tile(&numbers, "success_passkey");
    (tile.1, tile.2)
}

#[tokio::test]
async fn a_passkey_that_is_refused_is_an_attempt_and_noise_is_none() {
    on_each(ON, async |world| {
        let (_, _, mut device, _) = somebody(&world, "M-1").await;
        let mut browser = world.browser();
        let (path, _) = begin(&mut browser, &world.suite().authorize("openid", &[])).await;
        let (_, other) = ask(&mut browser, &path).await;
        let other = device.sign_in(&other).await;
        let (csrf, asked) = ask(&mut browser, &path).await;
        let mut forged = device.sign_in(&asked).await;
        forged["response"]["signature"] = other["response"]["signature"].clone();
        // The second time its challenge is used up: it answers nothing.
        for _ in 0..2 {
            let refused = bring(&mut browser, &path, &csrf, &forged).await;
            assert_eq!(refused.status, StatusCode::FORBIDDEN);
            assert_eq!(attempts(&world).await, (0, Some(1)));
        }
        let noise = bring(&mut browser, &path, &csrf, &serde_json::json!({})).await;
        assert_eq!(noise.status, StatusCode::FORBIDDEN);
        assert_eq!(attempts(&world).await, (0, Some(1)));
        let answer = tap(&mut browser, &path, &mut device).await;
        world.suite().code(&answer);
        assert_eq!(attempts(&world).await, (1, Some(2)));
    })
    .await;
}

#[tokio::test]
async fn a_passkey_of_somebody_else_ends_the_login_and_both_are_counted() {
    on_each(ON, async |world| {
        let (_, _, mut device, _) = somebody(&world, "M-1").await;
        let (_, _, _, other) = somebody(&world, "M-2").await;
        let hint = [("id_token_hint", other.id_token.as_str())];
        let mut browser = world.browser();
        let (path, _) = begin(&mut browser, &world.suite().authorize("openid", &hint)).await;
        let answer = tap(&mut browser, &path, &mut device).await;
        let page = browser.get(&answer.location()).await;
        assert_eq!(page.status, StatusCode::FORBIDDEN, "{}", page.body);
        assert_eq!(attempts(&world).await, (0, Some(1)));
        let ended = "SELECT CAST(COALESCE(SUM(n), 0) AS BIGINT) FROM login_numbers \
             WHERE what = 'finished' AND outcome = 'failed' AND channel = 'passkey'";
        assert_eq!(world.count(ended).await, 1);
    })
    .await;
}

#[tokio::test]
async fn a_passkey_after_which_the_card_is_asked_did_not_lead_in() {
    on_each(DAILY, async |world| {
        let (_, _, mut device, _) = somebody(&world, "M-1").await;
        world.later(86_401).await;
        let mut browser = world.browser();
        let answer = by_passkey(&world, &mut browser, &mut device).await;
        assert!(answer.location().starts_with("/login/"));
        assert_eq!(attempts(&world).await, (0, Some(1)));
    })
    .await;
    let files = [("member.toml", passkey_journeys::MEMBER)];
    let more = format!("{NUMBERS}{DAILY}");
    with_more(&files, &more, async |world, _| {
        let (_, _, mut device, _) = passkey_journeys::member(&world).await;
        world.later(86_401).await;
        let mut browser = world.browser().from(HOME);
        let (path, _) = passkey_journeys::begins(&world, &mut browser).await;
        let next = tap(&mut browser, &path, &mut device).await;
        assert_eq!(next.location(), path);
        assert_eq!(attempts(&world).await, (0, Some(1)));
    })
    .await;
}

/// A browser that begins too many logins is told so, and nothing of it is written or counted.
#[tokio::test]
async fn a_login_that_is_not_written_was_not_judged() {
    let files = [("member.toml", MEMBER)];
    with_more(&files, NUMBERS, async |world, _| {
        let mut browser = world.browser().from(HOME);
        let address = world.suite().authorize("openid", &[]);
        for _ in 0..20 {
            begin(&mut browser, &address).await;
        }
        let often = browser.get(&address).await;
        assert_eq!(often.status, StatusCode::TOO_MANY_REQUESTS);
        world.tick().await;
        let judged = "SELECT CAST(SUM(n) AS BIGINT) FROM login_numbers WHERE what = 'risk'";
        assert_eq!(world.count(judged).await, 20);
    })
    .await;
}
