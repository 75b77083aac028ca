//! Example D whole: after the question a `consent` step asks whether the application may learn the answer.
//! The login that is settled stays what it was.

use axum::http::StatusCode;
use serde_json::{Value, json};
use vouchsafe_service::telemetry::install_metrics;

use crate::attributes::{bikes, export, say};
use crate::consents::{CONTROLLER, parse_schema};
use crate::journeys::{HOME, MEMBER, with_more};
use crate::world::browser::{Answer, Browser};
use crate::world::heard::Heard;
use crate::world::rest::Caller;
use crate::world::rp::Tokens;
use crate::world::steps::{begin, same_device, wallet_link};
use crate::world::wallet::Wallet;
use crate::world::{NOW, World, schema};
use crate::{journey_consent, journey_profile, passkey_journeys};
use journey_profile::{PROFILE, hidden, later, more, send};

const CONSENT: &str = r#"[[step]]
id = "consent"
kind = "consent"
when = '"ask" in done'
receipt = "iso27560"

"#;

/// Example D as the login document has it.
pub fn whole() -> String {
    PROFILE.replacen(
        "[[step]]\nid = \"end\"",
        &format!("{CONSENT}[[step]]\nid = \"end\""),
        1,
    )
}

async fn with(add: &str, test: impl AsyncFn(World)) {
    let member = MEMBER.replacen("[\"suite\"]", "[\"suite\", \"bikes\"]", 1);
    let files = [("member.toml", member.as_str()), ("profile.toml", &whole())];
    let add = more() + CONTROLLER + add;
    with_more(&files, &add, async |world, _| test(world).await).await;
}

async fn shows(world: &World, browser: &mut Browser, wallet: &Wallet, scope: &str) -> Answer {
    let address = bikes(world).authorize(scope, &[("prompt", "login")]);
    same_device(browser, wallet, &address).await
}

async fn tokens(world: &World, answer: &Answer) -> Tokens {
    bikes(world).tokens(&bikes(world).code(answer)).await
}

/// A login in which nothing is shown.
async fn silent(world: &World, browser: &mut Browser) -> Tokens {
    let address = bikes(world).authorize("openid profile", &[("prompt", "none")]);
    let answer = browser.get(&address).await;
    tokens(world, &answer).await
}

/// The question of the third login: its path, its page, and what the login before told.
async fn third(world: &World, browser: &mut Browser, wallet: &Wallet) -> (String, Answer, Tokens) {
    let answer = shows(world, browser, wallet, "openid").await;
    tokens(world, &answer).await;
    let answer = shows(world, browser, wallet, "openid").await;
    let before = tokens(world, &answer).await;
    let path = shows(world, browser, wallet, "openid").await.location();
    let page = browser.get(&path).await;
    page.assert_page(StatusCode::OK, "One more question");
    (path, page, before)
}

/// Types a postal code; the page that asks whether the application may learn it.
async fn types(browser: &mut Browser, (path, page): (&str, &Answer)) -> Answer {
    let fields = [("value-postal_code", "0150"), ("agree", "yes")];
    let answer = send(browser, (path, page), &fields).await;
    assert_eq!(answer.location(), path);
    let page = browser.get(path).await;
    page.assert_page(StatusCode::OK, "Do you agree with what The Bikes wants?");
    page.assert_page(StatusCode::OK, "Postal code en");
    page.assert_page(StatusCode::OK, "tips en");
    page.assert_page(StatusCode::OK, "You are logged in either way");
    assert!(!page.body.contains("0150"), "names, and no value");
    page
}

async fn says(browser: &mut Browser, (path, page): (&str, &Answer), word: &str) -> Answer {
    let (csrf, notice) = (hidden(page, "csrf"), hidden(page, "notice"));
    let fields = [
        ("csrf", csrf.as_str()),
        ("notice", &notice),
        ("answer", word),
    ];
    browser.post(&format!("{path}/agree"), &fields).await
}

async fn shared(world: &World) -> i64 {
    let sql = "SELECT COUNT(*) FROM consents WHERE about = 'profile/consent' AND over_at IS NULL";
    world.count(sql).await
}

