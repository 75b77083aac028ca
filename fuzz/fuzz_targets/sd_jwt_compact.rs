#![no_main]
//! An SD-JWT as it comes from the network: parsing, and processing a payload
//! as if its signature had been good. Nothing panics, and what is processed
//! leaves no trace of the mechanism.

use libfuzzer_sys::fuzz_target;
use vouchsafe_credentials::encoding::b64url_decode;
use vouchsafe_credentials::json::parse_strict;
use vouchsafe_credentials::sd_jwt::{SdJwt, process};

fuzz_target!(|text: &str| {
    let Ok(sd_jwt) = SdJwt::parse(text) else { return };
    let Some(payload) = sd_jwt.issuer_signed().split('.').nth(1) else { return };
    let Ok(bytes) = b64url_decode(payload) else { return };
    let Ok(serde_json::Value::Object(claims)) = parse_strict(&bytes) else { return };
    if let Ok(processed) = process(claims, sd_jwt.disclosures()) {
        assert_eq!(processed.disclosed.len(), sd_jwt.disclosures().len());
        assert!(!processed.claims.contains_key("_sd") && !processed.claims.contains_key("_sd_alg"));
    }
});
