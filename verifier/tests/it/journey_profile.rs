//! Example D of the login document: what somebody is asked about themselves after a login, and never
//! in its way.

use std::path::Path;

use axum::http::StatusCode;
use serde_json::{Value, json};
use vouchsafe_credentials::time::Clock as _;

use crate::attributes::{config, export, say};
use crate::journeys::{HOME, MEMBER, with_more, write};
use crate::world::browser::{Answer, Browser};
use crate::world::heard::Heard;
use crate::world::rp::Tokens;
use crate::world::steps::{begin, same_device, wallet_link};
use crate::world::wallet::Wallet;
use crate::world::{NOW, World};

/// The example without its `consent` step, which [`crate::journey_share`] adds.
pub const PROFILE: &str = r#"
id = "profile"
version = 1
stage = "consideration"
after = ["member-login"]
timeout_s = 120

[[step]]
id = "ask"
kind = "ask"
max_fields = 1
prefer_credential = true
cooldown_days = 30
when = 'user.logins >= 3 && user.missing.size() > 0 && risk.level == "low" && !(user.missing[0] in user.refused)'
on = { declined = "end", timeout = "end", error = "end" }

[[step.field]]
name = "postal_code"
purpose = "delivery estimate"
query = "pid_address"
optional = true

[[step.field]]
name = "riding_style"
purpose = "bike tips"
options = ["road", "city"]
optional = true

[[step]]
id = "end"
kind = "finish"
"#;

/// An address card leads to nobody in particular.
const ADDRESS: &str = r#"
[[query]]
id = "pid_address"
dcql = '''{"credentials":[{"id":"address","format":"dc+sd-jwt","meta":{"vct_values":["urn:vouchsafe:membership:1"]},"claims":[{"path":["postal_code"]}]}]}'''
purpose = { en = "Your address" }
subject = { strategy = "guest" }
claims = { postal_code = ["postal_code"] }
"#;

pub fn more() -> String {
    let card = "max_length = 8\nquery = \"pid_address\"";
    config().replacen("max_length = 8", card, 1) + ADDRESS
}

async fn with(files: &[(&str, &str)], test: impl AsyncFn(World, &Path)) {
    let mut all = vec![("member.toml", MEMBER)];
    all.extend(files);
    with_more(&all, &more(), test).await;
}

pub async fn member(world: &World, number: &str) -> Wallet {
    let mut wallet = world.wallet();
    let claims = json!({
        "member_id": number, "tier": "gold", "valid_until": "2027-12-31", "postal_code": "CARD-01",
    });
    let hidden: &[&[&str]] = &[
        &["member_id"],
        &["tier"],
        &["valid_until"],
        &["postal_code"],
    ];
    let vct = "urn:vouchsafe:membership:1";
    wallet
        .receive(world, &world.issuer, vct, claims, hidden)
        .await;
    wallet
}

/// Shows the card once more; what the browser gets thereafter.
pub async fn again(world: &World, browser: &mut Browser, wallet: &Wallet) -> Answer {
    let address = world.suite().authorize("openid", &[("prompt", "login")]);
    same_device(browser, wallet, &address).await
}

pub async fn tokens(world: &World, answer: &Answer) -> Tokens {
    world.suite().tokens(&world.suite().code(answer)).await
}

/// A person who has logged in twice and is at the question of the third login: its path and page.
pub async fn third(world: &World, browser: &mut Browser, wallet: &Wallet) -> (String, Answer) {
    for _ in 0..2 {
        let answer = again(world, browser, wallet).await;
        tokens(world, &answer).await;
    }
    let answer = again(world, browser, wallet).await;
    let path = answer.location();
    assert!(path.starts_with("/login/"), "{path}");
    let page = browser.get(&path).await;
    page.assert_page(StatusCode::OK, "One more question");
    (path, page)
}

pub fn hidden(page: &Answer, name: &str) -> String {
    let found = page.attribute(&format!("name=\"{name}\""), "value");
    found.expect("a hidden field")
}

/// Sends the form of a page.
pub async fn send(
    browser: &mut Browser,
    (path, page): (&str, &Answer),
    fields: &[(&str, &str)],
) -> Answer {
    let (csrf, turn) = (hidden(page, "csrf"), hidden(page, "turn"));
    let mut all = vec![("csrf", csrf.as_str()), ("turn", turn.as_str())];
    all.extend(fields);
    browser.post(&format!("{path}/ask"), &all).await
}

