//! What an application learns of a card: by scopes, and by the `claims` parameter (OpenID Connect
//! Core 1.0, sections 5.4 and 5.5). What it does not learn does not leave the wallet.

use axum::http::StatusCode;
use serde_json::{Value, json};
use url::Url;
use vouchsafe_service::db::testing;
use vouchsafe_verifier::store::MIGRATIONS;

use crate::world::browser::form;
use crate::world::rp::{RelyingParty, Tokens};
use crate::world::steps::{begin, same_device, wallet_link};
use crate::world::wallet::Wallet;
use crate::world::{OP, World};

const DESK: &str = r#"
[[query]]
id = "person"
scopes = { profile = ["name"], email = ["email", "email_verified"], address = ["address"], phone = ["phone_number"] }
dcql = '''{"credentials":[{"id":"card","format":"dc+sd-jwt","meta":{"vct_values":["urn:vouchsafe:membership:1"]},"claims":[{"path":["member_id"]},{"path":["name"]},{"path":["email"]},{"path":["email_verified"]},{"path":["address"]},{"path":["phone"]}]}]}'''
purpose = { en = "Know you at the desk" }
subject = { strategy = "issuer_scoped_claim", claim = "member_id" }
claims = { name = ["name"], email = ["email"], email_verified = ["email_verified"], address = ["address"], phone_number = ["phone"] }
id_token_claims = ["email_verified"]

[[client]]
id = "desk"
name = "The Desk"
secret = "desk-secret-0123456789"
redirect_uris = ["https://desk.example/cb"]
scopes = ["profile", "email", "address", "phone", "membership", "age"]
default_query = "person"

[[client]]
id = "gate"
name = "The Gate"
secret = "gate-secret-0123456789"
redirect_uris = ["https://gate.example/cb"]
scopes = ["email"]
"#;

async fn with_desk(test: impl AsyncFn(World)) {
    let temporary = testing::sqlite(&[MIGRATIONS]).await;
    let world = World::with_config(temporary.db.clone(), |toml| toml + DESK).await;
    test(world).await;
}

fn desk(world: &World) -> RelyingParty {
    let secret = Some("desk-secret-0123456789");
    RelyingParty::new(world.router(), "desk", secret, "https://desk.example/cb")
}

async fn person(world: &World) -> Wallet {
    let mut wallet = world.wallet();
    let claims = json!({
        "member_id": "M-1", "name": "Ada", "email": "ada@example.org", "email_verified": true,
        "address": { "locality": "Bonn" }, "phone": "+49 228", "tier": "gold", "valid_until": "2027-12-31"
    });
    let hidden: &[&[&str]] = &[
        &["member_id"],
        &["name"],
        &["email"],
        &["email_verified"],
        &["address"],
        &["phone"],
        &["tier"],
        &["valid_until"],
    ];
    let vct = "urn:vouchsafe:membership:1";
    wallet
        .receive(world, &world.issuer, vct, claims, hidden)
        .await;
    wallet.receive_age(world).await;
    wallet
}

/// A login, and what the wallet was asked for.
async fn log_in(world: &World, wallet: &Wallet, scope: &str, claims: &Value) -> (Tokens, Value) {
    let desk = desk(world);
    let claims = claims.to_string();
    let mut browser = world.browser();
    let address = desk.authorize(scope, &[("claims", &claims)]);
    let (_, page) = begin(&mut browser, &address).await;
    let asked = wallet.open(&wallet_link(&page)).await;
    let answer = wallet.answer(&asked).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    let back = answer.json()["redirect_uri"].as_str().unwrap().to_owned();
    let answer = browser.get(&back).await;
    let paths = asked.request.query().as_json()["credentials"][0]["claims"].clone();
    let paths = paths.as_array().cloned().unwrap_or_default();
    let paths = paths.iter().map(|claim| claim["path"][0].clone()).collect();
    (desk.tokens(&desk.code(&answer)).await, paths)
}

fn but_sub(userinfo: &Value) -> Value {
    let mut all = userinfo.clone();
    all.as_object_mut().unwrap().remove("sub").unwrap();
    all
}

#[tokio::test]
async fn core_section_5_4_scopes_of_one_card_are_asked_for_together_or_alone() {
    with_desk(async |world| {
        let wallet = person(&world).await;
        let scopes = "openid profile email address phone";
        let (tokens, asked) = log_in(&world, &wallet, scopes, &json!({})).await;
        assert_eq!(
            but_sub(&tokens.userinfo),
            json!({
                "name": "Ada", "email": "ada@example.org", "email_verified": true,
                "address": { "locality": "Bonn" }, "phone_number": "+49 228"
            })
        );
        assert_eq!(tokens.claims["email_verified"], true);
        assert!(tokens.claims.get("email").is_none());
        assert_eq!(asked.as_array().unwrap().len(), 6);

        let (tokens, asked) = log_in(&world, &wallet, "openid phone", &json!({})).await;
        assert_eq!(
            but_sub(&tokens.userinfo),
            json!({ "phone_number": "+49 228" })
        );
        assert!(tokens.claims.get("email_verified").is_none());
        // The rest stayed in the wallet.
        assert_eq!(asked, json!(["member_id", "phone"]));
    })
    .await;
}

