//! Journeys lead logins: the worked examples, driven with a browser and a wallet.

use std::path::Path;

use axum::http::StatusCode;
use serde_json::json;
use vouchsafe_service::db::testing;
use vouchsafe_verifier::store::MIGRATIONS;

use crate::world::browser::{Answer, Browser};
use crate::world::places::{self, AMERICA, NORWAY};
use crate::world::rp::Tokens;
use crate::world::steps::{
    begin, qr_link, rows, same_device, shown_number, type_number, wallet_link,
};
use crate::world::wallet::Wallet;
use crate::world::{NOW, World};

pub const HOME: &str = "192.0.2.7";
pub const ABROAD: &str = "198.51.100.7";

/// Example A of the login document, for cards of this world.
pub const AGE: &str = r#"
id = "age-gate"
version = 3
stage = "decision"
clients = ["shop"]
match = '"age" in request.scopes'
subject = "guest"
timeout_s = 300

[outcome.not_proven]
show = "Ask at the counter"

[[step]]
id = "prove"
kind = "present"
channels = ["same_device", "qr"]
purpose = { en = "Confirm you are 18 or over to buy wine", de = "Bestätigen Sie, dass Sie mindestens 18 sind" }
dcql = '''{"credentials":[{"id":"proof","format":"dc+sd-jwt","meta":{"vct_values":["urn:vouchsafe:age:1"]},"claims":[{"path":["age_equal_or_over","18"],"values":[true]}]}]}'''
on = { no_credential = "help", declined = "deny:declined", invalid = "deny:not_proven", timeout = "deny:timeout", error = "deny:error" }

[[step]]
id = "done"
kind = "finish"
claims = { age_over_18 = "true" }

[[step]]
id = "help"
kind = "deny"
code = "no_credential"
show = "how_to_get_age_proof"
"#;

/// Example B without passkeys.
pub const MEMBER: &str = r#"
id = "member-login"
version = 7
stage = "retention"
clients = ["suite"]
timeout_s = 300

[[step]]
id = "risk"
kind = "risk"
model = "freeman"

[[step]]
id = "block"
kind = "deny"
when = 'risk.level == "critical"'
code = "risk_blocked"

[[step]]
id = "card"
kind = "present"
query = "membership"
bind = "current_user"
when = '''
  !session.exists
  || risk.level in ["high", "critical"] || risk.impossible_travel
  || acr.at_least(request.acr_values, "vc")
'''
on = { no_credential = "deny:use_recovery", declined = "deny:declined", invalid = "deny:not_proven", timeout = "deny:timeout", error = "deny:error" }

[[step]]
id = "ok"
kind = "finish"
claims = { membership_tier = 'has(cred.card) ? cred.card.claims.tier : "unknown"' }
"#;

/// Writes journeys into a folder.
pub fn write(folder: &Path, files: &[(&str, &str)]) {
    for (name, text) in files {
        std::fs::write(folder.join(name), text).unwrap();
    }
}

/// A service that runs these journeys and knows two countries.
pub async fn with(files: &[(&str, &str)], test: impl AsyncFn(World, &Path)) {
    with_more(files, "", test).await;
}

/// The same with more in its configuration.
pub async fn with_more(files: &[(&str, &str)], add: &str, test: impl AsyncFn(World, &Path)) {
    with_edited(files, |toml| toml + add, test).await;
}

/// The same with another configuration.
pub async fn with_edited(
    files: &[(&str, &str)],
    edit: impl Fn(String) -> String,
    test: impl AsyncFn(World, &Path),
) {
    let folder = tempfile::tempdir().unwrap();
    let journeys = folder.path().join("journeys");
    std::fs::create_dir(&journeys).unwrap();
    write(&journeys, files);
    let places = places::write(&folder, &[NORWAY, AMERICA]);
    let more = format!(
        "\n[risk]\nplaces = \"{}\"\n\n[journeys]\ndir = \"{}\"\n",
        places.display(),
        journeys.display()
    );
    testing::for_each_database(&[MIGRATIONS], async |db| {
        let world = World::with_config(db, |toml| {
            let proxies = "[http]\ntrusted_proxies = [\"0.0.0.0\"]";
            let suite = "redirect_uris = [\"https://suite.example/cb\"]\ncross_device = true";
            let toml = toml.replacen("[http]", proxies, 1);
            edit(toml.replace("redirect_uris = [\"https://suite.example/cb\"]", suite)) + &more
        });
        test(world.await, &journeys).await;
    })
    .await;
}

