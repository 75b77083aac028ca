//! Receipts: what was shown is what is recorded, for the person alone, and nobody can change it.

use axum::http::{StatusCode, header};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use vouchsafe_service::db::testing;
use vouchsafe_verifier::store::MIGRATIONS;

use crate::world::browser::{Answer, Browser};
use crate::world::schema;
use crate::world::steps::{begin, log_in, rows, wallet_link};
use crate::world::{World, on_sqlite};

/// Who is responsible, in the configuration of these tests.
pub const CONTROLLER: &str = r#"
[controller]
name = "The Club"
contact = "https://club.example/contact"
privacy_policy = "https://club.example/privacy"
address = "1 Street, Oslo"
country = "NO"
storage = ["NO", "DE"]
"#;

/// A configuration with these lines for the shop.
pub fn shop(toml: String, more: &str) -> String {
    let at = "offline_access = true\n\n[[client]]\nid = \"cafe\"";
    let with =
        format!("offline_access = true\nconsent = {{ {more} }}\n\n[[client]]\nid = \"cafe\"");
    assert!(toml.contains(at));
    toml.replacen(at, &with, 1) + CONTROLLER
}

/// A world with these lines for the shop, on each database.
pub async fn with(more: &str, test: impl AsyncFn(World)) {
    testing::for_each_database(&[MIGRATIONS], async |db| {
        test(World::with_config(db, |toml| shop(toml, more)).await).await;
    })
    .await;
}

const TERMS: &str = r#"stays_days = 30, expires_days = 90, recipients = ["The Carrier"]"#;

pub fn parse_schema() -> Value {
    serde_json::from_str(include_str!("../../../specs/consent-receipt.schema.json")).unwrap()
}

/// The address of the first receipt on the account page.
pub async fn receipt_path(browser: &mut Browser) -> String {
    let page = browser.get("/account").await;
    let path = page.attribute("&#x2f;receipt\"", "href").unwrap();
    assert!(path.ends_with("/receipt"), "{path}");
    path
}

pub async fn receipt(browser: &mut Browser) -> Answer {
    let path = receipt_path(browser).await;
    browser.get(&path).await
}

#[tokio::test]
async fn a_receipt_says_what_was_shown_and_keeps_to_its_schema() {
    with(TERMS, async |world| {
        let wallet = world.person("M-1").await;
        let mut browser = world.browser();
        let address = world
            .shop()
            .authorize("openid membership offline_access", &[]);
        let (_, page) = begin(&mut browser, &address).await;
        for shown in [
            "Responsible for your data",
            "The Club",
            "https:&#x2f;&#x2f;club.example&#x2f;privacy",
            "1 Street, Oslo",
            "The Carrier",
            "keeps these facts for 30 days",
            "ends after 90 days",
        ] {
            page.assert_page(StatusCode::OK, shown);
        }
        let back = wallet.follow(&wallet_link(&page)).await;
        let answer = browser.get(&back).await;
        let tokens = world.shop().tokens(&world.shop().code(&answer)).await;
        let path = receipt_path(&mut browser).await;
        let answer = browser.get(&path).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
        assert_eq!(answer.headers[header::CACHE_CONTROL], "no-store");
        assert_eq!(
            answer.headers[header::CONTENT_DISPOSITION],
            "attachment; filename=\"receipt.json\""
        );
        // No value of a card, no name, no e-mail.
        for secret in ["gold", "2027-12-31", "M-1", "@example"] {
            assert!(!answer.body.contains(secret), "{secret}");
        }
        assert!(!answer.body.contains(wallet_link(&page).as_str()));
        let receipt = answer.json();
        schema::check(&parse_schema(), &receipt).unwrap();
        let record = &receipt["dpv:hasRecordOfActivity"];
        assert_eq!(
            receipt["dct:conformsTo"][1],
            "https://w3id.org/dpv/schema/dpv-27560#receipt"
        );
        assert_eq!(record["dpv:hasDataSubject"]["dct:identifier"], tokens.sub());
        assert_eq!(record["dpv:hasDataController"]["dpv:hasName"], "The Club");
        assert_eq!(record["dpv:hasDataController"]["dct:identifier"], "shop");
        assert_eq!(
            record["dpv:hasNotice"][1]["schema:url"],
            "https://club.example/privacy"
        );
        assert_eq!(record["dct:language"], "en");
        let process = &record["dpv:hasProcess"];
        assert_eq!(
            process["dpv:hasPurpose"]["dct:description"],
            "Log in as a member"
        );
        let facts = process["dpv:hasPersonalData"].as_array().unwrap();
        let names: Vec<_> = facts.iter().map(|fact| &fact["dct:identifier"]).collect();
        assert_eq!(names, ["sub", "membership_tier", "membership_valid_until"]);
        assert_eq!(
            process["dpv:hasRecipient"],
            json!(["The <Shop>", "The Carrier"])
        );
        assert_eq!(
            process["dpv:hasStorageCondition"][0]["dpv:hasDuration"],
            "P30D"
        );
        let given = &record["dpv:hasConsentStatus"][0];
        assert_eq!(
            given["@type"],
            json!(["dpv:ConsentGiven", "dpv:ExpressedConsent"])
        );
        assert_eq!(given["dpv:hasIndicationMethod"], "card_same_device");
        assert_eq!(given["dpv:isIndicatedAtTime"], "2026-11-23T12:00:00Z");
        assert_eq!(
            given["dpv:hasDuration"]["rdf:value"],
            "2027-02-21T12:00:00Z"
        );

        // The same, signed.
        let signed = browser.get(&format!("{path}.jwt")).await;
        assert_eq!(signed.headers[header::CONTENT_TYPE], "application/jwt");
        let claims = world.shop().receipt(&signed.body).await.unwrap();
        assert_eq!(claims["receipt"], receipt);
        // It is no ID token: the record alone names the person.
        assert!(claims.get("sub").is_none());
    })
    .await;
}