#[tokio::test]
async fn what_is_stored_says_source_time_purpose_and_consent() {
    with("", async |world| {
        let wallet = world.person("M-1").await;
        let mut browser = world.browser().from(HOME);
        let (path, page, before) = third(&world, &mut browser, &wallet).await;
        let page = types(&mut browser, (&path, &page)).await;
        assert_eq!(shared(&world).await, 0);
        let heard = Heard::default();
        let listening = heard.listen();
        let answer = says(&mut browser, (&path, &page), "yes").await;
        drop(listening);
        let counted =
            |line: &str| line.contains("vouchsafe_consents_total") && line.contains("granted");
        assert!(heard.said().lines().any(counted), "a yes is counted");
        let done = tokens(&world, &answer).await;
        assert_eq!(done.sub(), before.sub());
        assert_eq!(
            done.userinfo.get("postal_code"),
            None,
            "nothing was asked for"
        );
        let known = export(&mut browser).await;
        let one = &known["attributes"][0];
        assert_eq!(
            (
                &one["value"],
                &one["source"],
                &one["verified_at"],
                &one["purpose"]
            ),
            (
                &json!("0150"),
                &json!("self"),
                &json!(NOW.0),
                &json!("tips en")
            )
        );
        let given = known["consents"].as_array().unwrap();
        let given = given
            .iter()
            .find(|one| one["receipt"] == known["attributes"][0]["consent_id"]);
        let given = given.expect("the consent of the value");
        assert_eq!(given["facts"], json!(["attribute:postal_code"]));
        assert_eq!(
            (&given["application"], &given["purpose"]),
            (&json!("bikes"), &json!("tips en"))
        );
        // Its receipt keeps to the schema, and says that it was a button.
        let all = browser.get("/account/consents.json").await.json();
        let process =
            |one: &Value| one["receipt"]["dpv:hasRecordOfActivity"]["dpv:hasProcess"].clone();
        let mut all = all["receipts"].as_array().unwrap().iter();
        let step =
            all.find(|one| process(one)["dpv:hasPurpose"]["dct:identifier"] == "profile/consent");
        let step = step.expect("a receipt");
        schema::check(&parse_schema(), &step["receipt"]).unwrap();
        assert_eq!(
            process(step)["dpv:hasLegalBasis"],
            "dpv:ExplicitlyExpressedConsent"
        );
        // Whoever asks for it learns it now.
        assert_eq!(
            silent(&world, &mut browser).await.userinfo["postal_code"],
            "0150"
        );
    })
    .await;
}

#[tokio::test]
async fn a_no_keeps_the_answer_with_the_account_alone() {
    with("", async |world| {
        let wallet = world.person("M-1").await;
        let mut browser = world.browser().from(HOME);
        let (path, page, _) = third(&world, &mut browser, &wallet).await;
        let page = types(&mut browser, (&path, &page)).await;
        // What was not shown is not agreed to.
        let csrf = hidden(&page, "csrf");
        let fields = [("csrf", csrf.as_str()), ("notice", "x"), ("answer", "yes")];
        let answer = browser.post(&format!("{path}/agree"), &fields).await;
        assert_eq!(answer.location(), path);
        let answer = says(&mut browser, (&path, &page), "no").await;
        tokens(&world, &answer).await;
        assert_eq!(shared(&world).await, 0);
        let known = export(&mut browser).await;
        assert_eq!(known["attributes"][0]["value"], "0150");
        assert_eq!(known["attributes"][0]["consent_id"], Value::Null);
        let now = silent(&world, &mut browser).await;
        assert_eq!(now.userinfo, json!({ "sub": now.sub() }));
    })
    .await;
}

