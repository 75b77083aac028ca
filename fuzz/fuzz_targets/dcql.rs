#![no_main]
//! A query of a stranger: parsing is bounded and never panics, and what was
//! parsed can be parsed again.

use libfuzzer_sys::fuzz_target;
use vouchsafe_credentials::json::parse_strict;
use vouchsafe_protocol::vp::dcql::DcqlQuery;

fuzz_target!(|bytes: &[u8]| {
    let Ok(json) = parse_strict(bytes) else { return };
    if let Ok(query) = DcqlQuery::parse(&json) {
        assert!(!query.credentials().is_empty());
        assert!(DcqlQuery::parse(query.as_json()).is_ok());
    }
});