#[tokio::test]
async fn a_receipt_that_somebody_changed_does_not_verify() {
    on_sqlite(async |world| {
        let wallet = world.person("M-1").await;
        let mut browser = world.browser();
        log_in(&mut browser, &wallet, &world.shop(), "openid membership").await;
        let path = receipt_path(&mut browser).await;
        let signed = browser.get(&format!("{path}.jwt")).await.body;
        assert!(world.shop().receipt(&signed).await.is_some());
        let parts: Vec<&str> = signed.split('.').collect();
        let body = String::from_utf8(URL_SAFE_NO_PAD.decode(parts[1]).unwrap()).unwrap();
        for (from, to) in [
            ("Log in as a member", "Sell to anybody"),
            ("membership_tier", "birthdate"),
            ("2026-11-23T12:00:00Z", "2026-11-22T12:00:00Z"),
        ] {
            let other = body.replace(from, to);
            assert_ne!(body, other);
            let forged = [parts[0], &URL_SAFE_NO_PAD.encode(other), parts[2]].join(".");
            assert!(world.shop().receipt(&forged).await.is_none(), "{to}");
        }
        // Nor does it stand for another token of ours, or another for it.
        let tokens = log_in(&mut browser, &wallet, &world.shop(), "openid membership").await;
        assert!(world.shop().receipt(&tokens.id_token).await.is_none());
        let hint = format!(
            "/logout?id_token_hint={signed}&post_logout_redirect_uri=http://127.0.0.1:9000/bye"
        );
        assert_ne!(browser.get(&hint).await.status, StatusCode::SEE_OTHER);
    })
    .await;
}

#[tokio::test]
async fn a_record_that_somebody_changed_in_the_database_has_no_receipt() {
    let changes = [
        "UPDATE consents SET purpose = 'Sell to anybody'",
        "UPDATE consents SET claims = '[\"birthdate\"]'",
        "UPDATE consents SET given_at = given_at - 1",
        "UPDATE consents SET client_id = 'cafe'",
        "UPDATE consents SET expires_at = 1",
        "UPDATE consents SET notice_hash = 'x'",
        "UPDATE consents SET by_page = TRUE",
        "UPDATE consents SET over_at = 1, withdrawn_at = 1",
        "UPDATE consents SET record = (SELECT o.record FROM consents o WHERE o.client_id = 'cafe') WHERE client_id = 'shop'",
    ];
    for change in changes {
        on_sqlite(async |world| {
            let wallet = world.person("M-1").await;
            let mut browser = world.browser();
            log_in(&mut browser, &wallet, &world.cafe(), "openid membership").await;
            world.clock.advance(1);
            log_in(&mut browser, &wallet, &world.shop(), "openid membership").await;
            let path = receipt_path(&mut browser).await;
            assert_eq!(browser.get(&path).await.status, StatusCode::OK);
            world.execute(change).await;
            let answer = browser.get(&path).await;
            assert!(answer.status.is_server_error(), "{change}: {}", answer.body);
            assert!(!answer.body.contains("dpv:"));
        })
        .await;
    }
}

#[tokio::test]
async fn the_receipt_of_somebody_else_is_the_same_as_none() {
    with("", async |world| {
        let mut one = world.browser();
        log_in(
            &mut one,
            &world.person("M-1").await,
            &world.shop(),
            "openid membership",
        )
        .await;
        let path = receipt_path(&mut one).await;
        let mut two = world.browser();
        log_in(
            &mut two,
            &world.person("M-2").await,
            &world.shop(),
            "openid membership",
        )
        .await;
        let never = format!("/account/consents/{}/receipt", "x".repeat(43));
        for ending in ["", ".jwt"] {
            let theirs = two.get(&format!("{path}{ending}")).await;
            assert_eq!(theirs.status, StatusCode::NOT_FOUND);
            assert_eq!(theirs.body, two.get(&format!("{never}{ending}")).await.body);
            // Nor without a login.
            let nobody = world.browser().get(&format!("{path}{ending}")).await;
            assert_eq!((nobody.status, nobody.body), (theirs.status, theirs.body));
        }
        assert_eq!(
            world.browser().get("/account/consents.json").await.status,
            StatusCode::NOT_FOUND
        );
        let all = two.get("/account/consents.json").await.json();
        assert_eq!(all["receipts"].as_array().unwrap().len(), 1);
        assert!(!all.to_string().contains(path.split('/').nth(3).unwrap()));
    })
    .await;
}

