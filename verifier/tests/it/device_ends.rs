//! How the wait of a device ends (RFC 8628): with its tokens or a no, by nobody's accident.

use std::net::SocketAddr;

use axum::Extension;
use axum::extract::ConnectInfo;
use axum::http::StatusCode;
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use futures::future::join_all;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::device::{
    GRANT, begin, codes, heard, kiosk, log_in, poll, text, tv, type_code, with_kiosk,
};
use crate::world::World;
use crate::world::browser::{Answer, Browser};
use crate::world::proof::ProofKey;
use crate::world::rp::RelyingParty;
use crate::world::steps::wallet_link;
use crate::world::wallet::Wallet;

async fn poll_with(device: &RelyingParty, codes: &Value, proof: &str) -> Answer {
    let code = text(codes, "device_code");
    let fields = [("grant_type", GRANT), ("device_code", code)];
    device.post_with("/token", &fields, &[proof]).await
}

/// A login of a device that fails: the wallet's answer comes to another browser.
async fn fail(world: &World, phone: &mut Browser, wallet: &Wallet, codes: &Value) -> String {
    let (login, page) = begin(phone, codes).await;
    let back = wallet.follow(&wallet_link(&page)).await;
    world
        .browser()
        .get(&back)
        .await
        .assert_page(StatusCode::FORBIDDEN, "another browser");
    login
}

/// Says no on the page of a login that did not succeed.
pub async fn tell_no(phone: &mut Browser, login: &str) -> Answer {
    let page = phone.get(login).await;
    let csrf = page.attribute("name=\"csrf\"", "value").unwrap();
    let leave = page.attribute("id=\"leave\"", "action").unwrap();
    phone.post(&leave, &[("csrf", &csrf)]).await
}

#[tokio::test]
async fn a_proof_that_was_used_leaves_a_device_its_tokens() {
    with_kiosk(async |world| {
        let (kiosk, key) = (kiosk(&world), ProofKey::new(1));
        let wallet = world.person("M-1").await;
        let (first, second) = (codes(&kiosk, "openid").await, codes(&kiosk, "openid").await);
        for codes in [&first, &second] {
            log_in(&mut world.browser(), &wallet, codes).await;
        }
        let used = key.post(&world, "/token").await;
        let answer = poll_with(&kiosk, &first, &used).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
        let answer = poll_with(&kiosk, &second, &used).await;
        assert_eq!(answer.json()["error"], "invalid_dpop_proof");

        // Of many good ones at once one gets them.
        let mut proofs = Vec::new();
        for _ in 0..20 {
            proofs.push(key.post(&world, "/token").await);
        }
        let polls = proofs.iter().map(|proof| poll_with(&kiosk, &second, proof));
        let (good, bad): (Vec<_>, Vec<_>) = join_all(polls)
            .await
            .into_iter()
            .partition(|answer| answer.status == StatusCode::OK);
        assert_eq!(good.len(), 1);
        for answer in bad {
            assert_eq!(answer.json()["error"], "invalid_grant", "{}", answer.body);
        }
        let tokens = good[0].json();
        assert_eq!(tokens["token_type"], "DPoP");
        // Nobody who came too late took them away.
        let token = text(&tokens, "access_token");
        let proof = key.userinfo(&world, token).await;
        let told = kiosk.userinfo_with("DPoP", token, &[&proof]).await;
        assert_eq!(told.status, StatusCode::OK, "{}", told.body);
        assert_eq!(heard(&kiosk, &second).await, "invalid_grant");
    })
    .await;
}

#[tokio::test]
async fn a_login_in_the_last_second_reaches_the_device() {
    with_kiosk(async |world| {
        let kiosk = kiosk(&world);
        let wallet = world.person("M-1").await;
        let (kept, lost) = (codes(&kiosk, "openid").await, codes(&kiosk, "openid").await);
        world.clock.advance(299);
        for codes in [&kept, &lost] {
            log_in(&mut world.browser(), &wallet, codes).await;
        }
        // One interval later, and a minute for the way.
        world.clock.advance(64);
        let answer = poll(&kiosk, &kept).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
        world.clock.advance(1);
        assert_eq!(heard(&kiosk, &lost).await, "expired_token");
    })
    .await;
}