#[tokio::test]
async fn oidf_each_scope_alone_and_parameters_in_another_order() {
    with_desk(async |world| {
        let wallet = person(&world).await;
        let email = json!({ "email": "ada@example.org", "email_verified": true });
        for (scope, expected) in [
            ("openid profile", json!({ "name": "Ada" })),
            ("openid email", email.clone()),
            (
                "openid address",
                json!({ "address": { "locality": "Bonn" } }),
            ),
            ("openid phone", json!({ "phone_number": "+49 228" })),
        ] {
            let (tokens, _) = log_in(&world, &wallet, scope, &json!({})).await;
            assert_eq!(but_sub(&tokens.userinfo), expected, "{scope}");
            for name in ["name", "email", "address", "phone_number"] {
                assert!(tokens.claims.get(name).is_none(), "{scope}: {name}");
            }
        }
        // RFC 6749, section 3.3: the order of the scopes says nothing, nor does that of the rest.
        let desk = desk(&world);
        let address = Url::parse(&desk.authorize("email openid", &[])).unwrap();
        let mut pairs: Vec<(String, String)> = address.query_pairs().into_owned().collect();
        pairs.sort();
        pairs.reverse();
        let pairs: Vec<(&str, &str)> = pairs
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        let address = format!("{OP}/authorize?{}", form(&pairs));
        let answer = same_device(&mut world.browser(), &wallet, &address).await;
        let tokens = desk.tokens(&desk.code(&answer)).await;
        assert_eq!(but_sub(&tokens.userinfo), email);
    })
    .await;
}

#[tokio::test]
async fn scopes_of_several_cards_and_of_other_clients_are_refused() {
    with_desk(async |world| {
        let desk = desk(&world);
        for scope in [
            "openid profile membership",
            "openid age email",
            "openid membership age",
        ] {
            let answer = world.browser().get(&desk.authorize(scope, &[])).await;
            assert_eq!(desk.error(&answer), "invalid_scope", "{scope}");
        }
        let secret = Some("gate-secret-0123456789");
        let gate = RelyingParty::new(world.router(), "gate", secret, "https://gate.example/cb");
        // Never a part of what was asked for as if it were all.
        let answer = world
            .browser()
            .get(&gate.authorize("openid email phone", &[]))
            .await;
        assert_eq!(gate.error(&answer), "invalid_scope");
        // Nor by a claim what a scope would not give.
        let claims = json!({ "userinfo": { "phone_number": { "essential": true } } }).to_string();
        let address = gate.authorize("openid email", &[("claims", &claims)]);
        let answer = same_device(&mut world.browser(), &person(&world).await, &address).await;
        let tokens = gate.tokens(&gate.code(&answer)).await;
        assert_eq!(
            but_sub(&tokens.userinfo),
            json!({ "email": "ada@example.org", "email_verified": true })
        );
        let answer = world
            .browser()
            .get(&gate.authorize("openid", &[("claims", &claims)]))
            .await;
        assert_eq!(gate.error(&answer), "invalid_scope");
    })
    .await;
}

#[tokio::test]
async fn core_section_5_5_claims_alone_bring_these_and_no_others() {
    with_desk(async |world| {
        let wallet = person(&world).await;
        let claims = json!({ "userinfo": { "name": { "essential": true }, "unknown#de": null } });
        let (tokens, asked) = log_in(&world, &wallet, "openid", &claims).await;
        assert_eq!(but_sub(&tokens.userinfo), json!({ "name": "Ada" }));
        assert_eq!(asked, json!(["member_id", "name"]));
        assert!(tokens.claims.get("name").is_none());

        let claims = json!({ "id_token": { "email": null }, "userinfo": { "address": null } });
        let (tokens, asked) = log_in(&world, &wallet, "openid", &claims).await;
        assert_eq!(tokens.claims["email"], "ada@example.org");
        assert_eq!(
            but_sub(&tokens.userinfo),
            json!({ "address": { "locality": "Bonn" } })
        );
        assert_eq!(asked, json!(["member_id", "email", "address"]));
        // Section 5.5: beside what a scope asks for.
        let claims = json!({ "userinfo": { "name": null } });
        let (tokens, _) = log_in(&world, &wallet, "openid phone", &claims).await;
        assert_eq!(
            but_sub(&tokens.userinfo),
            json!({ "name": "Ada", "phone_number": "+49 228" })
        );
        // The receipts name what went out.
        let given = "SELECT COUNT(*) FROM consents WHERE claims LIKE '%phone_number%'";
        assert_eq!(world.count(given).await, 1);
    })
    .await;
}

