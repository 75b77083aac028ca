//! `verified_claims` (OpenID Connect for Identity Assurance 1.0): of cards whose issuer the operator lists
//! with the rules that it keeps, as they were asked for, or not at all.

use axum::http::StatusCode;
use serde_json::{Value, json};
use vouchsafe_service::db::testing;
use vouchsafe_verifier::store::MIGRATIONS;

use crate::presented::answered;
use crate::world::World;
use crate::world::issuer::TestIssuer;
use crate::world::rp::{RelyingParty, Tokens};
use crate::world::steps::{begin, log_in};
use crate::world::wallet::Wallet;

/// What the operator says of the club; nothing is said of its rival.
const ASSURANCE: &str = r#"
assurance = { "urn:vouchsafe:membership:1" = { trust_framework = "https://club.example/rules", assurance_level = "medium", time_is_issuance = true, evidence = { type = "electronic_record", of = "https://club.example/register", name = "The Club", country_code = "NOR" } } }
"#;

const BANK: &str = r#"
[[query]]
id = "customer"
scopes = { hello = ["given_name"], all = ["given_name", "family_name", "tier"] }
dcql = '''{"credentials":[{"id":"card","format":"dc+sd-jwt","meta":{"vct_values":["urn:vouchsafe:membership:1"]},"claims":[{"path":["member_id"]},{"path":["given_name"]},{"path":["family_name"]},{"path":["tier"]}]}]}'''
purpose = { en = "Open an account" }
subject = { strategy = "issuer_scoped_claim", claim = "member_id" }
claims = { given_name = ["given_name"], family_name = ["family_name"], tier = ["tier"] }

[[client]]
id = "lender"
name = "The Lender"
secret = "lender-secret-0123456789"
redirect_uris = ["https://lender.example/cb"]
scopes = ["all"]
default_query = "customer"

[[client]]
id = "kiln"
name = "The Kiln"
secret = "kiln-secret-0123456789"
redirect_uris = ["https://kiln.example/cb"]
scopes = ["hello"]
default_query = "customer"
"#;

fn configured(toml: String) -> String {
    let stable = "stable_claims = { \"urn:vouchsafe:membership:1\" = [\"member_id\"] }\n";
    assert!(toml.contains(stable));
    toml.replacen(stable, &format!("{stable}{ASSURANCE}"), 1) + BANK
}

async fn with_bank(test: impl AsyncFn(World)) {
    let temporary = testing::sqlite(&[MIGRATIONS]).await;
    test(World::with_config(temporary.db.clone(), configured).await).await;
}

fn lender(world: &World) -> RelyingParty {
    let secret = Some("lender-secret-0123456789");
    RelyingParty::new(
        world.router(),
        "lender",
        secret,
        "https://lender.example/cb",
    )
}

fn kiln(world: &World) -> RelyingParty {
    let secret = Some("kiln-secret-0123456789");
    RelyingParty::new(world.router(), "kiln", secret, "https://kiln.example/cb")
}

async fn person(world: &World, issuer: &TestIssuer) -> Wallet {
    let mut wallet = world.wallet();
    let claims = json!({
        "member_id": "M-1", "given_name": "Ada", "family_name": "Lovelace", "tier": "gold",
        // No card says of itself by which rules it was issued.
        "verified_claims": { "verification": { "trust_framework": "eidas" }, "claims": { "given_name": "Eve" } }
    });
    let hidden: &[&[&str]] = &[&["member_id"], &["given_name"], &["family_name"], &["tier"]];
    let vct = "urn:vouchsafe:membership:1";
    wallet.receive(world, issuer, vct, claims, hidden).await;
    wallet
}

fn wish(verification: Value, claims: Value) -> Value {
    json!({ "verification": verification, "claims": claims })
}

fn framework() -> Value {
    json!({ "trust_framework": null })
}

async fn asked(
    world: &World,
    bank: &RelyingParty,
    wallet: &Wallet,
    claims: &Value,
) -> (Tokens, Value) {
    let claims = claims.to_string();
    let address = bank.authorize("openid", &[("claims", &claims)]);
    let (answer, asked) = answered(&mut world.browser(), wallet, &address).await;
    let paths = asked.request.query().as_json()["credentials"][0]["claims"].clone();
    let paths = paths.as_array().unwrap().iter();
    let paths = paths.map(|claim| claim["path"][0].clone()).collect();
    (bank.tokens(&bank.code(&answer)).await, paths)
}