/// The card of this login named the attribute too, before there was a value. Who is asked and does not
/// say yes is not told of by that.
#[tokio::test]
async fn what_is_not_agreed_to_is_not_told_by_the_consent_of_the_card() {
    with("", async |world| {
        for (number, way) in ["no", "late", "cancel"].into_iter().enumerate() {
            let wallet = world.person(&format!("M-{number}")).await;
            let mut browser = world.browser().from(HOME);
            for _ in 0..2 {
                let answer = shows(&world, &mut browser, &wallet, "openid").await;
                tokens(&world, &answer).await;
            }
            let answer = shows(&world, &mut browser, &wallet, "openid profile").await;
            let path = answer.location();
            let page = browser.get(&path).await;
            let page = types(&mut browser, (&path, &page)).await;
            let answer = match way {
                "late" => {
                    later(&world, 121).await;
                    browser.get(&path).await
                }
                "cancel" => {
                    let csrf = hidden(&page, "csrf");
                    let cancel = format!("{path}/cancel");
                    browser.post(&cancel, &[("csrf", &csrf)]).await
                }
                word => says(&mut browser, (&path, &page), word).await,
            };
            let done = tokens(&world, &answer).await;
            assert_eq!(done.userinfo.get("postal_code"), None, "{way}");
            let now = silent(&world, &mut browser).await;
            assert_eq!(now.userinfo, json!({ "sub": now.sub() }), "{way}");
            let one = export(&mut browser).await["attributes"][0].clone();
            assert_eq!(
                (&one["value"], &one["not_for"]),
                (&json!("0150"), &json!(["bikes"]))
            );
            // Another value is no yes.
            say(&mut browser, "postal_code", "0151").await;
            let now = silent(&world, &mut browser).await;
            assert_eq!(now.userinfo, json!({ "sub": now.sub() }), "{way}");
            // A later consent that names it is one.
            later(&world, 60).await;
            let answer = shows(&world, &mut browser, &wallet, "openid profile").await;
            let path = answer.location();
            let page = browser.get(&path).await;
            let answer = send(&mut browser, (&path, &page), &[("skip", "1")]).await;
            let done = tokens(&world, &answer).await;
            assert_eq!(done.userinfo["postal_code"], "0151", "{way}");
        }
    })
    .await;
}

/// An application that may learn nothing of it is not asked for.
#[tokio::test]
async fn where_nothing_may_be_learned_nothing_is_asked() {
    with("", async |world| {
        let wallet = world.person("M-1").await;
        let mut browser = world.browser().from(HOME);
        let address = world.suite().authorize("openid", &[("prompt", "login")]);
        for _ in 0..2 {
            let answer = same_device(&mut browser, &wallet, &address).await;
            world.suite().code(&answer);
        }
        let path = same_device(&mut browser, &wallet, &address)
            .await
            .location();
        let page = browser.get(&path).await;
        let fields = [("value-postal_code", "0150"), ("agree", "yes")];
        let answer = send(&mut browser, (&path, &page), &fields).await;
        world.suite().code(&answer);
        let one = export(&mut browser).await["attributes"][0].clone();
        assert_eq!(
            (&one["value"], &one["consent_id"]),
            (&json!("0150"), &Value::Null)
        );
    })
    .await;
}

/// What an application hears of a login, without what is new each time.
fn result(tokens: &Tokens) -> Value {
    let mut claims = tokens.claims.clone();
    let all = claims.as_object_mut().unwrap();
    for own in [
        "iat",
        "exp",
        "auth_time",
        "nonce",
        "at_hash",
        "c_hash",
        "sid",
        "sub",
        "jti",
    ] {
        all.remove(own);
    }
    assert!(all.contains_key("acr") && all.contains_key("amr"));
    let facts: Vec<&String> = tokens.userinfo.as_object().unwrap().keys().collect();
    json!({ "claims": claims, "facts": facts })
}

#[tokio::test]
async fn the_result_of_a_login_is_the_same_whatever_is_answered() {
    with("", async |world| {
        for (number, way) in ["yes", "no", "skip", "late", "cancel"]
            .into_iter()
            .enumerate()
        {
            let wallet = world.person(&format!("M-{number}")).await;
            let mut browser = world.browser().from(HOME);
            let (path, page, before) = third(&world, &mut browser, &wallet).await;
            let answer = match way {
                "skip" => send(&mut browser, (&path, &page), &[("skip", "1")]).await,
                "late" => {
                    let page = types(&mut browser, (&path, &page)).await;
                    later(&world, 121).await;
                    let late = says(&mut browser, (&path, &page), "yes").await;
                    assert_eq!(late.location(), path);
                    browser.get(&path).await
                }
                "cancel" => {
                    let page = types(&mut browser, (&path, &page)).await;
                    let csrf = hidden(&page, "csrf");
                    browser
                        .post(&format!("{path}/cancel"), &[("csrf", &csrf)])
                        .await
                }
                word => {
                    let page = types(&mut browser, (&path, &page)).await;
                    says(&mut browser, (&path, &page), word).await
                }
            };
            let after = tokens(&world, &answer).await;
            assert_eq!(result(&after), result(&before), "{way}");
            assert_eq!(after.sub(), before.sub());
        }
        // One yes in time.
        assert_eq!(shared(&world).await, 1);
    })
    .await;
}