pub async fn stored(world: &World) -> i64 {
    world.count("SELECT COUNT(*) FROM account_attributes").await
}

/// When it was before.
pub async fn later(world: &World, seconds: i64) -> i64 {
    let before = world.clock.now();
    world.clock.advance(seconds);
    let now = world.clock.now();
    world.issuer.publish(now).await;
    before.0
}

#[tokio::test]
async fn two_logins_ask_nothing_and_the_third_asks_one_field() {
    with(&[("profile.toml", PROFILE)], async |world, _| {
        let wallet = member(&world, "M-1").await;
        let mut browser = world.browser().from(HOME);
        let (path, page) = third(&world, &mut browser, &wallet).await;
        assert!(page.body.contains("Postal code en") && !page.body.contains("Riding style"));
        assert!(page.body.contains("tips en") && page.body.contains("after 90 days"));
        let at = |text: &str| page.body.find(text).unwrap();
        assert!(at("Take it from my wallet") < at("type it yourself"));
        // What is wrong is said beside the field, and nothing is kept.
        for (fields, said) in [
            (
                vec![("value-postal_code", "123456789"), ("agree", "yes")],
                "This is too long.",
            ),
            (vec![("value-postal_code", "0150")], "only if you agree"),
        ] {
            let answer = send(&mut browser, (&path, &page), &fields).await;
            answer.assert_page(StatusCode::UNPROCESSABLE_ENTITY, said);
            assert!(answer.body.contains("id=\"ask-postal_code-problem\""));
        }
        // A field that was not asked for is not read.
        let fields = [
            ("value-postal_code", "0150"),
            ("value-riding_style", "road"),
            ("value-shoe_size", "43"),
            ("agree", "yes"),
        ];
        let answer = send(&mut browser, (&path, &page), &fields).await;
        let done = tokens(&world, &answer).await;
        assert_eq!(done.claims["acr"], "urn:vouchsafe:acr:vc");
        let known = export(&mut browser).await;
        assert_eq!(known["attributes"].as_array().unwrap().len(), 1);
        let one = &known["attributes"][0];
        assert_eq!(
            (&one["value"], &one["source"]),
            (&json!("0150"), &json!("self"))
        );
        assert_eq!(
            (&one["verified_at"], &one["purpose"]),
            (&json!(NOW.0), &json!("tips en"))
        );
        // The same form once more is nothing.
        let answer = send(
            &mut browser,
            (&path, &page),
            &[("value-postal_code", "9"), ("agree", "yes")],
        )
        .await;
        assert_eq!(answer.location(), path);
        assert_eq!(export(&mut browser).await["attributes"][0]["value"], "0150");
        // The next login asks for what is missing now; the file offers less than the attribute has.
        let answer = again(&world, &mut browser, &wallet).await;
        let path = answer.location();
        let page = browser.get(&path).await;
        page.assert_page(StatusCode::OK, "Riding style en");
        assert!(!page.body.contains("value=\"mountain\""));
        let fields = [("value-riding_style", "mountain"), ("agree", "yes")];
        let answer = send(&mut browser, (&path, &page), &fields).await;
        answer.assert_page(
            StatusCode::UNPROCESSABLE_ENTITY,
            "Choose one of the answers.",
        );
        let fields = [("value-riding_style", "city"), ("agree", "yes")];
        let answer = send(&mut browser, (&path, &page), &fields).await;
        tokens(&world, &answer).await;
        assert_eq!(stored(&world).await, 2);
        // Then there is nothing to ask: `tier` is no field of the file.
        let answer = again(&world, &mut browser, &wallet).await;
        tokens(&world, &answer).await;
    })
    .await;
}

#[tokio::test]
async fn who_says_no_is_left_alone_for_thirty_days() {
    with(&[("profile.toml", PROFILE)], async |world, _| {
        let wallet = member(&world, "M-1").await;
        let mut browser = world.browser().from(HOME);
        let (path, page) = third(&world, &mut browser, &wallet).await;
        let answer = send(&mut browser, (&path, &page), &[("skip", "1")]).await;
        tokens(&world, &answer).await;
        assert_eq!(stored(&world).await, 0);
        let known = export(&mut browser).await;
        assert_eq!(
            known["refused"],
            json!([{ "name": "postal_code", "at": NOW.0 }])
        );
        for days in [0, 15, 14] {
            later(&world, days * 86_400).await;
            let answer = again(&world, &mut browser, &wallet).await;
            world.suite().code(&answer);
        }
        later(&world, 86_400).await;
        let answer = again(&world, &mut browser, &wallet).await;
        let path = answer.location();
        browser
            .get(&path)
            .await
            .assert_page(StatusCode::OK, "Postal code en");
    })
    .await;
}

