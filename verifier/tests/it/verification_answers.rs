//! Questions over REST: what wallets answer, and what becomes of it.

use axum::http::StatusCode;
use serde_json::{Value, json};
use url::Url;
use vouchsafe_credentials::status_list::Status;
use vouchsafe_credentials::time::Clock as _;

use crate::world::World;
use crate::world::browser::form;
use crate::world::rest::{Caller, with_callers};
use crate::world::steps::{begin, wallet_link};

fn age() -> Value {
    json!({ "query": "age", "purpose": "Wine at the door" })
}

fn returning() -> Value {
    json!({ "query": "age", "return_url": "https://door.example/back?lang=en" })
}

#[tokio::test]
async fn cat_298_a_question_is_answered_once_and_then_forgotten() {
    with_callers(async |world| {
        let door = Caller::new(&world, "door").await;
        let wallet = world.person("M-1").await;
        let question = door.ask(&age()).await;
        assert!(question.json["qr"].as_str().unwrap().starts_with("<svg"));
        assert_eq!(question.json["expires_at"], "2026-11-23T12:02:00Z");
        assert_eq!(door.status(&question).await, "pending");
        // Who asks, from where, and why stands in what is signed.
        let asked = wallet.open(&question.link).await;
        let name = asked.request.client_name().unwrap();
        assert_eq!(name.default, "The <Door> (door.example)");
        assert_eq!(asked.request.purpose().unwrap().default, "Wine at the door");
        assert_eq!(door.status(&question).await, "scanned");
        // Another wallet may fetch it, too; one answer counts (catalogue 319).
        let other = world.person("M-2").await;
        let seen_twice = other.open(&question.link).await;
        let late = other.response(&seen_twice).await;
        let answer = wallet.answer(&asked).await;
        assert_eq!((answer.status, answer.json()), (StatusCode::OK, json!({})));
        let first = door.read(&question).await;
        assert_eq!(first["status"], "verified");
        let second = wallet.post(&asked.request, &late).await;
        assert_eq!(second.status, StatusCode::BAD_REQUEST);
        assert_eq!(second.json()["reason"], "already_answered");
        assert_eq!(door.read(&question).await, first);
        assert_eq!(
            wallet.fetch(&question.link).await.status,
            StatusCode::NOT_FOUND
        );
        world.clock.advance(599);
        assert_eq!(door.read(&question).await, first);
        world.clock.advance(1);
        assert_eq!(
            door.get(&question.path()).await.status,
            StatusCode::NOT_FOUND
        );
        world.tick().await;
        assert_eq!(world.count("SELECT COUNT(*) FROM verifications").await, 0);
    })
    .await;
}

#[tokio::test]
async fn a_result_says_what_was_asked_and_nothing_else() {
    with_callers(async |world| {
        let clinic = Caller::new(&world, "clinic").await;
        let wallet = world.person("M-1").await;
        let own = json!({ "purpose": "Your tier", "dcql": { "credentials": [
            { "id": "card", "format": "dc+sd-jwt", "meta": { "vct_values": ["urn:vouchsafe:membership:1"] },
              "claims": [{ "path": ["tier"] }] }
        ] } });
        let question = clinic.ask(&own).await;
        wallet.answer(&wallet.open(&question.link).await).await;
        let read = clinic.read(&question).await;
        assert_eq!(read["query"], Value::Null);
        let expected = json!({
            "claims": {},
            "credentials": [{
                "id": "card", "format": "dc+sd-jwt", "type": "urn:vouchsafe:membership:1",
                "issuer": "https://club.example", "framework": "x509",
                "expires_at": "2027-11-23T12:00:00Z", "status_checked": true,
                "claims": [{ "path": ["tier"], "value": "gold" }],
            }],
            "verified_at": "2026-11-23T12:00:00Z",
        });
        assert_eq!(read["result"], expected);
        // By name, for a question of the configuration.
        let question = clinic.ask(&json!({ "query": "membership" })).await;
        wallet.answer(&wallet.open(&question.link).await).await;
        let read = clinic.read(&question).await;
        let named = json!({ "membership_tier": "gold", "membership_valid_until": "2027-12-31" });
        assert_eq!(read["result"]["claims"], named);
        assert!(!read.to_string().contains("Canary Person"));
        // A wallet that shows more than it was asked for: that goes nowhere.
        let question = clinic.ask(&own).await;
        let asked = wallet.open(&question.link).await;
        let id = vouchsafe_audience(&asked);
        let all: &[&[&str]] = &[&["member_id"], &["tier"], &["valid_until"], &["name"]];
        let shown = wallet.present(all, &id, asked.request.nonce().as_str()).await;
        let payload = crate::world::wallet::Wallet::payload(&asked, "card", &shown);
        let answer = wallet.post(&asked.request, &wallet.encrypt(&asked, &payload)).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
        assert_eq!(clinic.read(&question).await["result"]["credentials"][0]["claims"], expected["credentials"][0]["claims"]);
    })
    .await;
}

