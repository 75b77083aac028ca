//! Example C of the login document: who lost their device comes back with two cards, as the template says it.

use std::path::Path;

use axum::http::StatusCode;
use serde_json::{Value, json};
use vouchsafe_credentials::crypto::SigningKey;
use vouchsafe_credentials::status_list::Status;
use vouchsafe_credentials::time::Clock as _;
use vouchsafe_service::webauthn::testing::Device;
use vouchsafe_verifier::journey::template;

use crate::accounts::{identify, import, invited};
use crate::journey_notify::{SECRET, System};
use crate::journeys::{ABROAD, HOME, leave, with_edited};
use crate::world::World;
use crate::world::browser::{Answer, Browser};
use crate::world::passkeys::{ON, add, device, script, tap};
use crate::world::rp::RelyingParty;
use crate::world::steps::{begin, log_in, rows, same_device, wallet_link};
use crate::world::wallet::Wallet;

const DAY_S: i64 = 86_400;
pub const BINDINGS: &str = "SELECT COUNT(*) FROM account_bindings";

/// What the template needs of the configuration.
const MORE: &str = r#"
[[query]]
id = "enrol"
scope = "enrol"
dcql = '''{"credentials":[
  {"id":"member","format":"dc+sd-jwt","meta":{"vct_values":["urn:vouchsafe:membership:1"]},"claims":[{"path":["member_id"]}]},
  {"id":"pid","format":"dc+sd-jwt","meta":{"vct_values":["urn:vouchsafe:person:1"]},"claims":[{"path":["birthdate"]}]}]}'''
purpose = { en = "Be known again" }
subject = { strategy = "issuer_scoped_claim", claim = "member_id", credential = "member" }
bind = { member_id = ["member_id"], birthdate = ["birthdate"] }
labels = { birthdate = { en = "Date of birth" } }

[[query]]
id = "recovery"
dcql = '''{"credentials":[
  {"id":"member","format":"dc+sd-jwt","meta":{"vct_values":["urn:vouchsafe:membership:1"]},"claims":[{"path":["member_id"]}]},
  {"id":"pid","format":"dc+sd-jwt","meta":{"vct_values":["urn:vouchsafe:person:1"]},"claims":[{"path":["birthdate"]}]},
  {"id":"idv","format":"dc+sd-jwt","meta":{"vct_values":["urn:vouchsafe:proofing:1"]},"claims":[{"path":["method"]},{"path":["birthdate"]}]}],
 "credential_sets":[{"options":[["member","pid"],["member","idv"]]}]}'''
purpose = { en = "Get your account back" }
subject = { strategy = "asserted_lookup", claim = "member_id", credential = "member" }

[[client]]
id = "lost"
name = "Lost device"
secret = "lost-secret-0123456789"
redirect_uris = ["http://127.0.0.1:9000/lost"]
cross_device = true
default_query = "recovery"
scopes = ["membership"]
"#;

/// The template, for the application where people come who lost their device.
pub fn recovery() -> String {
    let text = template("recovery").unwrap().text;
    text.replacen("stage =", "clients = [\"lost\"]\nstage =", 1)
}

/// The same, which holds only what is more than unusual.
pub fn at_once() -> String {
    let (held, rarely) = ("risk.level != \"low\"", "risk.level == \"critical\"");
    let text = recovery();
    assert!(text.contains(held));
    text.replace(held, rarely)
}

fn edit(toml: String, system: &str) -> String {
    let types = "types = [\"urn:vouchsafe:age:1\", \"urn:vouchsafe:membership:1\"]";
    let more = "types = [\"urn:vouchsafe:age:1\", \"urn:vouchsafe:membership:1\", \"urn:vouchsafe:person:1\", \"urn:vouchsafe:proofing:1\"]";
    let scopes = "scopes = [\"age\", \"membership\"]";
    let enrols = "scopes = [\"age\", \"membership\", \"enrol\"]";
    let told =
        format!("\n[journeys.notify]\nurl = \"{system}\"\nsecret = \"{SECRET}\"\nsubject = true\n");
    toml.replace(types, more).replacen(scopes, enrols, 1) + MORE + ON + &told
}

