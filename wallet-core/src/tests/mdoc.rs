//! A driving licence (mdoc) beside the membership card.

use serde_json::{Value, json as value};
use vouchsafe_credentials::cbor;
use vouchsafe_credentials::mdoc::{Elements, MDL, MDL_NAMESPACE};
use vouchsafe_protocol::http::UrlRule;
use vouchsafe_protocol::vp::api::Origin;

use super::{Authority, NOW, World};
use crate::credential::{Card, CardFormat, CredentialStore};
use crate::history::Outcome;
use crate::issuance::Step;
use crate::storage::{Collection, Storage};

fn licence_query(claims: &Value) -> Value {
    value!({"credentials": [{
        "id": "licence",
        "format": "mso_mdoc",
        "meta": {"doctype_value": MDL},
        "claims": claims,
    }]})
}

fn of_age() -> Value {
    licence_query(&value!([{
        "path": [MDL_NAMESPACE, "age_over_18"], "values": [true], "intent_to_retain": true,
    }]))
}

impl World {
    /// A world whose wallet holds a licence, and whose verifier asks for its age.
    async fn with_licence() -> (Self, Card) {
        let mut world = Self::new();
        world.issuer.offered = vec!["licence"];
        let added = world.add().await.unwrap();
        let card = world.wallet.card(&added.cards[0], &["en"]).unwrap();
        world.verifier.query = of_age();
        (world, card)
    }

    async fn refused_licence(mut self, code: &str) {
        self.issuer.offered = vec!["licence"];
        let error = self.add().await.unwrap_err();
        assert_eq!(error.code(), code, "{error:?}");
        assert!(self.wallet.cards(&["en"]).unwrap().is_empty());
        assert!(self.storage.list(Collection::Keys).unwrap().is_empty());
    }
}

#[tokio::test]
async fn a_licence_is_added_beside_the_membership_card() {
    let mut world = World::new();
    world.issuer.offered = vec!["membership", "licence"];
    world.issuer.batch = 2;
    // Whichever entry of the issuer comes first.
    world.config.trust.issuers.reverse();
    world.wallet = world.reopen(super::PASSPHRASE).await.unwrap();
    let added = world.add().await.unwrap();
    let cards: Vec<_> = added
        .cards
        .iter()
        .map(|id| world.wallet.card(id, &["en"]).unwrap())
        .collect();
    assert_eq!(cards[0].format, CardFormat::SdJwtVc);
    let licence = &cards[1];
    assert_eq!(
        (licence.format, licence.vct.as_str()),
        (CardFormat::Mdoc, MDL)
    );
    assert_eq!(licence.title.as_str(), "Driving licence");
    assert_eq!(licence.fresh_copies, (2, 2));
    assert_eq!(licence.expires_at, Some(NOW.plus(86_400)));
    let facts: Vec<_> = licence
        .facts
        .iter()
        .map(|fact| (fact.label.as_str(), &fact.value))
        .collect();
    // What the metadata names comes first.
    assert_eq!(facts[0], ("Family name", &value!("Canary")));
    assert_eq!(facts.len(), 3);

    let again = world.reopen(super::PASSPHRASE).await.unwrap();
    assert_eq!(again.cards(&["en"]).unwrap().len(), 2);
    world.clock.set(NOW.plus(86_400));
    let licence = again.card(&added.cards[1], &["en"]).unwrap();
    assert!(licence.expired);
}

