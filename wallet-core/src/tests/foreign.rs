//! Issuers and verifiers that are not as ours.

use serde_json::{Value, json as value};

use super::haip::Land;
use super::{World, json};
use crate::WalletError;
use crate::error::Fault;
use crate::issuance::Step;
use crate::presentation::PresentationError;

impl World {
    /// The offer is refused before the person is asked, and before anything is redeemed.
    async fn refused_unasked(&mut self, code: &str) {
        let step = self.wallet.add(&self.issuer.link()).unwrap();
        let error = self.drive(step).await.unwrap_err();
        assert_eq!(error.code(), code, "{error:?}");
        assert!(!self.issuer.log.iter().any(|line| line.starts_with("POST")));
        assert!(self.wallet.cards(&["en"]).unwrap().is_empty());
    }
}

fn card(metadata: &mut Value) -> &mut Value {
    &mut metadata["credential_configurations_supported"]["membership"]
}

#[tokio::test]
async fn a_malformed_configuration_that_is_not_offered_harms_nothing() {
    type Edit = fn(&mut Value);
    let edits: [Edit; 4] = [
        |one| one["vct"] = Value::Null,
        |one| one["proof_types_supported"] = Value::Null,
        |one| one["proof_types_supported"] = value!({}),
        |one| *one = value!("none"),
    ];
    for edit in edits {
        let mut world = World::new();
        world.issuer.edit_issuer = |metadata| {
            let other = card(metadata).clone();
            metadata["credential_configurations_supported"]["other"] = other;
        };
        let mut metadata = world.issuer.issuer_metadata();
        edit(&mut metadata["credential_configurations_supported"]["other"]);
        // What is offered is good.
        let step = world.wallet.add(&world.issuer.link()).unwrap();
        let Step::Send(exchange) = step else { panic!() };
        let step = exchange.receive(&json(200, &metadata)).await;
        let Step::Preview(preview) = world.drive(step.unwrap()).await.unwrap() else {
            panic!("no preview")
        };
        let step = preview.accept(None).await.unwrap();
        assert!(matches!(world.drive(step).await.unwrap(), Step::Done(_)));

        // What is offered is the malformed one.
        let mut world = World::new();
        world.issuer.offered = vec!["membership", "other"];
        let step = world.wallet.add(&world.issuer.link()).unwrap();
        let Step::Send(exchange) = step else { panic!() };
        let step = exchange.receive(&json(200, &metadata)).await;
        let error = world.drive(step.unwrap()).await.unwrap_err();
        assert_eq!(error.code(), "card_configuration", "{error:?}");
    }
}

#[tokio::test]
async fn a_malformed_configuration_that_is_offered_is_refused_by_name() {
    let mut world = World::new();
    world.issuer.edit_issuer = |metadata| card(metadata)["proof_types_supported"] = value!({});
    world.refused_unasked("card_configuration").await;
}

#[tokio::test]
async fn an_issuer_that_binds_to_dids_alone_is_refused_before_the_code_is_spent() {
    type Edit = fn(&mut Value);
    let methods: [Edit; 3] = [
        |one| one["cryptographic_binding_methods_supported"] = value!(["did:jwk"]),
        |one| one["cryptographic_binding_methods_supported"] = value!(["did:key", "did:web"]),
        |one| one["cryptographic_binding_methods_supported"] = value!(["cose_key"]),
    ];
    for edit in methods {
        let mut world = World::new();
        let mut metadata = world.issuer.issuer_metadata();
        edit(card(&mut metadata));
        let step = world.wallet.add(&world.issuer.link()).unwrap();
        let Step::Send(exchange) = step else { panic!() };
        let step = exchange.receive(&json(200, &metadata)).await;
        let error = world.drive(step.unwrap()).await.unwrap_err();
        assert_eq!(error.code(), "card_key_binding_unsupported", "{error:?}");
        assert!(!world.issuer.log.iter().any(|line| line.starts_with("POST")));
    }
    let mut world = World::new();
    world.issuer.edit_issuer = |metadata| {
        card(metadata)["cryptographic_binding_methods_supported"] = value!(["did:jwk", "jwk"]);
    };
    world.add().await.unwrap();
}

#[tokio::test]
async fn an_encryption_that_the_wallet_lacks_is_refused_before_the_code_is_spent() {
    let mut world = World::new();
    world.issuer.edit_issuer = |metadata| {
        metadata["credential_response_encryption"] = value!({
            "alg_values_supported": ["RSA-OAEP"], "enc_values_supported": ["A128GCM"],
            "encryption_required": true,
        });
    };
    world.refused_unasked("issuer_encryption").await;
}

