#![no_main]
//! Pointers and a document of a stranger: selecting, issuing and deriving never
//! panic, and what is derived is what was chosen.

use std::sync::{Arc, LazyLock};

use libfuzzer_sys::fuzz_target;
use vouchsafe_credentials::json::parse_strict;
use vouchsafe_credentials_jsonld::contexts::Contexts;
use vouchsafe_credentials_jsonld::rdfc::Transformation;
use vouchsafe_credentials_jsonld::sd::{Disclosed, Parted, Pointer, Processor, shuffled_labels};

static PROCESSOR: LazyLock<Processor> =
    LazyLock::new(|| Processor::new(Transformation::new(Arc::new(Contexts::bundled()))));

// One line for each pointer, half of them mandatory, and the document after an empty line.
fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Some((pointers, document)) = text.split_once("\n\n") else { return };
    let Ok(document) = parse_strict(document.as_bytes()) else { return };
    let lines: Vec<&str> = pointers.lines().collect();
    let Ok(pointers) = Pointer::parse_all(&lines) else { return };
    let (mandatory, selective) = pointers.split_at(pointers.len() / 2);
    let label = |labels: &std::collections::BTreeMap<String, String>| {
        shuffled_labels(labels.values(), &[7; 32])
    };
    let Ok(parted) = Parted::new(&PROCESSOR, &document, mandatory, label) else { return };
    let Ok(shown) = parted.disclose(&PROCESSOR, &document, mandatory, selective) else { return };
    let seen = Disclosed::new(&PROCESSOR, &shown.document, &shown.labels, &shown.mandatory)
        .expect("what was derived can be read");
    assert_eq!(seen.mandatory_hash, parted.mandatory_hash());
    assert_eq!(seen.others.len(), shown.selective.len());
});
