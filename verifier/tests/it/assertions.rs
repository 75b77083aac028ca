//! Clients that prove who they are with a signed assertion (`private_key_jwt`).

use axum::http::StatusCode;
use futures::future::join_all;
use serde_json::{Value, json};
use vouchsafe_credentials::time::Clock as _;

use crate::world::browser::Answer;
use crate::world::pki::ClientKey;
use crate::world::rp::{RelyingParty, VERIFIER};
use crate::world::steps::same_device;
use crate::world::{OP, World, on_each_database, on_sqlite};

const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

fn bank(world: &World) -> RelyingParty {
    RelyingParty::new(world.router(), "bank", None, "https://bank.example/cb")
}

fn claims(world: &World, client: &str, jti: &str) -> Value {
    json!({
        "iss": client,
        "sub": client,
        "aud": OP,
        "jti": jti,
        "exp": world.clock.now().seconds() + 60,
    })
}

async fn code(world: &World, rp: &RelyingParty) -> String {
    let wallet = world.person("M-1").await;
    let address = rp.authorize("openid membership", &[]);
    let answer = same_device(&mut world.browser(), &wallet, &address).await;
    rp.code(&answer)
}

/// A token request with an assertion; `named` says the name beside it.
async fn redeem(rp: &RelyingParty, code: &str, assertion: &str) -> Answer {
    rp.token(&[
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", rp.redirect_uri),
        ("code_verifier", VERIFIER),
        ("client_assertion_type", JWT_BEARER),
        ("client_assertion", assertion),
    ])
    .await
}

async fn refused(rp: &RelyingParty, assertion: &str, what: &str) {
    let answer = redeem(rp, "x", assertion).await;
    assert_eq!(
        answer.status,
        StatusCode::UNAUTHORIZED,
        "{what}: {}",
        answer.body
    );
    assert_eq!(answer.json()["error"], "invalid_client", "{what}");
}

#[tokio::test]
async fn rfc_7523_a_client_proves_who_it_is_with_its_key() {
    on_each_database(async |world| {
        let (rp, key) = (bank(&world), world.pki.client_key.clone());
        let good = key.sign(&claims(&world, "bank", "1"));
        let answer = redeem(&rp, &code(&world, &rp).await, &good).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
        // Where it asks about its token, with another assertion.
        let token = answer.json()["access_token"].as_str().unwrap().to_owned();
        for (path, jti) in [("/introspect", "2"), ("/revoke", "3")] {
            let assertion = key.sign(&claims(&world, "bank", jti));
            let fields = [
                ("token", token.as_str()),
                ("client_assertion_type", JWT_BEARER),
                ("client_assertion", assertion.as_str()),
            ];
            let answer = rp.post(path, &fields).await;
            assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.body);
        }
        // RFC 7523, section 3, rule 7: once (catalogue 256).
        refused(&rp, &good, "replayed").await;
    })
    .await;
}

