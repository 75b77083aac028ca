//! The step `consent` of a journey: the question stands at its place, and without a yes nothing is told.

use axum::http::StatusCode;
use serde_json::json;

use crate::consents::{CONTROLLER, parse_schema, receipt};
use crate::journeys::{AGE, with_more, write};
use crate::world::browser::{Answer, Browser};
use crate::world::rp::Tokens;
use crate::world::steps::{begin, rows, same_device, wallet_link};
use crate::world::wallet::Wallet;
use crate::world::{World, schema};

pub const JOURNEY: &str = r#"
id = "club"
version = 1
clients = ["suite"]

[[step]]
id = "card"
kind = "present"
query = "membership"
on = { no_credential = "deny:no_credential", declined = "deny:declined", invalid = "deny:not_proven", timeout = "deny:timeout", error = "deny:error" }

[[step]]
id = "ask"
kind = "consent"
receipt = "iso27560"
on = { declined = "deny:declined" }

[[step]]
id = "done"
kind = "finish"
claims = { membership_tier = 'has(cred.card) ? cred.card.claims.tier : "unknown"' }
"#;

async fn with(journey: &str, test: impl AsyncFn(World, &std::path::Path)) {
    with_more(&[("club.toml", journey)], CONTROLLER, test).await;
}

async fn asked(browser: &mut Browser, wallet: &Wallet, address: &str) -> (String, Answer) {
    let (path, page) = begin(browser, address).await;
    // Nothing is told with the card.
    page.assert_page(StatusCode::OK, "Only that it is you again");
    let back = wallet.follow(&wallet_link(&page)).await;
    assert_eq!(browser.get(&back).await.location(), path);
    let page = browser.get(&path).await;
    page.assert_page(StatusCode::OK, "Do you agree with what Suite wants?");
    page.assert_page(StatusCode::OK, "membership tier");
    page.assert_page(StatusCode::OK, "The Club");
    (path, page)
}

pub async fn say(browser: &mut Browser, path: &str, page: &Answer, word: &str) -> Answer {
    let csrf = page.attribute("name=\"csrf\"", "value").unwrap();
    let notice = page.attribute("name=\"notice\"", "value").unwrap();
    let fields = [
        ("csrf", csrf.as_str()),
        ("notice", &notice),
        ("answer", word),
    ];
    browser.post(&format!("{path}/agree"), &fields).await
}

async fn told(world: &World, answer: &Answer) -> Tokens {
    world.suite().tokens(&world.suite().code(answer)).await
}

#[tokio::test]
async fn a_yes_tells_is_recorded_and_is_not_asked_for_again() {
    with(JOURNEY, async |world, _| {
        let wallet = world.person("M-1").await;
        let mut browser = world.browser();
        let address = world.suite().authorize("openid", &[]);
        let (path, page) = asked(&mut browser, &wallet, &address).await;
        let tokens = told(&world, &say(&mut browser, &path, &page, "yes").await).await;
        assert_eq!(tokens.claims["membership_tier"], "gold");
        let all = browser.get("/account/consents.json").await.json();
        let all = all["receipts"].as_array().unwrap();
        let by = |about: &str| {
            let purpose = |one: &&serde_json::Value| {
                one["receipt"]["dpv:hasRecordOfActivity"]["dpv:hasProcess"]["dpv:hasPurpose"]["dct:identifier"] == about
            };
            all.iter().find(purpose).unwrap()["receipt"].clone()
        };
        let step = by("club/ask");
        schema::check(&parse_schema(), &step).unwrap();
        let process = &step["dpv:hasRecordOfActivity"]["dpv:hasProcess"];
        assert_eq!(process["dpv:hasLegalBasis"], "dpv:ExplicitlyExpressedConsent");
        assert_eq!(process["dpv:hasPersonalData"][1]["dct:identifier"], "membership_tier");
        let card = by("membership");
        let facts = &card["dpv:hasRecordOfActivity"]["dpv:hasProcess"]["dpv:hasPersonalData"];
        assert_eq!(facts, &json!([{ "@type": "dpv:PersonalData", "dct:identifier": "sub" }]));

        // The session stands for the card, and the consent for the question.
        let again = browser.get(&address).await;
        let again = told(&world, &again).await;
        assert_eq!(again.sub(), tokens.sub());
        assert_eq!(again.claims["membership_tier"], "unknown");
        // Unless the application wants it to be asked.
        let fresh = world.suite().authorize("openid", &[("prompt", "consent")]);
        asked(&mut browser, &wallet, &fresh).await;
    })
    .await;
}

