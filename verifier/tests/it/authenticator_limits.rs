//! What a code of an authenticator app is good for: once, for a moment, for its account, and not to be guessed.

use axum::http::StatusCode;
use futures::future::join_all;
use vouchsafe_credentials::time::Clock as _;

use crate::authenticators::{CODE, always, card, person, with};
use crate::journeys::HOME;
use crate::world::World;
use crate::world::authenticator::{answer, press, type_code};
use crate::world::browser::{Answer, Browser};
use crate::world::steps::{self, rows};

/// The step leads on, and a consent is asked after it.
const CONSENT: &str = "[[step]]\nid = \"agree\"\nkind = \"consent\"\n\n[[step]]\nid = \"ok\"";

fn assert_wrong(answer: &Answer) {
    answer.assert_page(StatusCode::UNPROCESSABLE_ENTITY, "not the right code");
}

/// A login that waits for a code.
async fn waits(world: &World, wallet: &crate::world::wallet::Wallet) -> (Browser, String) {
    let mut browser = world.browser().from(HOME);
    let path = card(world, &mut browser, wallet).await;
    (browser, path)
}

/// RFC 6238, section 5.2.
#[tokio::test]
async fn rfc_6238_section_5_2_a_code_is_accepted_once() {
    with(CODE, async |world| {
        let (_, wallet, app) = person(&world, "M-1").await;
        let code = app.now(&world);
        let (mut first, path) = waits(&world, &wallet).await;
        world
            .suite()
            .code(&type_code(&mut first, &path, &code).await);
        let (mut second, path) = waits(&world, &wallet).await;
        assert_wrong(&type_code(&mut second, &path, &code).await);
        // Nor is one of before it.
        let before = app.code(world.clock.now().plus(-30));
        assert_wrong(&type_code(&mut second, &path, &before).await);
        world.clock.advance(30);
        world
            .suite()
            .code(&type_code(&mut second, &path, &app.now(&world)).await);
    })
    .await;
}

#[tokio::test]
async fn of_many_logins_with_one_code_one_is_a_login() {
    with(CODE, async |world| {
        let (_, wallet, app) = person(&world, "M-1").await;
        let mut all = Vec::new();
        for _ in 0..8 {
            let (mut browser, path) = waits(&world, &wallet).await;
            let page = browser.get(&path).await;
            all.push((browser, path, page));
        }
        let code = app.now(&world);
        let tries = all
            .iter_mut()
            .map(|(browser, path, page)| answer(browser, path, page, &code));
        let answers = join_all(tries).await;
        let logins = answers.iter().filter(|answer| {
            answer.status == StatusCode::SEE_OTHER
                && answer.location().starts_with("https://suite.example/")
        });
        assert_eq!(logins.count(), 1);
    })
    .await;
}

