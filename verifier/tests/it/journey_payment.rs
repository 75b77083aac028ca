//! A payment is approved in a login: shown on the page and in the wallet, signed there, told to the
//! application (OpenID4VP 1.0, section 8.4; RFC 9396). The template `step-up-payment` leads it as it is.

use axum::http::StatusCode;
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use vouchsafe_credentials::sd_jwt::ClaimPath;
use vouchsafe_credentials::sd_jwt_vc::kb;
use vouchsafe_credentials::time::Clock as _;
use vouchsafe_protocol::vp::transaction_data::Details;
use vouchsafe_verifier::config::Settings;
use vouchsafe_verifier::journey::template;

use crate::journeys::{HOME, with_more};
use crate::mdoc::{NUMBER, with_licences};
use crate::world::browser::{Answer, Browser, form};
use crate::world::pki::iaca;
use crate::world::rp::RelyingParty;
use crate::world::steps::{begin, log_in, wallet_link};
use crate::world::wallet::{Asked, Wallet};
use crate::world::{World, on_sqlite};

pub const DETAILS: &str = r#"[{"type":"payment","payee":"Bikes & <More>","amount":"12.50","currency":"EUR","reference":"Order 7"}]"#;

/// What the template needs beside.
pub const NEEDS: &str = r#"
[[query]]
id = "payment"
scope = "payment"
dcql = '''{"credentials":[{"id":"card","format":"dc+sd-jwt","meta":{"vct_values":["urn:vouchsafe:membership:1"]},"claims":[{"path":["member_id"]}]}]}'''
purpose = { en = "Approve a payment" }
subject = { strategy = "session_binding", claim = "member_id" }

[[client]]
id = "mart"
name = "The Mart"
secret = "mart-secret-0123456789"
redirect_uris = ["https://mart.example/cb"]
scopes = ["membership", "payment"]
default_query = "membership"
authorization_details_types = ["payment"]
offline_access = true
"#;

const SYSTEM: &str = r#"
[journeys.notify]
url = "http://127.0.0.1:9/hook"
secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo="
"#;

/// A journey of an application's own that a session leads around the payment.
const AROUND: &str = r#"
id = "around"
version = 1
clients = ["mart"]
match = '"payment" in request.scopes'

[[step]]
id = "pay"
kind = "present"
query = "payment"
bind = "current_user"
transaction_data = true
when = '!session.exists'

[[step]]
id = "done"
kind = "finish"
"#;

/// A payment is approved, and another card is asked for beside.
const MIXED: &str = r#"
id = "mixed"
version = 1
clients = ["mart"]
match = '"payment" in request.scopes'

[[step]]
id = "pay"
kind = "present"
query = "payment"
transaction_data = true

[[step]]
id = "more"
kind = "present"
query = "again"
when = '!session.exists'

[[step]]
id = "done"
kind = "finish"
"#;

/// The other card of that journey.
const AGAIN: &str = r#"
[[query]]
id = "again"
dcql = '''{"credentials":[{"id":"again","format":"dc+sd-jwt","meta":{"vct_values":["urn:vouchsafe:membership:1"]},"claims":[{"path":["member_id"]}]}]}'''
purpose = { en = "Show your card again" }
subject = { strategy = "session_binding", claim = "member_id" }
"#;

pub fn mart(world: &World) -> RelyingParty {
    let secret = Some("mart-secret-0123456789");
    RelyingParty::new(world.router(), "mart", secret, "https://mart.example/cb")
}

pub async fn paying(test: impl AsyncFn(World)) {
    let text = template("step-up-payment").unwrap().text;
    let needs = format!("{NEEDS}{SYSTEM}");
    with_more(&[("pay.toml", text)], &needs, async |world, _| {
        test(world).await
    })
    .await;
}

/// A member who is logged in.
pub async fn member(world: &World) -> (Browser, Wallet) {
    let wallet = world.person("M-1").await;
    let mut browser = world.browser().from(HOME);
    log_in(&mut browser, &wallet, &mart(world), "openid membership").await;
    world.tick().await;
    (browser, wallet)
}

pub async fn pushed(world: &World, details: &str) -> String {
    let more = [("authorization_details", details)];
    mart(world).push("openid payment", &more).await
}