#[tokio::test]
async fn the_funnel_shows_the_question() {
    install_metrics();
    with("\n[numbers]\n", async |world| {
        for (number, skips) in [("M-1", false), ("M-2", true)] {
            let wallet = world.person(number).await;
            let mut browser = world.browser().from(HOME);
            let (path, page, _) = third(&world, &mut browser, &wallet).await;
            let answer = match skips {
                true => send(&mut browser, (&path, &page), &[("skip", "1")]).await,
                false => {
                    let page = types(&mut browser, (&path, &page)).await;
                    says(&mut browser, (&path, &page), "yes").await
                }
            };
            tokens(&world, &answer).await;
        }
        world.tick().await;
        let reader = Caller::with_scopes(&world, "dashboard", &["numbers:read"]).await;
        let numbers = reader.get("/admin/numbers?journey=profile").await.json();
        let steps = numbers["steps"].as_array().unwrap();
        let step = |id: &str| steps.iter().find(|step| step["step"] == id).unwrap();
        assert_eq!(step("ask")["entered"], 2);
        assert_eq!(step("ask")["finished"], json!({ "ok": 1, "declined": 1 }));
        assert_eq!(step("consent")["entered"], 1);
        // Where nothing is asked it is over at once.
        assert_eq!(step("end")["entered"], 6);
    })
    .await;
}

/// Who takes back what was agreed to is told no more, also by a consent of before and also after the record
/// of that is old.
#[tokio::test]
async fn what_was_taken_back_stays_so_when_its_record_is_old() {
    with("\n[consents]\nkeep_days = 1\n", async |world| {
        let wallet = world.person("M-1").await;
        let mut browser = world.browser().from(HOME);
        // The card tells the application what it asks for, where it is there.
        let answer = shows(&world, &mut browser, &wallet, "openid profile").await;
        tokens(&world, &answer).await;
        later(&world, 60).await;
        let answer = shows(&world, &mut browser, &wallet, "openid").await;
        tokens(&world, &answer).await;
        let path = shows(&world, &mut browser, &wallet, "openid").await.location();
        let page = browser.get(&path).await;
        let page = types(&mut browser, (&path, &page)).await;
        let answer = says(&mut browser, (&path, &page), "yes").await;
        tokens(&world, &answer).await;
        let known = export(&mut browser).await;
        let id = known["attributes"][0]["consent_id"].as_str().unwrap().to_owned();
        later(&world, 60).await;
        let csrf = hidden(&browser.get("/account").await, "csrf");
        let withdraw = format!("/account/consents/{id}/withdraw");
        browser.post(&withdraw, &[("csrf", &csrf)]).await;
        for days in [0, 3] {
            later(&world, days * 86_400).await;
            world.tick().await;
            let held = "SELECT COUNT(*) FROM consents WHERE over_at IS NULL AND claims LIKE '%postal_code%'";
            assert_ne!(world.count(held).await, 0, "the consent of the first card");
            let mut answer = shows(&world, &mut browser, &wallet, "openid").await;
            // The next question is asked once.
            if days == 0 {
                let path = answer.location();
                let page = browser.get(&path).await;
                answer = send(&mut browser, (&path, &page), &[("skip", "1")]).await;
            }
            bikes(&world).code(&answer);
            let address = bikes(&world).authorize("openid profile", &[("prompt", "none")]);
            let answer = browser.get(&address).await;
            let answer = bikes(&world).redeem(&bikes(&world).code(&answer)).await.json();
            let token = answer["access_token"].as_str().unwrap();
            let told = bikes(&world).userinfo(token).await.json();
            assert!(told["sub"].is_string());
            assert_eq!(told.get("postal_code"), None, "after {days} days");
        }
    })
    .await;
}

