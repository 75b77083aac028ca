//! Queries that applications bring (draft-svensson-credential-oidc-bridge-02, section 4.1.2): within what
//! their scopes stand for, and never less than what the question demands.

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::presented::{BRIDGE, answered, desk, person};
use crate::world::rp::Tokens;
use crate::world::steps::{begin, wallet_link};
use crate::world::wallet::Wallet;
use crate::world::{World, with_config};

const MEMBER: &str = "urn:vouchsafe:membership:1";
const AGE: &str = "urn:vouchsafe:age:1";

fn card(id: &str, vct: &str, claims: Value) -> Value {
    json!({ "id": id, "format": "dc+sd-jwt", "meta": { "vct_values": [vct] }, "claims": claims })
}

fn claims(place: &str, query: &Value) -> String {
    json!({ place: { "dcql_query": query } }).to_string()
}

async fn log_in(world: &World, wallet: &Wallet, scope: &str, claims: &str) -> (Tokens, Value) {
    let desk = desk(world);
    let address = desk.authorize(scope, &[("claims", claims)]);
    let (answer, asked) = answered(&mut world.browser(), wallet, &address).await;
    let query = asked.request.query().as_json().clone();
    (desk.tokens(&desk.code(&answer)).await, query)
}

async fn refused(world: &World, scope: &str, claims: &str) -> String {
    let desk = desk(world);
    let address = desk.authorize(scope, &[("claims", claims)]);
    desk.error(&world.browser().get(&address).await)
}

#[tokio::test]
async fn bridge_section_4_1_2_queries_that_are_not_of_the_profile_or_beyond_the_scopes() {
    with_config(BRIDGE, async |world| {
        let tier = || json!([{ "path": ["tier"] }]);
        let one = |id: &str, claims: Value| json!({ "credentials": [card(id, MEMBER, claims)] });
        let with = |name: &str, value: Value| {
            let mut query = one("x", tier());
            query["credentials"][0][name] = value;
            query
        };
        let twice = json!({ "credentials": [card("x", MEMBER, tier()), card("y", MEMBER, tier())] });
        let two_types = json!({ "vct_values": [MEMBER, AGE] });
        let authority = |kind: &str| json!([{ "type": kind, "values": ["https://trust.example/tl"] }]);
        let set = |id: Value| {
            let mut query = one("x", tier());
            query["credential_sets"] = json!([{ "id": id, "options": [["x"]] }]);
            query
        };
        for query in [
            json!(null),
            json!({}),
            json!({ "credentials": [] }),
            // What the scope does not stand for: over-asking.
            one("x", json!([{ "path": ["secret"] }])),
            one("x", json!([{ "path": ["tier"] }, { "path": ["member_id"] }])),
            one("x", json!([{ "path": ["address"] }])),
            one("x", json!([{ "path": ["address", null] }])),
            one("x", json!([])),
            // A card whose scope is not asked for, or of no scope at all.
            json!({ "credentials": [card("x", AGE, json!([{ "path": ["age_equal_or_over", "18"] }]))] }),
            json!({ "credentials": [card("x", "urn:vouchsafe:other:1", tier())] }),
            with("format", json!("mso_mdoc")),
            with("meta", two_types),
            with("meta", json!({})),
            twice,
            // The profile.
            with("claim_sets", json!([["a"]])),
            with("multiple", json!(true)),
            with("require_cryptographic_holder_binding", json!(false)),
            one("id", tier()),
            one("x", json!([{ "path": ["tier"] }, { "path": ["tier"] }])),
            set(json!("")),
            set(json!(7)),
            // Section 7.4: nothing is dereferenced, and what cannot be checked is not passed over.
            with("trusted_authorities", authority("etsi_tl")),
            with("trusted_authorities", authority("openid_federation")),
            with("trusted_authorities", json!([])),
        ] {
            for place in ["id_token", "userinfo"] {
                let error = refused(&world, "openid member", &claims(place, &query)).await;
                assert_eq!(error, "invalid_request", "{query}");
            }
        }
        // Without a scope of a card there is nothing to refine.
        let tier = claims("userinfo", &one("x", tier()));
        assert_eq!(refused(&world, "openid age", &tier).await, "invalid_request");
        // An id that a scope beside it needs.
        let taken = claims("userinfo", &one("adult", json!([{ "path": ["tier"] }])));
        assert_eq!(refused(&world, "openid member adult", &taken).await, "invalid_request");
    })
    .await;
}