async fn told(world: &World, wallet: &Wallet, wish: Value) -> Option<Value> {
    let claims = json!({ "userinfo": { "verified_claims": wish } });
    let (tokens, _) = asked(world, &lender(world), wallet, &claims).await;
    tokens.userinfo.get("verified_claims").cloned()
}

#[tokio::test]
async fn ida_metadata_says_what_the_configuration_can_give_and_nothing_where_it_cannot() {
    let path = "/.well-known/openid-configuration";
    crate::world::with_config(BANK, async |world| {
        let said = world.browser().get(path).await.json();
        for absent in [
            "verified_claims_supported",
            "trust_frameworks_supported",
            "claims_in_verified_claims_supported",
            "evidence_supported",
            "documents_supported",
            "electronic_records_supported",
        ] {
            assert!(said.get(absent).is_none(), "{absent}");
        }
    })
    .await;
    with_bank(async |world| {
        let said = world.browser().get(path).await.json();
        assert_eq!(said["claims_parameter_supported"], true);
        assert_eq!(said["verified_claims_supported"], true);
        assert_eq!(
            said["trust_frameworks_supported"],
            json!(["https://club.example/rules"])
        );
        assert_eq!(
            said["claims_in_verified_claims_supported"],
            json!([
                "family_name",
                "given_name",
                "membership_tier",
                "membership_valid_until",
                "tier"
            ])
        );
        assert_eq!(said["evidence_supported"], json!(["electronic_record"]));
        assert_eq!(
            said["electronic_records_supported"],
            json!(["https://club.example/register"])
        );
        assert!(said.get("documents_supported").is_none());
        let claims = said["claims_supported"].as_array().unwrap();
        assert!(claims.contains(&json!("verified_claims")));
    })
    .await;
}

#[tokio::test]
async fn ida_what_was_asked_for_is_told_where_it_was_asked_for_and_nothing_else() {
    with_bank(async |world| {
        let wallet = person(&world, &world.issuer).await;
        let verification = json!({
            "trust_framework": null, "assurance_level": null, "time": { "max_age": 86_400 },
            "evidence": [{ "type": { "value": "electronic_record" }, "record": { "type": null, "source": { "country_code": null } } }]
        });
        let claims = json!({
            "userinfo": { "verified_claims": wish(verification, json!({ "given_name": null, "birthdate": null })) },
            "id_token": { "verified_claims": wish(framework(), json!({ "family_name": { "essential": true } })) }
        });
        let (tokens, asked) = asked(&world, &lender(&world), &wallet, &claims).await;
        assert_eq!(
            tokens.userinfo["verified_claims"],
            json!({
                "verification": {
                    "trust_framework": "https://club.example/rules", "assurance_level": "medium",
                    // To the day.
                    "time": "2026-11-23T00:00:00Z",
                    "evidence": [{
                        "type": "electronic_record",
                        "record": { "type": "https://club.example/register", "source": { "country_code": "NOR" } }
                    }]
                },
                "claims": { "given_name": "Ada" }
            })
        );
        assert_eq!(
            tokens.claims["verified_claims"],
            json!({
                "verification": { "trust_framework": "https://club.example/rules" },
                "claims": { "family_name": "Lovelace" }
            })
        );
        // Not once more without it, and the rest stayed with the person.
        assert_eq!(tokens.userinfo.as_object().unwrap().len(), 2);
        assert!(tokens.claims.get("family_name").is_none());
        assert_eq!(asked, json!(["member_id", "given_name", "family_name"]));
    })
    .await;
}

#[tokio::test]
async fn ida_what_is_demanded_and_not_met_is_left_out_and_no_error() {
    with_bank(async |world| {
        let wallet = person(&world, &world.issuer).await;
        let name = || json!({ "given_name": null });
        for verification in [
            json!({ "trust_framework": { "value": "eidas" } }),
            json!({ "trust_framework": { "values": ["eidas", "de_aml"] } }),
            json!({ "trust_framework": null, "assurance_level": { "value": "high" } }),
            json!({ "trust_framework": null, "evidence": [{ "type": { "value": "document" } }] }),
            json!({ "trust_framework": null, "verification_process": { "value": "x" } }),
            json!({ "trust_framework": null, "time": { "max_age": 1 } }),
        ] {
            let said = told(&world, &wallet, wish(verification.clone(), name())).await;
            assert_eq!(said, None, "{verification}");
        }
        // What nobody listed could tell so is not asked for.
        let wish_of = |value: &str| wish(json!({ "trust_framework": { "value": value } }), name());
        for (value, paths) in [
            ("eidas", json!(["member_id"])),
            (
                "https://club.example/rules",
                json!(["member_id", "given_name"]),
            ),
        ] {
            let claims = json!({ "userinfo": { "verified_claims": wish_of(value) } });
            let (_, asked) = asked(&world, &lender(&world), &wallet, &claims).await;
            assert_eq!(asked, paths);
        }
        // Claims that nobody knows, or with another value, alone: an empty element is none.
        for claims in [
            json!({ "birthdate": null }),
            json!({ "tier": { "value": "silver" } }),
            json!({}),
        ] {
            assert_eq!(told(&world, &wallet, wish(framework(), claims)).await, None);
        }
    })
    .await;
}

