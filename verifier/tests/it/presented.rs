//! Cards in the form of draft-svensson-credential-oidc-bridge-02: who gets them, what is in them, how often.

use axum::http::StatusCode;
use serde_json::{Value, json};
use vouchsafe_credentials::status_list::Status;

use crate::device::KIOSK;
use crate::journeys;
use crate::world::browser::{Answer, Browser};
use crate::world::rp::{RelyingParty, Tokens};
use crate::world::steps::{begin, rows, same_device, wallet_link};
use crate::world::tables::places_of;
use crate::world::wallet::{Asked, Wallet};
use crate::world::{NOW, World, on_sqlite, with_config};

/// Two cards of a person, two of nobody, and applications with and without the permission.
pub const BRIDGE: &str = r#"
[presented_credentials]
draft = "draft-svensson-credential-oidc-bridge-02"
scopes = ["member", "adult", "badge", "grown"]
dcql_query = true

[[query]]
id = "person"
scopes = { member = ["name", "tier", "city"], adult = ["age_over_18"], hello = ["name"] }
dcql = '''{"credentials":[
  {"id":"member","format":"dc+sd-jwt","meta":{"vct_values":["urn:vouchsafe:membership:1"]},"claims":[{"path":["member_id"]},{"path":["name"]},{"path":["tier"]},{"path":["address","locality"]}]},
  {"id":"adult","format":"dc+sd-jwt","meta":{"vct_values":["urn:vouchsafe:age:1"]},"claims":[{"path":["age_equal_or_over","18"]}]}]}'''
purpose = { en = "Know you at the desk" }
subject = { strategy = "issuer_scoped_claim", claim = "member_id", credential = "member" }
one_holder = false
claims = { name = ["name"], tier = ["tier"], city = ["address", "locality"], age_over_18 = ["age_equal_or_over", "18"] }
labels = { tier = { en = "Your tier", de = "Ihre Stufe" } }

[[query]]
id = "anybody"
scopes = { badge = ["badge_tier"], grown = ["of_age"] }
dcql = '''{"credentials":[
  {"id":"badge","format":"dc+sd-jwt","meta":{"vct_values":["urn:vouchsafe:membership:1"]},"claims":[{"path":["tier"]}]},
  {"id":"grown","format":"dc+sd-jwt","meta":{"vct_values":["urn:vouchsafe:age:1"]},"claims":[{"path":["age_equal_or_over","18"],"values":[true]}]}]}'''
purpose = { en = "Let you in" }
subject = { strategy = "guest" }
one_holder = false
claims = { badge_tier = ["tier"], of_age = ["age_equal_or_over", "18"] }

[[client]]
id = "desk"
name = "The Desk"
secret = "desk-secret-0123456789"
redirect_uris = ["https://desk.example/cb"]
scopes = ["member", "adult", "hello", "badge", "grown", "age"]
presented_credentials = true
offline_access = true

[[client]]
id = "gate"
name = "The Gate"
secret = "gate-secret-0123456789"
redirect_uris = ["https://gate.example/cb"]
scopes = ["member", "badge"]
default_query = "member-login"

[[client]]
id = "lobby"
name = "The Lobby"
redirect_uris = ["https://lobby.example/cb"]
default_query = "person"
"#;

pub fn desk(world: &World) -> RelyingParty {
    let secret = Some("desk-secret-0123456789");
    RelyingParty::new(world.router(), "desk", secret, "https://desk.example/cb")
}

pub fn gate(world: &World) -> RelyingParty {
    let secret = Some("gate-secret-0123456789");
    RelyingParty::new(world.router(), "gate", secret, "https://gate.example/cb")
}

pub async fn person(world: &World) -> Wallet {
    let mut wallet = world.wallet();
    wallet.receive_age(world).await;
    let claims = json!({
        "member_id": "M-1", "name": "Canary Person", "tier": "gold", "secret": "Canary Secret",
        "address": { "locality": "Bonn", "street_address": "Canary Street" }
    });
    let hidden: &[&[&str]] = &[
        &["member_id"],
        &["name"],
        &["tier"],
        &["secret"],
        &["address", "locality"],
        &["address", "street_address"],
    ];
    let vct = "urn:vouchsafe:membership:1";
    wallet
        .receive(world, &world.issuer, vct, claims, hidden)
        .await;
    wallet
}