#[tokio::test]
async fn cat_256_assertions_that_count_for_nothing() {
    on_sqlite(async |world| {
        let (rp, key) = (bank(&world), world.pki.client_key.clone());
        let now = world.clock.now().seconds();
        for (name, value) in [
            // FAPI 2.0, section 5.3.2.1: the issuer identifier as a string, no endpoint.
            ("aud", json!([OP])),
            ("aud", json!(format!("{OP}/token"))),
            ("aud", json!("https://other.example")),
            ("iss", json!("shop")),
            ("sub", json!("fleet")),
            ("exp", json!(now - 60)),
            ("exp", json!(now + 86_400)),
            ("exp", Value::Null),
            ("jti", Value::Null),
        ] {
            let mut changed = claims(&world, "bank", "1");
            changed[name] = value.clone();
            refused(&rp, &key.sign(&changed), &format!("{name} {value}")).await;
        }
        let stranger = ClientKey::new();
        refused(&rp, &stranger.sign(&claims(&world, "bank", "1")), "key").await;
        refused(&rp, "a.b.c", "no token").await;
        // Each client by the method that it is registered with and no other.
        refused(
            &world.spa(),
            &key.sign(&claims(&world, "spa", "1")),
            "public",
        )
        .await;
        let shop = RelyingParty::new(world.router(), "shop", None, "");
        refused(&shop, &key.sign(&claims(&world, "shop", "1")), "secret").await;
        // Another name beside the assertion.
        refused(
            &world.spa(),
            &key.sign(&claims(&world, "bank", "1")),
            "name",
        )
        .await;
        let bare = rp.redeem("x").await;
        assert_eq!(bare.json()["error"], "invalid_client");
        let secret = RelyingParty::new(world.router(), "bank", Some("0123456789abcdef"), "");
        assert_eq!(secret.redeem("x").await.json()["error"], "invalid_client");
        let good = key.sign(&claims(&world, "bank", "1"));
        let both = redeem(&secret, "x", &good).await;
        assert_eq!(both.json()["error"], "invalid_request");
        // Nothing of that has used the identifier up.
        let answer = redeem(&rp, "x", &good).await;
        assert_eq!(answer.json()["error"], "invalid_grant");
    })
    .await;
}

#[tokio::test]
async fn cat_256_of_fifty_uses_of_one_assertion_one_counts() {
    on_each_database(async |world| {
        let rp = bank(&world);
        let good = world.pki.client_key.sign(&claims(&world, "bank", "1"));
        let answers = join_all((0..50).map(|_| redeem(&rp, "x", &good))).await;
        let counted = answers
            .iter()
            .filter(|answer| answer.json()["error"] == "invalid_grant");
        assert_eq!(counted.count(), 1);
        let rest = answers
            .iter()
            .filter(|answer| answer.json()["error"] == "invalid_client");
        assert_eq!(rest.count(), 49);
    })
    .await;
}

#[tokio::test]
async fn rfc_7591_section_2_keys_at_an_address_are_kept_and_followed() {
    on_sqlite(async |world| {
        let uri = "https://fleet.example/jwks";
        let rp = RelyingParty::new(world.router(), "fleet", None, "https://fleet.example/cb");
        let (old, new) = (ClientKey::new(), ClientKey::new());
        let next = std::cell::Cell::new(0);
        let ask = async |key: &ClientKey| {
            next.set(next.get() + 1);
            let assertion = key.sign(&claims(&world, "fleet", &next.get().to_string()));
            redeem(&rp, "x", &assertion).await.json()["error"].clone()
        };
        // The client does not answer: later it may.
        assert_eq!(ask(&old).await, "temporarily_unavailable");
        world.network.publish_keys(uri, Some("{}".to_owned()));
        world.clock.advance(6);
        assert_eq!(ask(&old).await, "invalid_client");
        world.network.publish_keys(uri, Some(old.jwks()));
        world.clock.advance(6);
        let before = world.network.key_set_fetches();
        for _ in 0..3 {
            assert_eq!(ask(&old).await, "invalid_grant");
        }
        assert_eq!(world.network.key_set_fetches(), before + 1);
        // A new key is found when it first signs, and the old one no longer counts.
        world.network.publish_keys(uri, Some(new.jwks()));
        world.clock.advance(11);
        assert_eq!(ask(&new).await, "invalid_grant");
        assert_eq!(ask(&old).await, "invalid_client");
        // Strangers cannot make us ask at each try.
        let before = world.network.key_set_fetches();
        world.clock.advance(11);
        for _ in 0..5 {
            assert_eq!(ask(&ClientKey::new()).await, "invalid_client");
        }
        assert_eq!(world.network.key_set_fetches(), before + 1);
        // What is kept counts on while the client is silent.
        world.network.publish_keys(uri, None);
        world.clock.advance(3601);
        assert_eq!(ask(&new).await, "invalid_grant");
    })
    .await;
}
