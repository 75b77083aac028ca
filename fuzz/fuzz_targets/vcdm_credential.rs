#![no_main]
//! Any JSON as a credential, a presentation and an envelope of VCDM 2.0. Nothing panics,
//! and what was read is read again from its own JSON.

use libfuzzer_sys::fuzz_target;
use vouchsafe_credentials::bitstring_status_list::Entry;
use vouchsafe_credentials::json::parse_strict;
use vouchsafe_credentials::vcdm::{Credential, Enveloped, Presentation};

fuzz_target!(|text: &[u8]| {
    let Ok(value) = parse_strict(text) else { return };
    if let Ok(credential) = Credential::parse(&value) {
        assert_eq!(Credential::parse(credential.as_json()).as_ref(), Ok(&credential));
        assert!(credential.subjects().count() == credential.subject_ids().len());
        for status in credential.status() {
            let _ = Entry::parse(status);
        }
    }
    if let Ok(presentation) = Presentation::parse(&value) {
        assert_eq!(Presentation::parse(presentation.as_json()).as_ref(), Ok(&presentation));
    }
    if let Ok(envelope) = Enveloped::parse(&value) {
        assert_eq!(Enveloped::parse(&envelope.to_json()), Ok(envelope));
    }
});