/// A login of a member at the suite on one device.
pub async fn member(world: &World, browser: &mut Browser, wallet: &Wallet) -> Tokens {
    let address = world.suite().authorize("openid", &[]);
    let answer = same_device(browser, wallet, &address).await;
    world.suite().tokens(&world.suite().code(&answer)).await
}

/// Ends the session of a browser.
pub async fn log_out(browser: &mut Browser) {
    let page = browser.get("/logout").await;
    let confirmation = page.attribute("name=\"confirmation\"", "value").unwrap();
    let fields = [("confirmation", confirmation.as_str())];
    browser.post("/logout", &fields).await;
}

/// Leaves the page of a failed login; the error that the application is told.
pub async fn leave(browser: &mut Browser, path: &str) -> Answer {
    browser.get(&format!("{path}/leave")).await
}

#[tokio::test]
async fn a_whoever_proves_their_age_leaves_no_account() {
    with(&[("age.toml", AGE)], async |world, _| {
        let mut wallet = world.wallet();
        wallet.receive_age(&world).await;
        let mut subs = Vec::new();
        for _ in 0..2 {
            let mut browser = world.browser();
            let address = world.shop().authorize("openid age", &[]);
            let (_, page) = begin(&mut browser, &address).await;
            page.assert_page(StatusCode::OK, "Confirm you are 18 or over to buy wine");
            page.assert_page(StatusCode::OK, "That you are 18 or older");
            let back = wallet.follow(&wallet_link(&page)).await;
            let answer = browser.get(&back).await;
            let tokens = world.shop().tokens(&world.shop().code(&answer)).await;
            assert_eq!(tokens.claims["age_over_18"], true);
            assert_eq!(tokens.claims["acr"], "urn:vouchsafe:acr:vc");
            assert_eq!(tokens.claims["amr"], json!(["pop", "vp"]));
            let told = json!({ "sub": tokens.sub(), "age_over_18": true });
            assert_eq!(tokens.userinfo, told);
            subs.push(tokens.sub().to_owned());
        }
        assert_ne!(subs[0], subs[1]);
        assert_eq!(rows(&world, "subjects").await, 0);
        assert_eq!(rows(&world, "subject_means").await, 0);
        assert_eq!(rows(&world, "consents").await, 2);
        let traces = "SELECT COUNT(*) FROM journey_traces WHERE outcome = 'success'";
        assert_eq!(world.count(traces).await, 2);
    })
    .await;
}

#[tokio::test]
async fn a_pushed_request_is_led_by_its_journey() {
    with(&[("age.toml", AGE)], async |world, _| {
        let mut wallet = world.wallet();
        wallet.receive_age(&world).await;
        let mut browser = world.browser();
        let address = world.shop().push("openid age", &[]).await;
        let answer = same_device(&mut browser, &wallet, &address).await;
        let tokens = world.shop().tokens(&world.shop().code(&answer)).await;
        assert_eq!(tokens.claims["age_over_18"], true);
        // What does not match is one question, as before.
        let address = world.shop().push("openid membership", &[]).await;
        let (_, page) = begin(&mut browser, &address).await;
        page.assert_page(StatusCode::OK, "Log in as a member");
    })
    .await;
}

#[tokio::test]
async fn a_run_that_failed_begins_again_with_the_rules_of_now() {
    with(&[("age.toml", AGE)], async |world, folder| {
        let mut browser = world.browser();
        let address = world.shop().authorize("openid age", &[]);
        let (path, page) = begin(&mut browser, &address).await;
        let csrf = page.attribute("name=\"csrf\"", "value").unwrap();
        let gone = browser
            .post(&format!("{path}/cancel"), &[("csrf", &csrf)])
            .await;
        assert_eq!(world.shop().error(&gone), "access_denied");
        let shut = AGE.replace(
            r#"kind = "present""#,
            "kind = \"present\"\nwhen = 'request.client == \"x\"'",
        );
        write(folder, &[("age.toml", &shut)]);
        world.tick().await;
        let fresh = browser.get(&format!("{path}/again")).await.location();
        assert_ne!(fresh, path);
        // No step proved anything now: nobody gets through.
        let page = browser.get(&fresh).await;
        assert_eq!(page.status, StatusCode::FORBIDDEN, "{}", page.body);
        // The next database begins with the file as it was.
        write(folder, &[("age.toml", AGE)]);
    })
    .await;
}

#[tokio::test]
async fn the_purpose_is_told_in_the_language_of_the_person() {
    with(&[("age.toml", AGE)], async |world, _| {
        let mut browser = world.browser().speaking("de");
        let address = world.shop().authorize("openid age", &[]);
        let (_, page) = begin(&mut browser, &address).await;
        let german = "Bestätigen Sie, dass Sie mindestens 18 sind";
        page.assert_page(StatusCode::OK, german);
    })
    .await;
}