/// A payment that waits for the wallet.
async fn asked(world: &World, browser: &mut Browser, wallet: &Wallet) -> (String, Asked) {
    let (path, page) = begin(browser, &pushed(world, DETAILS).await).await;
    (path, wallet.open(&wallet_link(&page)).await)
}

fn sha_256(text: &str) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(text))
}

#[tokio::test]
async fn the_template_has_a_payment_approved() {
    paying(async |world| {
        let (mut browser, wallet) = member(&world).await;
        let (path, page) = begin(&mut browser, &pushed(&world, DETAILS).await).await;
        for text in [
            "You approve a payment",
            "12.50 EUR",
            "Bikes &amp; &lt;More&gt;",
            "Order 7",
        ] {
            page.assert_page(StatusCode::OK, text);
        }
        // Nothing that somebody else could relay.
        assert!(!page.body.contains("id=\"other-device\""), "{}", page.body);
        let asked = wallet.open(&wallet_link(&page)).await;
        let [data] = asked.request.transaction_data() else {
            panic!("one transaction")
        };
        let Details::Payment(shown) = data.details();
        assert_eq!((shown.payee(), shown.amount()), ("Bikes & <More>", "12.50"));
        assert_eq!(
            (shown.currency(), shown.reference()),
            ("EUR", Some("Order 7"))
        );
        // However often it is fetched, it is the same.
        let again = wallet.open(&wallet_link(&browser.get(&path).await)).await;
        assert_eq!(
            again.request.transaction_data(),
            asked.request.transaction_data()
        );

        let answer = wallet.answer(&asked).await;
        let back = answer.json()["redirect_uri"].as_str().unwrap().to_owned();
        let answer = browser.get(&back).await;
        let answer = mart(&world).redeem(&mart(&world).code(&answer)).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
        let tokens = answer.json();
        let granted = &tokens["authorization_details"];
        let mut expected: Value = serde_json::from_str(DETAILS).unwrap();
        expected[0]["transaction_data"] = data.encoded().into();
        assert_eq!(*granted, expected);
        let claims = mart(&world)
            .id_token(tokens["id_token"].as_str().unwrap())
            .await;
        // What was signed can be compared by whoever holds the string.
        let signed = granted[0]["transaction_data"].as_str().unwrap();
        assert_eq!(claims["transaction_data_hashes"], json!([sha_256(signed)]));
        assert_eq!(claims["transaction_data_hashes_alg"], "sha-256");
        assert_eq!(claims["acr"], "urn:vouchsafe:acr:vc");
        let decoded = BASE64_URL_SAFE_NO_PAD.decode(signed).unwrap();
        let decoded: Value = serde_json::from_slice(&decoded).unwrap();
        assert_eq!(
            (&decoded["amount"], &decoded["currency"]),
            (&json!("12.50"), &json!("EUR"))
        );

        let token = tokens["access_token"].as_str().unwrap();
        let told = mart(&world).introspect(token).await;
        assert_eq!(
            told["transaction_data_hashes"],
            claims["transaction_data_hashes"]
        );
        assert_eq!(told["authorization_details"], expected);
        assert_eq!(told["acr"], "urn:vouchsafe:acr:vc");
        let userinfo = mart(&world).userinfo(token).await.json();
        assert_eq!(userinfo, json!({ "sub": claims["sub"] }));
    })
    .await;
}

/// A presentation of the wallet's membership that agrees to something.
async fn agreeing(
    wallet: &Wallet,
    world: &World,
    asked: &Asked,
    agreed: Option<&kb::Agreed>,
) -> String {
    let card = wallet.cards.last().unwrap();
    let binding = kb::Binding {
        audience: asked.request.client_id().as_str(),
        nonce: asked.request.nonce().as_str(),
        issued_at: world.clock.now(),
    };
    let shown = card
        .credential
        .present(&[ClaimPath::of_keys(&["member_id"])])
        .unwrap();
    shown
        .bind_agreeing(&binding, agreed, &card.key)
        .await
        .unwrap()
}

fn agreed(hashes: &[String], alg: &str) -> kb::Agreed {
    kb::Agreed {
        hashes: hashes.to_vec(),
        alg: Some(alg.to_owned()),
    }
}

/// The login is over without a code.
async fn assert_over(browser: &mut Browser, path: &str) {
    let page = browser.get(path).await;
    assert_eq!(page.status, StatusCode::FORBIDDEN, "{}", page.body);
}