/// A service that holds this journey.
pub async fn with_recovery(text: &str, test: impl AsyncFn(World, &System, &Path)) {
    let system = System::default();
    let url = system.listen().await;
    let files = [("recovery.toml", text)];
    with_edited(
        &files,
        |toml| edit(toml, &url),
        async |world, path| {
            test(world, &system, path).await;
        },
    )
    .await;
}

pub fn lost(world: &World) -> RelyingParty {
    let secret = Some("lost-secret-0123456789");
    let uri = "http://127.0.0.1:9000/lost";
    RelyingParty::new(world.router(), "lost", secret, uri)
}

/// A wallet with the cards of a person.
pub async fn cards(world: &World, member_id: &str, birthdate: &str) -> Wallet {
    let mut wallet = world.wallet();
    wallet.receive_membership(world, member_id).await;
    person(world, &mut wallet, birthdate).await;
    wallet
}

/// The card that says when somebody was born. They are all called the same.
async fn person(world: &World, wallet: &mut Wallet, birthdate: &str) {
    let claims = json!({ "birthdate": birthdate, "name": "Ada Smith" });
    let hidden: &[&[&str]] = &[&["birthdate"], &["name"]];
    receive_beside(world, wallet, "urn:vouchsafe:person:1", (claims, hidden)).await;
}

/// Another card for the key of the first one: cards that are shown together are one person's.
pub async fn receive_beside(
    world: &World,
    wallet: &mut Wallet,
    vct: &str,
    (claims, hidden): (Value, &[&[&str]]),
) {
    let key = SigningKey::from_pkcs8_der(&wallet.cards[0].key.to_pkcs8_der()).unwrap();
    let until = world.clock.now().plus(365 * DAY_S);
    wallet
        .receive_bound(world, &world.issuer, vct, claims, hidden, until, key)
        .await;
}

/// Somebody who enrolled, with their browser and the passkey on their device.
pub struct Owner {
    pub browser: Browser,
    pub device: Device,
    pub sub: String,
}

/// An account that the organisation knows as `who`, whose person enrolled with these cards.
pub async fn enrolled(world: &World, wallet: &Wallet, who: &str) -> Owner {
    import(world, &format!("external_id\n{who}\n")).await;
    invited(world, wallet, who).await;
    let mut browser = world.browser().from(HOME);
    log_in(&mut browser, wallet, &world.shop(), "openid enrol").await;
    world.clock.advance(1);
    let suite = world.suite();
    let again = suite.authorize("openid", &[("prompt", "login")]);
    let answer = same_device(&mut browser, wallet, &again).await;
    let sub = suite.tokens(&suite.code(&answer)).await.sub().to_owned();
    let mut device = device(world);
    let added = add(&mut browser, &mut device, "old phone").await;
    assert_eq!(added.status, StatusCode::OK, "{}", added.body);
    world.tick().await;
    world.clock.advance(1);
    Owner {
        browser,
        device,
        sub,
    }
}

/// Says whose account is lost; the path of the login and the page of its question.
pub async fn claims(world: &World, browser: &mut Browser, who: &str) -> (String, Answer) {
    let address = lost(world).authorize("openid", &[]);
    let path = browser.get(&address).await.location();
    let page = identify(browser, &path, who).await;
    (path, page)
}

/// The same, and shows cards that prove it; the path of the login.
pub async fn proves(world: &World, browser: &mut Browser, wallet: &Wallet, who: &str) -> String {
    let (path, page) = claims(world, browser, who).await;
    let back = wallet.follow(&wallet_link(&page)).await;
    assert_eq!(browser.get(&back).await.location(), path);
    path
}

