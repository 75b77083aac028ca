#![no_main]
//! Any JSON as a document with proofs. Nothing panics, and no proof that a fuzzer
//! writes is accepted under a fixed key.

use libfuzzer_sys::fuzz_target;
use vouchsafe_credentials::crypto::{Portable, PublicKey};
use vouchsafe_credentials::data_integrity::{Secured, Suites};
use vouchsafe_credentials::did::Multikey;
use vouchsafe_credentials::jcs::canonicalize;
use vouchsafe_credentials::json::parse_strict;

/// The key of RFC 8032, section 7.1, test 1.
const KEY: [u8; 32] = [
    0xd7, 0x5a, 0x98, 0x01, 0x82, 0xb1, 0x0a, 0xb7, 0xd5, 0x4b, 0xfe, 0xd3, 0xc9, 0x64, 0x07, 0x3a,
    0x0e, 0xe1, 0x72, 0xf3, 0xda, 0xa6, 0x23, 0x25, 0xaf, 0x02, 0x1a, 0x68, 0xf7, 0x07, 0x51, 0x1a,
];

fuzz_target!(|text: &[u8]| {
    let Ok(value) = parse_strict(text) else { return };
    if let Ok(canonical) = canonicalize(&value) {
        let again = parse_strict(canonical.as_bytes()).and_then(|value| Ok(canonicalize(&value)));
        if let Ok(again) = again {
            assert_eq!(again, Ok(canonical));
        }
    }
    let Ok(secured) = Secured::parse(&value) else { return };
    let Ok(key) = PublicKey::from_ed25519(&KEY) else { return };
    let key = Multikey::Signature(key);
    for proof in &secured.proofs {
        for name in Suites::jcs().names() {
            let suites = Suites::jcs();
            let Some(suite) = suites.get(name) else { continue };
            assert!(suite.verify(&secured.document, proof, &key, &Portable).is_err());
        }
    }
});
