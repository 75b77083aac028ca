//! An authenticator app, as people have one: it reads the secret from the page and knows RFC 6238 by itself.

use axum::http::StatusCode;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha1::Sha1;
use vouchsafe_credentials::time::{Clock as _, UnixTime};

use super::World;
use super::browser::{Answer, Browser};

/// Turns codes on.
pub const ON: &str = "\n[totp]\nenabled = true\n";

/// An app that shares a secret with the service.
pub struct App(Vec<u8>);

impl App {
    /// Reads the secret that a page shows.
    pub fn read(page: &Answer) -> Self {
        Self(base32(&secret(page)))
    }

    /// The code of a time.
    pub fn code(&self, at: UnixTime) -> String {
        let mut mac = Hmac::<Sha1>::new_from_slice(&self.0).unwrap();
        mac.update(&(at.0 / 30).to_be_bytes());
        let hash = mac.finalize().into_bytes();
        let at = usize::from(hash[19] & 15);
        let four: [u8; 4] = hash[at..at + 4].try_into().unwrap();
        format!(
            "{:06}",
            (u32::from_be_bytes(four) & 0x7fff_ffff) % 1_000_000
        )
    }

    /// The code of now.
    pub fn now(&self, world: &World) -> String {
        self.code(world.clock.now())
    }

    /// One that is not right now.
    pub fn wrong(&self, world: &World) -> String {
        let near = [-1, 0, 1].map(|step| self.code(world.clock.now().plus(step * 30)));
        let codes = (0..10).map(|n| format!("{n}{n}{n}{n}{n}{n}"));
        codes.into_iter().find(|code| !near.contains(code)).unwrap()
    }
}

/// The secret as letters, as the page shows it.
pub fn secret(page: &Answer) -> String {
    let shown = page.body.split("<code id=\"secret\"").nth(1).unwrap();
    let shown = shown.split('>').nth(1).unwrap().split('<').next().unwrap();
    shown.replace(' ', "")
}

fn base32(text: &str) -> Vec<u8> {
    let (mut bits, mut count, mut bytes) = (0_u32, 0, Vec::new());
    for letter in text.bytes() {
        let value = match letter {
            b'A'..=b'Z' => letter - b'A',
            b'2'..=b'7' => letter - b'2' + 26,
            other => panic!("{other} is no letter of base32"),
        };
        bits = bits << 5 | u32::from(value);
        count += 5;
        if count >= 8 {
            count -= 8;
            bytes.push(u8::try_from(bits >> count & 0xff).unwrap());
        }
    }
    bytes
}

/// Presses a button of the account page that is about the app.
pub async fn press(browser: &mut Browser, to: &str) -> Answer {
    let page = browser.get("/account").await;
    let csrf = page.attribute("name=\"csrf\"", "value").unwrap();
    browser.post(to, &[("csrf", csrf.as_str())]).await
}

/// The page with the secret.
pub async fn begin(browser: &mut Browser) -> Answer {
    press(browser, "/account/authenticator").await
}

/// Types a code on that page.
pub async fn confirm(browser: &mut Browser, page: &Answer, code: &str) -> Answer {
    let csrf = page.attribute("name=\"csrf\"", "value").unwrap();
    let begun = page.attribute("name=\"begun\"", "value").unwrap();
    let fields = [
        ("csrf", csrf.as_str()),
        ("begun", begun.as_str()),
        ("code", code),
    ];
    browser
        .post("/account/authenticator/confirm", &fields)
        .await
}

/// Adds an app to the account of a browser that showed a card a moment ago. The code of this moment is used
/// up with it.
pub async fn add(world: &World, browser: &mut Browser) -> App {
    let page = begin(browser).await;
    page.assert_page(StatusCode::OK, "Add an authenticator app");
    let app = App::read(&page);
    let done = confirm(browser, &page, &app.now(world)).await;
    assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.body);
    assert_eq!(done.location(), "/account");
    app
}

/// Types a code on the page of a login.
pub async fn type_code(browser: &mut Browser, path: &str, code: &str) -> Answer {
    let page = browser.get(path).await;
    page.assert_page(StatusCode::OK, "Your code");
    answer(browser, path, &page, code).await
}

/// Types a code on a page of a login that was read before.
pub async fn answer(browser: &mut Browser, path: &str, page: &Answer, code: &str) -> Answer {
    let csrf = page.attribute("name=\"csrf\"", "value").unwrap();
    let turn = page.attribute("name=\"turn\"", "value").unwrap();
    let fields = [
        ("csrf", csrf.as_str()),
        ("turn", turn.as_str()),
        ("code", code),
    ];
    browser.post(&format!("{path}/code"), &fields).await
}
