//! Devices without a browser (RFC 8628).

use axum::body::Body;
use axum::http::{Request, StatusCode};
use futures::future::join_all;
use serde_json::{Value, json};
use vouchsafe_service::db::testing;
use vouchsafe_verifier::store::MIGRATIONS;

use crate::world::browser::{Answer, Browser, send};
use crate::world::rp::{RelyingParty, VERIFIER};
use crate::world::steps::wallet_link;
use crate::world::wallet::Wallet;
use crate::world::{OP, World, on_sqlite};

pub const KIOSK: &str = r#"
[[client]]
id = "kiosk"
name = "The <Kiosk>"
secret = "kiosk-secret-0123456789"
sector = "kiosk.example"
device = true
scopes = ["membership"]
default_query = "member-login"
offline_access = true
cross_device = true

[[client]]
id = "tv"
name = "The Television"
sector = "tv.example"
device = true
scopes = ["age"]
"#;

pub const GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";

pub async fn with_kiosk(test: impl AsyncFn(World)) {
    testing::for_each_database(&[MIGRATIONS], async |db| {
        test(World::with_config(db, |toml| toml + KIOSK).await).await;
    })
    .await;
}

pub fn kiosk(world: &World) -> RelyingParty {
    let secret = Some("kiosk-secret-0123456789");
    RelyingParty::new(world.router(), "kiosk", secret, "https://no.example/cb")
}

pub fn tv(world: &World) -> RelyingParty {
    RelyingParty::new(world.router(), "tv", None, "https://no.example/cb")
}

pub async fn codes(device: &RelyingParty, scope: &str) -> Value {
    let answer = device
        .post("/device_authorization", &[("scope", scope)])
        .await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    assert_eq!(answer.headers["cache-control"], "no-store");
    answer.json()
}

pub fn text<'a>(codes: &'a Value, name: &str) -> &'a str {
    codes[name].as_str().unwrap()
}

pub async fn poll(device: &RelyingParty, codes: &Value) -> Answer {
    let code = text(codes, "device_code");
    device
        .token(&[("grant_type", GRANT), ("device_code", code)])
        .await
}

pub async fn heard(device: &RelyingParty, codes: &Value) -> String {
    let answer = poll(device, codes).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{}", answer.body);
    answer.json()["error"].as_str().unwrap().to_owned()
}

/// Types a code on the page; the answer is the page that asks, or says what is wrong.
pub async fn type_code(browser: &mut Browser, code: &str) -> Answer {
    let page = browser.get("/device").await;
    page.assert_page(StatusCode::OK, "Log in on another device");
    let csrf = page.attribute("name=\"csrf\"", "value").unwrap();
    let fields = [("csrf", csrf.as_str()), ("user_code", code)];
    browser.post("/device", &fields).await
}

/// Says yes or no on the page that asks.
async fn decide(browser: &mut Browser, asked: &Answer, decision: &str) -> Answer {
    let value = |name: &str| {
        asked
            .attribute(&format!("name=\"{name}\""), "value")
            .unwrap()
    };
    let (csrf, code) = (value("csrf"), value("user_code"));
    let fields = [
        ("csrf", csrf.as_str()),
        ("user_code", &code),
        ("decision", decision),
    ];
    browser.post("/device/confirm", &fields).await
}

/// From the code to the page of the login.
pub async fn begin(browser: &mut Browser, codes: &Value) -> (String, Answer) {
    let asked = type_code(browser, text(codes, "user_code")).await;
    assert_eq!(asked.status, StatusCode::OK, "{}", asked.body);
    let login = decide(browser, &asked, "allow").await.location();
    let page = browser.get(&login).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.body);
    (login, page)
}

pub async fn log_in(browser: &mut Browser, wallet: &Wallet, codes: &Value) -> Answer {
    let (_, page) = begin(browser, codes).await;
    let back = wallet.follow(&wallet_link(&page)).await;
    browser.get(&back).await
}

