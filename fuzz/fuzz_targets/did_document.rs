#![no_main]
//! A document of a stranger: parsing is bounded and never panics, and what was parsed is
//! of the DID that was asked for.

use libfuzzer_sys::fuzz_target;
use vouchsafe_credentials::did::{Did, DidDocument, MAX_METHODS, Relationship};

fuzz_target!(|bytes: &[u8]| {
    let Ok(did) = Did::parse("did:web:a.example") else { return };
    let Ok(document) = DidDocument::parse(bytes, &did) else { return };
    assert_eq!(document.id(), &did);
    assert!(document.methods().count() <= MAX_METHODS);
    for relationship in Relationship::ALL {
        for method in document.methods_for(relationship) {
            assert_eq!(method.controller, did);
        }
    }
    let _ = document.expanded();
});
