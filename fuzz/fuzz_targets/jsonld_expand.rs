#![no_main]
//! A document of a stranger: expansion is bounded and never panics, and
//! skolemization keeps what an accepted one means.

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use vouchsafe_credentials::json::parse_strict;
use vouchsafe_credentials_jsonld::contexts::Contexts;
use vouchsafe_credentials_jsonld::jsonld::{Options, skolemize, to_deskolemized_quads, to_quads};
use vouchsafe_credentials_jsonld::rdf::{HashAlgorithm, WorkLimits, canonicalize};

static CONTEXTS: LazyLock<Contexts> = LazyLock::new(Contexts::bundled);

fuzz_target!(|bytes: &[u8]| {
    let Ok(document) = parse_strict(bytes) else { return };
    let options = Options { inline_vocab: true, inline_directives: true, inline_contexts: true, any_form: true, ..Options::default() };
    let Ok(quads) = to_quads(&document, &CONTEXTS, &options) else { return };
    let canonical = |quads: &[_]| canonicalize(quads, HashAlgorithm::Sha256, &WorkLimits::default());
    let Ok(form) = canonical(&quads) else { return };
    if let Ok(named) = skolemize(&document, &CONTEXTS, &options)
        && let Ok(again) = to_deskolemized_quads(&named, &CONTEXTS, &options)
    {
        assert_eq!(canonical(&again).map(|again| again.nquads), Ok(form.nquads));
    }
});