#[tokio::test]
async fn rfc_8628_section_3_a_person_logs_in_on_a_device() {
    with_kiosk(async |world| {
        let kiosk = kiosk(&world);
        let codes = codes(&kiosk, "openid membership offline_access").await;
        let user_code = text(&codes, "user_code");
        assert_eq!(codes["verification_uri"], format!("{OP}/device"));
        assert_eq!(
            codes["verification_uri_complete"],
            format!("{OP}/device?user_code={user_code}")
        );
        assert_eq!(
            (&codes["expires_in"], &codes["interval"]),
            (&json!(300), &json!(5))
        );
        assert_eq!(heard(&kiosk, &codes).await, "authorization_pending");

        let mut phone = world.browser();
        let wallet = world.person("M-1").await;
        let asked = type_code(&mut phone, &user_code.to_lowercase().replace('-', " ")).await;
        asked.assert_page(StatusCode::OK, "The &lt;Kiosk&gt;");
        asked.assert_page(StatusCode::OK, user_code);
        let login = decide(&mut phone, &asked, "allow").await.location();
        let page = phone.get(&login).await;
        let back = wallet.follow(&wallet_link(&page)).await;
        world.clock.advance(5);
        assert_eq!(heard(&kiosk, &codes).await, "authorization_pending");
        let done = phone.get(&back).await;
        done.assert_page(StatusCode::OK, "You are logged in on the device");
        // The phone is not logged in; the device is.
        assert_eq!(phone.cookie("vs_op_session"), None);

        let answer = poll(&kiosk, &codes).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
        let tokens = answer.json();
        assert_eq!(tokens["scope"], "openid membership offline_access");
        let claims = kiosk.id_token(text(&tokens, "id_token")).await;
        assert_eq!(claims["aud"], "kiosk");
        // Section 5.4: what can be relayed counts as across devices and for no more.
        assert_eq!(claims["acr"], "urn:vouchsafe:acr:vc-xdev");
        assert!(claims["amr"].as_array().unwrap().contains(&json!("xdev")));
        let userinfo = kiosk.userinfo(text(&tokens, "access_token")).await.json();
        assert_eq!(userinfo["membership_tier"], "gold");
        let again = kiosk.refresh(text(&tokens, "refresh_token")).await;
        assert_eq!(again.status, StatusCode::OK, "{}", again.body);

        // Once; and what was given stays good.
        assert_eq!(heard(&kiosk, &codes).await, "invalid_grant");
        let userinfo = kiosk.userinfo(text(&tokens, "access_token")).await;
        assert_eq!(userinfo.status, StatusCode::OK);
    })
    .await;
}

#[tokio::test]
async fn fifty_polls_at_once_bring_one_set_of_tokens() {
    with_kiosk(async |world| {
        let kiosk = kiosk(&world);
        let codes = codes(&kiosk, "openid").await;
        let wallet = world.person("M-1").await;
        log_in(&mut world.browser(), &wallet, &codes).await;
        let answers = join_all((0..50).map(|_| poll(&kiosk, &codes))).await;
        let (good, bad): (Vec<_>, Vec<_>) = answers
            .into_iter()
            .partition(|answer| answer.status == StatusCode::OK);
        assert_eq!(good.len(), 1);
        assert!(
            bad.iter()
                .all(|answer| answer.json()["error"] == "invalid_grant")
        );
        let token = good[0].json();
        let userinfo = kiosk.userinfo(text(&token, "access_token")).await;
        assert_eq!(userinfo.status, StatusCode::OK);
    })
    .await;
}