#[tokio::test]
async fn a_link_tells_a_device_nothing() {
    with_kiosk(async |world| {
        let kiosk = kiosk(&world);
        let codes = codes(&kiosk, "openid").await;
        let (mut phone, wallet) = (world.browser(), world.person("M-1").await);
        let login = fail(&world, &mut phone, &wallet, &codes).await;
        // What a browser fetches ahead.
        let leave = format!("{login}/leave");
        assert_eq!(phone.get(&leave).await.location(), login);
        assert_eq!(heard(&kiosk, &codes).await, "authorization_pending");
        // Nor does a form that is not ours.
        for fields in [&[][..], &[("csrf", "x")]] {
            let answer = phone.post(&leave, fields).await;
            assert_eq!(answer.status, StatusCode::FORBIDDEN);
        }
        let answer = world.browser().post(&leave, &[]).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND);
        world.clock.advance(5);
        assert_eq!(heard(&kiosk, &codes).await, "authorization_pending");
        phone
            .get(&login)
            .await
            .assert_page(StatusCode::FORBIDDEN, ">Tell the device no</button>");
        tell_no(&mut phone, &login)
            .await
            .assert_page(StatusCode::OK, "The device was told no");
        assert_eq!(heard(&kiosk, &codes).await, "access_denied");
    })
    .await;
}

#[tokio::test]
async fn rfc_8628_section_5_1_what_people_type_is_stored_under_a_key() {
    with_kiosk(async |world| {
        let codes = codes(&kiosk(&world), "openid").await;
        let letters = text(&codes, "user_code").replace('-', "");
        let plain = BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(&letters));
        let rows = vouchsafe_service::each!(world.db, p => sqlx::query_scalar::<_, i64>(
            "SELECT COUNT(*) FROM device_grants WHERE user_hash = $1")
            .bind(plain.as_str()).fetch_one(p).await)
        .unwrap();
        assert_eq!(rows, 0);
    })
    .await;
}

#[tokio::test]
async fn a_login_is_over_with_the_code_of_its_device() {
    with_kiosk(async |world| {
        let kiosk = kiosk(&world);
        let codes = codes(&kiosk, "openid").await;
        let mut phone = world.browser();
        world.clock.advance(200);
        let (login, _) = begin(&mut phone, &codes).await;
        world.clock.advance(100);
        let page = phone.get(&login).await;
        page.assert_page(StatusCode::FORBIDDEN, "This took too long");
        assert!(!page.body.contains("/again"));
        assert_eq!(phone.get(&format!("{login}/again")).await.location(), login);
        assert_eq!(heard(&kiosk, &codes).await, "expired_token");
    })
    .await;
}

#[tokio::test]
async fn nobody_shows_a_card_for_a_device_that_does_not_wait() {
    with_kiosk(async |world| {
        let kiosk = kiosk(&world);
        let codes = codes(&kiosk, "openid").await;
        let (mut phone, wallet) = (world.browser(), world.person("M-1").await);
        let login = fail(&world, &mut phone, &wallet, &codes).await;
        let again = phone.get(&format!("{login}/again")).await.location();
        let page = phone.get(&again).await;
        tell_no(&mut phone, &login).await;
        assert_eq!(heard(&kiosk, &codes).await, "access_denied");
        let consents = "SELECT COUNT(*) FROM consents";
        let before = world.count(consents).await;
        let answer = wallet.answer(&wallet.open(&wallet_link(&page)).await).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{}", answer.body);
        assert_eq!(world.count(consents).await, before);
        let page = phone.get(&again).await;
        page.assert_page(StatusCode::FORBIDDEN, "This took too long");
        for over in [login, again] {
            let page = phone.get(&over).await;
            assert!(!page.body.contains("/again"), "{}", page.body);
            assert_eq!(phone.get(&format!("{over}/again")).await.location(), over);
        }

        // Nor does a card count that was shown before the no.
        world.clock.advance(5);
        let codes = self::codes(&kiosk, "openid").await;
        let login = fail(&world, &mut phone, &wallet, &codes).await;
        let again = phone.get(&format!("{login}/again")).await.location();
        let page = phone.get(&again).await;
        let back = wallet.follow(&wallet_link(&page)).await;
        tell_no(&mut phone, &login).await;
        let page = phone.get(&back).await;
        page.assert_page(StatusCode::FORBIDDEN, "This took too long");
        assert!(!page.body.contains("id=\"leave\""), "{}", page.body);
        assert_eq!(heard(&kiosk, &codes).await, "access_denied");
    })
    .await;
}

