//! Signed metadata of an issuer.

use serde_json::json as value;
use vouchsafe_credentials::jws::{Header, TokenType};
use vouchsafe_credentials::time::UnixTime;
use vouchsafe_credentials::x509::Role;
use vouchsafe_protocol::http::HttpResponse;
use vouchsafe_protocol::vci::metadata::signed;

use super::{Authority, Leaf, NOW, PASSPHRASE, World};
use crate::issuance::Step;

/// Metadata that the leaf signed.
async fn sign(world: &World, leaf: &Leaf, issued: UnixTime, ends: UnixTime) -> HttpResponse {
    let document = serde_json::from_value(world.issuer.issuer_metadata()).unwrap();
    let header = Header::new(TokenType::IssuerMetadata).with_x5c(&leaf.chain);
    let token = signed::sign(&document, &header, &leaf.key, issued, ends).await;
    HttpResponse {
        status: 200,
        headers: [("content-type", "application/jwt")].into_iter().collect(),
        body: token.unwrap().into_bytes(),
    }
}

/// What comes of these metadata.
async fn read(world: &World, response: &HttpResponse) -> String {
    let Step::Send(exchange) = world.wallet.add(&world.issuer.link()).unwrap() else {
        panic!("nothing to send")
    };
    match exchange.receive(response).await {
        Ok(Step::Send(next)) => next.request().url.path().to_owned(),
        Ok(other) => panic!("{other:?}"),
        Err(error) => error.code().to_owned(),
    }
}

#[tokio::test]
async fn signed_metadata_are_verified_and_demanded_where_that_is_wanted() {
    let mut world = World::new();
    let authority = Authority::new("Metadata CA");
    let leaf = authority.leaf("The Club", "club.example.com");
    let later = NOW.plus(600);
    let good = sign(&world, &leaf, NOW, later).await;
    let plain = super::json(200, &world.issuer.issuer_metadata());
    let on = "/.well-known/oauth-authorization-server";
    // The anchors of the cards did not sign these.
    assert_eq!(read(&world, &good).await, "issuer_metadata_signature");
    assert_eq!(read(&world, &plain).await, on);

    world.config.issuance.metadata_anchors = Some(authority.anchors(Role::Issuer));
    world.wallet = world.reopen(PASSPHRASE).await.unwrap();
    assert_eq!(read(&world, &good).await, on);
    let over = sign(&world, &leaf, NOW.plus(-600), NOW).await;
    let early = sign(&world, &leaf, NOW.plus(600), NOW.plus(900)).await;
    let stranger = Authority::new("Stranger").leaf("The Club", "club.example.com");
    let foreign = sign(&world, &stranger, NOW, later).await;
    let mut altered = good.clone();
    let middle = altered.body.len() / 2;
    altered.body[middle] = if altered.body[middle] == b'A' {
        b'B'
    } else {
        b'A'
    };
    for bad in [over, early, foreign, altered] {
        assert_eq!(read(&world, &bad).await, "issuer_metadata_signature");
    }
    // Another issuer's, signed by who may sign.
    world.issuer.edit_issuer =
        |metadata| metadata["credential_issuer"] = value!("https://a.example");
    let other = sign(&world, &leaf, NOW, later).await;
    assert_eq!(read(&world, &other).await, "issuer_metadata_mismatch");
    world.issuer.edit_issuer = |_| {};

    // Asked for, and nothing else is taken.
    world.config.issuance.signed_metadata = true;
    world.wallet = world.reopen(PASSPHRASE).await.unwrap();
    let Step::Send(exchange) = world.wallet.add(&world.issuer.link()).unwrap() else {
        panic!("nothing to send")
    };
    assert_eq!(
        exchange.request().headers.get("accept"),
        Some("application/jwt")
    );
    assert_eq!(read(&world, &plain).await, "issuer_metadata_unsigned");
    assert_eq!(read(&world, &good).await, on);
}
