//! What stands beside a payment: endpoints where nothing is approved, pages that approve nothing, and runs that
//! wait.

use axum::http::StatusCode;

use crate::consents::CONTROLLER;
use crate::device::{self, GRANT, kiosk, with_kiosk};
use crate::journey_consent::say;
use crate::journey_payment::{DETAILS, NEEDS, mart, member, paying, pushed};
use crate::journeys::with_more;
use crate::world::browser::Answer;
use crate::world::steps::{begin, wallet_link};

const PARAMETER: &str = "authorization_details";
const INVALID: &str = "invalid_authorization_details";

/// What the page of a payment has.
const PAYMENT: &str = "id=\"payment\"";

/// After a payment something else is asked.
const AGREED: &str = r#"
id = "agreed"
version = 1
clients = ["mart"]
match = '"payment" in request.scopes'

[[step]]
id = "pay"
kind = "present"
query = "payment"
transaction_data = true

[[step]]
id = "agree"
kind = "consent"

[[step]]
id = "done"
kind = "finish"
claims = { paid = 'true' }
"#;

fn assert_error(answer: &Answer, error: &str) {
    assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{}", answer.body);
    assert_eq!(answer.json()["error"], error);
}

#[tokio::test]
async fn rfc_9396_section_6_no_token_request_approves_more_or_less() {
    paying(async |world| {
        let (mut browser, wallet) = member(&world).await;
        let more = [(PARAMETER, DETAILS)];
        let scope = "openid payment offline_access";
        let (_, page) = begin(&mut browser, &mart(&world).push(scope, &more).await).await;
        let back = wallet.follow(&wallet_link(&page)).await;
        let code = mart(&world).code(&browser.get(&back).await);
        let cheaper = DETAILS.replace("12.50", "1.00");
        for details in [DETAILS, cheaper.as_str(), "[]", "x", ""] {
            let more = [(PARAMETER, details)];
            let answer = mart(&world).redeem_with(&code, &more, &[]).await;
            assert_error(&answer, INVALID);
        }
        // None of these used the code up.
        let tokens = mart(&world).redeem(&code).await.json();
        assert!(tokens[PARAMETER].is_array(), "{tokens}");
        let refresh = tokens["refresh_token"].as_str().unwrap();
        for details in [DETAILS, ""] {
            let more = [(PARAMETER, details)];
            let answer = mart(&world).refresh_with(refresh, &more, &[]).await;
            assert_error(&answer, INVALID);
        }
        let refreshed = mart(&world).refresh(refresh).await;
        assert_eq!(refreshed.status, StatusCode::OK, "{}", refreshed.body);
    })
    .await;
}

#[tokio::test]
async fn rfc_9396_section_3_a_device_has_nothing_approved() {
    with_kiosk(async |world| {
        let kiosk = kiosk(&world);
        for details in [DETAILS, ""] {
            let fields = [("scope", "openid membership"), (PARAMETER, details)];
            let answer = kiosk.post("/device_authorization", &fields).await;
            assert_error(&answer, INVALID);
        }
        // Nor where it asks for its tokens; the login still waits.
        let codes = device::codes(&kiosk, "openid membership").await;
        let code = device::text(&codes, "device_code");
        let fields = [
            ("grant_type", GRANT),
            ("device_code", code),
            (PARAMETER, DETAILS),
        ];
        assert_error(&kiosk.token(&fields).await, INVALID);
        assert_eq!(device::heard(&kiosk, &codes).await, "authorization_pending");
    })
    .await;
}

#[tokio::test]
async fn a_page_that_approves_nothing_shows_no_payment() {
    let needs = format!("{NEEDS}{CONTROLLER}");
    with_more(&[("agreed.toml", AGREED)], &needs, async |world, _| {
        let (mut browser, wallet) = member(&world).await;
        let (path, page) = begin(&mut browser, &pushed(&world, DETAILS).await).await;
        page.assert_page(StatusCode::OK, PAYMENT);
        let back = wallet.follow(&wallet_link(&page)).await;
        assert_eq!(browser.get(&back).await.location(), path);
        let page = browser.get(&path).await;
        page.assert_page(StatusCode::OK, "Do you agree with what The Mart wants?");
        assert!(!page.body.contains(PAYMENT), "{}", page.body);
        assert!(!page.body.contains("12.50"), "{}", page.body);
        // What was approved before is told all the same.
        let answer = say(&mut browser, &path, &page, "yes").await;
        let tokens = mart(&world).redeem(&mart(&world).code(&answer)).await;
        assert!(tokens.json()[PARAMETER].is_array(), "{}", tokens.body);
    })
    .await;
}