#[tokio::test]
async fn exactly_the_elements_that_were_asked_leave() {
    let (world, _) = World::with_licence().await;
    let asking = world.ask().await.unwrap();
    let consent = asking.consent(&["en"]);
    let card = consent.option(&consent.suggested.picks[0]).unwrap();
    let learns: Vec<_> = card
        .learns
        .iter()
        .map(|fact| (&fact.value, fact.kept))
        .collect();
    assert_eq!(learns, [(&value!(true), true)]);
    assert_eq!(card.keeps.len(), 2);
    assert_eq!(card.keeps[0].as_str(), "Family name");
    let submitting = asking.respond(&consent.suggested).await.unwrap();
    let verified = world.verifier.verify(submitting.request()).await.unwrap();
    let claims = verified.credentials()[0].claims();
    assert_eq!((claims.len(), &claims[0].1), (1, &value!(true)));
    let presented = submitting.receive(&world.verifier.accepted()).unwrap();
    let entry = world.wallet.history_entry(&presented.history).unwrap();
    assert_eq!((entry.outcome, entry.facts.len()), (Outcome::Completed, 1));
    let history = serde_json::to_string(&world.wallet.history().unwrap()).unwrap();
    assert!(!history.contains("CANARY") && !history.contains("Canary"));
}

#[tokio::test]
async fn a_query_without_claims_gets_no_element() {
    let (mut world, _) = World::with_licence().await;
    world.verifier.query["credentials"][0]
        .as_object_mut()
        .unwrap()
        .remove("claims");
    let asking = world.ask().await.unwrap();
    let consent = asking.consent(&["en"]);
    let card = consent.option(&consent.suggested.picks[0]).unwrap();
    assert!(card.learns.is_empty());
    let submitting = asking.respond(&consent.suggested).await.unwrap();
    let verified = world.verifier.verify(submitting.request()).await.unwrap();
    assert!(verified.credentials()[0].claims().is_empty());
}

#[tokio::test]
async fn a_licence_that_does_not_answer_is_not_offered() {
    let (mut world, _) = World::with_licence().await;
    for query in [
        licence_query(&value!([{"path": [MDL_NAMESPACE, "age_over_18"], "values": [false]}])),
        licence_query(&value!([{"path": [MDL_NAMESPACE, "age_over_21"]}])),
        licence_query(&value!([{"path": ["org.example", "age_over_18"]}])),
        value!({"credentials": [{
            "id": "licence", "format": "mso_mdoc", "meta": {"doctype_value": "org.example.other"},
        }]}),
    ] {
        world.verifier.query = query;
        world
            .refused_request("no_matching_card", Some("access_denied"))
            .await;
    }
    world.verifier.query = of_age();
    world.clock.set(NOW.plus(86_400));
    world.verifier.edit_request = |claims| {
        for name in ["iat", "exp"] {
            claims[name] = value!(NOW.plus(86_500).seconds());
        }
        claims["iat"] = value!(NOW.plus(86_400).seconds());
    };
    world
        .refused_request("no_matching_card", Some("access_denied"))
        .await;
}

#[tokio::test]
async fn a_verifier_that_does_not_read_mdocs_is_told_so() {
    let (mut world, _) = World::with_licence().await;
    world.verifier.edit_request = |claims| {
        let formats = &mut claims["client_metadata"]["vp_formats_supported"];
        formats.as_object_mut().unwrap().remove("mso_mdoc");
    };
    world
        .refused_request("formats_unsupported", Some("vp_formats_not_supported"))
        .await;
}

#[tokio::test]
async fn cat_296_a_device_response_counts_in_its_own_exchange_alone() {
    let (world, _) = World::with_licence().await;
    let asking = world.ask().await.unwrap();
    let suggested = asking.consent(&["en"]).suggested;
    let submitting = asking.respond(&suggested).await.unwrap();
    let elsewhere = world.verifier.with_another_nonce();
    let refused = elsewhere.verify(submitting.request()).await.unwrap_err();
    assert_eq!(refused.code(), "mdoc_device_auth");
}

#[tokio::test]
async fn a_page_gets_a_licence_bound_to_its_origin() {
    let (world, _) = World::with_licence().await;
    let origin = "https://shop.example.com";
    let shop = Origin::parse(origin, UrlRule::PublicHttps).unwrap();
    for offer in world.verifier.for_pages(&shop).await {
        let protocol = offer.protocol.name();
        let asking = world.wallet.present_to_page(origin, protocol, &offer.data);
        let asking = asking.unwrap();
        let suggested = asking.consent(&["en"]).suggested;
        let answer = asking.respond(&suggested).await.unwrap();
        let verified = world.verifier.verify_page(&shop, &answer).await.unwrap();
        assert_eq!(verified.credentials()[0].claims()[0].1, value!(true));
        let other = Origin::parse("https://other.example", UrlRule::PublicHttps).unwrap();
        let refused = world.verifier.verify_page(&other, &answer).await;
        assert_eq!(refused.unwrap_err().code(), "mdoc_device_auth");
    }
}