#[tokio::test]
async fn who_is_blocked_writes_nothing_and_what_is_over_goes() {
    with_kiosk(async |world| {
        let codes = codes(&kiosk(&world), "openid").await;
        for _ in 0..10 {
            type_code(&mut world.browser(), "BBBB-BBBB").await;
        }
        for _ in 0..3 {
            let page = type_code(&mut world.browser(), text(&codes, "user_code")).await;
            assert_eq!(page.status, StatusCode::TOO_MANY_REQUESTS);
        }
        let tries = "SELECT tries FROM device_code_tries";
        assert_eq!(world.count(tries).await, 10);
        // More rows than one step takes.
        for index in 0..501 {
            let network = format!("network-{index}");
            vouchsafe_service::each!(world.db, p => sqlx::query(
                "INSERT INTO device_code_tries (network, tries, expires_at) VALUES ($1, 1, 0)")
                .bind(network.as_str()).execute(p).await.map(|_| ()))
            .unwrap();
        }
        world.clock.advance(1000);
        world.tick().await;
        let left = "SELECT COUNT(*) FROM device_code_tries";
        assert_eq!(world.count(left).await, 0);
        let left = "SELECT COUNT(*) FROM device_grants";
        assert_eq!(world.count(left).await, 0);
    })
    .await;
}

#[tokio::test]
async fn rfc_8628_section_5_4_each_page_of_the_login_says_that_it_is_for_a_device() {
    with_kiosk(async |world| {
        let line = "You are logging in on another device";
        let kiosk = kiosk(&world);
        let (mut phone, wallet) = (world.browser(), world.person("M-1").await);
        let (login, page) = begin(&mut phone, &codes(&kiosk, "openid").await).await;
        page.assert_page(StatusCode::OK, line);
        // With the wallet on a third device.
        let page = phone.get(&format!("{login}/qr")).await;
        page.assert_page(StatusCode::OK, line);
        let link = crate::world::steps::qr_link(&mut phone, &login).await;
        let back = wallet.follow(&link).await;
        crate::world::steps::shown_number(&mut world.browser(), &back).await;
        phone.get(&login).await.assert_page(StatusCode::OK, line);
        let shop = world.shop().authorize("openid membership", &[]);
        let (_, page) = crate::world::steps::begin(&mut world.browser(), &shop).await;
        assert!(!page.body.contains(line));
    })
    .await;
}

#[tokio::test]
async fn the_address_of_a_server_is_not_where_a_device_is() {
    with_kiosk(async |world| {
        let peer = SocketAddr::from(([203, 0, 113, 7], 40_000));
        let router = world.router().layer(Extension(ConnectInfo(peer)));
        let secret = Some("kiosk-secret-0123456789");
        let server = RelyingParty::new(router.clone(), "kiosk", secret, "https://no.example/cb");
        let device = RelyingParty::new(router, "tv", None, "https://no.example/cb");
        assert_eq!(tv(&world).id, device.id);
        for (party, scope, shown) in [(&server, "openid", false), (&device, "openid age", true)] {
            let codes = codes(party, scope).await;
            let page = type_code(&mut world.browser(), text(&codes, "user_code")).await;
            assert_eq!(page.status, StatusCode::OK);
            assert_eq!(page.body.contains("203.0.113.7"), shown, "{}", page.body);
        }
    })
    .await;
}