#[tokio::test]
async fn a_code_begins_one_login_however_many_type_it_at_once() {
    with_kiosk(async |world| {
        let codes = codes(&kiosk(&world), "openid").await;
        let mut phones = Vec::new();
        for _ in 0..10 {
            let mut phone = world.browser();
            let asked = type_code(&mut phone, text(&codes, "user_code")).await;
            assert_eq!(asked.status, StatusCode::OK);
            phones.push((phone, asked));
        }
        let answers = phones
            .iter_mut()
            .map(|(phone, asked)| decide(phone, asked, "allow"));
        let answers = join_all(answers).await;
        let begun = answers
            .iter()
            .filter(|answer| answer.status == StatusCode::SEE_OTHER);
        assert_eq!(begun.count(), 1);
        // Nor is it good for another one later.
        type_code(&mut world.browser(), text(&codes, "user_code"))
            .await
            .assert_page(StatusCode::BAD_REQUEST, "No device waits under this code");
    })
    .await;
}

#[tokio::test]
async fn rfc_8628_section_3_5_who_asks_too_often_waits_longer_from_then_on() {
    with_kiosk(async |world| {
        let kiosk = kiosk(&world);
        let codes = codes(&kiosk, "openid").await;
        assert_eq!(heard(&kiosk, &codes).await, "authorization_pending");
        world.clock.advance(3);
        assert_eq!(heard(&kiosk, &codes).await, "slow_down");
        // Ten seconds now; and fifteen after this.
        world.clock.advance(8);
        assert_eq!(heard(&kiosk, &codes).await, "slow_down");
        world.clock.advance(15);
        assert_eq!(heard(&kiosk, &codes).await, "authorization_pending");
        world.clock.advance(13);
        assert_eq!(heard(&kiosk, &codes).await, "slow_down");
        // Whoever is logged in gets the tokens however often it asked.
        let wallet = world.person("M-1").await;
        log_in(&mut world.browser(), &wallet, &codes).await;
        assert_eq!(poll(&kiosk, &codes).await.status, StatusCode::OK);
    })
    .await;
}

#[tokio::test]
async fn rfc_8628_section_3_5_codes_are_over_after_five_minutes() {
    with_kiosk(async |world| {
        let kiosk = kiosk(&world);
        let wallet = world.person("M-1").await;
        let (early, late) = (codes(&kiosk, "openid").await, codes(&kiosk, "openid").await);
        let mut phone = world.browser();
        world.clock.advance(200);
        let (_, page) = begin(&mut phone, &early).await;
        world.clock.advance(90);
        let approved = codes(&kiosk, "openid").await;
        let back = wallet.follow(&wallet_link(&page)).await;
        // The login is over with the code: nobody waits for it any more.
        world.clock.advance(20);
        let over = phone.get(&back).await.location();
        phone
            .get(&over)
            .await
            .assert_page(StatusCode::FORBIDDEN, "This took too long");
        for codes in [&early, &late] {
            assert_eq!(heard(&kiosk, codes).await, "expired_token");
        }
        type_code(&mut phone, text(&late, "user_code"))
            .await
            .assert_page(StatusCode::BAD_REQUEST, "No device waits under this code");
        // Nor are tokens given out for a login that was in time to a device that is not.
        log_in(&mut phone, &wallet, &approved).await;
        world.clock.advance(300);
        assert_eq!(heard(&kiosk, &approved).await, "expired_token");
        world.clock.advance(601);
        world.tick().await;
        assert_eq!(world.count("SELECT COUNT(*) FROM device_grants").await, 0);
        assert_eq!(heard(&kiosk, &late).await, "invalid_grant");
    })
    .await;
}