/// A login up to the redirect, and what the wallet was asked.
pub async fn answered(browser: &mut Browser, wallet: &Wallet, address: &str) -> (Answer, Asked) {
    let (_, page) = begin(browser, address).await;
    let asked = wallet.open(&wallet_link(&page)).await;
    let answer = wallet.answer(&asked).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    let back = answer.json()["redirect_uri"].as_str().unwrap().to_owned();
    (browser.get(&back).await, asked)
}

async fn log_in(world: &World, scope: &str) -> (Tokens, Value) {
    let (desk, wallet) = (desk(world), person(world).await);
    let address = desk.authorize(scope, &[]);
    let (answer, asked) = answered(&mut world.browser(), &wallet, &address).await;
    let query = asked.request.query().as_json().clone();
    (desk.tokens(&desk.code(&answer)).await, query)
}

async fn discovery(world: &World) -> Value {
    let path = "/.well-known/openid-configuration";
    world.browser().get(path).await.json()
}

#[tokio::test]
async fn the_bridge_is_off_unless_a_draft_is_named_and_an_application_is_allowed() {
    on_sqlite(async |world| {
        let said = discovery(&world).await;
        assert!(said.get("credential_presentations_supported").is_none());
        assert!(said.get("dcql_query_supported").is_none());
        let claims = said["claims_supported"].as_array().unwrap();
        assert!(!claims.contains(&json!("presented_credentials")));
        // A member that nobody knows is ignored, and says nothing about the question.
        let own = json!({ "id_token": { "dcql_query": { "credentials": [] } } }).to_string();
        let (shop, wallet) = (world.shop(), world.person("M-1").await);
        let address = shop.authorize("openid membership", &[("claims", &own)]);
        let answer = same_device(&mut world.browser(), &wallet, &address).await;
        let tokens = shop.tokens(&shop.code(&answer)).await;
        assert_eq!(tokens.userinfo["membership_tier"], "gold");
        assert!(tokens.userinfo.get("presented_credentials").is_none());
    })
    .await;
    // Nobody may have them: nothing is announced.
    let nobody = BRIDGE.replace("presented_credentials = true\n", "");
    with_config(&nobody, async |world| {
        let said = discovery(&world).await;
        assert!(said.get("credential_presentations_supported").is_none());
    })
    .await;
}

#[tokio::test]
async fn bridge_section_5_2_discovery_says_which_cards_there_are() {
    with_config(BRIDGE, async |world| {
        let said = discovery(&world).await;
        let member = json!({ "format": "dc+sd-jwt", "type": "urn:vouchsafe:membership:1" });
        let age = json!({ "format": "dc+sd-jwt", "type": "urn:vouchsafe:age:1" });
        assert_eq!(
            said["credential_presentations_supported"],
            json!({ "member": member, "adult": age, "badge": member, "grown": age })
        );
        assert_eq!(said["dcql_query_supported"], true);
        let claims = said["claims_supported"].as_array().unwrap();
        assert!(claims.contains(&json!("presented_credentials")));
    })
    .await;
    let registered = BRIDGE.replace("dcql_query = true\n", "");
    with_config(&registered, async |world| {
        assert_eq!(discovery(&world).await["dcql_query_supported"], false);
    })
    .await;
}