/// Makes a passkey on the page of a login.
pub async fn makes(browser: &mut Browser, path: &str, device: &mut Device) -> Answer {
    let page = browser.get(path).await;
    page.assert_page(StatusCode::OK, "Make a new passkey");
    page.assert_page(StatusCode::OK, "can only be made with JavaScript");
    let csrf = page.attribute("id=\"passkey\"", "data-csrf").unwrap();
    let to = format!("{path}/new-passkey/challenge");
    let asked = script(browser, &to, &csrf, &json!({})).await;
    assert_eq!(asked.status, StatusCode::OK, "{}", asked.body);
    let made = device.register(&asked.json()["publicKey"]).to_string();
    let fields = [("csrf", &*csrf), ("answer", &*made), ("name", "new phone")];
    browser.post(&format!("{path}/new-passkey"), &fields).await
}

/// Whether a passkey logs in at the suite, and who that is.
pub async fn tapped(world: &World, device: &mut Device) -> Option<String> {
    let suite = world.suite();
    let mut browser = world.browser().from(HOME);
    let (path, _) = begin(&mut browser, &suite.authorize("openid", &[])).await;
    let answer = tap(&mut browser, &path, device).await;
    if answer.status == StatusCode::FORBIDDEN {
        return None;
    }
    Some(suite.tokens(&suite.code(&answer)).await.sub().to_owned())
}

#[tokio::test]
async fn the_template_loads_as_it_is() {
    let text = template("recovery").unwrap().text;
    with_recovery(text, async |world, _, _| {
        let (path, page) = {
            let mut browser = world.browser();
            claims(&world, &mut browser, "C-1").await
        };
        assert!(path.starts_with("/login/"));
        page.assert_page(StatusCode::OK, "Get your account back");
    })
    .await;
}

/// Row 47: lose the device, present cards, make a passkey; the old means are dead, `sub` is unchanged.
#[tokio::test]
async fn row_47_a_lost_device_is_replaced_and_the_account_is_the_same() {
    with_recovery(&at_once(), async |world, system, _| {
        let wallet = cards(&world, "M-1", "1980-01-02").await;
        let mut owner = enrolled(&world, &wallet, "C-1").await;
        let other = cards(&world, "M-2", "1981-01-02").await;
        let mut stranger = enrolled(&world, &other, "C-2").await;
        assert_eq!(
            tapped(&world, &mut owner.device).await,
            Some(owner.sub.clone())
        );
        system.told(&world).await;

        let mut browser = world.browser().from(HOME);
        let path = proves(&world, &mut browser, &wallet, "C-1").await;
        let mut new = device(&world);
        let answer = makes(&mut browser, &path, &mut new).await;
        let lost = lost(&world);
        let tokens = lost.tokens(&lost.code(&answer)).await;
        assert_eq!(tokens.claims["acr"], "urn:vouchsafe:acr:vc");
        // The new passkey signs in, to the same account; the old one and the old session do not.
        assert_eq!(tapped(&world, &mut new).await, Some(owner.sub.clone()));
        assert_eq!(tapped(&world, &mut owner.device).await, None);
        let page = owner.browser.get("/account").await;
        assert!(!page.body.contains("This browser"), "{}", page.body);
        let page = browser.get("/account").await;
        page.assert_page(StatusCode::OK, "new phone");
        page.assert_page(StatusCode::OK, "older logins of your account were ended");
        assert!(!page.body.contains("old phone"), "{}", page.body);
        let orphans =
            "SELECT COUNT(*) FROM passkeys WHERE means_id NOT IN (SELECT id FROM subject_means)";
        assert_eq!(world.count(orphans).await, 0);
        // Nobody else lost anything.
        let page = stranger.browser.get("/account").await;
        page.assert_page(StatusCode::OK, "old phone");
        assert_eq!(
            tapped(&world, &mut stranger.device).await,
            Some(stranger.sub)
        );
        let told = system.told(&world).await;
        let types: Vec<&str> = told.iter().filter_map(|one| one["type"].as_str()).collect();
        assert!(types.contains(&"recovery.completed"), "{types:?}");
        assert!(!Value::from(told).to_string().contains("1980"));
    })
    .await;
}

