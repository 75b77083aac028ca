//! What stands beside a payment: endpoints where nothing is approved, pages that approve nothing, and runs that
//! wait.

use axum::http::StatusCode;

use crate::device::{self, GRANT, kiosk, with_kiosk};
use crate::journey_payment::{DETAILS, mart, member, paying, pushed};
use crate::world::browser::Answer;
use crate::world::steps::{begin, wallet_link};

const PARAMETER: &str = "authorization_details";
const INVALID: &str = "invalid_authorization_details";

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
        for details in [DETAILS, &cheaper, "[]", "x", ""] {
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