#[tokio::test]
async fn a_card_fills_a_field_once_the_person_agrees() {
    with(&[("profile.toml", PROFILE)], async |world, _| {
        let wallet = member(&world, "M-1").await;
        let mut browser = world.browser().from(HOME);
        let (path, page) = third(&world, &mut browser, &wallet).await;
        let consents = world.count("SELECT COUNT(*) FROM consents").await;
        let answer = send(&mut browser, (&path, &page), &[("wallet", "postal_code")]).await;
        assert_eq!(answer.location(), path);
        let page = browser.get(&path).await;
        page.assert_page(StatusCode::OK, "Take it from your wallet");
        // A no of the wallet leads back to the question.
        let csrf = hidden(&page, "csrf");
        let answer = browser
            .post(&format!("{path}/cancel"), &[("csrf", &csrf)])
            .await;
        assert_eq!(answer.location(), path);
        let page = browser.get(&path).await;
        page.assert_page(StatusCode::OK, "Your wallet did not bring it");
        send(&mut browser, (&path, &page), &[("wallet", "postal_code")]).await;
        let page = browser.get(&path).await;
        let asked = wallet.open(&wallet_link(&page)).await;
        let answer = wallet.answer(&asked).await.json();
        // No application is told anything, so nothing is agreed with one.
        assert_eq!(answer.get("consent_uri"), None);
        assert_eq!(world.count("SELECT COUNT(*) FROM consents").await, consents);
        let answer = browser.get(answer["redirect_uri"].as_str().unwrap()).await;
        assert_eq!(answer.location(), path);
        let page = browser.get(&path).await;
        page.assert_page(StatusCode::OK, "<bdi>CARD-01</bdi>");
        page.assert_page(StatusCode::OK, "club.example");
        assert_eq!(stored(&world).await, 0);
        let answer = send(&mut browser, (&path, &page), &[("card", "keep")]).await;
        let done = tokens(&world, &answer).await;
        // What somebody shows to their account says nothing about the login.
        assert_eq!(done.claims["amr"], json!(["pop", "rba", "vp"]));
        let one = export(&mut browser).await["attributes"][0].clone();
        assert_eq!(
            (&one["value"], &one["source"]),
            (&json!("CARD-01"), &json!("wallet"))
        );
        assert_eq!(one["assurance"], "https://club.example");
        // What a card says outranks what somebody types.
        say(&mut browser, "postal_code", "0150").await;
        assert_eq!(
            export(&mut browser).await["attributes"][0]["value"],
            "CARD-01"
        );
    })
    .await;
}

#[tokio::test]
async fn the_card_of_somebody_else_fills_nothing() {
    let profile = PROFILE
        .replace("\"postal_code\"", "\"tier\"")
        .replace("\"pid_address\"", "\"membership\"");
    with(&[("profile.toml", &profile)], async |world, _| {
        let (mine, other) = (member(&world, "M-1").await, member(&world, "M-2").await);
        let mut theirs = world.browser().from(HOME);
        tokens(&world, &again(&world, &mut theirs, &other).await).await;
        let mut browser = world.browser().from(HOME);
        let (path, page) = third(&world, &mut browser, &mine).await;
        send(&mut browser, (&path, &page), &[("wallet", "tier")]).await;
        let page = browser.get(&path).await;
        let back = other.follow(&wallet_link(&page)).await;
        browser.get(&back).await;
        let page = browser.get(&path).await;
        page.assert_page(StatusCode::OK, "Your wallet did not bring it");
        // Whose login it is does not change either.
        let answer = send(&mut browser, (&path, &page), &[("skip", "1")]).await;
        let done = tokens(&world, &answer).await;
        let first = tokens(&world, &again(&world, &mut browser, &mine).await).await;
        assert_eq!(done.sub(), first.sub());
        assert_eq!(stored(&world).await, 0);
    })
    .await;
}

