#![no_main]
//! DIDs, DID URLs and the methods that need nothing else: nothing panics, and what
//! was parsed is what was written.

use libfuzzer_sys::fuzz_target;
use vouchsafe_credentials::did::{Did, DidUrl, LocalResolver, ResolutionOptions};

fuzz_target!(|text: &str| {
    if let Ok(url) = DidUrl::parse(text) {
        assert_eq!(url.as_str(), text);
        assert!(Did::parse(url.did().as_str()).is_ok());
        let _ = url.parameters();
    }
    for prefix in ["", "did:key:z", "did:jwk:", "did:peer:2.", "did:peer:4z", "did:pkh:"] {
        let did = format!("{prefix}{text}");
        let mut options = ResolutionOptions::default();
        options.enable_encryption_key_derivation = true;
        let resolution = LocalResolver::resolve_now(&did, &options);
        assert_eq!(
            resolution.document.is_none(),
            resolution.resolution_metadata.error.is_some()
        );
    }
});