#[tokio::test]
async fn where_only_registered_queries_are_served_a_query_is_an_error() {
    let registered = BRIDGE.replace("dcql_query = true\n", "");
    with_config(&registered, async |world| {
        let query = json!({ "credentials": [card("x", MEMBER, json!([{ "path": ["tier"] }]))] });
        let error = refused(&world, "openid member", &claims("userinfo", &query)).await;
        assert_eq!(error, "invalid_request");
    })
    .await;
}

#[tokio::test]
async fn bridge_section_5_4_what_was_asked_for_is_asked_and_told_under_the_ids_of_the_request() {
    with_config(BRIDGE, async |world| {
        let wallet = person(&world).await;
        let query = json!({ "credentials": [card("vip", MEMBER, json!([{ "path": ["tier"], "values": ["gold", "silver"] }]))] });
        let (tokens, asked) = log_in(&world, &wallet, "openid member adult", &claims("id_token", &query)).await;
        let told = &tokens.userinfo["presented_credentials"];
        assert_eq!(told[0]["vip"][0]["claims"], json!({ "tier": "gold" }));
        // Appendix A.2: a scope that the query does not cover is asked for beside it.
        assert_eq!(told[0]["adult"][0]["claims"], json!({ "age_equal_or_over": { "18": true } }));
        assert_eq!(told[0].as_object().unwrap().len(), 2);
        // Under `id_token` they stand in the ID token, too.
        assert_eq!(&tokens.claims["presented_credentials"], told);
        // Who logs in is asked beside, and the values are told to the wallet.
        let vip = &asked["credentials"][0];
        assert_eq!(vip["id"], "vip");
        assert_eq!(
            vip["claims"],
            json!([{ "path": ["member_id"] }, { "path": ["tier"], "values": ["gold", "silver"] }])
        );
        // Without `claims` it is what the scope stands for.
        let mut whole = query.clone();
        whole["credentials"][0].as_object_mut().unwrap().remove("claims");
        let (tokens, _) = log_in(&world, &wallet, "openid member", &claims("userinfo", &whole)).await;
        let told = &tokens.userinfo["presented_credentials"][0]["vip"][0]["claims"];
        assert_eq!(told["name"], "Canary Person");
        assert!(tokens.claims.get("presented_credentials").is_none());
    })
    .await;
}

#[tokio::test]
async fn cat_307_bridge_appendix_a_4_values_are_checked_whatever_the_wallet_does() {
    with_config(BRIDGE, async |world| {
        let (desk, wallet) = (desk(&world), person(&world).await);
        let query = json!({ "credentials": [card("vip", MEMBER, json!([{ "path": ["tier"], "values": ["Gold"] }]))] });
        let address = desk.authorize("openid member", &[("claims", &claims("userinfo", &query))]);
        let (_, page) = begin(&mut world.browser(), &address).await;
        let asked = wallet.open(&wallet_link(&page)).await;
        let audience = asked.request.client_id().as_str();
        let nonce = asked.request.nonce().as_str();
        let shown = wallet.present(&[&["member_id"], &["tier"]], audience, nonce).await;
        let body = wallet.encrypt(&asked, &Wallet::payload(&asked, "vip", &shown));
        let answer = wallet.post(&asked.request, &body).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{}", answer.body);
        assert_eq!(answer.json()["reason"], "query_claims");
    })
    .await;
}

#[tokio::test]
async fn cat_308_trusted_authorities_of_a_request_are_demanded() {
    with_config(BRIDGE, async |world| {
        let (desk, wallet) = (desk(&world), person(&world).await);
        let mut query =
            json!({ "credentials": [card("vip", MEMBER, json!([{ "path": ["tier"] }]))] });
        query["credentials"][0]["trusted_authorities"] =
            json!([{ "type": "aki", "values": ["AAAA"] }]);
        let address = desk.authorize("openid member", &[("claims", &claims("userinfo", &query))]);
        let (_, page) = begin(&mut world.browser(), &address).await;
        let asked = wallet.open(&wallet_link(&page)).await;
        let audience = asked.request.client_id().as_str();
        let nonce = asked.request.nonce().as_str();
        let shown = wallet
            .present(&[&["member_id"], &["tier"]], audience, nonce)
            .await;
        let body = wallet.encrypt(&asked, &Wallet::payload(&asked, "vip", &shown));
        let answer = wallet.post(&asked.request, &body).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{}", answer.body);
        assert_eq!(answer.json()["reason"], "query_authority");
    })
    .await;
}

