//! A browser with a passkey on its device.

use axum::http::StatusCode;
use serde_json::{Value, json};
use vouchsafe_service::db::testing;
use vouchsafe_service::webauthn::testing::Device;
use vouchsafe_verifier::store::MIGRATIONS;

use super::browser::{Answer, Browser};
use super::{OP, World};

/// Turns passkeys on.
pub const ON: &str = "\n[passkeys]\nenabled = true\n";

/// Runs a test where passkeys are on, on each database.
pub async fn on_each(test: impl AsyncFn(World)) {
    testing::for_each_database(&[MIGRATIONS], async |db| {
        test(World::with_config(db, |toml| toml + ON).await).await;
    })
    .await;
}

/// A device that has no passkey yet.
pub fn device(world: &World) -> Device {
    Device::new(OP, "localhost", world.rng.as_ref())
}

/// What the script of a page sends.
pub async fn script(browser: &mut Browser, to: &str, csrf: &str, body: &Value) -> Answer {
    let headers = [
        ("content-type", "application/json"),
        ("x-vouchsafe-csrf", csrf),
        ("origin", OP),
        ("sec-fetch-site", "same-origin"),
    ];
    browser.post_json(to, &headers, &body.to_string()).await
}

/// Asks for the challenge of a new passkey on the account page; the token of the page.
pub async fn begin_adding(browser: &mut Browser) -> (String, Answer) {
    let page = browser.get("/account").await;
    page.assert_page(StatusCode::OK, "Add a passkey");
    let csrf = page.attribute("id=\"passkey\"", "data-csrf").unwrap();
    let asked = script(browser, "/account/passkeys/challenge", &csrf, &json!({})).await;
    (csrf, asked)
}

/// Adds a passkey on the account page.
pub async fn add(browser: &mut Browser, device: &mut Device, name: &str) -> Answer {
    let (csrf, asked) = begin_adding(browser).await;
    assert_eq!(asked.status, StatusCode::OK, "{}", asked.body);
    let made = device.register(&asked.json()["publicKey"]);
    let body = json!({ "name": name, "passkey": made });
    script(browser, "/account/passkeys", &csrf, &body).await
}

/// What the page of a login asks the device; the token of the page.
pub async fn ask(browser: &mut Browser, path: &str) -> (String, Value) {
    let page = browser.get(path).await;
    let csrf = page.attribute("id=\"passkey\"", "data-csrf");
    let csrf = csrf.unwrap_or_else(|| panic!("a button in {}", page.body));
    let to = format!("{path}/passkey/challenge");
    let asked = script(browser, &to, &csrf, &json!({})).await;
    assert_eq!(asked.status, StatusCode::OK, "{}", asked.body);
    (csrf, asked.json()["publicKey"].clone())
}

/// Brings an answer of a device to the page of a login.
pub async fn bring(browser: &mut Browser, path: &str, csrf: &str, answer: &Value) -> Answer {
    let answer = answer.to_string();
    let fields = [("csrf", csrf), ("answer", answer.as_str())];
    browser.post(&format!("{path}/passkey"), &fields).await
}

/// Uses a passkey on the page of a login.
pub async fn tap(browser: &mut Browser, path: &str, device: &mut Device) -> Answer {
    let (csrf, asked) = ask(browser, path).await;
    let answer = device.sign_in(&asked).await;
    bring(browser, path, &csrf, &answer).await
}