#[tokio::test]
async fn b_at_home_a_session_is_enough_and_abroad_the_card_is_asked() {
    with(&[("member.toml", MEMBER)], async |world, _| {
        let wallet = world.person("M-1").await;
        let mut browser = world.browser().from(HOME);
        let first = member(&world, &mut browser, &wallet).await;
        assert_eq!(first.claims["membership_tier"], "gold");
        assert_eq!(first.claims["amr"], json!(["pop", "rba", "vp"]));
        world.tick().await;

        // A known device: no card, and what was not agreed to this time is not told.
        let address = world.suite().authorize("openid", &[]);
        let answer = browser.get(&address).await;
        let again = world.suite().tokens(&world.suite().code(&answer)).await;
        assert_eq!(again.sub(), first.sub());
        assert_eq!(again.claims["membership_tier"], json!(null));
        assert_eq!(again.claims["auth_time"], first.claims["auth_time"]);

        // A new country: the card, pinned to the person.
        world.clock.advance(7 * 3600);
        world.issuer.publish(NOW.plus(7 * 3600)).await;
        let mut browser = browser.from(ABROAD);
        let (path, page) = begin(&mut browser, &address).await;
        // Another member's card is an error, and the session stays as it was.
        let other = world.person("M-2").await;
        let back = other.follow(&wallet_link(&page)).await;
        let answer = browser.get(&back).await;
        assert_eq!(answer.location(), path);
        let page = browser.get(&path).await;
        page.assert_page(
            StatusCode::FORBIDDEN,
            "This card belongs to another account",
        );
        let answer = leave(&mut browser, &path).await;
        assert_eq!(world.suite().error(&answer), "access_denied");
        assert_eq!(rows(&world, "subjects").await, 1);

        let answer = same_device(&mut browser, &wallet, &address).await;
        let abroad = world.suite().tokens(&world.suite().code(&answer)).await;
        assert_eq!(abroad.sub(), first.sub());
        assert_eq!(abroad.claims["amr"], json!(["pop", "rba", "vp"]));
        assert_eq!(abroad.claims["acr"], "urn:vouchsafe:acr:vc");
    })
    .await;
}

/// RFC 9470: a resource server wants more than the session has; the application asks again.
#[tokio::test]
async fn rfc_9470_a_step_up_asks_for_the_card_alone_with_the_person_pinned() {
    with(&[("member.toml", MEMBER)], async |world, _| {
        let wallet = world.person("M-1").await;
        let mut browser = world.browser().from(HOME);
        let address = world.suite().authorize("openid", &[]);
        let (path, _) = begin(&mut browser, &address).await;
        let back = wallet.follow(&qr_link(&mut browser, &path).await).await;
        let number = shown_number(&mut world.browser(), &back).await;
        let answer = type_number(&mut browser, &path, &number).await;
        let weak = world.suite().tokens(&world.suite().code(&answer)).await;
        assert_eq!(weak.claims["acr"], "urn:vouchsafe:acr:vc-xdev");
        world.tick().await;

        let more = [("acr_values", "urn:vouchsafe:acr:vc")];
        let address = world.suite().authorize("openid", &more);
        // Nothing may be shown: nothing is told.
        let silent = [more[0], ("prompt", "none")];
        let answer = browser
            .get(&world.suite().authorize("openid", &silent))
            .await;
        assert_eq!(world.suite().error(&answer), "login_required");
        let other = world.person("M-2").await;
        let answer = same_device(&mut browser, &other, &address).await;
        assert!(answer.location().starts_with("/login/"));
        let answer = same_device(&mut browser, &wallet, &address).await;
        let strong = world.suite().tokens(&world.suite().code(&answer)).await;
        assert_eq!(strong.sub(), weak.sub());
        assert_eq!(strong.claims["acr"], "urn:vouchsafe:acr:vc");
        assert_eq!(rows(&world, "subjects").await, 1);
        assert_eq!(rows(&world, "login_sessions").await, 1);
    })
    .await;
}

/// A card of staff, of this world: the role stands where members have their tier.
const STAFF: &str = r#"
id = "staff-portal"
version = 1
clients = ["suite"]
require_acr = "urn:vouchsafe:acr:vc"

[[step]]
id = "badge"
kind = "present"
query = "membership"

[[step]]
id = "role"
kind = "decide"
[[step.case]]
when = 'cred.card.claims.tier in ["nurse", "physician"]'
to = "in"

[[step]]
id = "wrong_role"
kind = "deny"
code = "wrong_role"
show = "ask_your_manager_for_access"

[[step]]
id = "in"
kind = "finish"
claims = { role = 'cred.card.claims.tier' }
"#;

