//! What an answer in a journey stands for, and what it does not.

use axum::http::StatusCode;
use serde_json::json;

use crate::journeys::{HOME, leave, with};
use crate::world::browser::{Answer, Browser, form};
use crate::world::steps::{
    begin, qr_link, rows, same_device, shown_number, type_number, wallet_link,
};

/// Two questions, of which a session leaves the first out.
const BOTH: &str = r#"
id = "both"
version = 1
clients = ["suite"]

[[step]]
id = "first"
kind = "present"
query = "membership"
when = '!session.exists'

[[step]]
id = "second"
kind = "present"
query = "member-login"
when = '"login" in request.prompt || session.exists'
on = { declined = "in" }

[[step]]
id = "in"
kind = "finish"
claims = { tier = 'has(cred.card) ? cred.card.claims.tier : "unknown"' }
"#;

async fn cancel(browser: &mut Browser, path: &str, page: &Answer) -> Answer {
    let csrf = page.attribute("name=\"csrf\"", "value").unwrap();
    let form = [("csrf", csrf.as_str())];
    browser.post(&format!("{path}/cancel"), &form).await
}

/// An old session on this device does not make a card from another one a login of its own level.
#[tokio::test]
async fn an_old_session_lifts_no_new_card() {
    let text = BOTH.replace("cred.card.claims.tier", "\"shown\"");
    with(&[("both.toml", &text)], async |world, _| {
        let wallet = world.person("M-1").await;
        let suite = world.suite();
        let mut browser = world.browser().from(HOME);
        let address = suite.authorize("openid", &[]);
        let answer = same_device(&mut browser, &wallet, &address).await;
        let first = suite.tokens(&suite.code(&answer)).await;
        assert_eq!(first.claims["acr"], "urn:vouchsafe:acr:vc");
        world.clock.advance(600);
        world.issuer.publish(crate::world::NOW.plus(600)).await;

        let (path, _) = begin(&mut browser, &address).await;
        let back = wallet.follow(&qr_link(&mut browser, &path).await).await;
        let number = shown_number(&mut world.browser(), &back).await;
        let answer = type_number(&mut browser, &path, &number).await;
        let second = suite.tokens(&suite.code(&answer)).await;
        assert_eq!(second.sub(), first.sub());
        assert_eq!(second.claims["acr"], "urn:vouchsafe:acr:vc-xdev");
    })
    .await;
}

/// What the first question brought under a name does not stand for the second one, which was refused.
#[tokio::test]
async fn an_earlier_answer_does_not_stand_for_a_later_one() {
    with(&[("both.toml", BOTH)], async |world, _| {
        let wallet = world.person("M-1").await;
        let suite = world.suite();
        let address = suite.authorize("openid", &[("prompt", "login")]);
        let mut browser = world.browser().from(HOME);
        let (path, page) = begin(&mut browser, &address).await;
        let back = wallet.follow(&wallet_link(&page)).await;
        assert_eq!(browser.get(&back).await.location(), path);
        let page = browser.get(&path).await;
        let answer = cancel(&mut browser, &path, &page).await;
        let tokens = suite.tokens(&suite.code(&answer)).await;
        assert_eq!(tokens.claims["tier"], "unknown");
        // Without a second question the first one's answer is told.
        let address = suite.authorize("openid", &[]);
        let answer = same_device(&mut world.browser(), &wallet, &address).await;
        let tokens = suite.tokens(&suite.code(&answer)).await;
        assert_eq!(tokens.claims["tier"], json!("gold"));
    })
    .await;
}

const LATE: &str = r#"
id = "late"
version = 1
clients = ["suite"]

[[step]]
id = "risk"
kind = "risk"
model = "freeman"

[[step]]
id = "card"
kind = "present"
query = "membership"

[[step]]
id = "look"
kind = "deny"
code = "blocked"
when = 'risk.level == "critical"'

[[step]]
id = "in"
kind = "finish"
"#;

/// The risk of nobody is not that of the person who is known later: a condition that reads it fails
/// closed, until it is assessed again.
#[tokio::test]
async fn the_risk_of_nobody_is_not_that_of_somebody() {
    let again = LATE.replace(
        "[[step]]\nid = \"look\"",
        "[[step]]\nid = \"anew\"\nkind = \"risk\"\nmodel = \"freeman\"\n\n[[step]]\nid = \"look\"",
    );
    for (text, lets_in) in [(LATE, false), (again.as_str(), true)] {
        with(&[("late.toml", text)], async |world, _| {
            let wallet = world.person("M-1").await;
            let suite = world.suite();
            let mut address = suite.authorize("openid", &[]);
            // The first login makes the account; the second one knows it.
            for _ in 0..2 {
                let mut browser = world.browser().from(HOME);
                let answer = same_device(&mut browser, &wallet, &address).await;
                let known = rows(&world, "subjects").await > 0;
                if lets_in || !answer.location().starts_with("/login/") {
                    suite.code(&answer);
                } else {
                    assert!(known);
                    let path = answer.location();
                    let answer = leave(&mut browser, &path).await;
                    assert_eq!(suite.error(&answer), "access_denied");
                    return;
                }
                address = suite.authorize("openid", &[("prompt", "login")]);
            }
            assert!(lets_in);
        })
        .await;
    }
}

const WAITS: &str = r#"
id = "waits"
version = 1
clients = ["suite"]

[[step]]
id = "card"
kind = "present"
query = "membership"
on = { declined = "risk" }

[[step]]
id = "risk"
kind = "risk"
model = "freeman"
on = { declined = "out" }

[[step]]
id = "in"
kind = "finish"

[[step]]
id = "out"
kind = "deny"
code = "by_the_step"
"#;

/// "Not now" while the run waits for its browser alone is a no to the login, not to a step that nobody
/// was asked about.
#[tokio::test]
async fn a_no_is_no_outcome_of_a_step_that_runs_by_itself() {
    with(&[("waits.toml", WAITS)], async |world, _| {
        let wallet = world.person("M-1").await;
        let suite = world.suite();
        let mut browser = world.browser().from(HOME);
        let (path, page) = begin(&mut browser, &suite.authorize("openid", &[])).await;
        let asked = wallet.open(&wallet_link(&page)).await;
        let state = asked.request.state().unwrap().as_str();
        let no = form(&[("error", "access_denied"), ("state", state)]);
        let answer = wallet.post(&asked.request, &no).await;
        assert_eq!(answer.status, StatusCode::OK);
        let answer = cancel(&mut browser, &path, &page).await;
        assert_eq!(suite.error(&answer), "access_denied");
        let reference = &path["/login/".len()..][..8];
        let traces = world.verifier.journey_traces(reference).await.unwrap();
        assert_eq!(traces[0].outcome, "declined");
    })
    .await;
}