#[tokio::test]
async fn bridge_sections_5_1_and_5_4_scopes_bring_the_registered_claims_of_each_card() {
    with_config(BRIDGE, async |world| {
        let (tokens, asked) = log_in(&world, "openid member adult").await;
        let verification = json!({ "holder_binding": "key_binding", "trust_status": "valid" });
        let entry = |kind: &str, claims: Value| {
            json!([{
                "type": [kind], "issuer": "https://club.example", "verified_at": NOW.0,
                "verification": verification, "claims": claims,
            }])
        };
        let member =
            json!({ "name": "Canary Person", "tier": "gold", "address": { "locality": "Bonn" } });
        let adult = json!({ "age_equal_or_over": { "18": true } });
        assert_eq!(
            tokens.userinfo["presented_credentials"],
            json!([{
                "member": entry("urn:vouchsafe:membership:1", member),
                "adult": entry("urn:vouchsafe:age:1", adult),
            }])
        );
        // Once, and not beside it by other names; the number of the member is not told at all.
        let told = tokens.userinfo.as_object().unwrap();
        assert_eq!(told.len(), 2, "{told:?}");
        assert!(!tokens.userinfo.to_string().contains("M-1"));
        assert!(tokens.claims.get("presented_credentials").is_none());
        // Appendix A.1: the scope values are the ids of the question.
        let ids: Vec<&Value> = (asked["credentials"].as_array().unwrap().iter())
            .map(|entry| &entry["id"])
            .collect();
        assert_eq!(ids, ["adult", "member"]);

        // One of them: the other card stays with the person, but who logs in is asked.
        let (tokens, asked) = log_in(&world, "openid adult").await;
        let sets = tokens.userinfo["presented_credentials"].as_array().unwrap();
        assert_eq!(sets.len(), 1);
        assert_eq!(sets[0].as_object().unwrap().len(), 1);
        let paths = &asked["credentials"][1]["claims"];
        assert_eq!(paths, &json!([{ "path": ["member_id"] }]));
        // A scope that is none of theirs stays what it is, beside one that is.
        let (tokens, _) = log_in(&world, "openid adult hello").await;
        assert_eq!(tokens.userinfo["name"], "Canary Person");
        assert!(tokens.userinfo.get("presented_credentials").is_some());
        let (tokens, _) = log_in(&world, "openid hello").await;
        assert!(tokens.userinfo.get("presented_credentials").is_none());
    })
    .await;
}

#[tokio::test]
async fn bridge_section_5_1_2_a_card_without_a_status_list_was_not_checked_for_one() {
    with_config(BRIDGE, async |world| {
        let (desk, mut wallet) = (desk(&world), world.wallet());
        let (vct, hidden): (_, &[&[&str]]) = ("urn:vouchsafe:membership:1", &[&["tier"]]);
        let claims = json!({ "tier": "gold" });
        let issuer = &world.issuer;
        wallet
            .receive_unlisted(&world, issuer, vct, claims, hidden)
            .await;
        let address = desk.authorize("openid badge", &[]);
        let (answer, _) = answered(&mut world.browser(), &wallet, &address).await;
        let tokens = desk.tokens(&desk.code(&answer)).await;
        let entry = &tokens.userinfo["presented_credentials"][0]["badge"][0];
        assert_eq!(entry["verification"]["trust_status"], "not_checked");
        assert_eq!(entry["claims"], json!({ "tier": "gold" }));
    })
    .await;
}

#[tokio::test]
async fn bridge_section_5_3_unknown_scopes_are_ignored_and_none_is_an_error() {
    with_config(BRIDGE, async |world| {
        let (tokens, _) = log_in(&world, "openid member ehic").await;
        let sets = &tokens.userinfo["presented_credentials"];
        assert_eq!(sets[0].as_object().unwrap().len(), 1);
        let desk = desk(&world);
        let answer = world
            .browser()
            .get(&desk.authorize("openid ehic", &[]))
            .await;
        assert_eq!(desk.error(&answer), "invalid_scope");
    })
    .await;
}

#[tokio::test]
async fn cat_374_bridge_section_6_4_each_request_shows_the_card_anew_and_each_card_is_told_once() {
    with_config(BRIDGE, async |world| {
        let (desk, wallet) = (desk(&world), person(&world).await);
        let mut browser = world.browser();
        let address = desk.authorize("openid member offline_access", &[]);
        let (answer, _) = answered(&mut browser, &wallet, &address).await;
        let code = desk.code(&answer);
        let body = desk.redeem(&code).await.json();
        let token = body["access_token"].as_str().unwrap();
        let first = desk.userinfo(token).await.json();
        assert!(first["presented_credentials"].is_array());
        // Told is told: nobody reads them again with the same token, nor with a later one.
        let second = desk.userinfo(token).await;
        assert_eq!(second.status, StatusCode::OK, "{}", second.body);
        assert_eq!(second.json(), json!({ "sub": first["sub"] }));
        let refreshed = desk
            .refresh(body["refresh_token"].as_str().unwrap())
            .await
            .json();
        let token = refreshed["access_token"].as_str().unwrap();
        assert_eq!(
            desk.userinfo(token).await.json(),
            json!({ "sub": first["sub"] })
        );
        let id_token = desk.id_token(refreshed["id_token"].as_str().unwrap()).await;
        assert!(id_token.get("presented_credentials").is_none());
        // The session of this browser answers nothing.
        let silent = desk.authorize("openid member", &[("prompt", "none")]);
        assert_eq!(desk.error(&browser.get(&silent).await), "login_required");
        let (answer, _) = answered(&mut browser, &wallet, &address).await;
        let tokens = desk.tokens(&desk.code(&answer)).await;
        assert!(tokens.userinfo["presented_credentials"].is_array());
    })
    .await;
}

