//! Authenticator apps: added on the account page, asked for beside another factor.

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::attributes::export;
use crate::journey_files::refused;
use crate::journeys::{HOME, with_more};
use crate::passkey_journeys::{begins, without_session};
use crate::world::World;
use crate::world::authenticator::{App, ON, add, begin, confirm, press, secret, type_code};
use crate::world::browser::{Answer, Browser};
use crate::world::passkeys;
use crate::world::rp::Tokens;
use crate::world::steps::{self, rows, wallet_link};
use crate::world::tables::places_of;
use crate::world::wallet::Wallet;

/// A card, and a code too of who has an app.
pub const CODE: &str = r#"
id = "code"
version = 1
clients = ["suite"]
timeout_s = 300
subject = "issuer_scoped_claim"

[[step]]
id = "card"
kind = "present"
query = "membership"

[[step]]
id = "code"
kind = "totp"
when = '"totp" in user.linked'

[[step]]
id = "ok"
kind = "finish"
"#;

/// The same, of everybody.
pub fn always() -> String {
    CODE.replace("when = '\"totp\" in user.linked'\n", "")
}

/// A passkey, and a code beside it.
const TAP: &str = r#"
id = "tap"
version = 1
clients = ["suite"]
timeout_s = 300
subject = "issuer_scoped_claim"
require_acr = "urn:vouchsafe:acr:mfa"

[[step]]
id = "key"
kind = "passkey"
on = { declined = "card", error = "card" }

[[step]]
id = "code"
kind = "totp"
on = { ok = "ok", declined = "card" }

[[step]]
id = "card"
kind = "present"
query = "membership"

[[step]]
id = "ok"
kind = "finish"
"#;

/// A service with codes, on each database.
pub async fn with(journey: &str, test: impl AsyncFn(World)) {
    let more = format!("{ON}{}", passkeys::ON);
    with_more(&[("code.toml", journey)], &more, async |world, _| {
        test(world).await;
    })
    .await;
}

/// Shows the card in a login of the suite; the path of the login.
pub async fn card(world: &World, browser: &mut Browser, wallet: &Wallet) -> String {
    let (path, page) = begins(world, browser).await;
    let back = wallet.follow(&wallet_link(&page)).await;
    let next = browser.get(&back).await;
    assert_eq!(next.location(), path, "{}", next.body);
    path
}

/// A person with an app; the browser has a session by the card alone.
pub async fn person(world: &World, member: &str) -> (Browser, Wallet, App) {
    let wallet = world.person(member).await;
    let mut browser = world.browser().from(HOME);
    steps::log_in(&mut browser, &wallet, &world.shop(), "openid membership").await;
    let app = add(world, &mut browser).await;
    world.later(60).await;
    (browser, wallet, app)
}

async fn tokens(world: &World, answer: &Answer) -> Tokens {
    world.suite().tokens(&world.suite().code(answer)).await
}

fn methods(tokens: &Tokens) -> Vec<&str> {
    let methods = tokens.claims["amr"].as_array().unwrap();
    methods.iter().filter_map(Value::as_str).collect()
}

#[tokio::test]
async fn an_app_counts_after_a_right_code_and_is_asked_beside_the_card() {
    with(CODE, async |world| {
        let wallet = world.person("M-1").await;
        let mut browser = world.browser().from(HOME);
        let (_, page) = begins(&world, &mut browser).await;
        let back = wallet.follow(&wallet_link(&page)).await;
        let first = tokens(&world, &browser.get(&back).await).await;
        assert_eq!(methods(&first), ["pop", "vp"]);

        let page = begin(&mut browser).await;
        page.assert_page(StatusCode::OK, "<svg");
        let (app, letters) = (App::read(&page), secret(&page));
        assert_eq!(letters.len(), 32);
        assert!(page.body.contains("otpauth:"), "{}", page.body);
        assert_eq!(rows(&world, "account_authenticators").await, 0);
        let wrong = confirm(&mut browser, &page, &app.wrong(&world)).await;
        wrong.assert_page(StatusCode::UNPROCESSABLE_ENTITY, "not the right code");
        assert_eq!(secret(&wrong), letters);
        assert_eq!(rows(&world, "account_authenticators").await, 0);
        let done = confirm(&mut browser, &wrong, &app.now(&world)).await;
        assert_eq!(done.location(), "/account");
        // One for each account.
        let other = begin(&mut browser).await;
        let again = App::read(&other).now(&world);
        assert_eq!(
            confirm(&mut browser, &other, &again).await.location(),
            "/account"
        );
        assert_eq!(rows(&world, "account_authenticators").await, 1);
        let page = browser.get("/account").await;
        page.assert_page(
            StatusCode::OK,
            "An authenticator app was added to your account.",
        );
        page.assert_page(StatusCode::OK, "Remove the authenticator app");
        assert_eq!(places_of(&world.db, &letters).await, Vec::<String>::new());

        world.later(60).await;
        let mut browser = world.browser().from(HOME);
        let path = card(&world, &mut browser, &wallet).await;
        let page = browser.get(&path).await;
        page.assert_page(StatusCode::OK, "autocomplete=\"one-time-code\"");
        page.assert_page(StatusCode::OK, "inputmode=\"numeric\"");
        let answer = type_code(&mut browser, &path, &app.now(&world)).await;
        let second = tokens(&world, &answer).await;
        assert_eq!(methods(&second), ["mfa", "otp", "pop", "vp"]);
        assert_eq!(second.claims["acr"], "urn:vouchsafe:acr:vc");
        assert_eq!(second.sub(), first.sub());
        let file = export(&mut browser).await;
        assert!(file["authenticator"]["used_at"].is_i64(), "{file}");
        assert!(!file.to_string().contains(&letters));
        let left_out = file["left_out"].as_array().unwrap();
        assert!(left_out.contains(&json!("account_authenticators.secret")));
    })
    .await;
}