#[tokio::test]
async fn ida_wishes_in_a_list_are_answered_each_by_itself() {
    with_bank(async |world| {
        let wallet = person(&world, &world.issuer).await;
        let list = json!([
            wish(
                json!({ "trust_framework": { "value": "eidas" } }),
                json!({ "given_name": null })
            ),
            wish(framework(), json!({ "given_name": null })),
            wish(framework(), json!({ "given_name": null, "tier": null })),
        ]);
        let said = told(&world, &wallet, list).await.unwrap();
        let names = |at: usize| said[at]["claims"].as_object().unwrap().len();
        assert_eq!(
            (said.as_array().unwrap().len(), names(0), names(1)),
            (2, 1, 2)
        );
    })
    .await;
}

#[tokio::test]
async fn ida_a_card_of_an_issuer_without_rules_is_never_called_verified() {
    with_bank(async |world| {
        let wallet = person(&world, &world.other_issuer).await;
        let name = wish(framework(), json!({ "given_name": null }));
        let claims = json!({ "userinfo": { "verified_claims": name, "given_name": null } });
        let (tokens, _) = asked(&world, &lender(&world), &wallet, &claims).await;
        assert_eq!(tokens.userinfo["given_name"], "Ada");
        assert!(tokens.userinfo.get("verified_claims").is_none());
    })
    .await;
}

#[tokio::test]
async fn ida_claims_that_an_application_may_not_learn_are_not_asked_for() {
    with_bank(async |world| {
        let wallet = person(&world, &world.issuer).await;
        let names = json!({ "given_name": null, "family_name": null, "member_id": null });
        let claims = json!({ "userinfo": { "verified_claims": wish(framework(), names) } });
        let (tokens, asked) = asked(&world, &kiln(&world), &wallet, &claims).await;
        assert_eq!(
            tokens.userinfo["verified_claims"]["claims"],
            json!({ "given_name": "Ada" })
        );
        assert_eq!(asked, json!(["member_id", "given_name"]));
    })
    .await;
}

#[tokio::test]
async fn ida_requests_that_cannot_be_read_are_errors() {
    with_bank(async |world| {
        let lender = lender(&world);
        for wish in [
            json!(null),
            json!([]),
            json!({ "claims": { "given_name": null } }),
            wish(json!({}), json!({ "given_name": null })),
            wish(framework(), json!({ "given_name": 1 })),
            wish(
                json!({ "trust_framework": null, "evidence": [{}] }),
                json!({ "given_name": null }),
            ),
        ] {
            let claims = json!({ "id_token": { "verified_claims": wish } }).to_string();
            let address = lender.authorize("openid", &[("claims", &claims)]);
            let answer = world.browser().get(&address).await;
            assert_eq!(lender.error(&answer), "invalid_request", "{wish}");
        }
    })
    .await;
}

#[tokio::test]
async fn ida_no_session_answers_and_the_page_says_what_is_told() {
    with_bank(async |world| {
        let (wallet, lender) = (person(&world, &world.issuer).await, lender(&world));
        let mut browser = world.browser();
        log_in(&mut browser, &wallet, &lender, "openid").await;
        let wish = wish(framework(), json!({ "given_name": null }));
        let claims = json!({ "userinfo": { "verified_claims": wish } }).to_string();
        let silent = [("claims", claims.as_str()), ("prompt", "none")];
        let answer = browser.get(&lender.authorize("openid", &silent)).await;
        assert_eq!(lender.error(&answer), "login_required");
        let address = lender.authorize("openid", &[("claims", &claims)]);
        let (_, page) = begin(&mut browser, &address).await;
        page.assert_page(StatusCode::OK, "By which rules this was verified, and when");
        page.assert_page(StatusCode::OK, "given name");
        let (answer, _) = answered(&mut browser, &wallet, &address).await;
        lender.code(&answer);
        let page = browser.get("/account").await;
        page.assert_page(StatusCode::OK, "By which rules this was verified, and when");
    })
    .await;
}