#[tokio::test]
async fn all_receipts_can_be_kept_and_a_new_consent_replaces_the_one_before() {
    with("", async |world| {
        let wallet = world.person("M-1").await;
        let mut browser = world.browser();
        for _ in 0..2 {
            world.clock.advance(10);
            log_in(&mut browser, &wallet, &world.shop(), "openid membership").await;
        }
        log_in(&mut browser, &wallet, &world.cafe(), "openid membership").await;
        let all = browser.get("/account/consents.json").await.json();
        let receipts = all["receipts"].as_array().unwrap();
        assert_eq!(receipts.len(), 3);
        let mut states = Vec::new();
        for one in receipts {
            schema::check(&parse_schema(), &one["receipt"]).unwrap();
            let record = &one["receipt"]["dpv:hasRecordOfActivity"];
            let party = match record["dpv:hasDataController"]["dct:identifier"] == "shop" {
                true => world.shop(),
                false => world.cafe(),
            };
            let claims = party
                .receipt(one["signed"].as_str().unwrap())
                .await
                .unwrap();
            assert_eq!(claims["receipt"], one["receipt"]);
            let events = record["dpv:hasConsentStatus"].as_array().unwrap();
            let names = events
                .iter()
                .map(|event| event["@type"][0].as_str().unwrap());
            states.push(names.collect::<Vec<_>>().join(" "));
        }
        states.sort();
        let given = "dpv:ConsentGiven";
        assert_eq!(
            states,
            [given, given, "dpv:ConsentGiven dpv:ConsentTerminated"]
        );
        browser
            .get("/account")
            .await
            .assert_page(StatusCode::OK, "You agreed again on");
    })
    .await;
}

#[tokio::test]
async fn without_a_contact_a_receipt_does_not_claim_the_profile_of_the_guide() {
    on_sqlite(async |world| {
        let wallet = world.person("M-1").await;
        let mut browser = world.browser();
        log_in(&mut browser, &wallet, &world.shop(), "openid membership").await;
        let receipt = receipt(&mut browser).await.json();
        schema::check(&parse_schema(), &receipt).unwrap();
        assert_eq!(
            receipt["dct:conformsTo"],
            json!(["urn:vouchsafe:consent-receipt:1"])
        );
        // Whoever claims it has what it demands.
        let mut false_claim = receipt;
        let record = &mut false_claim["dpv:hasRecordOfActivity"];
        record["dct:conformsTo"] = json!([
            "urn:vouchsafe:consent-receipt:1",
            "https://w3id.org/dpv/schema/dpv-27560#record"
        ]);
        schema::check(&parse_schema(), &false_claim).unwrap_err();
    })
    .await;
}

#[tokio::test]
async fn an_answer_to_a_question_that_says_other_things_now_is_asked_again() {
    testing::for_each_database(&[MIGRATIONS], async |db| {
        let mut world = World::with_config(db, |toml| shop(toml, "stays_days = 30")).await;
        let wallet = world.person("M-1").await;
        let mut browser = world.browser();
        let (path, page) = begin(
            &mut browser,
            &world.shop().authorize("openid membership", &[]),
        )
        .await;
        let asked = wallet.open(&wallet_link(&page)).await;
        world.restart(|toml| shop(toml, "stays_days = 300")).await;
        let (wallet, mut browser) = (wallet.at(world.router()), browser.at(world.router()));
        let refused = wallet.answer(&asked).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST);
        assert_eq!(refused.json()["reason"], "notice_changed");
        assert_eq!(rows(&world, "consents").await, 0);
        // The page asks again, and says what holds now.
        let page = browser.get(&path).await;
        page.assert_page(StatusCode::OK, "keeps these facts for 300 days");
        let back = wallet.follow(&wallet_link(&page)).await;
        let answer = browser.get(&back).await;
        world.shop().tokens(&world.shop().code(&answer)).await;
        let receipt = receipt(&mut browser).await.json();
        let storage =
            &receipt["dpv:hasRecordOfActivity"]["dpv:hasProcess"]["dpv:hasStorageCondition"];
        assert_eq!(storage[0]["dpv:hasDuration"], "P300D");
    })
    .await;
}

#[tokio::test]
async fn a_code_for_another_device_is_shown_only_beside_what_was_told() {
    testing::for_each_database(&[MIGRATIONS], async |db| {
        let mut world = World::with_config(db, |toml| shop(toml, "stays_days = 30")).await;
        let mut browser = world.browser();
        let address = world.shop().authorize("openid membership", &[]);
        let (path, _) = begin(&mut browser, &address).await;
        world.restart(|toml| shop(toml, "stays_days = 300")).await;
        let mut browser = browser.at(world.router());
        let code = format!("{path}/qr");
        assert_eq!(browser.get(&code).await.location(), path);
        let page = browser.get(&path).await;
        page.assert_page(StatusCode::OK, "keeps these facts for 300 days");
        assert_eq!(browser.get(&code).await.status, StatusCode::OK);
    })
    .await;
}