/// A second time the challenge is used up, and the passkey is there once.
#[tokio::test]
async fn a_passkey_is_made_once_in_the_browser_of_the_run() {
    with_recovery(&at_once(), async |world, _, _| {
        let wallet = cards(&world, "M-1", "1980-01-02").await;
        enrolled(&world, &wallet, "C-1").await;
        let mut browser = world.browser().from(HOME);
        let (path, _) = claims(&world, &mut browser, "C-1").await;
        // Before the card there is nothing to make.
        let page = browser.get(&path).await;
        let csrf = page.attribute("name=\"csrf\"", "value").unwrap();
        let to = format!("{path}/new-passkey/challenge");
        let asked = script(&mut browser, &to, &csrf, &json!({})).await;
        assert_ne!(asked.status, StatusCode::OK, "{}", asked.body);
        let path = proves(&world, &mut browser, &wallet, "C-1").await;
        let page = browser.get(&path).await;
        let csrf = page.attribute("id=\"passkey\"", "data-csrf").unwrap();
        let to = format!("{path}/new-passkey/challenge");
        // Another browser, no token, an answer that is none.
        let mut other = world.browser().from(HOME);
        let asked = script(&mut other, &to, &csrf, &json!({})).await;
        assert_ne!(asked.status, StatusCode::OK);
        let asked = script(&mut browser, &to, "x", &json!({})).await;
        assert_eq!(asked.status, StatusCode::FORBIDDEN);
        let post = format!("{path}/new-passkey");
        for answer in ["", "{}", "{\"id\":1}", "null"] {
            let fields = [("csrf", &*csrf), ("answer", answer), ("name", "")];
            let refused = browser.post(&post, &fields).await;
            refused.assert_page(StatusCode::FORBIDDEN, "No passkey was made");
        }
        let asked = script(&mut browser, &to, &csrf, &json!({})).await;
        let mut new = device(&world);
        let made = new.register(&asked.json()["publicKey"]).to_string();
        // For another challenge it is not taken.
        script(&mut browser, &to, &csrf, &json!({})).await;
        let fields = [("csrf", &*csrf), ("answer", &*made), ("name", "")];
        let refused = browser.post(&post, &fields).await;
        refused.assert_page(StatusCode::FORBIDDEN, "No passkey was made");
        let keys = "SELECT COUNT(*) FROM passkeys";
        assert_eq!(world.count(keys).await, 1);
        let mut new = device(&world);
        let answer = makes(&mut browser, &path, &mut new).await;
        lost(&world).code(&answer);
        assert_eq!(world.count(keys).await, 1);
        let again = browser.post(&post, &fields).await;
        assert_eq!(again.location(), path);
        assert_eq!(world.count(keys).await, 1);
    })
    .await;
}

#[tokio::test]
async fn an_unusual_recovery_is_held_and_then_goes_on() {
    with_recovery(&recovery(), async |world, system, _| {
        let wallet = cards(&world, "M-1", "1980-01-02").await;
        let mut owner = enrolled(&world, &wallet, "C-1").await;
        system.told(&world).await;
        let mut browser = world.browser().from(ABROAD);
        let path = proves(&world, &mut browser, &wallet, "C-1").await;
        let page = browser.get(&path).await;
        page.assert_page(StatusCode::OK, "Please come back later");
        let ends_at = world.clock.now().0 + DAY_S;
        let told = system.told(&world).await;
        let waits = told
            .iter()
            .find(|one| one["data"]["kind"] == "waiting")
            .unwrap();
        assert_eq!(waits["data"]["ends_at"], ends_at);
        assert_eq!(
            waits["data"]["cancel_link"],
            format!("{}/account", crate::world::OP)
        );
        // Nothing of the cards is kept for so long, and nothing can be made.
        let csrf = page.attribute("name=\"csrf\"", "value").unwrap();
        let to = format!("{path}/new-passkey/challenge");
        let asked = script(&mut browser, &to, &csrf, &json!({})).await;
        assert_ne!(asked.status, StatusCode::OK);
        world.later(DAY_S - 1).await;
        let page = browser.get(&path).await;
        page.assert_page(StatusCode::OK, "Please come back later");
        // The old means hold until then.
        assert_eq!(
            tapped(&world, &mut owner.device).await,
            Some(owner.sub.clone())
        );
        world.later(1).await;
        assert_eq!(browser.get(&path).await.location(), path);
        let mut new = device(&world);
        let answer = makes(&mut browser, &path, &mut new).await;
        lost(&world).code(&answer);
        // Nobody is abroad and at home at once.
        world.later(DAY_S).await;
        assert_eq!(tapped(&world, &mut new).await, Some(owner.sub));
        assert_eq!(tapped(&world, &mut owner.device).await, None);
    })
    .await;
}