/// A question after a login can be answered wrongly, in the wrong place or too late.
#[tokio::test]
async fn no_answer_of_a_wallet_takes_a_login_back() {
    with(&[("profile.toml", PROFILE)], async |world, _| {
        let wallet = member(&world, "M-1").await;
        let mut browser = world.browser().from(HOME);
        let (path, page) = third(&world, &mut browser, &wallet).await;
        send(&mut browser, (&path, &page), &[("wallet", "postal_code")]).await;
        let page = browser.get(&path).await;
        let back = wallet.follow(&wallet_link(&page)).await;
        // While it waits for its browser, the person can go on without.
        let waits = browser.get(&path).await;
        waits.assert_page(StatusCode::OK, "Go on without");
        // It comes back somewhere else.
        world.browser().get(&back).await;
        let page = browser.get(&path).await;
        page.assert_page(StatusCode::OK, "Your wallet did not bring it");
        // It is answered in time, and the browser comes back too late.
        send(&mut browser, (&path, &page), &[("wallet", "postal_code")]).await;
        let page = browser.get(&path).await;
        wallet.follow(&wallet_link(&page)).await;
        world.clock.advance(121);
        let answer = browser.get(&path).await;
        tokens(&world, &answer).await;
        // It is answered too late.
        let answer = again(&world, &mut browser, &wallet).await;
        let path = answer.location();
        let page = browser.get(&path).await;
        send(&mut browser, (&path, &page), &[("wallet", "postal_code")]).await;
        let page = browser.get(&path).await;
        let asked = wallet.open(&wallet_link(&page)).await;
        let body = wallet.response(&asked).await;
        world.clock.advance(121);
        let late = wallet.post(&asked.request, &body).await;
        assert!(!late.status.is_success(), "{}", late.body);
        let answer = browser.get(&path).await;
        tokens(&world, &answer).await;
        assert_eq!(stored(&world).await, 0);
    })
    .await;
}

/// Whatever becomes of the question, the login that is settled goes on.
#[tokio::test]
async fn nothing_that_follows_takes_a_login_back() {
    with(&[("profile.toml", PROFILE)], async |world, folder| {
        let wallet = member(&world, "M-1").await;
        let mut browser = world.browser().from(HOME);
        let (path, page) = third(&world, &mut browser, &wallet).await;
        // Too late: the form says nothing any more, and the login is there.
        world.clock.advance(121);
        let fields = [("value-postal_code", "0150"), ("agree", "yes")];
        let answer = send(&mut browser, (&path, &page), &fields).await;
        let late = tokens(&world, &answer).await;
        assert_eq!(late.claims["auth_time"], NOW.0);
        assert_eq!(stored(&world).await, 0);
        // Only looking at the page again is enough.
        let answer = again(&world, &mut browser, &wallet).await;
        let path = answer.location();
        world.clock.advance(121);
        let answer = browser.get(&path).await;
        tokens(&world, &answer).await;
        // A silent request is never asked, and the session that answers it stays.
        let address = world.suite().authorize("openid", &[("prompt", "none")]);
        let answer = browser.get(&address).await;
        tokens(&world, &answer).await;
        // The text of what follows is lost: the login is not, for whoever says no either.
        let answer = again(&world, &mut browser, &wallet).await;
        let declined = answer.location();
        let page = browser.get(&declined).await;
        let csrf = hidden(&page, "csrf");
        let answer = again(&world, &mut browser, &wallet).await;
        let path = answer.location();
        let refusing = PROFILE.replace(
            "kind = \"finish\"",
            "kind = \"deny\"\ncode = \"no\"\nwhen = 'user.logins > 0'\n\n[[step]]\nid = \"out\"\nkind = \"finish\"",
        );
        write(folder, &[("profile.toml", &refusing)]);
        let sql = "DELETE FROM journey_texts";
        vouchsafe_service::each!(world.db, p => sqlx::query(sql).execute(p).await.map(drop)).unwrap();
        let other = world.another_process().await;
        let mut browser = browser.at(other.router());
        let answer = browser.get(&path).await;
        assert!(answer.status.is_redirection(), "{}", answer.body);
        let code = world.suite().code(&answer);
        assert!(!code.is_empty());
        let cancel = format!("{declined}/cancel");
        let answer = browser.post(&cancel, &[("csrf", &csrf)]).await;
        let code = world.suite().code(&answer);
        assert!(!code.is_empty());
        // The next database begins with the file as it was.
        write(folder, &[("profile.toml", PROFILE)]);
    })
    .await;
}

