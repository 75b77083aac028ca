#![no_main]
//! A Multikey as text and as bytes: whatever is accepted has exactly this text.

use libfuzzer_sys::fuzz_target;
use vouchsafe_credentials::crypto::Multikey;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(text) = std::str::from_utf8(bytes) {
        if let Ok(key) = Multikey::decode(text) {
            assert_eq!(key.encode(), text);
        }
    }
    if let Ok(key) = Multikey::from_multicodec(bytes) {
        assert_eq!(key.to_multicodec(), bytes);
        assert_eq!(Multikey::decode(&key.encode()), Ok(key));
    }
});