/// Login.md, row 10: two methods of different kinds.
#[tokio::test]
async fn row_10_a_passkey_and_a_code_are_two_factors_and_the_session_keeps_both() {
    with(TAP, async |world| {
        let (mut browser, _, app) = person(&world, "M-1").await;
        let mut device = passkeys::device(&world);
        passkeys::add(&mut browser, &mut device, "phone").await;
        world.tick().await;
        let mut browser = without_session(browser);
        let mfa = [("acr_values", "urn:vouchsafe:acr:mfa")];
        let (path, _) = steps::begin(&mut browser, &world.suite().authorize("openid", &mfa)).await;
        let next = passkeys::tap(&mut browser, &path, &mut device).await;
        assert_eq!(next.location(), path);
        let answer = type_code(&mut browser, &path, &app.now(&world)).await;
        let first = tokens(&world, &answer).await;
        assert_eq!(methods(&first), ["mfa", "otp", "swk", "user"]);
        assert_eq!(first.claims["acr"], "urn:vouchsafe:acr:mfa");
        // What is behind the session stands for both steps.
        let silent = [mfa[0], ("prompt", "none")];
        let answer = browser
            .get(&world.suite().authorize("openid", &silent))
            .await;
        let second = tokens(&world, &answer).await;
        assert_eq!(methods(&second), ["mfa", "otp", "swk"]);
        assert_eq!(second.claims["auth_time"], first.claims["auth_time"]);
    })
    .await;
}

#[tokio::test]
async fn a_code_beside_a_session_counts_for_that_login() {
    with(CODE, async |world| {
        let (mut browser, _, app) = person(&world, "M-1").await;
        // The card stands behind the session, and no code; nor does one after the first login.
        for _ in 0..2 {
            let (path, page) = begins(&world, &mut browser).await;
            page.assert_page(StatusCode::OK, "Your code");
            let answer = type_code(&mut browser, &path, &app.now(&world)).await;
            let told = tokens(&world, &answer).await;
            assert_eq!(methods(&told), ["mfa", "otp", "pop", "vp"]);
            assert_eq!(told.claims["acr"], "urn:vouchsafe:acr:vc");
            let with_code = "SELECT COUNT(*) FROM login_sessions WHERE amr LIKE '%otp%'";
            assert_eq!(world.count(with_code).await, 0);
            world.later(60).await;
        }
    })
    .await;
}

/// A code of the session stands for the step as the card does: beside a new card it is typed anew.
#[tokio::test]
async fn a_card_that_is_shown_anew_takes_a_new_code() {
    with(CODE, async |world| {
        let (_, wallet, app) = person(&world, "M-1").await;
        let mut browser = world.browser().from(HOME);
        let path = card(&world, &mut browser, &wallet).await;
        let answer = type_code(&mut browser, &path, &app.now(&world)).await;
        tokens(&world, &answer).await;
        world.later(60).await;
        let plain = world.suite().authorize("openid", &[]);
        let told = tokens(&world, &browser.get(&plain).await).await;
        assert_eq!(methods(&told), ["mfa", "otp", "pop", "vp"]);
        let facts = world.suite().authorize("openid membership", &[]);
        let next = steps::same_device(&mut browser, &wallet, &facts).await;
        let answer = type_code(&mut browser, &next.location(), &app.now(&world)).await;
        let told = tokens(&world, &answer).await;
        assert_eq!(methods(&told), ["mfa", "otp", "pop", "vp"]);
    })
    .await;
}

