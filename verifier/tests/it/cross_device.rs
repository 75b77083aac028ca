//! QR codes: what a person gains, and what somebody who relays one does not.

use axum::http::StatusCode;
use serde_json::json;

use crate::world::steps::{begin, qr_link, rows, shown_number, type_number};
use crate::world::{World, on_each_database, on_sqlite};

#[tokio::test]
async fn a_number_ties_both_screens_together() {
    on_each_database(async |world| {
        let wallet = world.person("M-1").await;
        let mut browser = world.browser();
        let (path, _) = begin(
            &mut browser,
            &world.shop().authorize("openid membership", &[]),
        )
        .await;
        let link = qr_link(&mut browser, &path).await;
        let asked = wallet.open(&link).await;
        browser
            .get(&format!("{path}/qr"))
            .await
            .assert_page(StatusCode::OK, "Continue on your phone");
        let answer = wallet.answer(&asked).await;
        let back = answer.json()["redirect_uri"].as_str().unwrap().to_owned();
        let mut phone = world.browser();
        let number = shown_number(&mut phone, &back).await;
        let shown = phone.get("/vp/number").await;
        shown.assert_page(StatusCode::OK, "The &lt;Shop&gt;");
        shown.assert_page(StatusCode::OK, "Firefox");
        browser
            .get(&path)
            .await
            .assert_page(StatusCode::OK, "Which number does your phone show?");
        let answer = type_number(&mut browser, &path, &number).await;
        let tokens = world.shop().tokens(&world.shop().code(&answer)).await;
        assert_eq!(tokens.claims["acr"], "urn:vouchsafe:acr:vc-xdev");
        assert_eq!(tokens.claims["amr"], json!(["pop", "vp", "xdev"]));
        browser
            .get(&path)
            .await
            .assert_page(StatusCode::OK, "You are logged in");
    })
    .await;
}

#[tokio::test]
async fn cat_316_a_relayed_qr_code_alone_does_not_log_the_attacker_in() {
    on_each_database(async |world| {
        let mut attacker = world.browser();
        let (path, _) = begin(
            &mut attacker,
            &world.shop().authorize("openid membership", &[]),
        )
        .await;
        let link = qr_link(&mut attacker, &path).await;
        // The victim scans the relayed code and agrees; the number appears on the victim's phone.
        let victim = world.person("M-victim").await;
        let back = victim.follow(&link).await;
        let mut phone = world.browser();
        let number = shown_number(&mut phone, &back).await;
        // The attacker has the browser that started, the login's address and the QR code. None of
        // it is enough: the page asks for a number, the way back is used up, guessing ends.
        attacker
            .get(&path)
            .await
            .assert_page(StatusCode::OK, "Which number does your phone show?");
        attacker
            .get(&back)
            .await
            .assert_page(StatusCode::NOT_FOUND, "There is no login here");
        let wrong = wrong_number(&number);
        type_number(&mut attacker, &path, &wrong)
            .await
            .assert_page(StatusCode::OK, "You have 2 more tries");
        type_number(&mut attacker, &path, &wrong)
            .await
            .assert_page(StatusCode::OK, "one more try");
        let third = type_number(&mut attacker, &path, &wrong).await;
        assert_eq!(third.location(), path);
        attacker
            .get(&path)
            .await
            .assert_page(StatusCode::FORBIDDEN, "The numbers did not match");
        // Too late even with the right one.
        let page = attacker
            .post(&format!("{path}/number"), &[("number", &number)])
            .await;
        assert_ne!(page.status, StatusCode::OK);
        assert_eq!(
            world
                .shop()
                .error(&attacker.get(&format!("{path}/leave")).await),
            "access_denied"
        );
        assert_eq!(rows(&world, "subjects").await, 0);
        assert_eq!(rows(&world, "login_sessions").await, 0);
    })
    .await;
}

#[tokio::test]
async fn cat_313_the_id_in_the_qr_code_opens_nothing() {
    on_sqlite(async |world| {
        let wallet = world.person("M-1").await;
        let mut browser = world.browser();
        let (path, _) = begin(&mut browser, &world.shop().authorize("openid age", &[])).await;
        let link = qr_link(&mut browser, &path).await;
        let asked = wallet.open(&link).await;
        let id = asked
            .request
            .response_uri()
            .path()
            .rsplit('/')
            .next()
            .unwrap()
            .to_owned();
        let mut other = world.browser();
        for address in [
            format!("/login/{id}"),
            format!("/vp/return?response_code={id}"),
            "/vp/number".to_owned(),
        ] {
            other
                .get(&address)
                .await
                .assert_page(StatusCode::NOT_FOUND, "There is no login here");
        }
    })
    .await;
}