#[tokio::test]
async fn rfc_8628_section_3_5_a_no_reaches_the_device() {
    with_kiosk(async |world| {
        let kiosk = kiosk(&world);
        let mut phone = world.browser();
        // On the page that asks; and whatever is not a clear yes.
        for decision in ["deny", "", "ALLOW"] {
            let codes = codes(&kiosk, "openid").await;
            let asked = type_code(&mut phone, text(&codes, "user_code")).await;
            let told = decide(&mut phone, &asked, decision).await;
            told.assert_page(StatusCode::OK, "The device was told no");
            assert_eq!(heard(&kiosk, &codes).await, "access_denied");
        }
        // In the login.
        let codes_of_login = codes(&kiosk, "openid").await;
        let (login, page) = begin(&mut phone, &codes_of_login).await;
        let csrf = page.attribute("name=\"csrf\"", "value").unwrap();
        let told = phone
            .post(&format!("{login}/cancel"), &[("csrf", &csrf)])
            .await;
        told.assert_page(StatusCode::OK, "The device was told no");
        assert_eq!(heard(&kiosk, &codes_of_login).await, "access_denied");

        // After a login that failed: it may be tried again, until the person leaves.
        let codes_of_failure = codes(&kiosk, "openid").await;
        let (login, page) = begin(&mut phone, &codes_of_failure).await;
        let mut elsewhere = world.browser();
        let wallet = world.person("M-1").await;
        elsewhere
            .get(&wallet.follow(&wallet_link(&page)).await)
            .await
            .assert_page(StatusCode::FORBIDDEN, "another browser");
        assert_eq!(
            heard(&kiosk, &codes_of_failure).await,
            "authorization_pending"
        );
        let again = phone.get(&format!("{login}/again")).await.location();
        let page = phone.get(&again).await;
        elsewhere
            .get(&wallet.follow(&wallet_link(&page)).await)
            .await;
        crate::device_ends::tell_no(&mut phone, &again)
            .await
            .assert_page(StatusCode::OK, "The device was told no");
        assert_eq!(heard(&kiosk, &codes_of_failure).await, "access_denied");
    })
    .await;
}

#[tokio::test]
async fn a_login_that_fails_may_be_tried_again_for_the_same_device() {
    with_kiosk(async |world| {
        let kiosk = kiosk(&world);
        let codes = codes(&kiosk, "openid").await;
        let wallet = world.person("M-1").await;
        let mut phone = world.browser();
        let (login, page) = begin(&mut phone, &codes).await;
        let back = wallet.follow(&wallet_link(&page)).await;
        world.browser().get(&back).await;
        let again = phone.get(&format!("{login}/again")).await.location();
        let page = phone.get(&again).await;
        let back = wallet.follow(&wallet_link(&page)).await;
        phone
            .get(&back)
            .await
            .assert_page(StatusCode::OK, "You are logged in on the device");
        assert_eq!(poll(&kiosk, &codes).await.status, StatusCode::OK);
    })
    .await;
}

#[tokio::test]
async fn cat_386_only_registered_devices_and_only_their_own_codes() {
    with_kiosk(async |world| {
        let (kiosk, tv, shop) = (kiosk(&world), tv(&world), world.shop());
        let fields = [("scope", "openid membership")];
        let error = async |party: &RelyingParty, fields: &[(&str, &str)]| {
            let answer = party.post("/device_authorization", fields).await;
            (answer.status.as_u16(), answer.json()["error"].clone())
        };
        assert_eq!(
            error(&shop, &fields).await,
            (400, json!("unauthorized_client"))
        );
        let wrong = RelyingParty::new(
            world.router(),
            "kiosk",
            Some("wrong-secret-0123456789"),
            "https://no.example/cb",
        );
        assert_eq!(error(&wrong, &fields).await, (401, json!("invalid_client")));
        for scope in ["", "membership", "openid age", "openid \"", "openid  age"] {
            assert_eq!(
                error(&kiosk, &[("scope", scope)]).await,
                (400, json!("invalid_scope")),
                "{scope}"
            );
        }
        let twice = [("scope", "openid"), ("scope", "openid")];
        assert_eq!(error(&kiosk, &twice).await, (400, json!("invalid_request")));

        let codes = codes(&kiosk, "openid").await;
        let wallet = world.person("M-1").await;
        log_in(&mut world.browser(), &wallet, &codes).await;
        assert_eq!(heard(&tv, &codes).await, "invalid_grant");
        assert_eq!(heard(&shop, &codes).await, "unauthorized_client");
        let answer = wrong
            .token(&[
                ("grant_type", GRANT),
                ("device_code", text(&codes, "device_code")),
            ])
            .await;
        assert_eq!(answer.json()["error"], "invalid_client");
        let user_code = json!({ "device_code": codes["user_code"] });
        assert_eq!(heard(&kiosk, &user_code).await, "invalid_grant");
        let answer = kiosk.token(&[("grant_type", GRANT)]).await;
        assert_eq!(answer.json()["error"], "invalid_request");
        // Neither code is one of the code flow.
        for code in ["device_code", "user_code"] {
            let fields = [
                ("grant_type", "authorization_code"),
                ("code", text(&codes, code)),
                ("redirect_uri", ""),
                ("code_verifier", VERIFIER),
            ];
            assert_eq!(kiosk.token(&fields).await.json()["error"], "invalid_grant");
        }
        // It was the kiosk's, and still is.
        assert_eq!(poll(&kiosk, &codes).await.status, StatusCode::OK);
    })
    .await;
}

