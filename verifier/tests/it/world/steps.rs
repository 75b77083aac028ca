//! The usual ways through a login, so that a test shows only what is special about it.

use axum::http::StatusCode;

use super::World;
use super::browser::{Answer, Browser};
use super::rp::{RelyingParty, Tokens};
use super::wallet::Wallet;

/// Opens an authorization request and returns the path of the login and its page.
pub async fn begin(browser: &mut Browser, address: &str) -> (String, Answer) {
    let answer = browser.get(address).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.body);
    let path = answer.location();
    assert!(path.starts_with("/login/"), "{path}");
    let page = browser.get(&path).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.body);
    (path, page)
}

/// The link behind "Show my card".
pub fn wallet_link(page: &Answer) -> String {
    page.attribute("id=\"show-card\"", "href")
        .expect("a link to the wallet")
}

/// A login on the same device, up to the redirect to the application.
pub async fn same_device(browser: &mut Browser, wallet: &Wallet, address: &str) -> Answer {
    let (_, page) = begin(browser, address).await;
    let back = wallet.follow(&wallet_link(&page)).await;
    browser.get(&back).await
}

/// A whole login on the same device.
pub async fn log_in(
    browser: &mut Browser,
    wallet: &Wallet,
    shop: &RelyingParty,
    scope: &str,
) -> Tokens {
    let answer = same_device(browser, wallet, &shop.authorize(scope, &[])).await;
    shop.tokens(&shop.code(&answer)).await
}

/// The link in the QR code of a login.
pub async fn qr_link(browser: &mut Browser, path: &str) -> String {
    let page = browser.get(&format!("{path}/qr")).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.body);
    assert!(page.body.contains("<svg"));
    let code = page
        .body
        .split("<code>")
        .nth(1)
        .and_then(|rest| rest.split("</code>").next())
        .expect("the link as text");
    code.replace("&amp;", "&")
        .replace("&#x2f;", "/")
        .replace("&#x3d;", "=")
}

/// The number that the wallet's browser shows.
pub async fn shown_number(phone: &mut Browser, back: &str) -> String {
    let answer = phone.get(back).await;
    assert_eq!(answer.location(), "/vp/number");
    let page = phone.get("/vp/number").await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.body);
    let number = page
        .body
        .split("id=\"number\">")
        .nth(1)
        .and_then(|rest| rest.get(..2))
        .expect("a number");
    number.to_owned()
}

/// Types a number into the browser that started the login.
pub async fn type_number(browser: &mut Browser, path: &str, number: &str) -> Answer {
    let page = browser.get(path).await;
    let csrf = page.attribute("name=\"csrf\"", "value").expect("a form");
    browser
        .post(
            &format!("{path}/number"),
            &[("csrf", &csrf), ("number", number)],
        )
        .await
}

/// How many rows a table has.
pub async fn rows(world: &World, table: &str) -> i64 {
    let sql = match table {
        "subjects" => "SELECT COUNT(*) FROM subjects",
        "subject_means" => "SELECT COUNT(*) FROM subject_means",
        "access_tokens" => "SELECT COUNT(*) FROM access_tokens",
        "login_sessions" => "SELECT COUNT(*) FROM login_sessions WHERE ended_at IS NULL",
        "refresh_grants" => "SELECT COUNT(*) FROM refresh_grants",
        "consents" => "SELECT COUNT(*) FROM consents WHERE withdrawn_at IS NULL",
        "event_streams" => "SELECT COUNT(*) FROM event_streams",
        "stream_events" => "SELECT COUNT(*) FROM stream_events",
        "risk_logins" => "SELECT COUNT(*) FROM risk_logins",
        "risk_accounts" => "SELECT COUNT(*) FROM risk_accounts",
        "risk_values" => "SELECT COUNT(*) FROM risk_values",
        "account_authenticators" => "SELECT COUNT(*) FROM account_authenticators",
        "authenticator_guesses" => "SELECT COUNT(*) FROM authenticator_guesses",
        "risk_pairs" => "SELECT COUNT(*) FROM risk_pairs",
        other => panic!("no count for {other}"),
    };
    world.count(sql).await
}