fn vouchsafe_audience(asked: &crate::world::wallet::Asked) -> String {
    asked.request.client_id().as_str().to_owned()
}

#[tokio::test]
async fn cat_470_results_are_sealed_and_presentations_are_not_kept() {
    with_callers(async |world| {
        let clinic = Caller::new(&world, "clinic").await;
        let wallet = world.person("M-canary-7731").await;
        let question = clinic.ask(&json!({ "query": "membership" })).await;
        wallet.answer(&wallet.open(&question.link).await).await;
        let read = clinic.read(&question).await;
        assert!(read.to_string().contains("M-canary-7731"), "{read}");
        assert!(!read.to_string().contains('~'), "a presentation: {read}");
        let sql = "SELECT body FROM verifications";
        let bodies: Vec<Vec<u8>> =
            vouchsafe_service::each!(world.db, p => sqlx::query_scalar(sql).fetch_all(p).await)
                .unwrap();
        assert_eq!(bodies.len(), 1);
        let found = |text: &str| {
            bodies[0]
                .windows(text.len())
                .any(|part| part == text.as_bytes())
        };
        assert!(!found("canary") && !found("tier") && !found("club.example"));
    })
    .await;
}

#[tokio::test]
async fn what_does_not_answer_the_question_ends_it() {
    with_callers(async |world| {
        let door = Caller::new(&world, "door").await;
        // A card of another type.
        let mut wallet = world.wallet();
        wallet.receive_membership(&world, "M-1").await;
        let question = door.ask(&age()).await;
        let asked = wallet.open(&question.link).await;
        let id = vouchsafe_audience(&asked);
        let shown = wallet
            .present(&[&["tier"]], &id, asked.request.nonce().as_str())
            .await;
        let payload = crate::world::wallet::Wallet::payload(&asked, "proof", &shown);
        let answer = wallet
            .post(&asked.request, &wallet.encrypt(&asked, &payload))
            .await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST);
        assert_eq!(answer.json()["error"], "access_denied");
        let read = door.read(&question).await;
        assert_eq!(
            (&read["status"], &read["reason"]["kind"]),
            (&json!("failed"), &json!("type")),
            "{read}"
        );
        assert_eq!(read["result"], Value::Null);
        // The right card afterwards is too late.
        let right = world.person("M-1").await;
        let late = right.post(&asked.request, "response=x").await;
        assert_eq!(late.json()["reason"], "already_answered");
        // A card that was revoked.
        let wallet = world.person("M-1").await;
        world.issuer.set(&wallet.cards[0].status, Status::Invalid);
        world.clock.advance(5);
        world.issuer.publish(world.clock.now()).await;
        let question = door.ask(&age()).await;
        let answer = wallet.answer(&wallet.open(&question.link).await).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST);
        let read = door.read(&question).await;
        assert_eq!(
            (&read["status"], &read["reason"]["kind"]),
            (&json!("failed"), &json!("revoked")),
            "{read}"
        );
        // The person says no.
        let question = door.ask(&age()).await;
        let asked = wallet.open(&question.link).await;
        let state = asked.request.state().unwrap().as_str().to_owned();
        let no = form(&[("error", "access_denied"), ("state", &state)]);
        assert_eq!(
            wallet.post(&asked.request, &no).await.status,
            StatusCode::OK
        );
        assert_eq!(door.status(&question).await, "declined");
    })
    .await;
}

