//! Pictures of cards: fetched when a card is added, and never again.

use serde_json::{Value, json as value};
use vouchsafe_protocol::http::{Headers, HttpResponse};

use super::World;
use crate::credential::CredentialId;

const PNG: &[u8] = b"\x89PNG\r\n\x1a\nmark";

fn with_pictures(metadata: &mut Value) {
    let kind = &mut metadata["credential_configurations_supported"]["membership"];
    let display = &mut kind["credential_metadata"]["display"];
    for entry in display.as_array_mut().unwrap() {
        entry["logo"] =
            value!({"uri": "https://club.example.com/logo.png", "alt_text": "A bunch of grapes"});
        entry["background_image"] = value!({"uri": "https://club.example.com/back.svg"});
    }
}

fn came(status: u16, body: &[u8]) -> HttpResponse {
    HttpResponse {
        status,
        headers: Headers::default(),
        body: body.to_vec(),
    }
}

async fn a_card(edit: fn(&mut Value)) -> (World, CredentialId) {
    let mut world = World::new();
    world.issuer.edit_issuer = edit;
    let added = world.add().await.unwrap();
    (world, added.cards[0].clone())
}

#[tokio::test]
async fn a_picture_is_fetched_once_and_kept_with_its_card() {
    let (world, id) = a_card(with_pictures).await;
    let fetches = world.wallet.pictures_of(&id).unwrap();
    let urls: Vec<&str> = fetches
        .iter()
        .map(|fetch| fetch.request().url.as_str())
        .collect();
    assert_eq!(
        urls,
        [
            "https://club.example.com/logo.png",
            "https://club.example.com/back.svg"
        ]
    );
    let mut fetches = fetches.into_iter();
    fetches.next().unwrap().receive(&came(200, PNG)).unwrap();
    // What is no picture of pixels is none, whatever it is called.
    let svg = came(200, b"<svg onload=\"alert(1)\"/>");
    fetches.next().unwrap().receive(&svg).unwrap();
    let card = world.wallet.card(&id, &["en"]).unwrap();
    assert_eq!(
        card.logo.as_deref(),
        Some("data:image/png;base64,iVBORw0KGgptYXJr")
    );
    assert_eq!(card.logo_alt.unwrap().as_str(), "A bunch of grapes");
    assert_eq!(card.background_image, None);
    assert!(world.wallet.pictures_of(&id).unwrap().is_empty());
}

#[tokio::test]
async fn a_picture_that_does_not_come_is_not_asked_for_again() {
    let (world, id) = a_card(with_pictures).await;
    for fetch in world.wallet.pictures_of(&id).unwrap() {
        fetch.receive(&came(404, PNG)).unwrap();
    }
    assert_eq!(world.wallet.card(&id, &["en"]).unwrap().logo, None);
    assert!(world.wallet.pictures_of(&id).unwrap().is_empty());
}

#[tokio::test]
async fn cat_458_an_address_inside_the_network_is_not_asked() {
    let (world, id) = a_card(|metadata| {
        with_pictures(metadata);
        let text = metadata.to_string();
        let inside = text.replace("https://club.example.com/logo.png", "http://192.168.1.1/");
        *metadata = serde_json::from_str(&inside).unwrap();
    })
    .await;
    let fetches = world.wallet.pictures_of(&id).unwrap();
    assert_eq!(fetches.len(), 1);
    assert_eq!(fetches[0].request().url.path(), "/back.svg");
}
