//! What a journey must not let through, and what becomes of its file meanwhile.

use axum::http::StatusCode;
use serde_json::json;

use crate::journeys::{ABROAD, AGE, HOME, MEMBER, leave, member, with, write};
use crate::world::steps::{begin, rows, same_device, wallet_link};

/// No token for `false`, for no claim at all, or for a card of an issuer that is not believed.
#[tokio::test]
async fn a_what_does_not_prove_the_age_brings_no_token() {
    with(&[("age.toml", AGE)], async |world, _| {
        for case in ["false", "absent", "untrusted"] {
            let mut wallet = world.wallet();
            let over = case != "false";
            let claims = json!({ "age_equal_or_over": { "18": over } });
            let hidden: &[&[&str]] = &[&["age_equal_or_over", "18"]];
            let issuer = match case {
                "untrusted" => &world.other_issuer,
                _ => &world.issuer,
            };
            let vct = "urn:vouchsafe:age:1";
            wallet.receive(&world, issuer, vct, claims, hidden).await;
            let mut browser = world.browser();
            let address = world.shop().authorize("openid age", &[]);
            let (path, page) = begin(&mut browser, &address).await;
            let asked = wallet.open(&wallet_link(&page)).await;
            let request = &asked.request;
            let shown: &[&[&str]] = match case {
                "absent" => &[],
                _ => &[&["age_equal_or_over", "18"]],
            };
            let audience = request.client_id().as_str();
            let nonce = request.nonce().as_str();
            let token = wallet.present(shown, audience, nonce).await;
            let payload = crate::world::wallet::Wallet::payload(&asked, "proof", &token);
            let body = wallet.encrypt(&asked, &payload);
            let answer = wallet.post(request, &body).await;
            assert_eq!(
                answer.status,
                StatusCode::BAD_REQUEST,
                "{case}: {}",
                answer.body
            );
            let page = browser.get(&path).await;
            page.assert_page(StatusCode::FORBIDDEN, "Ask at the counter");
            let answer = leave(&mut browser, &path).await;
            assert_eq!(world.shop().error(&answer), "access_denied", "{case}");
        }
        assert_eq!(rows(&world, "login_sessions").await, 0);
        assert_eq!(rows(&world, "consents").await, 0);
    })
    .await;
}

#[tokio::test]
async fn a_browser_that_did_not_begin_the_run_has_no_part_in_it() {
    with(&[("age.toml", AGE)], async |world, _| {
        let mut wallet = world.wallet();
        wallet.receive_age(&world).await;
        let mut browser = world.browser();
        let address = world.shop().authorize("openid age", &[]);
        let (path, page) = begin(&mut browser, &address).await;
        let mut other = world.browser();
        begin(&mut other, &address).await;
        assert_eq!(other.get(&path).await.status, StatusCode::NOT_FOUND);
        let back = wallet.follow(&wallet_link(&page)).await;
        let answer = other.get(&back).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN);
        // It is over for the first one too: somebody else's browser had the answer.
        assert_eq!(browser.get(&path).await.status, StatusCode::FORBIDDEN);
        assert_eq!(rows(&world, "login_sessions").await, 0);
    })
    .await;
}

#[tokio::test]
async fn a_run_is_over_when_its_time_is() {
    with(
        &[(
            "age.toml",
            &AGE.replace("timeout_s = 300", "timeout_s = 20"),
        )],
        async |world, _| {
            let mut wallet = world.wallet();
            wallet.receive_age(&world).await;
            let mut browser = world.browser();
            let address = world.shop().authorize("openid age", &[]);
            let (path, page) = begin(&mut browser, &address).await;
            let asked = wallet.open(&wallet_link(&page)).await;
            let body = wallet.response(&asked).await;
            world.clock.advance(20);
            assert_ne!(
                wallet.post(&asked.request, &body).await.status,
                StatusCode::OK
            );
            assert_eq!(browser.get(&path).await.status, StatusCode::FORBIDDEN);
            let answer = leave(&mut browser, &path).await;
            assert_eq!(world.shop().error(&answer), "access_denied");
        },
    )
    .await;
}