#[tokio::test]
async fn a_no_tells_nothing_and_records_nothing() {
    with(JOURNEY, async |world, _| {
        let wallet = world.person("M-1").await;
        let mut browser = world.browser();
        let address = world.suite().authorize("openid", &[]);
        let (path, page) = asked(&mut browser, &wallet, &address).await;
        let answer = say(&mut browser, &path, &page, "no").await;
        assert_eq!(world.suite().error(&answer), "access_denied");
        assert_eq!(rows(&world, "login_sessions").await, 0);
        let steps = "SELECT COUNT(*) FROM consents WHERE about = 'club/ask'";
        assert_eq!(world.count(steps).await, 0);
    })
    .await;
}

#[tokio::test]
async fn where_a_no_leads_on_the_application_learns_who_it_is_and_nothing_else() {
    let on = JOURNEY.replace(
        "on = { declined = \"deny:declined\" }",
        "on = { declined = \"done\" }",
    );
    with(&on, async |world, _| {
        let wallet = world.person("M-1").await;
        let mut browser = world.browser();
        let address = world.suite().authorize("openid membership", &[]);
        let (path, page) = asked(&mut browser, &wallet, &address).await;
        let answer = say(&mut browser, &path, &page, "no").await;
        let tokens = told(&world, &answer).await;
        assert_eq!(tokens.userinfo, json!({ "sub": tokens.sub() }));
        assert_eq!(tokens.claims["membership_tier"], json!(null));
        assert!(!tokens.claims.to_string().contains("gold"));
    })
    .await;
}

#[tokio::test]
async fn after_a_withdrawal_the_step_asks_again() {
    with(JOURNEY, async |world, _| {
        let wallet = world.person("M-1").await;
        let mut browser = world.browser();
        let address = world.suite().authorize("openid", &[]);
        let (path, page) = asked(&mut browser, &wallet, &address).await;
        told(&world, &say(&mut browser, &path, &page, "yes").await).await;
        let account = browser.get("/account").await;
        let csrf = account.attribute("name=\"csrf\"", "value").unwrap();
        let all = browser.get("/account/consents.json").await.json();
        let record = |one: &serde_json::Value| one["receipt"]["dpv:hasRecordOfActivity"].clone();
        let mut records = all["receipts"].as_array().unwrap().iter().map(record);
        let step = records
            .find(|one| one["dpv:hasProcess"]["dpv:hasPurpose"]["dct:identifier"] == "club/ask");
        let id = step.unwrap()["dct:identifier"].as_str().unwrap().to_owned();
        let answer = browser
            .post(
                &format!("/account/consents/{id}/withdraw"),
                &[("csrf", &csrf)],
            )
            .await;
        assert_eq!(answer.location(), "/account");
        assert_eq!(rows(&world, "login_sessions").await, 0);
        asked(&mut browser, &wallet, &address).await;
    })
    .await;
}

#[tokio::test]
async fn an_answer_to_what_was_not_shown_is_asked_again() {
    with(JOURNEY, async |world, _| {
        let wallet = world.person("M-1").await;
        let mut browser = world.browser();
        let address = world.suite().authorize("openid", &[]);
        let (path, page) = asked(&mut browser, &wallet, &address).await;
        let csrf = page.attribute("name=\"csrf\"", "value").unwrap();
        let link = format!("{path}/agree");
        for notice in ["", "x"] {
            let fields = [
                ("csrf", csrf.as_str()),
                ("notice", notice),
                ("answer", "yes"),
            ];
            assert_eq!(browser.post(&link, &fields).await.location(), path);
        }
        // Nor is a form of somebody else an answer.
        let notice = page.attribute("name=\"notice\"", "value").unwrap();
        let fields = [("csrf", "x"), ("notice", &notice), ("answer", "yes")];
        assert_eq!(
            browser.post(&link, &fields).await.status,
            StatusCode::FORBIDDEN
        );
        let mut other = world.browser();
        let fields = [
            ("csrf", csrf.as_str()),
            ("notice", &notice),
            ("answer", "yes"),
        ];
        assert_eq!(
            other.post(&link, &fields).await.status,
            StatusCode::NOT_FOUND
        );
        browser
            .get(&path)
            .await
            .assert_page(StatusCode::OK, "Do you agree");
        told(&world, &say(&mut browser, &path, &page, "yes").await).await;
    })
    .await;
}