#[tokio::test]
async fn rfc_8628_section_5_1_wrong_codes_are_counted_and_right_ones_are_not() {
    with_kiosk(async |world| {
        let kiosk = kiosk(&world);
        let codes = codes(&kiosk, "openid").await;
        let right = text(&codes, "user_code");
        for _ in 0..12 {
            let page = type_code(&mut world.browser(), right).await;
            assert_eq!(page.status, StatusCode::OK);
        }
        // Ten, in however many browsers; what has not even the shape of a code counts too.
        for (index, wrong) in ["BBBB-BBBB", "x"].iter().cycle().take(10).enumerate() {
            let page = type_code(&mut world.browser(), wrong).await;
            assert_eq!(page.status, StatusCode::BAD_REQUEST, "{index}");
        }
        let mut phone = world.browser();
        let page = type_code(&mut phone, right).await;
        page.assert_page(StatusCode::TOO_MANY_REQUESTS, "Too many wrong codes");
        assert_eq!(page.headers["retry-after"], "900");
        // Nor by the second form.
        let csrf = page.attribute("name=\"csrf\"", "value").unwrap();
        let fields = [
            ("csrf", csrf.as_str()),
            ("user_code", right),
            ("decision", "allow"),
        ];
        let page = phone.post("/device/confirm", &fields).await;
        assert_eq!(page.status, StatusCode::TOO_MANY_REQUESTS);
        world.clock.advance(901);
        let codes = self::codes(&kiosk, "openid").await;
        begin(&mut phone, &codes).await;
        world.clock.advance(901);
        world.tick().await;
        let left = "SELECT COUNT(*) FROM device_code_tries";
        assert_eq!(world.count(left).await, 0);
    })
    .await;
}

