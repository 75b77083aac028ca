#![no_main]
//! Any text as `encodedList`. Nothing panics, memory is bounded, and what is read is
//! written and read again.

use libfuzzer_sys::fuzz_target;
use vouchsafe_credentials::bitstring_status_list::Bitstring;
use vouchsafe_credentials::multibase::base64url;

fuzz_target!(|input: (u8, &[u8])| {
    let (size, bytes) = input;
    for text in [String::from_utf8_lossy(bytes).into_owned(), base64url(bytes)] {
        if let Ok(list) = Bitstring::decode(&text, size) {
            assert!(list.get(0).is_ok() && list.get(list.capacity()).is_err());
            assert_eq!(Bitstring::decode(&list.encode(), size).ok(), Some(list));
        }
    }
});