#[tokio::test]
async fn without_the_step_a_journey_asks_as_before() {
    let plain = JOURNEY.replace(
        "[[step]]\nid = \"ask\"\nkind = \"consent\"\nreceipt = \"iso27560\"\non = { declined = \"deny:declined\" }\n",
        "",
    );
    assert!(!plain.contains("consent"));
    with(&plain, async |world, folder| {
        let wallet = world.person("M-1").await;
        let mut browser = world.browser();
        let answer = same_device(
            &mut browser,
            &wallet,
            &world.suite().authorize("openid", &[]),
        )
        .await;
        let tokens = told(&world, &answer).await;
        assert_eq!(tokens.claims["membership_tier"], "gold");
        assert_eq!(receipt(&mut browser).await.status, StatusCode::OK);
        // A silent request is told that something would have to be shown.
        write(folder, &[("club.toml", JOURNEY)]);
        world.tick().await;
        let silent = world.suite().authorize("openid", &[("prompt", "none")]);
        assert_eq!(
            world.suite().error(&browser.get(&silent).await),
            "consent_required"
        );
        write(folder, &[("club.toml", &plain)]);
    })
    .await;
}

const ASK: &str = "[[step]]\nid = \"ask\"\nkind = \"consent\"\n";

#[tokio::test]
async fn a_no_after_a_yes_is_a_no() {
    let twice = JOURNEY.replace(
        "[[step]]\nid = \"done\"",
        "[[step]]\nid = \"sure\"\nkind = \"consent\"\non = { declined = \"done\" }\n\n[[step]]\nid = \"done\"",
    );
    with(&twice, async |world, _| {
        let wallet = world.person("M-1").await;
        let mut browser = world.browser();
        let address = world.suite().authorize("openid membership", &[]);
        let (path, page) = asked(&mut browser, &wallet, &address).await;
        assert_eq!(
            say(&mut browser, &path, &page, "yes").await.location(),
            path
        );
        let page = browser.get(&path).await;
        let answer = say(&mut browser, &path, &page, "no").await;
        let tokens = told(&world, &answer).await;
        assert_eq!(tokens.userinfo, json!({ "sub": tokens.sub() }));
        assert!(!tokens.claims.to_string().contains("gold"));
        let steps = "SELECT COUNT(*) FROM consents WHERE by_page = TRUE";
        assert_eq!(world.count(steps).await, 0);
    })
    .await;
}

#[tokio::test]
async fn withdrawing_the_card_in_the_wallet_withdraws_the_yes_of_the_page() {
    with(JOURNEY, async |world, _| {
        let wallet = world.person("M-1").await;
        let mut browser = world.browser();
        let address = world.suite().authorize("openid", &[]);
        let (path, page) = begin(&mut browser, &address).await;
        let asked_for = wallet.open(&wallet_link(&page)).await;
        let answer = wallet.answer(&asked_for).await.json();
        let back = answer["redirect_uri"].as_str().unwrap();
        assert_eq!(browser.get(back).await.location(), path);
        let page = browser.get(&path).await;
        told(&world, &say(&mut browser, &path, &page, "yes").await).await;
        assert_eq!(rows(&world, "consents").await, 2);
        // Meanwhile nobody is asked again, in another browser either.
        let other = same_device(&mut world.browser(), &wallet, &address).await;
        told(&world, &other).await;
        let withdrawn = wallet.withdraw(answer["consent_uri"].as_str().unwrap());
        assert_eq!(withdrawn.await.status, StatusCode::NO_CONTENT);
        let hold = "SELECT COUNT(*) FROM consents WHERE over_at IS NULL";
        assert_eq!(world.count(hold).await, 0);
        asked(&mut world.browser(), &wallet, &address).await;
    })
    .await;
}