#[tokio::test]
async fn who_still_has_the_old_device_stops_it() {
    with_recovery(&recovery(), async |world, _, _| {
        let wallet = cards(&world, "M-1", "1980-01-02").await;
        let mut owner = enrolled(&world, &wallet, "C-1").await;
        let mut thief = world.browser().from(ABROAD);
        let path = proves(&world, &mut thief, &wallet, "C-1").await;
        // The passkey of the old device is enough to get to the page.
        let suite = world.suite();
        let mut old = world.browser().from(HOME);
        let (own, _) = begin(&mut old, &suite.authorize("openid", &[])).await;
        let answer = tap(&mut old, &own, &mut owner.device).await;
        suite.code(&answer);
        let page = old.get("/account").await;
        page.assert_page(StatusCode::OK, "Waiting for you to say no");
        let stop = format!(
            "/account/holds/{}/cancel",
            path.trim_start_matches("/login/")
        );
        let csrf = page.attribute("name=\"csrf\"", "value").unwrap();
        let answer = old.post(&stop, &[("csrf", &csrf)]).await;
        assert_eq!(answer.location(), "/account");
        world.later(DAY_S).await;
        thief.get(&path).await;
        let page = thief.get(&path).await;
        page.assert_page(StatusCode::FORBIDDEN, "This was stopped");
        let left = leave(&mut thief, &path).await;
        assert_eq!(lost(&world).error(&left), "access_denied");
        assert_eq!(
            tapped(&world, &mut owner.device).await,
            Some(owner.sub.clone())
        );
        assert_eq!(world.count("SELECT COUNT(*) FROM passkeys").await, 1);
    })
    .await;
}

/// Token Status List, section 8.3: what was revoked meanwhile proves nothing.
#[tokio::test]
async fn a_card_that_was_revoked_during_the_wait_ends_it() {
    with_recovery(&recovery(), async |world, _, _| {
        let wallet = cards(&world, "M-1", "1980-01-02").await;
        let owner = enrolled(&world, &wallet, "C-1").await;
        drop(owner);
        let mut browser = world.browser().from(ABROAD);
        let path = proves(&world, &mut browser, &wallet, "C-1").await;
        let mut second = world.browser().from(ABROAD);
        let unknown = proves(&world, &mut second, &wallet, "C-1").await;
        world.issuer.set(&wallet.cards[1].status, Status::Invalid);
        world.later(DAY_S).await;
        browser.get(&path).await;
        let page = browser.get(&path).await;
        assert_eq!(page.status, StatusCode::FORBIDDEN, "{}", page.body);
        // Nor does one whose status nobody knows.
        world.issuer.set(&wallet.cards[1].status, Status::Valid);
        world.clock.advance(7200);
        second.get(&unknown).await;
        let page = second.get(&unknown).await;
        assert_eq!(page.status, StatusCode::FORBIDDEN, "{}", page.body);
        assert_eq!(world.count("SELECT COUNT(*) FROM passkeys").await, 1);
        let sessions = rows(&world, "login_sessions").await;
        assert!(sessions <= 1, "{sessions}");
    })
    .await;
}
