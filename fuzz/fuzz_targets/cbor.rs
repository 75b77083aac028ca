#![no_main]
//! Any bytes as CBOR: nothing panics, and what is read is written again to the same value.

use libfuzzer_sys::fuzz_target;
use vouchsafe_credentials::cbor::{Item, to_json, to_vec};

fuzz_target!(|input: &[u8]| {
    let Ok(item) = Item::parse(input) else { return };
    assert_eq!(item.raw(), input);
    let value = item.to_value();
    let written = to_vec(&value);
    assert_eq!(Item::parse(&written).expect("our own form").to_value(), value);
    let _ = to_json(&value);
});
