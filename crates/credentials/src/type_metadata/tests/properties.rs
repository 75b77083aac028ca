//! Whatever bytes come: an answer, no panic.

use proptest::prelude::*;

use super::{child, parent};
use crate::type_metadata::image::from_data_uri;
use crate::type_metadata::{Integrity, JwtVcIssuerMetadata, TypeMetadata};

proptest! {
    #[test]
    fn integrity_strings(text in "(sha(256|384|512|1)-[A-Za-z0-9+/=?]{0,100}[ \\t]?){0,4}|.{0,60}") {
        if let Ok(integrity) = Integrity::parse(&text) {
            // The canonical text means the same.
            prop_assert_eq!(Integrity::parse(&integrity.to_string()), Ok(integrity));
        }
    }

    #[test]
    fn any_document(octets in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = TypeMetadata::parse(&octets);
        let _ = JwtVcIssuerMetadata::parse(&octets, "https://issuer.example");
    }

    /// A good document with some bytes replaced.
    #[test]
    fn altered_documents(places in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4), which in any::<bool>()) {
        let mut octets = if which { parent() } else { child() }.to_string().into_bytes();
        for (place, byte) in places {
            let place = place.index(octets.len());
            octets[place] = byte;
        }
        if let Ok(document) = TypeMetadata::parse(&octets) {
            prop_assert!(!document.vct.is_empty());
        }
    }

    #[test]
    fn any_data_uri(text in "data:(image/(png|jpeg|svg\\+xml))?(;base64)?,.{0,60}|.{0,60}") {
        let _ = from_data_uri(&text);
    }
}