#[tokio::test]
async fn cat_316_a_code_is_shown_for_a_minute_and_then_replaced() {
    on_sqlite(async |world| {
        let wallet = world.person("M-1").await;
        let mut browser = world.browser();
        let (path, _) = begin(&mut browser, &world.shop().authorize("openid age", &[])).await;
        let first = qr_link(&mut browser, &path).await;
        assert_eq!(qr_link(&mut browser, &path).await, first);
        world.clock.advance(60);
        assert_eq!(wallet.fetch(&first).await.status, StatusCode::NOT_FOUND);
        let second = qr_link(&mut browser, &path).await;
        assert_ne!(first, second);
        // Scanned in time, it may be answered for as long as the login lives.
        let asked = wallet.open(&second).await;
        world.clock.advance(100);
        assert_eq!(wallet.fetch(&second).await.status, StatusCode::OK);
        let body = wallet.response(&wallet.open(&second).await).await;
        assert_eq!(
            wallet.post(&asked.request, &body).await.status,
            StatusCode::OK
        );
    })
    .await;
}

#[tokio::test]
async fn cat_316_other_devices_are_off_unless_the_application_switches_them_on() {
    on_sqlite(async |world| {
        let mut browser = world.browser();
        let (path, page) = begin(&mut browser, &world.cafe().authorize("openid age", &[])).await;
        assert!(!page.body.contains("other-device"));
        assert_eq!(browser.get(&format!("{path}/qr")).await.location(), path);
    })
    .await;
}

#[tokio::test]
async fn an_essential_acr_above_cross_device_takes_the_code_away() {
    on_sqlite(async |world| {
        let claims = json!({ "id_token": { "acr": { "essential": true, "values": ["urn:vouchsafe:acr:vc"] } } }).to_string();
        let mut browser = world.browser();
        let (path, page) = begin(&mut browser, &world.shop().authorize("openid age", &[("claims", &claims)])).await;
        assert!(!page.body.contains("other-device"));
        assert_eq!(browser.get(&format!("{path}/qr")).await.location(), path);
    })
    .await;
}

#[tokio::test]
async fn one_answer_counts_over_both_channels() {
    on_each_database(async |world| {
        let wallet = world.person("M-1").await;
        let mut browser = world.browser();
        let (path, page) = begin(&mut browser, &world.shop().authorize("openid age", &[])).await;
        let near = wallet.open(&crate::world::steps::wallet_link(&page)).await;
        let far = wallet.open(&qr_link(&mut browser, &path).await).await;
        assert_ne!(near.request.nonce().as_str(), far.request.nonce().as_str());
        let near_body = wallet.response(&near).await;
        assert_eq!(wallet.answer(&far).await.status, StatusCode::OK);
        let second = wallet.post(&near.request, &near_body).await;
        assert_eq!(second.status, StatusCode::BAD_REQUEST);
        assert_eq!(second.json()["reason"], "already_answered");
    })
    .await;
}

#[tokio::test]
async fn a_number_from_a_foreign_page_is_not_even_counted() {
    on_sqlite(async |world| {
        let (mut browser, path, number) = waiting_for_number(&world).await;
        let body = [("number", wrong_number(&number)), ("csrf", "x".repeat(43))];
        let fields: Vec<(&str, &str)> = body
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        for _ in 0..5 {
            assert_eq!(
                browser
                    .post(&format!("{path}/number"), &fields)
                    .await
                    .status,
                StatusCode::FORBIDDEN
            );
        }
        let answer = type_number(&mut browser, &path, &number).await;
        world.shop().code(&answer);
    })
    .await;
}

async fn waiting_for_number(world: &World) -> (crate::world::browser::Browser, String, String) {
    let wallet = world.person("M-1").await;
    let mut browser = world.browser();
    let (path, _) = begin(&mut browser, &world.shop().authorize("openid age", &[])).await;
    let back = wallet.follow(&qr_link(&mut browser, &path).await).await;
    let number = shown_number(&mut world.browser(), &back).await;
    (browser, path, number)
}

fn wrong_number(right: &str) -> String {
    if right == "10" {
        "11".to_owned()
    } else {
        "10".to_owned()
    }
}