#[tokio::test]
async fn a_guest_takes_the_yes_of_a_page_back_in_the_wallet() {
    let journey = AGE.replace(
        "[[step]]\nid = \"done\"",
        &format!("{ASK}on = {{ declined = \"deny:declined\" }}\n\n[[step]]\nid = \"done\""),
    );
    with_more(&[("age.toml", &journey)], CONTROLLER, async |world, _| {
        let mut wallet = world.wallet();
        wallet.receive_age(&world).await;
        let mut browser = world.browser();
        let address = world.shop().authorize("openid age", &[]);
        let (path, page) = begin(&mut browser, &address).await;
        let asked_for = wallet.open(&wallet_link(&page)).await;
        let answer = wallet.answer(&asked_for).await.json();
        let back = answer["redirect_uri"].as_str().unwrap();
        assert_eq!(browser.get(back).await.location(), path);
        let page = browser.get(&path).await;
        page.assert_page(StatusCode::OK, "at any time in your wallet");
        let answered = say(&mut browser, &path, &page, "yes").await;
        world.shop().tokens(&world.shop().code(&answered)).await;
        assert_eq!(rows(&world, "consents").await, 2);
        let withdrawn = wallet.withdraw(answer["consent_uri"].as_str().unwrap());
        assert_eq!(withdrawn.await.status, StatusCode::NO_CONTENT);
        assert_eq!(rows(&world, "consents").await, 0);
        assert_eq!(rows(&world, "login_sessions").await, 0);
    })
    .await;
}

#[tokio::test]
async fn what_the_step_asks_for_is_not_said_with_the_card() {
    let journey = JOURNEY.replace("[\"suite\"]", "[\"shop\"]");
    with(&journey, async |world, _| {
        let wallet = world.person("M-1").await;
        let mut browser = world.browser();
        let scope = "openid offline_access";
        let address = world.shop().authorize(scope, &[("prompt", "consent")]);
        let (path, page) = begin(&mut browser, &address).await;
        page.assert_page(StatusCode::OK, "Only that it is you again");
        assert!(!page.body.contains("id=\"stays\""));
        let back = wallet.follow(&wallet_link(&page)).await;
        assert_eq!(browser.get(&back).await.location(), path);
        let page = browser.get(&path).await;
        assert!(page.body.contains("id=\"stays\""));
        let answer = say(&mut browser, &path, &page, "yes").await;
        world.shop().code(&answer);
        let away = "SELECT COUNT(*) FROM consents WHERE offline = TRUE";
        assert_eq!(world.count(away).await, 1);
        let card = "SELECT COUNT(*) FROM consents WHERE offline = TRUE AND by_page = FALSE";
        assert_eq!(world.count(card).await, 0);
    })
    .await;
}

#[tokio::test]
async fn after_a_restore_the_step_asks_again_and_a_changed_record_is_no_consent() {
    with(JOURNEY, async |world, _| {
        let wallet = world.person("M-1").await;
        let mut browser = world.browser();
        let address = world.suite().authorize("openid", &[]);
        let (path, page) = asked(&mut browser, &wallet, &address).await;
        told(&world, &say(&mut browser, &path, &page, "yes").await).await;
        let other = same_device(&mut world.browser(), &wallet, &address).await;
        told(&world, &other).await;
        // As a restore leaves it.
        world
            .execute("UPDATE verifier_instance SET epoch = epoch + 1, salt = 'x'")
            .await;
        let mut browser = world.browser();
        let (path, page) = asked(&mut browser, &wallet, &address).await;
        told(&world, &say(&mut browser, &path, &page, "yes").await).await;
        world
            .execute("UPDATE consents SET purpose = 'Sell to anybody' WHERE by_page = TRUE")
            .await;
        let mut browser = world.browser();
        let (_, page) = begin(&mut browser, &address).await;
        let back = wallet.follow(&wallet_link(&page)).await;
        let answer = browser.get(&back).await;
        assert!(answer.status.is_server_error(), "{}", answer.body);
    })
    .await;
}