#[tokio::test]
async fn a_condition_without_a_value_fails_closed() {
    let text = MEMBER.replace(r#"'risk.level == "critical"'"#, "'device.known'");
    with(&[("member.toml", &text)], async |world, _| {
        // Nobody is known yet, so nobody can say whether the browser is.
        let mut browser = world.browser().from(HOME);
        let address = world.suite().authorize("openid", &[]);
        let path = browser.get(&address).await.location();
        let page = browser.get(&path).await;
        assert_eq!(page.status, StatusCode::FORBIDDEN);
        let reference = &path["/login/".len()..][..8];
        let traces = world.verifier.journey_traces(reference).await.unwrap();
        assert_eq!(traces[0].outcome, "policy_error");
        let answer = leave(&mut browser, &path).await;
        assert_eq!(world.suite().error(&answer), "access_denied");
        // Without a page the application hears the same.
        let silent = world.suite().authorize("openid", &[("prompt", "none")]);
        let answer = browser.get(&silent).await;
        assert_eq!(world.suite().error(&answer), "access_denied");
    })
    .await;
}

#[tokio::test]
async fn an_essential_level_that_is_not_reached_is_refused() {
    let text = MEMBER.replace(
        "clients = [\"suite\"]",
        "clients = [\"suite\"]\nrequire_acr = \"urn:vouchsafe:acr:vc\"",
    );
    with(&[("member.toml", &text)], async |world, _| {
        use crate::world::steps::{qr_link, shown_number, type_number};
        let wallet = world.person("M-1").await;
        let mut browser = world.browser().from(HOME);
        let address = world.suite().authorize("openid", &[]);
        let (path, _) = begin(&mut browser, &address).await;
        let back = wallet.follow(&qr_link(&mut browser, &path).await).await;
        let number = shown_number(&mut world.browser(), &back).await;
        let answer = type_number(&mut browser, &path, &number).await;
        assert_eq!(answer.location(), path);
        let answer = leave(&mut browser, &path).await;
        let error = world.suite().error(&answer);
        assert_eq!(error, "unmet_authentication_requirements");
        assert_eq!(rows(&world, "login_sessions").await, 0);
    })
    .await;
}

/// Catalogue 365: a stolen session, used elsewhere, opens nothing without the card of its owner.
#[tokio::test]
async fn a_session_of_another_question_does_not_stand_for_a_step() {
    with(&[("member.toml", MEMBER)], async |world, _| {
        let wallet = world.person("M-1").await;
        let mut browser = world.browser().from(HOME);
        // The bank's question is another one than the journey's.
        let spa = world.spa();
        let answer = same_device(&mut browser, &wallet, &spa.authorize("openid", &[])).await;
        spa.code(&answer);
        let address = world.suite().authorize("openid", &[]);
        let (_, page) = begin(&mut browser, &address).await;
        page.assert_page(StatusCode::OK, "id=\"show-card\"");
    })
    .await;
}

#[tokio::test]
async fn a_file_that_changes_leaves_runs_alone() {
    with(&[("age.toml", AGE)], async |mut world, folder| {
        let mut wallet = world.wallet();
        wallet.receive_age(&world).await;
        let mut browser = world.browser();
        let address = world.shop().authorize("openid age", &[]);
        let (path, page) = begin(&mut browser, &address).await;
        let closed = AGE.replace("id = \"prove\"", "id = \"shut\"\nkind = \"deny\"\ncode = \"closed\"\nwhen = '\"age\" in request.scopes'\n\n[[step]]\nid = \"prove\"");
        write(folder, &[("age.toml", &closed)]);
        world.tick().await;
        // A new run is denied; the old one goes on, even after the service has started again.
        let mut late = world.browser();
        let refused = late.get(&address).await.location();
        assert_eq!(late.get(&refused).await.status, StatusCode::FORBIDDEN);
        world.restart(|toml| toml + &configured(folder)).await;
        let mut browser = browser.at(world.router());
        let wallet = wallet.at(world.router());
        assert_eq!(wallet_link(&browser.get(&path).await), wallet_link(&page));
        let back = wallet.follow(&wallet_link(&page)).await;
        let answer = browser.get(&back).await;
        world.shop().code(&answer);

        // A file with a mistake changes nothing, and one that is gone neither.
        write(folder, &[("age.toml", "id = 1")]);
        world.tick().await;
        let refused = late.at(world.router()).get(&address).await;
        assert!(refused.location().starts_with("/login/"));
        std::fs::remove_file(folder.join("age.toml")).unwrap();
        world.tick().await;
        let mut late = world.browser();
        let refused = late.get(&address).await.location();
        assert_eq!(late.get(&refused).await.status, StatusCode::FORBIDDEN);
        write(folder, &[("age.toml", AGE)]);
        world.tick().await;
        begin(&mut world.browser(), &address).await;
    })
    .await;
}

fn configured(folder: &std::path::Path) -> String {
    format!("\n[journeys]\ndir = \"{}\"\n", folder.display())
}

#[tokio::test]
async fn a_login_without_a_journey_is_as_before() {
    with(
        &[("age.toml", AGE), ("member.toml", MEMBER)],
        async |world, _| {
            let wallet = world.person("M-1").await;
            let mut browser = world.browser().from(HOME);
            member(&world, &mut browser, &wallet).await;
            let cafe = world.cafe();
            let answer = same_device(
                &mut browser,
                &wallet,
                &cafe.authorize("openid membership", &[]),
            )
            .await;
            let tokens = cafe.tokens(&cafe.code(&answer)).await;
            assert_eq!(tokens.userinfo["membership_tier"], "gold");
            let shop = world.shop();
            let answer = same_device(
                &mut browser,
                &wallet,
                &shop.authorize("openid membership", &[]),
            )
            .await;
            shop.code(&answer);
        },
    )
    .await;
}

const RETRY: &str = r#"
id = "retry"
version = 1
clients = ["suite"]

[[step]]
id = "card"
kind = "present"
query = "membership"
on = { declined = "card" }

[[step]]
id = "in"
kind = "finish"

[limits]
max_visits = 3
"#;

/// RFC 10027: a way back of an earlier turn, on the same device, is none around the number of a later one
/// that was answered from a QR code.
#[tokio::test]
async fn rfc_10027_the_way_back_of_an_earlier_turn_is_none_around_the_number() {
    use crate::world::steps::{qr_link, shown_number, type_number};
    with(&[("retry.toml", RETRY)], async |world, _| {
        let wallet = world.person("M-1").await;
        let mut browser = world.browser();
        let address = world.suite().authorize("openid", &[]);
        let (path, page) = begin(&mut browser, &address).await;
        let asked = wallet.open(&wallet_link(&page)).await;
        let state = asked.request.state().unwrap().as_str();
        let no = crate::world::browser::form(&[("error", "access_denied"), ("state", state)]);
        let answer = wallet.post(&asked.request, &no).await;
        let old = answer.json()["redirect_uri"].as_str().unwrap().to_owned();

        // The page of the next step says what its card is for; the code is shown beside it.
        browser.get(&path).await;
        let back = wallet.follow(&qr_link(&mut browser, &path).await).await;
        let answer = browser.get(&old).await;
        assert_eq!(answer.location(), path);
        let page = browser.get(&path).await;
        page.assert_page(StatusCode::OK, "name=\"number\"");
        assert_eq!(rows(&world, "login_sessions").await, 0);

        let number = shown_number(&mut world.browser(), &back).await;
        let answer = type_number(&mut browser, &path, &number).await;
        let tokens = world.suite().tokens(&world.suite().code(&answer)).await;
        assert_eq!(tokens.claims["acr"], "urn:vouchsafe:acr:vc-xdev");
    })
    .await;
}

const ONCE: &str = r#"
id = "once"
version = 1
clients = ["suite"]

[[step]]
id = "card"
kind = "present"
query = "membership"
when = '!session.exists'
on = { declined = "deny:declined" }

[[step]]
id = "in"
kind = "finish"
"#;

/// RFC 6749, section 3.3: the scope of a card that was not shown is not granted; and where nothing may be
/// shown, nobody is asked for it.
#[tokio::test]
async fn a_scope_of_a_card_is_granted_with_that_card_alone() {
    with(&[("once.toml", ONCE)], async |world, _| {
        let wallet = world.person("M-1").await;
        let mut browser = world.browser().from(HOME);
        let suite = world.suite();
        let address = suite.authorize("openid membership", &[]);
        let answer = same_device(&mut browser, &wallet, &address).await;
        let answer = suite.redeem(&suite.code(&answer)).await.json();
        assert_eq!(answer["scope"], "openid membership");
        let answer = browser.get(&address).await;
        let answer = suite.redeem(&suite.code(&answer)).await.json();
        assert_eq!(answer["scope"], "openid");
        let silent = suite.authorize("openid membership", &[("prompt", "none")]);
        let answer = browser.get(&silent).await;
        assert_eq!(suite.error(&answer), "login_required");
    })
    .await;
    // The card of another question is not that card.
    let other = ONCE.replace("\"membership\"", "\"member-login\"");
    with(&[("once.toml", &other)], async |world, _| {
        let wallet = world.person("M-1").await;
        let suite = world.suite();
        let address = suite.authorize("openid membership", &[]);
        let answer = same_device(&mut world.browser(), &wallet, &address).await;
        let answer = suite.redeem(&suite.code(&answer)).await.json();
        assert_eq!(answer["scope"], "openid");
    })
    .await;
}

/// Beginning again, from elsewhere, asks for the card: a session that nobody judged does not count.
#[tokio::test]
async fn beginning_again_is_no_way_around_the_risk() {
    with(&[("once.toml", ONCE)], async |world, _| {
        let wallet = world.person("M-1").await;
        let mut browser = world.browser().from(HOME);
        let address = world.suite().authorize("openid", &[]);
        let (path, page) = begin(&mut browser, &address).await;
        let csrf = page.attribute("name=\"csrf\"", "value").unwrap();
        let form = [("csrf", csrf.as_str())];
        browser.post(&format!("{path}/cancel"), &form).await;
        member(&world, &mut browser, &wallet).await;
        let mut browser = browser.from(ABROAD);
        let fresh = browser.get(&format!("{path}/again")).await.location();
        let page = browser.get(&fresh).await;
        page.assert_page(StatusCode::OK, "id=\"show-card\"");
    })
    .await;
}

/// The file has a step for the risk, but this run goes around it: the session is judged all the same. And
/// where it runs and the risk is high, no session is enough.
#[tokio::test]
async fn a_session_counts_by_the_risk_that_was_assessed() {
    let around = ONCE.replacen(
        "[[step]]",
        "[[step]]\nid = \"risk\"\nkind = \"risk\"\nmodel = \"freeman\"\nwhen = '!session.exists'\n\n[[step]]",
        1,
    );
    let runs = around.replacen("when = '!session.exists'\n", "", 1);
    for (text, asks) in [(around, true), (runs, false)] {
        with(&[("once.toml", &text)], async |world, _| {
            let wallet = world.person("M-1").await;
            let mut browser = world.browser().from(HOME);
            member(&world, &mut browser, &wallet).await;
            world.tick().await;
            let address = world.suite().authorize("openid", &[]);
            let answer = browser.get(&address).await;
            world.suite().code(&answer);
            // So far in so short a time nobody travels.
            world.clock.advance(60);
            let mut browser = browser.from(ABROAD);
            let silent = world.suite().authorize("openid", &[("prompt", "none")]);
            let before = world.count("SELECT COUNT(*) FROM login_transactions").await;
            let error = world.suite().error(&browser.get(&silent).await);
            let expected = if asks {
                "login_required"
            } else {
                "access_denied"
            };
            assert_eq!(error, expected);
            // A silent refusal leaves nothing.
            let after = world.count("SELECT COUNT(*) FROM login_transactions").await;
            assert_eq!(before, after);
            let path = browser.get(&address).await.location();
            let page = browser.get(&path).await;
            match asks {
                true => page.assert_page(StatusCode::OK, "id=\"show-card\""),
                false => assert_eq!(page.status, StatusCode::FORBIDDEN),
            }
        })
        .await;
    }
}