#[tokio::test]
async fn rfc_8628_section_5_4_nothing_begins_without_the_persons_own_yes() {
    with_kiosk(async |world| {
        let kiosk = kiosk(&world);
        let codes = codes(&kiosk, "openid").await;
        let code = text(&codes, "user_code");
        let link = text(&codes, "verification_uri_complete");
        // The link fills in the field, and asks to compare.
        let mut phone = world.browser();
        let page = phone.get(link).await;
        page.assert_page(StatusCode::OK, "Did somebody send you a link or a code?");
        let filled = page.attribute("name=\"user_code\"", "value");
        assert_eq!(filled.as_deref(), Some(code));
        let odd = phone
            .get("/device?user_code=%3Cscript%3Ealert(1)%3C/script%3E")
            .await;
        assert!(!odd.body.contains("alert"));

        let csrf = page.attribute("name=\"csrf\"", "value").unwrap();
        let fields = [
            ("csrf", csrf.as_str()),
            ("user_code", code),
            ("decision", "allow"),
        ];
        // Another browser's form, and one without a token.
        let mut other = world.browser();
        other.get("/device").await;
        for path in ["/device", "/device/confirm"] {
            assert_eq!(
                other.post(path, &fields).await.status,
                StatusCode::FORBIDDEN
            );
            assert_eq!(
                phone.post(path, &fields[1..]).await.status,
                StatusCode::FORBIDDEN
            );
            let page = world.browser().post(path, &fields).await;
            page.assert_page(StatusCode::FORBIDDEN, "This form cannot be accepted");
        }
        let logins = "SELECT COUNT(*) FROM login_transactions";
        assert_eq!(world.count(logins).await, 0);
        assert_eq!(heard(&kiosk, &codes).await, "authorization_pending");
        let stored =
            "SELECT COUNT(*) FROM device_grants WHERE state = 'waiting' AND polled_at IS NOT NULL";
        assert_eq!(world.count(stored).await, 1);
    })
    .await;
}

#[tokio::test]
async fn a_session_of_the_browser_neither_answers_nor_changes() {
    with_kiosk(async |world| {
        let kiosk = kiosk(&world);
        let mut phone = world.browser();
        let own = world.person("M-1").await;
        crate::world::steps::log_in(&mut phone, &own, &world.suite(), "openid").await;
        let session = phone.cookie("vs_op_session").map(str::to_owned);
        // A card is shown each time; whose it is, is the device's business.
        let codes = codes(&kiosk, "openid").await;
        let guest = world.person("M-2").await;
        log_in(&mut phone, &guest, &codes)
            .await
            .assert_page(StatusCode::OK, "You are logged in on the device");
        assert_eq!(phone.cookie("vs_op_session").map(str::to_owned), session);
        let tokens = poll(&kiosk, &codes).await.json();
        assert!(tokens["id_token"].is_string());
        let suite = world.suite();
        let silent = suite.authorize("openid", &[("prompt", "none")]);
        suite.code(&phone.get(&silent).await);
    })
    .await;
}

#[tokio::test]
async fn a_public_device_and_a_proof_that_leads_to_nobody() {
    with_kiosk(async |world| {
        let tv = tv(&world);
        let codes = codes(&tv, "openid age").await;
        let wallet = world.person("M-1").await;
        log_in(&mut world.browser(), &wallet, &codes).await;
        let answer = poll(&tv, &codes).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
        let tokens = answer.json();
        let claims = tv.id_token(text(&tokens, "id_token")).await;
        assert_eq!(claims["age_over_18"], true);
        assert!(tokens.get("refresh_token").is_none());
    })
    .await;
}

#[tokio::test]
async fn devices_are_off_unless_an_application_is_one() {
    on_sqlite(async |world| {
        let get = |path: &'static str| {
            let request = Request::get(path).body(Body::empty()).unwrap();
            let router = world.router();
            async move { send(&router, request).await }
        };
        let document = get("/.well-known/openid-configuration").await.json();
        assert!(document.get("device_authorization_endpoint").is_none());
        assert_eq!(get("/device").await.status, StatusCode::NOT_FOUND);
        let answer = world
            .shop()
            .post("/device_authorization", &[("scope", "openid")])
            .await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND);
    })
    .await;
    with_kiosk(async |world| {
        let request = Request::get("/.well-known/openid-configuration");
        let request = request.body(Body::empty()).unwrap();
        let document = send(&world.router(), request).await.json();
        assert_eq!(
            document["device_authorization_endpoint"],
            format!("{OP}/device_authorization")
        );
        let grants = document["grant_types_supported"].as_array().unwrap();
        assert!(grants.contains(&json!(GRANT)));
        // Who is only a device is never sent anywhere.
        let kiosk = kiosk(&world);
        let answer = world.browser().get(&kiosk.authorize("openid", &[])).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    })
    .await;
}