#[tokio::test]
async fn cat_302_what_shows_no_knowledge_of_the_question_changes_nothing() {
    with_callers(async |world| {
        let door = Caller::new(&world, "door").await;
        let wallet = world.person("M-1").await;
        let (first, second) = (door.ask(&age()).await, door.ask(&age()).await);
        let (one, two) = (
            wallet.open(&first.link).await,
            wallet.open(&second.link).await,
        );
        let for_one = wallet.response(&one).await;
        let bad_state = form(&[("error", "access_denied"), ("state", "x")]);
        for body in [
            for_one.as_str(),
            "response=x",
            "",
            &bad_state,
            "vp_token=%7B%7D",
        ] {
            let answer = wallet.post(&two.request, body).await;
            assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{body}");
            assert_eq!(door.status(&second).await, "scanned", "{body}");
        }
        wallet.answer(&two).await;
        assert_eq!(door.status(&second).await, "verified");
        assert_eq!(door.status(&first).await, "scanned");
    })
    .await;
}

#[tokio::test]
async fn a_question_ends_with_its_time() {
    with_callers(async |world| {
        let door = Caller::new(&world, "door").await;
        let wallet = world.person("M-1").await;
        let question = door.ask(&age()).await;
        world.clock.advance(119);
        let asked = wallet.open(&question.link).await;
        let body = wallet.response(&asked).await;
        world.clock.advance(1);
        assert_eq!(door.status(&question).await, "expired");
        assert_eq!(
            wallet.fetch(&question.link).await.status,
            StatusCode::NOT_FOUND
        );
        let answer = wallet.post(&asked.request, &body).await;
        assert_eq!(answer.json()["reason"], "unknown_request");
        assert_eq!(door.status(&question).await, "expired");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn cat_299_of_many_answers_one_counts() {
    with_callers(async |world| {
        let door = Caller::new(&world, "door").await;
        let wallet = std::sync::Arc::new(world.person("M-1").await);
        let question = door.ask(&age()).await;
        let asked = wallet.open(&question.link).await;
        let body = wallet.response(&asked).await;
        let address = asked.request.response_uri().clone();
        let posts = (0..20).map(|_| {
            let (wallet, address, body) = (wallet.clone(), address.clone(), body.clone());
            tokio::spawn(async move { wallet.post_to(&address, &body).await.status })
        });
        let mut accepted = 0;
        for post in posts.collect::<Vec<_>>() {
            match post.await.unwrap() {
                StatusCode::OK => accepted += 1,
                other => assert_eq!(other, StatusCode::BAD_REQUEST),
            }
        }
        assert_eq!(accepted, 1);
    })
    .await;
}

/// Who answers must be who started: until the browser brings the code there is no result.
#[tokio::test]
async fn cat_314_the_browser_brings_the_code_once_and_in_time() {
    with_callers(async |world| {
        let door = Caller::new(&world, "door").await;
        let wallet = world.person("M-1").await;
        let question = door.ask(&returning()).await;
        let code = code_of(&wallet.follow(&question.link).await);
        let read = door.read(&question).await;
        assert_eq!(
            (&read["status"], &read["result"]),
            (&json!("scanned"), &Value::Null)
        );
        for wrong in ["", "x", &"x".repeat(43), &question.id] {
            let answer = door.redeem(&question, wrong).await;
            assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{wrong}");
            assert_eq!(answer.json()["code"], "invalid_response_code");
        }
        // The code of one verification does nothing for another.
        let other = door.ask(&returning()).await;
        wallet.follow(&other.link).await;
        assert_eq!(door.redeem(&other, &code).await.status, 422);
        let redeemed = door.redeem(&question, &code).await;
        assert_eq!(redeemed.status, StatusCode::OK, "{}", redeemed.body);
        assert_eq!(
            redeemed.json()["result"]["claims"],
            json!({ "age_over_18": true })
        );
        assert_eq!(door.read(&question).await, redeemed.json());
        let kept =
            "SELECT MAX(forget_at) - (SELECT MIN(forget_at) FROM verifications) FROM verifications";
        assert_eq!(world.count(kept).await, 540);
        assert_eq!(door.redeem(&question, &code).await.status, 422);
        // Too late.
        let question = door.ask(&returning()).await;
        let code = code_of(&wallet.follow(&question.link).await);
        world.clock.advance(59);
        assert_eq!(door.status(&question).await, "scanned");
        world.clock.advance(1);
        assert_eq!(door.redeem(&question, &code).await.status, 404);
        // What was shown is forgotten with the code.
        assert_eq!(door.get(&question.path()).await.status, 404);
        world.tick().await;
        let left = "SELECT COUNT(*) FROM verifications WHERE state = 'answered'";
        assert_eq!(world.count(left).await, 0);
        // After a refusal the person gets back, without a code.
        let question = door.ask(&returning()).await;
        let asked = wallet.open(&question.link).await;
        let state = asked.request.state().unwrap().as_str().to_owned();
        let no = form(&[("error", "access_denied"), ("state", &state)]);
        let told = wallet.post(&asked.request, &no).await.json();
        assert_eq!(told["redirect_uri"], "https://door.example/back?lang=en");
    })
    .await;
}

fn code_of(back: &str) -> String {
    let url = Url::parse(back).unwrap();
    assert!(
        back.starts_with("https://door.example/back?lang=en&response_code="),
        "{back}"
    );
    let (_, code) = url
        .query_pairs()
        .find(|(name, _)| name == "response_code")
        .unwrap();
    code.into_owned()
}

/// Both directions: neither can stand for the other.
#[tokio::test]
async fn cat_296_a_login_and_a_verification_are_never_confused() {
    with_callers(async |world| {
        let door = Caller::new(&world, "door").await;
        let wallet = world.person("M-1").await;
        let question = door.ask(&returning()).await;
        let mut browser = world.browser();
        let (path, page) = begin(&mut browser, &world.shop().authorize("openid age", &[])).await;
        let login = wallet.open(&wallet_link(&page)).await;
        let verification = wallet.open(&question.link).await;
        let for_login = wallet.response(&login).await;
        let for_verification = wallet.response(&verification).await;
        for (address, body) in [(&verification, &for_login), (&login, &for_verification)] {
            let answer = wallet.post(&address.request, body).await;
            assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{}", answer.body);
        }
        assert_eq!(door.status(&question).await, "scanned");
        assert_eq!(
            world
                .count("SELECT COUNT(*) FROM login_transactions WHERE state = 'pending'")
                .await,
            1
        );
        // What one way brings back is nothing for the other.
        let login_code = response_code(wallet.post(&login.request, &for_login).await.json());
        let answer = wallet.post(&verification.request, &for_verification).await;
        let own_code = response_code(answer.json());
        assert_eq!(door.redeem(&question, &login_code).await.status, 422);
        let other = browser
            .get(&format!("/vp/return?response_code={own_code}"))
            .await;
        other.assert_page(StatusCode::NOT_FOUND, "There is no login here");
        assert_eq!(
            door.redeem(&question, &own_code).await.status,
            StatusCode::OK
        );
        let back = browser
            .get(&format!("/vp/return?response_code={login_code}"))
            .await;
        world.shop().code(&back);
        // The ids neither.
        let login_id = path.strip_prefix("/login/").unwrap();
        let no = door.get(&format!("/v1/verifications/{login_id}")).await;
        assert_eq!(no.status, StatusCode::NOT_FOUND);
        let no = browser.get(&format!("/login/{}", question.id)).await;
        no.assert_page(StatusCode::NOT_FOUND, "There is no login here");
        // A verification makes no account, no session and no consent.
        assert_eq!(counts(&world).await, (0, 1, 1));
    })
    .await;
}

async fn counts(world: &World) -> (i64, i64, i64) {
    (
        world.count("SELECT COUNT(*) FROM subjects").await,
        world.count("SELECT COUNT(*) FROM login_sessions").await,
        world.count("SELECT COUNT(*) FROM consents").await,
    )
}

fn response_code(told: Value) -> String {
    let url = Url::parse(told["redirect_uri"].as_str().unwrap()).unwrap();
    let (_, code) = url
        .query_pairs()
        .find(|(name, _)| name == "response_code")
        .unwrap();
    code.into_owned()
}
