//! Issuers whose metadata are not as ours.

use serde_json::{Value, json as value};

use super::World;
use crate::issuance::Step;

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
        let step = exchange.receive(&super::json(200, &metadata)).await;
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
        let step = exchange.receive(&super::json(200, &metadata)).await;
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