#[tokio::test]
async fn cat_335_what_is_signed_is_what_was_asked() {
    let right = |asked: &Asked| sha_256(asked.request.transaction_data()[0].encoded());
    // The same transaction with another amount.
    let changed = |asked: &Asked| {
        let text = asked.request.transaction_data()[0].encoded();
        let text = BASE64_URL_SAFE_NO_PAD.decode(text).unwrap();
        let text = String::from_utf8(text).unwrap().replace("12.50", "1250");
        sha_256(&BASE64_URL_SAFE_NO_PAD.encode(text))
    };
    type Made<'a> = &'a dyn Fn(&Asked) -> Option<kb::Agreed>;
    let cases: [(Made<'_>, &str); 6] = [
        (&|_| None, "transaction_data_missing"),
        (
            &|asked| Some(agreed(&[changed(asked)], "sha-256")),
            "transaction_data_differs",
        ),
        (
            &|asked| Some(agreed(&[right(asked), right(asked)], "sha-256")),
            "transaction_data_differs",
        ),
        (
            &|asked| Some(agreed(&[right(asked)], "sha-512")),
            "transaction_data_differs",
        ),
        (
            &|asked| Some(agreed(&[right(asked)], "md5")),
            "transaction_data_alg",
        ),
        (
            &|asked| {
                Some(kb::Agreed {
                    alg: None,
                    ..agreed(&[right(asked)], "")
                })
            },
            "transaction_data_alg",
        ),
    ];
    // Five refusals in a row are a sign of their own (`failed_burst` of `[risk]`).
    for cases in cases.chunks(3) {
        paying(async |world| {
            let (mut browser, wallet) = member(&world).await;
            for (made, code) in cases {
                let (path, asked) = asked(&world, &mut browser, &wallet).await;
                let compact = agreeing(&wallet, &world, &asked, made(&asked).as_ref()).await;
                let body = wallet.encrypt(&asked, &Wallet::payload(&asked, "card", &compact));
                let answer = wallet.post(&asked.request, &body).await;
                assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{}", answer.body);
                assert_eq!(answer.json()["reason"], *code);
                assert_over(&mut browser, &path).await;
            }
            // The control: made by hand, and right.
            let (_, asked) = asked(&world, &mut browser, &wallet).await;
            let right = agreed(&[right(&asked)], "sha-256");
            let compact = agreeing(&wallet, &world, &asked, Some(&right)).await;
            let body = wallet.encrypt(&asked, &Wallet::payload(&asked, "card", &compact));
            let answer = wallet.post(&asked.request, &body).await;
            assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
            let back = answer.json()["redirect_uri"].as_str().unwrap().to_owned();
            mart(&world).code(&browser.get(&back).await);
        })
        .await;
    }
}

#[tokio::test]
async fn an_approval_is_good_for_its_own_transaction_alone() {
    paying(async |world| {
        let (mut browser, wallet) = member(&world).await;
        // The same order twice: each has a hash of its own.
        let (_, first) = asked(&world, &mut browser, &wallet).await;
        let (path, second) = asked(&world, &mut browser, &wallet).await;
        let [one, two] = [&first, &second].map(|asked| &asked.request.transaction_data()[0]);
        assert_eq!(one.details(), two.details());
        assert_ne!(one.encoded(), two.encoded());
        // What was signed for the first does not answer the second: not as it is, …
        let right = agreed(&[sha_256(one.encoded())], "sha-256");
        let compact = agreeing(&wallet, &world, &first, Some(&right)).await;
        let body = wallet.encrypt(&second, &Wallet::payload(&second, "card", &compact));
        let answer = wallet.post(&second.request, &body).await;
        assert_eq!(answer.json()["reason"], "kb_nonce");
        assert_over(&mut browser, &path).await;
        // … and not with the nonce of another.
        let (path, third) = asked(&world, &mut browser, &wallet).await;
        let compact = agreeing(&wallet, &world, &third, Some(&right)).await;
        let body = wallet.encrypt(&third, &Wallet::payload(&third, "card", &compact));
        let answer = wallet.post(&third.request, &body).await;
        assert_eq!(answer.json()["reason"], "transaction_data_differs");
        assert_over(&mut browser, &path).await;
        // A person who is not logged in approves nothing.
        let mut stranger = world.browser().from(HOME);
        let answer = stranger.get(&pushed(&world, DETAILS).await).await;
        assert_over(&mut stranger, &answer.location()).await;
        // Nor does the card of somebody else.
        let other = world.person("M-2").await;
        log_in(
            &mut world.browser().from(HOME),
            &other,
            &mart(&world),
            "openid membership",
        )
        .await;
        let (path, asked) = asked(&world, &mut browser, &other).await;
        let answer = other.answer(&asked).await;
        assert_ne!(
            answer.json()["redirect_uri"],
            Value::Null,
            "{}",
            answer.body
        );
        let back = answer.json()["redirect_uri"].as_str().unwrap().to_owned();
        let answer = browser.get(&back).await;
        assert!(!answer.location().contains("code="));
        assert_over(&mut browser, &path).await;
    })
    .await;
}

#[tokio::test]
async fn no_session_stands_for_an_approval() {
    with_more(&[("around.toml", AROUND)], NEEDS, async |world, _| {
        let (mut browser, _) = member(&world).await;
        let address = pushed(&world, DETAILS).await;
        let answer = browser.get(&address).await;
        assert!(
            answer.location().starts_with("/login/"),
            "{}",
            answer.location()
        );
        assert_over(&mut browser, &answer.location()).await;
        let more = [("authorization_details", DETAILS), ("prompt", "none")];
        let address = mart(&world).push("openid payment", &more).await;
        assert_eq!(
            mart(&world).error(&browser.get(&address).await),
            "login_required"
        );
    })
    .await;
}

#[tokio::test]
async fn a_session_of_another_question_stands_for_no_card_beside_an_approval() {
    let needs = format!("{NEEDS}{AGAIN}");
    with_more(&[("mixed.toml", MIXED)], &needs, async |world, _| {
        // The session answered another question: it is none of this journey's.
        let (mut browser, wallet) = member(&world).await;
        let (path, page) = begin(&mut browser, &pushed(&world, DETAILS).await).await;
        page.assert_page(StatusCode::OK, "12.50 EUR");
        let back = wallet.follow(&wallet_link(&page)).await;
        assert_eq!(browser.get(&back).await.location(), path);
        let page = browser.get(&path).await;
        page.assert_page(StatusCode::OK, "Show your card again");
        // With this card nothing is approved.
        assert!(!page.body.contains("id=\"payment\""), "{}", page.body);
        let back = wallet.follow(&wallet_link(&page)).await;
        mart(&world).code(&browser.get(&back).await);
    })
    .await;
}

#[tokio::test]
async fn rfc_9396_details_that_are_not_taken() {
    paying(async |world| {
        let mart = mart(&world);
        let refused = async |rp: &RelyingParty, scope: &str, details: &str| {
            let answer = rp
                .pushed(scope, &[("authorization_details", details)])
                .await;
            assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{details}");
            answer.json()["error"].as_str().unwrap().to_owned()
        };
        let invalid = "invalid_authorization_details";
        for (from, to) in [
            ("\"payment\"", "\"account_information\""),
            ("\"12.50\"", "\"12,50\""),
            ("\"Order 7\"", "\"Order 7\",\"iban\":\"x\""),
            ("Bikes", "Bikes\u{202e}"),
            ("[{", "{"),
        ] {
            let details = DETAILS.replacen(from, to, 1);
            assert_eq!(
                refused(&mart, "openid payment", &details).await,
                invalid,
                "{to}"
            );
        }
        // Nothing shows it where no journey does, and not every application may ask.
        assert_eq!(refused(&mart, "openid membership", DETAILS).await, invalid);
        assert_eq!(
            refused(&world.shop(), "openid membership", DETAILS).await,
            invalid
        );
        // A payment of nothing.
        let answer = mart.pushed("openid payment", &[]).await;
        assert_eq!(answer.json()["error"], "invalid_request");
        // In the hands of the browser it is nobody's word.
        let (mut browser, _) = member(&world).await;
        let more = [("authorization_details", DETAILS)];
        let answer = browser.get(&mart.authorize("openid payment", &more)).await;
        assert_eq!(mart.error(&answer), "invalid_request");
        let cheaper = DETAILS.replace("12.50", "1");
        let beside = form(&[("authorization_details", &cheaper)]);
        let address = format!("{}&{beside}", pushed(&world, DETAILS).await);
        let (_, page) = begin(&mut browser, &address).await;
        page.assert_page(StatusCode::OK, "12.50 EUR");
        // What the service can have approved it says, RFC 9396, section 10.
        let answer = browser.get("/.well-known/openid-configuration").await;
        assert_eq!(
            answer.json()["authorization_details_types_supported"],
            json!(["payment"])
        );
    })
    .await;
}

#[tokio::test]
async fn what_the_service_cannot_have_approved_is_refused_at_the_start() {
    on_sqlite(async |world| {
        let answer: Answer = world
            .browser()
            .get("/.well-known/openid-configuration")
            .await;
        let members = answer.json();
        assert_eq!(members.get("authorization_details_types_supported"), None);
        let folder = tempfile::tempdir().unwrap();
        let dir = format!("\n[journeys]\ndir = \"{}\"\n", folder.path().display());
        let said = |journey: &str, needs: &str| {
            std::fs::write(folder.path().join("pay.toml"), journey).unwrap();
            let config = world.configured(|toml| toml + needs + &dir);
            match Settings::parse(&config) {
                Ok(_) => String::new(),
                Err(error) => error.to_string(),
            }
        };
        assert_eq!(said(AROUND, NEEDS), "");
        let nobody = NEEDS.replace("authorization_details_types = [\"payment\"]\n", "");
        let text = said(AROUND, &nobody);
        assert!(
            text.contains("not_held: no application of the journey may ask"),
            "{text}"
        );
        // Nor does a card sign that may be somebody else's.
        let loose = NEEDS.replacen("[[query]]", "[[query]]\none_holder = false", 1);
        let text = said(AROUND, &loose);
        assert!(
            text.contains("not_held: the question takes cards of several holders"),
            "{text}"
        );
        // No mdoc: OpenID4VP 1.0, annex B.2.1, leaves it to each document type, and none says how.
        let mdoc = AROUND.replace("query = \"payment\"", "query = \"licence\"");
        std::fs::write(folder.path().join("pay.toml"), mdoc).unwrap();
        let config = world
            .configured(|toml| with_licences(&(toml + NEEDS + &dir), &iaca("Transport"), NUMBER));
        let text = Settings::parse(&config).unwrap_err().to_string();
        assert!(
            text.contains("not_held: the question asks for a card that cannot authorise"),
            "{text}"
        );
        let public = NEEDS.replace("secret = \"mart-secret-0123456789\"\n", "");
        let text = said(AROUND, &public);
        assert!(
            text.contains("authorization_details_types need a secret or keys"),
            "{text}"
        );
        let unknown = NEEDS.replace("types = [\"payment\"]", "types = [\"transfer\"]");
        let parsed = vouchsafe_service::config::parse::<vouchsafe_verifier::config::Config>(
            &(crate::world::toml(&world.pki) + &unknown),
        );
        assert!(parsed.is_err());
    })
    .await;
}

#[tokio::test]
async fn a_refresh_approves_nothing() {
    paying(async |world| {
        let (mut browser, wallet) = member(&world).await;
        let more = [("authorization_details", DETAILS), ("prompt", "consent")];
        // The person says yes anew each time (OpenID Connect Core 1.0, section 11); the template wants a
        // session, so nobody goes on from an approval here.
        let address = mart(&world)
            .push("openid payment offline_access", &more)
            .await;
        let answer = browser.get(&address).await;
        assert_over(&mut browser, &answer.location()).await;
        let more = [("authorization_details", DETAILS)];
        let address = mart(&world)
            .push("openid payment offline_access", &more)
            .await;
        let (_, page) = begin(&mut browser, &address).await;
        let back = wallet.follow(&wallet_link(&page)).await;
        let code = mart(&world).code(&browser.get(&back).await);
        let tokens = mart(&world).redeem(&code).await.json();
        assert!(tokens["authorization_details"].is_array());
        let refreshed = mart(&world)
            .refresh(tokens["refresh_token"].as_str().unwrap())
            .await;
        assert_eq!(refreshed.status, StatusCode::OK, "{}", refreshed.body);
        let refreshed = refreshed.json();
        assert_eq!(refreshed.get("authorization_details"), None);
        let token = refreshed["access_token"].as_str().unwrap();
        let told = mart(&world).introspect(token).await;
        assert_eq!(told.get("transaction_data_hashes"), None);
        assert_eq!(told.get("authorization_details"), None);
    })
    .await;
}
