//! Templates lead logins as `vouchsafe journey new` writes them.

use axum::http::StatusCode;
use serde_json::json;
use vouchsafe_verifier::journey::template;

use crate::journey_profile::{more, send};
use crate::journeys::{HOME, with, with_more};
use crate::passkey_journeys::skip;
use crate::world::passkeys::ON;
use crate::world::steps::{begin, qr_link, same_device, shown_number, type_number, wallet_link};

fn text(name: &str) -> &'static str {
    template(name).unwrap().text
}

#[tokio::test]
async fn the_age_gate_logs_in_as_it_is() {
    with(&[("age-gate.toml", text("age-gate"))], async |world, _| {
        let mut wallet = world.wallet();
        wallet.receive_age(&world).await;
        let mut browser = world.browser();
        let address = world.shop().authorize("openid age", &[]);
        let answer = same_device(&mut browser, &wallet, &address).await;
        let tokens = world.shop().tokens(&world.shop().code(&answer)).await;
        assert_eq!(tokens.claims["age_over_18"], true);
        assert_eq!(
            tokens.userinfo,
            json!({ "sub": tokens.sub(), "age_over_18": true })
        );
    })
    .await;
}

#[tokio::test]
async fn the_kiosk_shows_a_code_alone_once_it_names_its_application() {
    let kiosk = text("kiosk").replacen("stage =", "clients = [\"suite\"]\nstage =", 1);
    with(&[("kiosk.toml", &kiosk)], async |world, _| {
        let wallet = world.person("M-1").await;
        let (mut screen, mut phone) = (world.browser(), world.browser());
        let address = world.suite().authorize("openid", &[]);
        let (path, page) = begin(&mut screen, &address).await;
        page.assert_page(StatusCode::OK, "Sign in at this kiosk");
        assert!(!page.body.contains("id=\"show-card\""), "{}", page.body);
        let link = qr_link(&mut screen, &path).await;
        let back = wallet.follow(&link).await;
        let number = shown_number(&mut phone, &back).await;
        let answer = type_number(&mut screen, &path, &number).await;
        let tokens = world.suite().tokens(&world.suite().code(&answer)).await;
        assert_eq!(tokens.claims["acr"], "urn:vouchsafe:acr:vc-xdev");
    })
    .await;
}

#[tokio::test]
async fn the_question_after_a_login_is_asked_as_it_is() {
    let files = [
        ("membership-login.toml", text("membership-login")),
        ("progressive-profile.toml", text("progressive-profile")),
    ];
    with_more(&files, &(more() + ON), async |world, _| {
        let wallet = world.person("M-1").await;
        let mut browser = world.browser().from(HOME);
        let address = world.suite().authorize("openid", &[("prompt", "login")]);
        for asks in [false, false, true] {
            let (path, page) = begin(&mut browser, &address).await;
            let page = skip(&mut browser, &path, &page).await;
            let back = wallet.follow(&wallet_link(&page)).await;
            let answer = browser.get(&back).await;
            if !asks {
                world.suite().code(&answer);
                continue;
            }
            assert_eq!(answer.location(), path);
            let page = browser.get(&path).await;
            page.assert_page(StatusCode::OK, "Postal code en");
            let answer = send(&mut browser, (&path, &page), &[("skip", "1")]).await;
            let tokens = world.suite().tokens(&world.suite().code(&answer)).await;
            assert_eq!(tokens.claims["acr"], "urn:vouchsafe:acr:vc");
        }
    })
    .await;
}
