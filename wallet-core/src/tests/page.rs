//! Requests of pages, over the Digital Credentials API.

use serde_json::json as value;
use vouchsafe_protocol::http::UrlRule;
use vouchsafe_protocol::vp::api::{ApiOffer, Origin};

use super::World;
use crate::consent::{Selection, TrustReason};
use crate::history::Outcome;
use crate::presentation::{PageAsking, PageRefused};

const SHOP: &str = "https://shop.example.com";

fn shop() -> Origin {
    Origin::parse(SHOP, UrlRule::PublicHttps).unwrap()
}

impl World {
    fn page(&self, offer: &ApiOffer, origin: &str) -> Result<PageAsking, Box<PageRefused>> {
        let protocol = offer.protocol.name();
        self.wallet.present_to_page(origin, protocol, &offer.data)
    }

    /// The code and the error response of a request that is refused, which is in the history.
    fn refused_page(&self, origin: &str, protocol: &str, data: &serde_json::Value) -> String {
        let refused = self.wallet.present_to_page(origin, protocol, data);
        let refused = refused.unwrap_err();
        let code = refused.error.code().to_owned();
        let latest = self.wallet.history().unwrap().remove(0);
        assert_eq!(latest.outcome, Outcome::Failed { code: code.clone() });
        format!("{code} {}", refused.data["error"].as_str().unwrap())
    }
}

#[tokio::test]
async fn exactly_what_a_page_asked_goes_back_to_it() {
    let mut world = World::new();
    world.add().await.unwrap();
    let [signed, unsigned] = world.verifier.for_pages(&shop()).await;
    for (offer, name) in [(&signed, "Wine Shop"), (&unsigned, "shop.example.com")] {
        let asking = world.page(offer, SHOP).unwrap();
        let consent = asking.consent(&["en"]);
        assert_eq!(consent.verifier.name.as_str(), name);
        assert_eq!(consent.verifier.host, "shop.example.com");
        let certified = consent.verifier.trust != TrustReason::Origin;
        assert_eq!(certified, name == "Wine Shop");
        let calls_itself = consent.verifier.calls_itself.as_ref();
        let calls_itself = calls_itself.map(|name| name.as_str());
        assert_eq!(calls_itself, certified.then_some("Wine & More"));
        let answer = asking.respond(&consent.suggested).await.unwrap();
        assert_eq!(answer.protocol, offer.protocol.name());
        let members: Vec<_> = answer.data.as_object().unwrap().keys().collect();
        assert_eq!(members, ["response"], "nothing leaves unencrypted");
        let verified = world.verifier.verify_page(&shop(), &answer).await.unwrap();
        let claims = verified.credentials()[0].claims();
        assert_eq!((claims.len(), &claims[0].1), (1, &value!("gold")));
        let entry = world.wallet.history_entry(&answer.history).unwrap();
        assert_eq!(entry.outcome, Outcome::Unknown);
        assert_eq!(entry.facts[0].as_str(), "Membership level");
        assert!(!format!("{answer:?}").contains("response"));
    }
}

#[tokio::test]
async fn cat_338_a_request_replayed_at_another_origin_is_refused() {
    let mut world = World::new();
    world.add().await.unwrap();
    let [signed, unsigned] = world.verifier.for_pages(&shop()).await;
    let (protocol, data) = (signed.protocol.name(), &signed.data);
    for (origin, said) in [
        (
            "https://attacker.example",
            "request_wrong_origin invalid_request",
        ),
        (
            "https://shop.example.com:8443",
            "request_wrong_origin invalid_request",
        ),
        (
            "https://shop.example.com/",
            "request_origin_refused invalid_request",
        ),
        (
            "http://shop.example.com",
            "request_origin_refused invalid_request",
        ),
        ("null", "request_origin_refused invalid_request"),
    ] {
        assert_eq!(world.refused_page(origin, protocol, data), said, "{origin}");
    }
    // Anybody can hand out an unsigned request. The person sees who does, and what leaves is
    // worth nothing to the shop.
    let asking = world.page(&unsigned, "https://attacker.example").unwrap();
    let consent = asking.consent(&["en"]);
    assert_eq!(consent.verifier.name.as_str(), "attacker.example");
    let answer = asking.respond(&consent.suggested).await.unwrap();
    let refused = world.verifier.verify_page(&shop(), &answer).await;
    assert_eq!(refused.unwrap_err().code(), "kb_audience");
}

#[tokio::test]
async fn cat_340_an_unsigned_request_proves_no_name() {
    let mut world = World::new();
    world.add().await.unwrap();
    let [_, mut unsigned] = world.verifier.for_pages(&shop()).await;
    unsigned.data["client_id"] = value!("x509_san_dns:bank.example");
    unsigned.data["expected_origins"] = value!(["https://bank.example"]);
    let asking = world.page(&unsigned, SHOP).unwrap();
    let consent = asking.consent(&["en"]);
    assert_eq!(consent.verifier.trust, TrustReason::Origin);
    assert_eq!(consent.verifier.name.as_str(), "shop.example.com");
    // The request calls itself "Wine & More", as it could call itself anything.
    assert!(unsigned.data.to_string().contains("Wine & More"));
    assert_eq!(consent.verifier.calls_itself, None);
    let answer = asking.respond(&consent.suggested).await.unwrap();
    assert!(world.verifier.verify_page(&shop(), &answer).await.is_ok());
}

#[tokio::test]
async fn a_no_and_requests_that_are_none() {
    let mut world = World::new();
    let [signed, unsigned] = world.verifier.for_pages(&shop()).await;
    // No card yet.
    let said = world.refused_page(SHOP, signed.protocol.name(), &signed.data);
    assert_eq!(said, "no_matching_card access_denied");
    world.add().await.unwrap();
    let answer = world.page(&signed, SHOP).unwrap().decline().unwrap();
    assert_eq!(answer.data, value!({"error": "access_denied"}));
    let entry = world.wallet.history_entry(&answer.history).unwrap();
    assert_eq!(entry.outcome, Outcome::Declined);
    for (protocol, data, said) in [
        (
            "openid4vp-v2-signed",
            signed.data.clone(),
            "request_protocol_unsupported invalid_request",
        ),
        (
            "openid4vp-v1-multisigned",
            signed.data.clone(),
            "request_parameter invalid_request",
        ),
        (
            "openid4vp-v1-unsigned",
            signed.data.clone(),
            "request_parameter invalid_request",
        ),
        (
            "openid4vp-v1-signed",
            unsigned.data.clone(),
            "request_parameter invalid_request",
        ),
    ] {
        assert_eq!(world.refused_page(SHOP, protocol, &data), said);
    }
    // A choice that leaves something open can be mended.
    let asking = world.page(&signed, SHOP).unwrap();
    let suggested = asking.consent(&["en"]).suggested;
    let none = Selection { picks: Vec::new() };
    let unanswered = asking.respond(&none).await.unwrap_err();
    assert_eq!(unanswered.error.code(), "selection_incomplete");
    let again = unanswered.session.unwrap();
    assert!(again.respond(&suggested).await.is_ok());
}