/// Rule 5: whoever is not known by something else has no code.
#[tokio::test]
async fn a_card_that_leads_to_nobody_yet_is_asked_for_no_code() {
    with(&always(), async |world| {
        let wallet = world.person("M-1").await;
        let mut browser = world.browser();
        let (path, page) = begins(&world, &mut browser).await;
        let back = wallet.follow(&wallet_link(&page)).await;
        let next = browser.get(&back).await;
        assert_eq!(next.location(), path);
        let page = browser.get(&path).await;
        assert_eq!(page.status, StatusCode::FORBIDDEN, "{}", page.body);
        assert_eq!(rows(&world, "subjects").await, 0);
    })
    .await;
}

#[tokio::test]
async fn a_way_to_a_code_on_which_nobody_is_proven_is_refused() {
    let unproven = "not_held: a way leads here on which nothing has proven whose account it is";
    let first = CODE.replacen(
        "[[step]]",
        "[[step]]\nid = \"early\"\nkind = \"totp\"\n[[step]]",
        1,
    );
    let skipped = CODE.replacen(
        "query = \"membership\"",
        "query = \"membership\"\nwhen = '!session.exists'",
        1,
    );
    let around = CODE.replacen(
        "query = \"membership\"",
        "query = \"membership\"\non = { error = \"code\" }",
        1,
    );
    for wrong in [&first, &skipped, &around] {
        assert_ne!(wrong, CODE);
        let said = refused(&[("code.toml", wrong)], ON).await;
        assert!(said.contains(unproven), "{said}");
    }
    assert_eq!(refused(&[("code.toml", CODE)], ON).await, "");
    let said = refused(&[("code.toml", CODE)], "").await;
    assert!(
        said.contains("not_held: the configuration has no `[totp]`"),
        "{said}"
    );
    let follows = CODE
        .replace("clients = [\"suite\"]\n", "after = [\"first\"]\n")
        .replace("subject = \"issuer_scoped_claim\"\n", "");
    let said = refused(&[("code.toml", &follows)], ON).await;
    assert!(
        said.contains("a journey with `after` has no `totp` step"),
        "{said}"
    );
}

#[tokio::test]
async fn nobody_adds_or_removes_an_app_without_a_fresh_card_or_from_another_page() {
    with(CODE, async |world| {
        let (mut browser, _, _) = person(&world, "M-1").await;
        // What was begun in one session is of no other.
        let stranger = world.person("M-2").await;
        let mut other = world.browser().from(HOME);
        steps::log_in(&mut other, &stranger, &world.shop(), "openid membership").await;
        let theirs = begin(&mut other).await;
        let code = App::read(&theirs).now(&world);
        let begun = theirs.attribute("name=\"begun\"", "value").unwrap();
        let page = browser.get("/account").await;
        let csrf = page.attribute("name=\"csrf\"", "value").unwrap();
        press(&mut browser, "/account/authenticator/remove").await;
        let fields = [
            ("csrf", csrf.as_str()),
            ("begun", begun.as_str()),
            ("code", code.as_str()),
        ];
        browser
            .post("/account/authenticator/confirm", &fields)
            .await;
        assert_eq!(rows(&world, "account_authenticators").await, 0);
        let foreign = other.post("/account/authenticator/confirm", &fields).await;
        assert_eq!(foreign.status, StatusCode::FORBIDDEN);
        assert_eq!(rows(&world, "account_authenticators").await, 0);
        world.later(601).await;
        for to in ["/account/authenticator", "/account/authenticator/remove"] {
            let stale = press(&mut other, to).await;
            assert_eq!(stale.status, StatusCode::FORBIDDEN, "{to}");
        }
        let late = confirm(&mut other, &theirs, &App::read(&theirs).now(&world)).await;
        assert_eq!(late.status, StatusCode::FORBIDDEN);
        assert_eq!(rows(&world, "account_authenticators").await, 0);
    })
    .await;
}

#[tokio::test]
async fn without_the_section_there_is_nothing_of_it() {
    with_more(&[], "", async |world, _| {
        let wallet = world.person("M-1").await;
        let mut browser = world.browser();
        steps::log_in(&mut browser, &wallet, &world.shop(), "openid membership").await;
        let page = browser.get("/account").await;
        assert!(!page.body.contains("uthenticator"), "{}", page.body);
        let gone = press(&mut browser, "/account/authenticator").await;
        assert_eq!(gone.status, StatusCode::NOT_FOUND);
    })
    .await;
}
