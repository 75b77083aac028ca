#![no_main]
//! Integrity strings: what was read means the same when it is written and read again.

use libfuzzer_sys::fuzz_target;
use vouchsafe_credentials::type_metadata::Integrity;

fuzz_target!(|text: &str| {
    if let Ok(integrity) = Integrity::parse(text) {
        assert_eq!(Integrity::parse(&integrity.to_string()), Ok(integrity));
    }
});