#[tokio::test]
async fn a_login_with_the_cards_that_an_application_chose_answers_no_other_question() {
    with_config(BRIDGE, async |world| {
        let (desk, wallet) = (desk(&world), person(&world).await);
        let lobby = RelyingParty::new(world.router(), "lobby", None, "https://lobby.example/cb");
        let mut browser = world.browser();
        // The lobby asks for both cards of its question; this was one of them.
        let address = desk.authorize("openid member", &[]);
        let query = json!({ "credentials": [{
            "id": "m", "format": "dc+sd-jwt", "meta": { "vct_values": ["urn:vouchsafe:membership:1"] }
        }] });
        let own = json!({ "userinfo": { "dcql_query": query } }).to_string();
        let chosen = desk.authorize("openid member", &[("claims", &own)]);
        let silent = lobby.authorize("openid", &[("prompt", "none")]);
        for address in [address, chosen] {
            let (answer, _) = answered(&mut browser, &wallet, &address).await;
            desk.code(&answer);
            assert_eq!(lobby.error(&browser.get(&silent).await), "login_required");
        }
        let (answer, _) = answered(&mut browser, &wallet, &lobby.authorize("openid", &[])).await;
        lobby.code(&answer);
        lobby.code(&browser.get(&silent).await);
    })
    .await;
}

#[tokio::test]
async fn of_two_requests_at_once_one_is_told() {
    with_config(BRIDGE, async |world| {
        let (desk, wallet) = (desk(&world), person(&world).await);
        let address = desk.authorize("openid member", &[]);
        let (answer, _) = answered(&mut world.browser(), &wallet, &address).await;
        let body = desk.redeem(&desk.code(&answer)).await.json();
        let token = body["access_token"].as_str().unwrap();
        let asked = (0..8).map(|_| desk.userinfo(token));
        let answers = futures::future::join_all(asked).await;
        let told = |answer: &&Answer| answer.json().get("presented_credentials").is_some();
        assert_eq!(answers.iter().filter(told).count(), 1);
    })
    .await;
}

#[tokio::test]
async fn who_is_not_allowed_gets_facts_as_before_and_no_query_of_its_own() {
    with_config(BRIDGE, async |world| {
        let (gate, wallet) = (gate(&world), person(&world).await);
        let address = gate.authorize("openid member", &[]);
        let answer = same_device(&mut world.browser(), &wallet, &address).await;
        let tokens = gate.tokens(&gate.code(&answer)).await;
        assert_eq!(tokens.userinfo["tier"], "gold");
        assert!(tokens.userinfo.get("presented_credentials").is_none());
        let own = json!({ "userinfo": { "dcql_query": { "credentials": [] } } }).to_string();
        let address = gate.authorize("openid member", &[("claims", &own)]);
        let answer = world.browser().get(&address).await;
        assert_eq!(gate.error(&answer), "invalid_request");
    })
    .await;
}