#[tokio::test]
async fn hrej_mdocs_that_are_not_taken() {
    // Below another authority.
    let mut world = World::new();
    let foreign = Authority::iaca();
    let club = Authority::new("Club CA").leaf("The Club", "club.example.com");
    world.issuer = super::issuer::ScriptedIssuer::new(club, foreign.document_signer());
    world.refused_licence("issuer_chain").await;
    // Not base64url.
    let mut world = World::new();
    world.issuer.edit_credentials = |list| list[0].push('=');
    world.refused_licence("mdoc_encoding").await;
    // Of another type than offered.
    let mut world = World::new();
    world.issuer.edit_issuer = |metadata| {
        metadata["credential_configurations_supported"]["licence"]["doctype"] =
            value!("org.iso.18013.5.1.mDL.other");
    };
    world.config.trust.issuers[1].types.clear();
    world.wallet = world.reopen(super::PASSPHRASE).await.unwrap();
    world.refused_licence("mdoc_doctype_mismatch").await;
    // Bound to a key that is not ours.
    let mut world = World::new();
    world.issuer.device_key_of_another = true;
    world.refused_licence("holder_key_mismatch").await;
}

#[tokio::test]
async fn an_mdoc_needs_an_authority_on_the_list() {
    let mut world = World::new();
    world.config.trust.issuers.remove(1);
    world.wallet = world.reopen(super::PASSPHRASE).await.unwrap();
    world.issuer.offered = vec!["licence"];
    let step = world.wallet.add(&world.issuer.link()).unwrap();
    let error = world.drive(step).await.unwrap_err();
    assert_eq!(error.code(), "card_unsupported");
    // Beside a card that can be held it is left out.
    world.issuer.offered = vec!["licence", "membership"];
    let step = world.wallet.add(&world.issuer.link()).unwrap();
    let Step::Preview(preview) = world.drive(step).await.unwrap() else {
        panic!("no preview")
    };
    let titles: Vec<_> = preview
        .data(&["en"])
        .cards
        .into_iter()
        .map(|card| card.title)
        .collect();
    assert_eq!(titles.len(), 1);
    assert_eq!(titles[0].as_str(), "Membership card");
}

#[tokio::test]
async fn copies_of_a_licence_that_differ_are_not_taken() {
    let mut world = World::new();
    world.issuer.batch = 2;
    world.issuer.elements = |copy| {
        let mut elements = Elements::new();
        let over = cbor::Value::Bool(copy == 0);
        assert!(elements.add(MDL_NAMESPACE, "age_over_18", over));
        elements
    };
    world.refused_licence("card_copies_differ").await;
}

#[tokio::test]
async fn a_record_from_before_there_were_formats_still_opens() {
    let mut world = World::new();
    let added = world.add().await.unwrap();
    let record = world.wallet.store().record(&added.cards[0]).unwrap();
    let mut old = serde_json::to_value(&record).unwrap();
    assert_eq!(
        old.as_object_mut().unwrap().remove("format"),
        Some(value!("dc+sd-jwt"))
    );
    let name = CredentialStore::name_of(&added.cards[0]).unwrap();
    let bytes = serde_json::to_vec(&old).unwrap();
    world.wallet.vault().put(name, bytes.into()).unwrap();
    let wallet = world.reopen(super::PASSPHRASE).await.unwrap();
    let card = wallet.card(&added.cards[0], &["en"]).unwrap();
    assert_eq!((card.format, card.facts.len()), (CardFormat::SdJwtVc, 3));
}