#[tokio::test]
async fn a_wrong_role_is_denied_with_words_and_a_reference() {
    with(&[("staff.toml", STAFF)], async |world, _| {
        let wallet = world.person("M-1").await;
        let mut browser = world.browser();
        let address = world.suite().authorize("openid", &[]);
        let (path, page) = begin(&mut browser, &address).await;
        let back = wallet.follow(&wallet_link(&page)).await;
        browser.get(&back).await;
        let page = browser.get(&path).await;
        page.assert_page(StatusCode::FORBIDDEN, "ask your manager for access");
        let reference = &path["/login/".len()..][..8];
        page.assert_page(StatusCode::FORBIDDEN, reference);
        let answer = leave(&mut browser, &path).await;
        assert_eq!(world.suite().error(&answer), "access_denied");
        assert_eq!(rows(&world, "login_sessions").await, 0);

        // The reference tells the rules and no value.
        let traces = world.verifier.journey_traces(reference).await.unwrap();
        assert_eq!(traces.len(), 1);
        assert_eq!(traces[0].outcome, "wrong_role");
        let rules: Vec<&str> = traces[0]
            .lines
            .iter()
            .map(|line| line.rule.as_str())
            .collect();
        assert_eq!(
            rules,
            [
                "staff-portal@1#badge.when",
                "staff-portal@1#badge.default",
                "staff-portal@1#role.default",
                "staff-portal@1#wrong_role.deny"
            ]
        );
    })
    .await;
}

const TWO: &str = r#"
id = "two-cards"
version = 1
clients = ["suite"]

[[step]]
id = "first"
kind = "present"
query = "member-login"

[[step]]
id = "second"
kind = "present"
query = "membership"
bind = "current_user"
check = 'cred.card.claims.tier == "gold"'
on = { invalid = "second", declined = "end" }

[[step]]
id = "end"
kind = "finish"

[limits]
max_visits = 2
"#;

#[tokio::test]
async fn one_step_follows_another_and_each_answer_counts_once() {
    with(&[("two.toml", TWO)], async |world, _| {
        let wallet = world.person("M-1").await;
        let mut browser = world.browser();
        let address = world.suite().authorize("openid", &[]);
        let (path, page) = begin(&mut browser, &address).await;
        let asked = wallet.open(&wallet_link(&page)).await;
        let body = wallet.response(&asked).await;
        let posted = wallet.post(&asked.request, &body).await;
        let back = posted.json()["redirect_uri"].as_str().unwrap().to_owned();
        // The browser is not back yet; the answer to the first step is not taken twice.
        assert_ne!(
            wallet.post(&asked.request, &body).await.status,
            StatusCode::OK
        );
        assert_eq!(browser.get(&back).await.location(), path);
        // Nor is it one to the second.
        assert_ne!(
            wallet.post(&asked.request, &body).await.status,
            StatusCode::OK
        );

        // A page that is loaded again shows the same step, in this process and in another.
        let page = browser.get(&path).await;
        let link = wallet_link(&page);
        assert_eq!(wallet_link(&browser.get(&path).await), link);
        let other = world.another_process().await;
        let mut browser = browser.at(other.router());
        assert_eq!(wallet_link(&browser.get(&path).await), link);
        let back = wallet.follow(&link).await;
        let answer = browser.get(&back).await;
        let tokens = world.suite().tokens(&world.suite().code(&answer)).await;
        assert_eq!(tokens.claims["acr"], "urn:vouchsafe:acr:vc");
        // It was completed once.
        let again = browser.get(&back).await;
        assert_eq!(again.status, StatusCode::FORBIDDEN);
        browser.get(&path).await.assert_page(StatusCode::OK, "<h1");
        assert_eq!(rows(&world, "consents").await, 2);
    })
    .await;
}

#[tokio::test]
async fn a_no_leads_where_the_journey_says() {
    with(&[("two.toml", TWO)], async |world, _| {
        let wallet = world.person("M-1").await;
        let mut browser = world.browser();
        let address = world.suite().authorize("openid", &[]);
        let (path, page) = begin(&mut browser, &address).await;
        let back = wallet.follow(&wallet_link(&page)).await;
        browser.get(&back).await;
        let page = browser.get(&path).await;
        let csrf = page.attribute("name=\"csrf\"", "value").unwrap();
        let answer = browser
            .post(&format!("{path}/cancel"), &[("csrf", &csrf)])
            .await;
        let tokens = world.suite().tokens(&world.suite().code(&answer)).await;
        assert_eq!(tokens.claims["acr"], "urn:vouchsafe:acr:vc");
    })
    .await;
}