#[tokio::test]
async fn what_the_question_demands_stays_demanded_under_a_query_of_an_application() {
    with_config(BRIDGE, async |world| {
        // `of_age` must be true: the operator wrote so, and no request says otherwise.
        let path = json!(["age_equal_or_over", "18"]);
        let query = |claims: Value| claims_of(&json!({ "credentials": [card("x", AGE, claims)] }));
        let relaxed = query(json!([{ "path": path, "values": [true, false] }]));
        assert_eq!(
            refused(&world, "openid grown", &relaxed).await,
            "invalid_request"
        );
        let wallet = person(&world).await;
        let (tokens, asked) = log_in(
            &world,
            &wallet,
            "openid grown",
            &query(json!([{ "path": path }])),
        )
        .await;
        assert_eq!(
            asked["credentials"][0]["claims"],
            json!([{ "path": path, "values": [true] }])
        );
        let told = &tokens.userinfo["presented_credentials"][0]["x"][0]["claims"];
        assert_eq!(told, &json!({ "age_equal_or_over": { "18": true } }));
    })
    .await;
}

fn claims_of(query: &Value) -> String {
    claims("userinfo", query)
}

#[tokio::test]
async fn cat_308_bridge_section_5_1_1_one_object_for_each_satisfied_set_in_the_order_of_the_request()
 {
    with_config(BRIDGE, async |world| {
        let tier = json!([{ "path": ["tier"] }]);
        let age = json!([{ "path": ["age_equal_or_over", "18"] }]);
        let both = json!([card("b", MEMBER, tier), card("g", AGE, age)]);
        let query =
            |sets: Value| claims_of(&json!({ "credentials": both, "credential_sets": sets }));
        let either = query(json!([{ "id": "either", "options": [["g"], ["b"]] }]));
        let wallet = person(&world).await;
        let (tokens, _) = log_in(&world, &wallet, "openid badge grown", &either).await;
        let told = tokens.userinfo["presented_credentials"]
            .as_array()
            .unwrap()
            .clone();
        assert_eq!(told.len(), 1);
        let names: Vec<&String> = told[0].as_object().unwrap().keys().collect();
        assert_eq!(names.len(), 2, "{names:?}");
        assert_eq!(told[0]["id"], "either");

        // Who has one card only is told by the other option.
        let mut poor = person(&world).await;
        poor.cards.remove(0);
        let (tokens, _) = log_in(&world, &poor, "openid badge grown", &either).await;
        let told = &tokens.userinfo["presented_credentials"];
        assert_eq!(told[0]["b"][0]["claims"], json!({ "tier": "gold" }));
        assert!(told[0].get("g").is_none());

        // Two sets, one of which need not be answered.
        let wanted = query(json!([
            { "id": "first", "options": [["b"]] },
            { "id": "second", "options": [["g"]], "required": false }
        ]));
        let (tokens, _) = log_in(&world, &poor, "openid badge grown", &wanted).await;
        let told = tokens.userinfo["presented_credentials"]
            .as_array()
            .unwrap()
            .clone();
        assert_eq!(told.len(), 1);
        assert_eq!(told[0]["id"], "first");
    })
    .await;
}

#[tokio::test]
async fn who_logs_in_is_asked_whatever_the_sets_of_a_request_leave_open() {
    with_config(BRIDGE, async |world| {
        let query = json!({
            "credentials": [card("m", MEMBER, json!([{ "path": ["tier"] }])), card("a", AGE, json!([{ "path": ["age_equal_or_over", "18"] }]))],
            "credential_sets": [{ "options": [["a"], ["m"]] }]
        });
        let wallet = person(&world).await;
        let (tokens, asked) = log_in(&world, &wallet, "openid member adult", &claims_of(&query)).await;
        assert_eq!(asked["credential_sets"][1], json!({ "options": [["m"]] }));
        // The set is told by the option that comes first; what was asked for the login is not in it.
        let told = tokens.userinfo["presented_credentials"].as_array().unwrap().clone();
        assert_eq!(told.len(), 1);
        assert!(told[0].get("a").is_some() || told[0].get("m").is_some());
    })
    .await;
}
