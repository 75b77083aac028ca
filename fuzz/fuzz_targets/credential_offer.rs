#![no_main]
//! An offer, as a link and as a document: an accepted one survives a round trip.

use libfuzzer_sys::fuzz_target;
use vouchsafe_protocol::http::UrlRule;
use vouchsafe_protocol::vci::offer::{CredentialOffer, IssuerRule, OfferInvocation};

fuzz_target!(|bytes: &[u8]| {
    let rule = IssuerRule::Any;
    if let Ok(link) = std::str::from_utf8(bytes) {
        OfferInvocation::parse(link, UrlRule::PublicHttps, &rule).ok();
    }
    if let Ok(offer) = CredentialOffer::parse(bytes, UrlRule::PublicHttps, &rule) {
        let text = offer.to_json().to_string();
        assert!(CredentialOffer::parse(text.as_bytes(), UrlRule::PublicHttps, &rule).is_ok());
    }
});
