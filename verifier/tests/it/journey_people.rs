//! Journeys whose people say who they are, and those of devices.

use axum::http::StatusCode;
use serde_json::json;

use crate::accounts::{QUERIES, desk, identify, import, invited};
use crate::device::{self, KIOSK};
use crate::journeys::{leave, with_more};
use crate::world::steps::{rows, wallet_link};

pub const DESK: &str = r#"
id = "desk"
version = 1
clients = ["desk"]

[[step]]
id = "who"
kind = "identify"
accept = ["username"]
when = '!session.exists'

[[step]]
id = "card"
kind = "present"
query = "asserted"
bind = "current_user"
on = { invalid = "deny:not_proven", error = "deny:error" }

[[step]]
id = "in"
kind = "finish"
"#;

/// Catalogue 385, as without a journey: a card of somebody else, and an account that is not there,
/// are refused alike.
#[tokio::test]
async fn cat_385_who_is_named_in_a_journey_is_proven_and_refusals_are_alike() {
    with_more(&[("desk.toml", DESK)], QUERIES, async |world, _| {
        import(&world, "external_id\nC-1\nC-2\n").await;
        let (one, two) = (world.person("M-1").await, world.person("M-2").await);
        invited(&world, &one, "C-1").await;
        invited(&world, &two, "C-2").await;
        let desk = desk(&world);
        let address = desk.authorize("openid", &[]);
        let mut said = Vec::new();
        for (wallet, who) in [(&two, "C-1"), (&one, "C-404")] {
            let mut browser = world.browser();
            let path = browser.get(&address).await.location();
            let page = identify(&mut browser, &path, who).await;
            let asked = wallet.open(&wallet_link(&page)).await;
            let answer = wallet.answer(&asked).await;
            assert_eq!(answer.status, StatusCode::BAD_REQUEST);
            let reason = answer.json()["reason"].clone();
            let page = browser.get(&path).await;
            page.assert_page(StatusCode::FORBIDDEN, "Card and account do not match");
            let left = leave(&mut browser, &path).await;
            said.push((reason, desk.error(&left)));
        }
        assert_eq!(said[0], said[1]);
        assert_eq!(said[0], (json!("unmatched"), "access_denied".to_owned()));
        assert_eq!(rows(&world, "login_sessions").await, 0);

        let mut browser = world.browser();
        let path = browser.get(&address).await.location();
        let page = identify(&mut browser, &path, "C-1").await;
        let back = one.follow(&wallet_link(&page)).await;
        let answer = browser.get(&back).await;
        let first = desk.tokens(&desk.code(&answer)).await;
        // The session stands for both steps.
        let answer = browser.get(&address).await;
        let again = desk.tokens(&desk.code(&answer)).await;
        assert_eq!(first.sub(), again.sub());
        // With a higher wish than it has, the card alone is asked, and nobody says who they are again.
        let fresh = desk.authorize("openid", &[("prompt", "login")]);
        let path = browser.get(&fresh).await.location();
        browser
            .get(&path)
            .await
            .assert_page(StatusCode::OK, "Who are you?");
        let page = identify(&mut browser, &path, "C-2").await;
        // Somebody else beside a session is an error, never a switch.
        let back = two.follow(&wallet_link(&page)).await;
        browser.get(&back).await;
        let page = browser.get(&path).await;
        page.assert_page(
            StatusCode::FORBIDDEN,
            "This card belongs to another account",
        );
        assert_eq!(rows(&world, "login_sessions").await, 1);
        let values =
            "SELECT COUNT(*) FROM journey_traces WHERE trace LIKE '%M-1%' OR trace LIKE '%C-1%'";
        assert_eq!(world.count(values).await, 0);
    })
    .await;
}

const DEVICE: &str = r#"
id = "kiosk"
version = 1
clients = ["kiosk"]

[[step]]
id = "card"
kind = "present"
query = "membership"

[[step]]
id = "role"
kind = "decide"
[[step.case]]
when = 'cred.card.claims.tier == "gold"'
to = "in"

[[step]]
id = "out"
kind = "deny"
code = "no_gold"

[[step]]
id = "in"
kind = "finish"
"#;

#[tokio::test]
async fn the_rules_of_a_journey_hold_for_devices() {
    with_more(&[("kiosk.toml", DEVICE)], KIOSK, async |world, _| {
        let kiosk = device::kiosk(&world);
        let wallet = world.person("M-1").await;
        let codes = device::codes(&kiosk, "openid membership").await;
        let mut phone = world.browser();
        let done = device::log_in(&mut phone, &wallet, &codes).await;
        done.assert_page(StatusCode::OK, "You are logged in on the device");
        assert_eq!(phone.cookie("vs_op_session"), None);
        let answer = device::poll(&kiosk, &codes).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
        let tokens = answer.json();
        let claims = kiosk.id_token(device::text(&tokens, "id_token")).await;
        assert_eq!(claims["acr"], "urn:vouchsafe:acr:vc-xdev");

        let mut poor = world.wallet();
        let claims = json!({ "member_id": "M-9", "tier": "tin", "valid_until": "2027-12-31" });
        let hidden: &[&[&str]] = &[&["member_id"], &["tier"], &["valid_until"]];
        let vct = "urn:vouchsafe:membership:1";
        poor.receive(&world, &world.issuer, vct, claims, hidden)
            .await;
        let codes = device::codes(&kiosk, "openid membership").await;
        let refused = device::log_in(&mut phone, &poor, &codes).await;
        assert!(refused.location().starts_with("/login/"));
        assert_eq!(rows(&world, "subjects").await, 1);
    })
    .await;
}
