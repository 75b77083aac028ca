#![no_main]
//! Type metadata and issuer metadata of a stranger: bounded, without a panic.

use libfuzzer_sys::fuzz_target;
use vouchsafe_credentials::type_metadata::{JwtVcIssuerMetadata, TypeMetadata};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(document) = TypeMetadata::parse(bytes) {
        assert!(!document.vct.is_empty());
    }
    let _ = JwtVcIssuerMetadata::parse(bytes, "https://issuer.example");
});