#[tokio::test]
async fn core_section_5_5_1_a_missing_claim_or_another_value_is_no_error() {
    with_desk(async |world| {
        let wallet = person(&world).await;
        let claims = json!({ "userinfo": {
            "name": { "value": "Eve" },
            "email": { "values": ["eve@example.org", "ada@example.org"] },
            "birthdate": { "essential": true }
        } });
        let (tokens, _) = log_in(&world, &wallet, "openid", &claims).await;
        assert_eq!(
            but_sub(&tokens.userinfo),
            json!({ "email": "ada@example.org" })
        );
        let nothing = json!({ "userinfo": { "birthdate": { "essential": true } } });
        let (tokens, asked) = log_in(&world, &wallet, "openid", &nothing).await;
        assert_eq!(but_sub(&tokens.userinfo), json!({}));
        assert_eq!(asked, json!(["member_id"]));
        // The receipt names what was told, not what was asked for.
        let other = "SELECT COUNT(*) FROM consents WHERE claims LIKE '%name%'";
        assert_eq!(world.count(other).await, 0);
    })
    .await;
}

#[tokio::test]
async fn claims_never_lead_to_another_person() {
    with_desk(async |world| {
        let wallet = person(&world).await;
        let (plain, _) = log_in(&world, &wallet, "openid", &json!({})).await;
        // The proof of age leads to nobody: it does not stand in for a login.
        let claims = json!({ "userinfo": { "age_over_18": { "essential": true } } });
        let (tokens, asked) = log_in(&world, &wallet, "openid", &claims).await;
        assert_eq!(tokens.sub(), plain.sub());
        assert_eq!(but_sub(&tokens.userinfo), json!({}));
        assert_eq!(asked, json!(["member_id"]));
        let claims = json!({ "userinfo": { "membership_tier": null } });
        let (tokens, asked) = log_in(&world, &wallet, "openid", &claims).await;
        assert_eq!(tokens.sub(), plain.sub());
        // Nor to another question with conditions of its own.
        assert_eq!(but_sub(&tokens.userinfo), json!({}));
        assert_eq!(asked, json!(["member_id"]));
    })
    .await;
}

#[tokio::test]
async fn a_session_never_stands_for_a_claim() {
    with_desk(async |world| {
        let wallet = person(&world).await;
        let desk = desk(&world);
        let mut browser = world.browser();
        let answer = same_device(&mut browser, &wallet, &desk.authorize("openid", &[])).await;
        desk.code(&answer);
        let silent = ("prompt", "none");
        desk.code(&browser.get(&desk.authorize("openid", &[silent])).await);
        let claims = json!({ "id_token": { "name": null } }).to_string();
        let asked = desk.authorize("openid", &[silent, ("claims", &claims)]);
        assert_eq!(desk.error(&browser.get(&asked).await), "login_required");
    })
    .await;
}

#[tokio::test]
async fn core_section_5_5_1_a_subject_that_is_asked_for_logs_in_or_nobody_does() {
    with_desk(async |world| {
        let wallet = person(&world).await;
        let desk = desk(&world);
        let (tokens, _) = log_in(&world, &wallet, "openid", &json!({})).await;
        let with = |destination: &str, wish: Value| {
            let claims = json!({ destination: { "sub": wish } }).to_string();
            desk.authorize("openid", &[("claims", &claims)])
        };
        let sub = tokens.sub();
        for address in [
            with("id_token", json!({ "value": sub })),
            with("userinfo", json!({ "values": ["somebody", sub] })),
        ] {
            let answer = same_device(&mut world.browser(), &wallet, &address).await;
            assert_eq!(desk.tokens(&desk.code(&answer)).await.sub(), sub);
        }
        for address in [
            with("id_token", json!({ "values": ["somebody", "else"] })),
            with("userinfo", json!({ "value": "somebody" })),
        ] {
            let mut browser = world.browser();
            let answer = same_device(&mut browser, &wallet, &address).await;
            answer.assert_page(StatusCode::FORBIDDEN, "another account");
        }
        let claims = json!({ "id_token": { "sub": { "value": "somebody" } } }).to_string();
        let extra = [
            ("claims", claims.as_str()),
            ("id_token_hint", &tokens.id_token),
        ];
        let answer = world.browser().get(&desk.authorize("openid", &extra)).await;
        assert_eq!(desk.error(&answer), "invalid_request");
    })
    .await;
}