/// Guesses at the same time are counted one by one.
#[tokio::test]
async fn guesses_at_once_are_not_more_than_guesses() {
    with(CODE, async |world| {
        let (_, wallet, app) = person(&world, "M-1").await;
        let mut all = Vec::new();
        for _ in 0..8 {
            let (mut browser, path) = waits(&world, &wallet).await;
            let page = browser.get(&path).await;
            all.push((browser, path, page));
        }
        let wrong = app.wrong(&world);
        let tries = all
            .iter_mut()
            .map(|(browser, path, page)| answer(browser, path, page, &wrong));
        let answers = join_all(tries).await;
        let looked = answers
            .iter()
            .filter(|one| one.status == StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(looked.count(), 5);
        assert_eq!(
            world.count("SELECT wrong FROM authenticator_guesses").await,
            5
        );
    })
    .await;
}

#[tokio::test]
async fn a_clock_may_be_one_step_wrong_and_no_more() {
    with(CODE, async |world| {
        let (_, wallet, app) = person(&world, "M-1").await;
        for (drift, right) in [(-60, false), (60, false), (-30, true), (30, true)] {
            world.later(120).await;
            let (mut browser, path) = waits(&world, &wallet).await;
            let code = app.code(world.clock.now().plus(drift));
            let answer = type_code(&mut browser, &path, &code).await;
            match right {
                true => drop(world.suite().code(&answer)),
                false => assert_wrong(&answer),
            }
        }
    })
    .await;
}

/// Whether an account has an app is not told, and who guesses waits.
#[tokio::test]
async fn whoever_guesses_waits_and_learns_nothing() {
    with(&always(), async |world| {
        let (_, wallet, app) = person(&world, "M-1").await;
        let without = world.person("M-2").await;
        let shop = world.shop();
        steps::log_in(&mut world.browser(), &without, &shop, "openid membership").await;
        let mut pages = Vec::new();
        for wallet in [&wallet, &without] {
            let (mut browser, path) = waits(&world, wallet).await;
            for _ in 0..5 {
                let wrong = type_code(&mut browser, &path, &app.wrong(&world)).await;
                assert_wrong(&wrong);
            }
            // What is no code is no guess either.
            assert_wrong(&type_code(&mut browser, &path, "abc").await);
            let done = type_code(&mut browser, &path, &app.now(&world)).await;
            assert_eq!(done.location(), path);
            let page = browser.get(&path).await;
            page.assert_page(StatusCode::FORBIDDEN, "Too many wrong codes");
            pages.push(page.body.len());
        }
        assert_eq!(pages[0], pages[1]);
        // Not in another browser either.
        let (mut browser, path) = waits(&world, &wallet).await;
        let done = type_code(&mut browser, &path, &app.now(&world)).await;
        assert_eq!(done.location(), path);
        // Not for good: after a minute a right code is right, and wrong ones are counted anew.
        world.later(60).await;
        let (mut browser, path) = waits(&world, &wallet).await;
        assert_wrong(&type_code(&mut browser, &path, &app.wrong(&world)).await);
        let (mut browser, path) = waits(&world, &wallet).await;
        let done = type_code(&mut browser, &path, &app.now(&world)).await;
        assert_eq!(done.location(), path, "six were wrong: two minutes");
        world.later(120).await;
        let (mut browser, path) = waits(&world, &wallet).await;
        world
            .suite()
            .code(&type_code(&mut browser, &path, &app.now(&world)).await);
        assert_eq!(rows(&world, "authenticator_guesses").await, 1);
        // Those of the account that never came back are forgotten.
        world.later(31 * 86_400).await;
        world.tick().await;
        assert_eq!(rows(&world, "authenticator_guesses").await, 0);
    })
    .await;
}

#[tokio::test]
async fn the_code_of_another_account_is_wrong() {
    with(&always(), async |world| {
        let (_, _, theirs) = person(&world, "M-1").await;
        let (_, mine, app) = person(&world, "M-2").await;
        let (mut browser, path) = waits(&world, &mine).await;
        assert_wrong(&type_code(&mut browser, &path, &theirs.now(&world)).await);
        world
            .suite()
            .code(&type_code(&mut browser, &path, &app.now(&world)).await);
    })
    .await;
}

/// Whoever removes an app may have lost it: what rests on it ends.
#[tokio::test]
async fn an_app_that_is_removed_lets_nobody_in_any_more() {
    let journey = CODE.replace("[[step]]\nid = \"ok\"", CONSENT);
    with(&journey, async |world| {
        let (mut owner, wallet, app) = person(&world, "M-1").await;
        let (mut browser, path) = waits(&world, &wallet).await;
        let next = type_code(&mut browser, &path, &app.now(&world)).await;
        assert_eq!(next.location(), path);
        let page = browser.get(&path).await;
        let csrf = page.attribute("name=\"csrf\"", "value").unwrap();
        let notice = page.attribute("name=\"notice\"", "value").unwrap();
        let removed = press(&mut owner, "/account/authenticator/remove").await;
        assert_eq!(removed.location(), "/account");
        let page = owner.get("/account").await;
        page.assert_page(
            StatusCode::OK,
            "The authenticator app was removed from your account.",
        );
        let fields = [
            ("csrf", csrf.as_str()),
            ("notice", notice.as_str()),
            ("answer", "yes"),
        ];
        let refused = browser.post(&format!("{path}/agree"), &fields).await;
        assert_eq!(refused.location(), path);
        let page = browser.get(&path).await;
        assert_eq!(page.status, StatusCode::FORBIDDEN, "{}", page.body);
        assert_eq!(rows(&world, "account_authenticators").await, 0);
        let of_app = "SELECT COUNT(*) FROM audit_event WHERE detail = 'totp'";
        assert_eq!(world.count(of_app).await, 2);
    })
    .await;
}

/// Whoever gets an account back is not locked out by the app of whoever had it.
#[tokio::test]
async fn an_app_ends_with_old_passkeys() {
    let ends = "[[step]]\nid = \"clean\"\nkind = \"notify\"\nnotify = [\"user\"]\nrevoke = [\"old_passkeys\"]\n\n[[step]]\nid = \"ok\"";
    let journey = CODE.replace("[[step]]\nid = \"ok\"", ends);
    // The code of the app counts in the login that takes it away; without it the app goes as well.
    for typed in [true, false] {
        let asked = format!("'\"totp\" in user.linked && {typed}'");
        let journey = journey.replace("'\"totp\" in user.linked'", &asked);
        with(&journey, async |world| {
            let (_, wallet, app) = person(&world, "M-1").await;
            assert_eq!(rows(&world, "account_authenticators").await, 1);
            let mut browser = world.browser().from(HOME);
            let address = world.suite().authorize("openid", &[]);
            let mut answer = steps::same_device(&mut browser, &wallet, &address).await;
            if typed {
                answer = type_code(&mut browser, &answer.location(), &app.now(&world)).await;
            }
            world.suite().code(&answer);
            assert_eq!(rows(&world, "account_authenticators").await, 0);
        })
        .await;
    }
}

/// "Not now" is a no to the step.
#[tokio::test]
async fn whoever_has_no_code_goes_where_the_journey_leads() {
    let journey = CODE.replace(
        "when = '\"totp\" in user.linked'",
        "on = { declined = \"ok\", invalid = \"deny:codes\" }",
    );
    with(&journey, async |world| {
        let (_, wallet, _) = person(&world, "M-1").await;
        let (mut browser, path) = waits(&world, &wallet).await;
        let page = browser.get(&path).await;
        let csrf = page.attribute("name=\"csrf\"", "value").unwrap();
        let left = browser
            .post(&format!("{path}/cancel"), &[("csrf", &csrf)])
            .await;
        let tokens = world.suite().tokens(&world.suite().code(&left)).await;
        assert_eq!(tokens.claims["amr"], serde_json::json!(["pop", "vp"]));
    })
    .await;
}