#[tokio::test]
async fn a_busy_issuer_is_asked_ever_more_rarely() {
    let world = World::new();
    let busy = json(503, &value!({}));
    let start = || match world.wallet.add(&world.issuer.link()).unwrap() {
        Step::Send(exchange) => exchange,
        other => panic!("{other:?}"),
    };
    let mut exchange = start();
    assert_eq!(exchange.busy_seconds(), 0);
    let (mut waits, mut altogether) = (Vec::new(), 0);
    let error = loop {
        match exchange.receive(&busy).await {
            Ok(Step::Send(next)) => {
                waits.push(next.wait_seconds());
                altogether += next.wait_seconds();
                assert_eq!(next.busy_seconds(), altogether);
                exchange = next;
            }
            Ok(other) => panic!("{other:?}"),
            Err(error) => break error,
        }
    };
    assert_eq!(error.code(), "issuer_busy");
    assert_eq!(waits, [5, 10, 20, 40, 80, 160]);
    // Nobody has to wait for it.
    let Step::Send(exchange) = start().receive(&busy).await.unwrap() else {
        panic!()
    };
    assert!(!exchange.is_redeemed());
    let error = exchange.give_up().await.unwrap_err();
    assert_eq!(
        (error.code(), error.fault()),
        ("issuer_busy", Fault::Network)
    );
}

#[tokio::test]
async fn what_was_granted_is_known_to_be_at_stake() {
    let mut world = World::new();
    let step = world.wallet.add(&world.issuer.link()).unwrap();
    let Step::Preview(preview) = world.drive(step).await.unwrap() else {
        panic!("no preview")
    };
    let mut step = preview.accept(None).await.unwrap();
    let mut at_stake = Vec::new();
    while let Step::Send(exchange) = step {
        at_stake.push((
            exchange.request().url.path().to_owned(),
            exchange.is_redeemed(),
        ));
        let response = world.issuer.answer(exchange.request()).await;
        step = exchange.receive(&response).await.unwrap();
    }
    let at_stake: Vec<_> = at_stake
        .iter()
        .map(|(path, lost)| (path.as_str(), *lost))
        .collect();
    let expected = [("/token", false), ("/nonce", true), ("/credential", true)];
    assert_eq!(at_stake, expected);
}

#[tokio::test]
async fn a_verifier_that_takes_no_key_of_ours_is_told_whatever_is_held() {
    for held in [true, false] {
        let mut world = World::new();
        if held {
            world.add().await.unwrap();
        }
        world.verifier.edit_request = |claims| {
            let formats = &mut claims["client_metadata"]["vp_formats_supported"];
            formats["dc+sd-jwt"]["kb-jwt_alg_values"] = value!(["EdDSA"]);
        };
        let refused = world.ask().await.unwrap_err();
        assert!(!refused.ask_first);
        let told = Some("vp_formats_not_supported");
        world
            .refused_request("key_algorithm_unsupported", told)
            .await;
    }
}

#[tokio::test]
async fn what_nobody_insists_on_is_suggested_all_the_same() {
    let mut world = World::new();
    world.verifier.query["credential_sets"] =
        value!([{"options": [[world.verifier.query["credentials"][0]["id"]]], "required": false}]);
    let refused = world.ask().await.unwrap_err();
    assert_eq!(refused.error.code(), "no_matching_card");
    assert!(refused.ask_first);
    world.add().await.unwrap();
    world.show().await;
}

#[tokio::test]
async fn what_a_verifier_says_to_an_answer_is_kept_short_and_plain() {
    let long = format!("{}\u{202e}{}", "a".repeat(90), "b".repeat(90));
    let cases = [
        (
            value!({"error": "invalid_request"}),
            Some("invalid_request"),
        ),
        (
            value!({"error": "invalid_request", "reason": "nonce\r\n\u{1b}[31mred"}),
            Some("invalid_request: nonce[31mred"),
        ),
        (
            value!({"error": long}),
            Some(&*format!("{}{}", "a".repeat(90), "b".repeat(10))),
        ),
        (value!({"error": "\u{200b}\n"}), None),
        (value!({"error": 7, "reason": ["x"]}), None),
        (value!(["error"]), None),
    ];
    let mut world = World::new();
    world.add().await.unwrap();
    for (body, expected) in cases {
        let asking = world.ask().await.unwrap();
        let selection = asking.consent(&["en"]).suggested;
        let submitting = asking.respond(&selection).await.unwrap();
        let error = submitting.receive(&json(400, &body)).unwrap_err();
        let text = error.to_string();
        let WalletError::Presentation(PresentationError::NotAccepted { said, .. }) = error else {
            panic!("{error:?}")
        };
        assert_eq!(said.as_deref(), expected, "{body}");
        assert!(!text.contains("invalid_request"), "no foreign text in logs");
    }
}

#[tokio::test]
async fn cat_293_more_cards_than_the_person_agreed_to() {
    for datasets in [6, 32, 1000] {
        let mut land = Land::new(19);
        land.issuer.details = true;
        land.issuer.datasets = datasets;
        let error = land.add().await.unwrap_err();
        let got = (error.code(), error.fault());
        assert_eq!(got, ("more_cards_than_offered", Fault::Issuer));
        // Nothing is asked for with the token.
        assert_eq!(land.issuer.batches, [0; 0]);
        assert!(land.wallet.cards(&["en"]).unwrap().is_empty());
        assert_eq!(land.keys(), 0);
    }
    let mut land = Land::new(20);
    land.issuer.details = true;
    assert_eq!(land.add().await.unwrap().cards.len(), 1);
    // OpenID4VCI 1.0, section 6.2: a server may have several of a kind.
    let mut land = Land::new(21);
    land.issuer.details = true;
    land.issuer.datasets = 5;
    assert_eq!(land.add().await.unwrap().cards.len(), 5);
}
