#![no_main]
//! N-Quads of a stranger: reading and canonicalization are bounded and never
//! panic, and the canonical form is its own canonical form.

use libfuzzer_sys::fuzz_target;
use vouchsafe_credentials_jsonld::rdf::{HashAlgorithm, WorkLimits, canonicalize, parse_nquads};

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Ok(quads) = parse_nquads(text, 1_000) else { return };
    let limits = WorkLimits::default();
    let Ok(form) = canonicalize(&quads, HashAlgorithm::Sha384, &limits) else { return };
    let again = parse_nquads(&form.text(), 1_000).expect("what is written is read");
    if let Ok(again) = canonicalize(&again, HashAlgorithm::Sha384, &limits) {
        assert_eq!(again.nquads, form.nquads);
    }
});