/// A question after a login that was not agreed to does not make it one.
#[tokio::test]
async fn a_no_in_the_login_holds_after_a_question() {
    let club = journey_consent::JOURNEY.replace(
        "\"deny:declined\" }\n\n[[step]]\nid = \"done\"",
        "\"done\" }\n\n[[step]]\nid = \"done\"",
    );
    assert_ne!(club, journey_consent::JOURNEY);
    let asks = PROFILE
        .replace("[\"member-login\"]", "[\"club\"]")
        .replace("user.logins >= 3 && ", "");
    let files = [("club.toml", club.as_str()), ("profile.toml", &asks)];
    let add = more() + CONTROLLER;
    with_more(&files, &add, async |world, _| {
        let wallet = world.person("M-1").await;
        let mut browser = world.browser().from(HOME);
        let address = world.suite().authorize("openid membership", &[]);
        let (path, page) = begin(&mut browser, &address).await;
        let back = wallet.follow(&wallet_link(&page)).await;
        browser.get(&back).await;
        let page = browser.get(&path).await;
        let answer = says(&mut browser, (&path, &page), "no").await;
        assert_eq!(answer.location(), path);
        let page = browser.get(&path).await;
        page.assert_page(StatusCode::OK, "One more question");
        let answer = send(&mut browser, (&path, &page), &[("skip", "1")]).await;
        let tokens = world.suite().tokens(&world.suite().code(&answer)).await;
        assert_eq!(tokens.userinfo, json!({ "sub": tokens.sub() }));
        assert!(
            !tokens.claims.to_string().contains("gold"),
            "{}",
            tokens.claims
        );
    })
    .await;
}

/// A login by passkey is asked too, and is the login that it was.
#[tokio::test]
async fn a_login_by_passkey_goes_on_after_a_question() {
    let asks = PROFILE.replace("user.logins >= 3", "user.logins >= 2");
    let files = [
        ("member.toml", passkey_journeys::MEMBER),
        ("profile.toml", &asks),
    ];
    let add = more() + crate::world::passkeys::ON;
    with_more(&files, &add, async |world, _| {
        let (browser, _, mut device, first) = passkey_journeys::member(&world).await;
        let mut browser = passkey_journeys::without_session(browser);
        let (path, _) = passkey_journeys::begins(&world, &mut browser).await;
        let answer = crate::world::passkeys::tap(&mut browser, &path, &mut device).await;
        assert_eq!(answer.location(), path);
        let page = browser.get(&path).await;
        page.assert_page(StatusCode::OK, "One more question");
        let fields = [("value-postal_code", "0150"), ("agree", "yes")];
        let answer = send(&mut browser, (&path, &page), &fields).await;
        let tokens = world.suite().tokens(&world.suite().code(&answer)).await;
        assert_eq!(tokens.sub(), first.sub());
        assert_eq!(tokens.claims["acr"], "urn:vouchsafe:acr:mfa");
    })
    .await;
}

/// A passkey stands for a card only so long. Where that ends while a question waits, nothing is asked.
#[tokio::test]
async fn no_question_outlasts_what_a_passkey_stands_for() {
    let asks = PROFILE.replace("user.logins >= 3", "user.logins >= 2");
    let files = [
        ("member.toml", passkey_journeys::MEMBER),
        ("profile.toml", &asks),
    ];
    let add = more() + crate::world::passkeys::ON + "card_max_age_days = 1\n";
    with_more(&files, &add, async |world, _| {
        let (browser, _, mut device, first) = passkey_journeys::member(&world).await;
        let mut browser = passkey_journeys::without_session(browser);
        // The question waits for two minutes, and the login for five more.
        later(&world, 86_400 - 421).await;
        let (path, _) = passkey_journeys::begins(&world, &mut browser).await;
        let answer = crate::world::passkeys::tap(&mut browser, &path, &mut device).await;
        assert_eq!(answer.location(), path);
        let page = browser.get(&path).await;
        page.assert_page(StatusCode::OK, "One more question");
        later(&world, 1).await;
        let (path, _) = passkey_journeys::begins(&world, &mut browser).await;
        let answer = crate::world::passkeys::tap(&mut browser, &path, &mut device).await;
        let tokens = world.suite().tokens(&world.suite().code(&answer)).await;
        assert_eq!(tokens.sub(), first.sub());
    })
    .await;
}