#[tokio::test]
async fn a_refusal_of_what_follows_is_no_refusal() {
    let refusing = r#"
id = "stern"
version = 1
after = ["member-login"]

[[step]]
id = "out"
kind = "deny"
code = "never"
"#;
    let files = [("stern.toml", refusing)];
    with(&files, async |world, _| {
        let wallet = member(&world, "M-1").await;
        let mut browser = world.browser().from(HOME);
        let answer = again(&world, &mut browser, &wallet).await;
        let done = tokens(&world, &answer).await;
        assert_eq!(done.claims["acr"], "urn:vouchsafe:acr:vc");
        // What it did stands in the trace of the login.
        let kept = "SELECT COUNT(*) FROM journey_traces WHERE outcome = 'success' AND trace LIKE '%stern@1#out.deny%'";
        assert_eq!(world.count(kept).await, 1);
    })
    .await;
}

/// Neither the traces nor the log nor a metric says what somebody said.
#[tokio::test]
async fn no_answer_to_a_question_reaches_trace_log_or_metric() {
    let heard = Heard::default();
    let listening = heard.listen();
    with(&[("profile.toml", PROFILE)], async |world, _| {
        let wallet = member(&world, "M-1").await;
        let mut browser = world.browser().from(HOME);
        let (path, page) = third(&world, &mut browser, &wallet).await;
        let fields = [("value-postal_code", "CANARY-LONG"), ("agree", "yes")];
        send(&mut browser, (&path, &page), &fields).await;
        let fields = [("value-postal_code", "CANARY"), ("agree", "yes")];
        let answer = send(&mut browser, (&path, &page), &fields).await;
        tokens(&world, &answer).await;
        let traces = "SELECT COUNT(*) FROM journey_traces WHERE trace LIKE '%CAN' || 'ARY%'";
        assert_eq!(world.count(traces).await, 0);
        assert_eq!(stored(&world).await, 1);
    })
    .await;
    drop(listening);
    let said = heard.said();
    assert!(said.contains("profile") && said.contains("vouchsafe_step_entered_total"));
    assert!(!said.contains("CANARY"), "{said}");
}

/// A session that stands for the card is asked too, and by its conditions alone.
#[tokio::test]
async fn a_session_is_asked_as_a_card_is() {
    let always = PROFILE.replace("user.logins >= 3 && ", "");
    with(&[("profile.toml", &always)], async |world, _| {
        let wallet = member(&world, "M-1").await;
        let mut browser = world.browser().from(HOME);
        // The first login: the account is made when it is over.
        let answer = again(&world, &mut browser, &wallet).await;
        let path = answer.location();
        let page = browser.get(&path).await;
        let fields = [("value-postal_code", "0150"), ("agree", "yes")];
        let answer = send(&mut browser, (&path, &page), &fields).await;
        tokens(&world, &answer).await;
        assert_eq!(stored(&world).await, 1);
        let first = later(&world, 60).await;
        // A login that would be too old by the time of an answer is not held up.
        let address = world.suite().authorize("openid", &[("max_age", "300")]);
        let answer = browser.get(&address).await;
        let done = tokens(&world, &answer).await;
        assert_eq!(done.claims["auth_time"], first);
        let address = world.suite().authorize("openid", &[]);
        // Who comes too late was logged in no later for that.
        let (path, page) = begin(&mut browser, &address).await;
        page.assert_page(StatusCode::OK, "Riding style en");
        later(&world, 121).await;
        let answer = browser.get(&path).await;
        let done = tokens(&world, &answer).await;
        assert_eq!(done.claims["auth_time"], first);
        let (path, page) = begin(&mut browser, &address).await;
        page.assert_page(StatusCode::OK, "Riding style en");
        let fields = [("value-riding_style", "road"), ("agree", "yes")];
        let answer = send(&mut browser, (&path, &page), &fields).await;
        let done = tokens(&world, &answer).await;
        assert_eq!(
            done.userinfo.as_object().unwrap().len(),
            1,
            "who it is, and nothing else"
        );
        let known: Value = export(&mut browser).await;
        assert_eq!(known["account"]["logins"], 4);
        assert_eq!(known["attributes"][1]["verified_at"], NOW.0 + 181);
        // Nothing of an account that is deleted counts for what is usual.
        world.tick().await;
        let counted = "SELECT COUNT(*) FROM risk_values WHERE logins <> 0";
        assert_ne!(world.count(counted).await, 0);
        let csrf = hidden(&browser.get("/account/delete").await, "csrf");
        let answer = browser.post("/account/delete", &[("csrf", &csrf)]).await;
        answer.assert_page(StatusCode::OK, "Your account is deleted");
        assert_eq!(world.count(counted).await, 0);
    })
    .await;
}
