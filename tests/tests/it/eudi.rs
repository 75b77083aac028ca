//! The EU's reference wallet library, eudi-lib-jvm-openid4vci-kt 0.7.1, takes cards over https from
//! an issuer with HAIP. That version speaks draft 15: it asks for encrypted answers in requests that
//! are not, so the issuer offers no encryption, and it sends `proofs` for two cards and more.

use anyhow::{Context, Result};
use serde_json::{Value, json};
use vouchsafe_tests::database::Kind;
use vouchsafe_tests::peer::{self, Peer};
use vouchsafe_tests::world::{Options, World};

use crate::openid4vci::{REDIRECT, attester, offer, payload, type_code, under_haip};

fn without_encryption(text: String) -> String {
    under_haip(text) + "\n[encryption]\nrequests = \"off\"\nresponses = \"off\"\n"
}

async fn world() -> Result<World> {
    World::with(Options {
        https: true,
        edit_issuer: without_encryption,
        ..Options::new(Kind::Sqlite)
    })
    .await
}

/// The library, with the offer that it is to take.
fn start(program: tokio::process::Command, world: &World, change: Value) -> Result<Peer> {
    let authority = world.authority().context("no https")?;
    let authority = authority.to_str().context("a strange folder")?;
    let mut wanted = json!({
        "client_id": "foreign", "redirect_uri": REDIRECT, "copies": 2, "attester": attester(),
    });
    for (name, value) in change.as_object().context("no object")? {
        wanted[name] = value.clone();
    }
    let wanted = wanted.to_string();
    Peer::run(program, &[("WANTED", &wanted), ("AUTHORITY", authority)])
}

/// As many cards as holders, each bound to one of them.
fn check(got: &Value, copies: usize) {
    assert_eq!(
        (&got["token_type"], &got["notified"]),
        (&json!("DPoP"), &json!(true))
    );
    let cards = got["credentials"].as_array().unwrap();
    let holders = got["holders"].as_array().unwrap();
    assert_eq!((cards.len(), holders.len()), (copies, copies));
    for (card, holder) in cards.iter().zip(holders) {
        let claims = payload(card.as_str().unwrap());
        for member in ["kty", "crv", "x", "y"] {
            assert_eq!(claims["cnf"]["jwk"][member], holder[member]);
        }
    }
}

/// Pushed request, wallet attestation, DPoP with nonces, a batch, a notification.
#[tokio::test]
async fn the_eu_library_takes_cards_with_an_authorization_code() {
    let Some(program) = peer::eudi_wallet() else {
        return;
    };
    let world = world().await.unwrap();
    let offer = offer(&world, json!({ "grant": "authorization_code" }))
        .await
        .unwrap();
    let mut wallet = start(program, &world, json!({ "offer": offer.link })).unwrap();
    let begun = wallet.says().await;
    let begun = begun.unwrap_or_else(|e| panic!("{e}\n{}", world.issuer.log()));
    let address = begun["authorize"].as_str().unwrap();
    assert!(address.contains("request_uri="), "{address}");
    let back = type_code(&world, address, &offer).await.unwrap();
    wallet.hears(&back).await.unwrap();
    check(&wallet.says().await.unwrap(), 2);
    assert!(wallet.ends_well().await.unwrap());
}

#[tokio::test]
async fn the_eu_library_takes_cards_with_a_transaction_code() {
    let Some(program) = peer::eudi_wallet() else {
        return;
    };
    let world = world().await.unwrap();
    let offer = offer(&world, json!({ "tx_code": true })).await.unwrap();
    let wanted = json!({ "offer": offer.link, "tx_code": offer.tx_code, "copies": 3 });
    let mut wallet = start(program, &world, wanted).unwrap();
    check(&wallet.says().await.unwrap(), 3);
    assert!(wallet.ends_well().await.unwrap());
}

#[tokio::test]
async fn the_eu_library_comes_back_for_cards_that_somebody_looks_at() {
    let Some(program) = peer::eudi_wallet() else {
        return;
    };
    let world = world().await.unwrap();
    let offer = offer(&world, json!({ "tx_code": true, "hold": true }))
        .await
        .unwrap();
    let wanted = json!({ "offer": offer.link, "tx_code": offer.tx_code });
    let mut wallet = start(program, &world, wanted).unwrap();
    assert_eq!(wallet.says().await.unwrap(), json!({ "waiting": true }));
    let approve = format!("/v1/offers/{}/approve", offer.id);
    let decided = world
        .admin()
        .call(reqwest::Method::POST, &approve, Some(&json!({})))
        .await
        .unwrap();
    assert_eq!(decided.0, 200, "{}", decided.1);
    wallet.hears("go on").await.unwrap();
    check(&wallet.says().await.unwrap(), 2);
    assert!(wallet.ends_well().await.unwrap());
}