#[tokio::test]
async fn bridge_section_6_2_a_revoked_card_and_one_of_nobody_are_not_told() {
    with_config(BRIDGE, async |world| {
        let (desk, mut wallet) = (desk(&world), person(&world).await);
        let address = desk.authorize("openid member adult", &[]);
        // The age proof, which says nothing about who it is.
        world.issuer.set(&wallet.cards[0].status, Status::Invalid);
        world.later(10).await;
        let (path, page) = begin(&mut world.browser(), &address).await;
        let asked = wallet.open(&wallet_link(&page)).await;
        let answer = wallet.answer(&asked).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{path}");
        assert_eq!(answer.json()["reason"], "credential_revoked");
        // An issuer that nobody lists for this type.
        wallet.cards.remove(0);
        let claims = json!({ "age_equal_or_over": { "18": true } });
        let hidden: &[&[&str]] = &[&["age_equal_or_over", "18"]];
        let vct = "urn:vouchsafe:age:1";
        wallet
            .receive(&world, &world.other_issuer, vct, claims, hidden)
            .await;
        let (_, page) = begin(&mut world.browser(), &address).await;
        let answer = wallet.answer(&wallet.open(&wallet_link(&page)).await).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST);
        assert_eq!(rows(&world, "access_tokens").await, 0);
    })
    .await;
}

#[tokio::test]
async fn cat_296_bridge_section_7_1_a_card_that_was_shown_for_another_login_is_not_told() {
    with_config(BRIDGE, async |world| {
        let (desk, wallet) = (desk(&world), person(&world).await);
        let address = desk.authorize("openid member", &[]);
        let (_, page) = begin(&mut world.browser(), &address).await;
        let asked = wallet.open(&wallet_link(&page)).await;
        let paths: &[&[&str]] = &[
            &["member_id"],
            &["name"],
            &["tier"],
            &["address", "locality"],
        ];
        let audience = asked.request.client_id().as_str();
        let shown = wallet
            .present(paths, audience, "another-nonce-of-another-login")
            .await;
        let body = wallet.encrypt(&asked, &Wallet::payload(&asked, "member", &shown));
        let answer = wallet.post(&asked.request, &body).await;
        assert_eq!(answer.json()["reason"], "kb_nonce");
    })
    .await;
}

#[tokio::test]
async fn the_page_says_it_the_consent_records_it_and_the_database_does_not_know_it() {
    with_config(BRIDGE, async |world| {
        let (desk, wallet) = (desk(&world), person(&world).await);
        let mut browser = world.browser();
        let address = desk.authorize("openid member", &[]);
        let (_, page) = begin(&mut browser, &address).await;
        for shown in ["Your tier", "What kind of card it is, and who issued it"] {
            page.assert_page(StatusCode::OK, shown);
        }
        let back = wallet.follow(&wallet_link(&page)).await;
        let answer = browser.get(&back).await;
        // Claims are in no address.
        assert!(!answer.location().contains("Canary"));
        let code = desk.code(&answer);
        let body = desk.redeem(&code).await.json();
        for word in ["Canary Person", "Canary Street", "Canary Secret", "Bonn"] {
            assert_eq!(places_of(&world.db, word).await, Vec::<String>::new());
        }
        let told = desk.userinfo(body["access_token"].as_str().unwrap()).await;
        assert!(!told.body.contains("Canary Street") && !told.body.contains("Canary Secret"));
        let page = browser.get("/account").await;
        page.assert_page(StatusCode::OK, "What kind of card it is, and who issued it");
        page.assert_page(StatusCode::OK, "Your tier");
        assert!(!page.body.contains("Canary"));
    })
    .await;
}

#[tokio::test]
async fn devices_and_journeys_present_no_cards() {
    let device = KIOSK.replace(
        "scopes = [\"membership\"]\ndefault_query",
        "scopes = [\"membership\", \"member\"]\npresented_credentials = true\ndefault_query",
    );
    assert_ne!(device, KIOSK);
    with_config(&(BRIDGE.to_owned() + &device), async |world| {
        let kiosk = crate::device::kiosk(&world);
        let asked = [("scope", "openid member")];
        let answer = kiosk.post("/device_authorization", &asked).await;
        assert_eq!(answer.json()["error"], "invalid_scope");
        crate::device::codes(&kiosk, "openid membership").await;
    })
    .await;
    let journey = journeys::AGE.replace(
        "clients = [\"shop\"]\nmatch = '\"age\" in request.scopes'",
        "clients = [\"desk\"]",
    );
    journeys::with_more(&[("desk.toml", &journey)], BRIDGE, async |world, _| {
        let desk = desk(&world);
        let answer = world
            .browser()
            .get(&desk.authorize("openid member", &[]))
            .await;
        assert_eq!(desk.error(&answer), "invalid_request");
    })
    .await;
}
