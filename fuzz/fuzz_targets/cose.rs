#![no_main]
//! Any bytes as COSE messages and keys.

use libfuzzer_sys::fuzz_target;
use vouchsafe_credentials::cbor::Item;
use vouchsafe_credentials::cose::{Mac0, Sign1, key_from_item, key_to_vec};

fuzz_target!(|input: &[u8]| {
    if let Ok(message) = Sign1::parse(input) {
        let _ = message.x5chain();
    }
    if let Ok(message) = Mac0::parse(input) {
        assert!(message.verify(b"a key that nobody has", &[]).is_err());
    }
    let Ok(item) = Item::parse(input) else { return };
    if let Ok(key) = key_from_item(item) {
        let written = key_to_vec(&key);
        let read = key_from_item(Item::parse(&written).expect("our own form"));
        assert_eq!(read.expect("our own form"), key);
    }
});
