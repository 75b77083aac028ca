//! Any document: no panic; where it is accepted, skolemization keeps its meaning.

use proptest::prelude::*;

use super::super::{skolemize, to_deskolemized_quads};
use super::*;

fn key() -> impl Strategy<Value = String> {
    let known = [
        "@context",
        "@id",
        "@type",
        "@value",
        "@list",
        "@set",
        "@graph",
        "@reverse",
        "@nest",
        "@included",
        "@language",
        "@direction",
        "@index",
        "@vocab",
        "@protected",
        "@container",
        "@import",
        "id",
        "type",
        "name",
        "issuer",
        "credentialSubject",
        "proof",
        "verifiableCredential",
        "a",
        "https://e.com/a",
        "_:x",
    ];
    prop_oneof![8 => proptest::sample::select(known.to_vec()).prop_map(str::to_owned), 1 => ".{0,6}"]
}

fn scalar() -> impl Strategy<Value = Value> {
    let texts = [
        V2,
        "VerifiableCredential",
        "VerifiablePresentation",
        "did:e:a",
        "_:b0",
        "@id",
        "@type",
        "@json",
        "@list",
        "@index",
        "https://e.com/a",
        "a",
        "en",
        "rtl",
        "",
        "a:b",
    ];
    prop_oneof![
        6 => proptest::sample::select(texts.to_vec()).prop_map(|text| json!(text)),
        1 => ".{0,8}".prop_map(|text| json!(text)),
        1 => any::<i64>().prop_map(|number| json!(number)),
        1 => any::<f64>().prop_map(|number| json!(number)),
        1 => any::<bool>().prop_map(|value| json!(value)),
        1 => Just(Value::Null),
    ]
}

fn document() -> impl Strategy<Value = Value> {
    scalar().prop_recursive(6, 48, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
            prop::collection::vec((key(), inner), 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn expansion_never_panics(document in document(), open in any::<bool>()) {
        let options = Options { inline_vocab: open, inline_directives: open, inline_contexts: open, any_form: open, ..Options::default() };
        for document in [document.clone(), json!({"@context": V2, "type": "VerifiableCredential", "credentialSubject": document})] {
            let Ok(quads) = to_quads(&document, contexts(), &options) else { continue };
            prop_assert!(!quads.is_empty() || document.get("@graph").is_some() || document.is_array() || document.is_object());
            let Ok(skolemized) = skolemize(&document, contexts(), &options) else { continue };
            if let Ok(again) = to_deskolemized_quads(&skolemized, contexts(), &options) {
                prop_assert_eq!(text(&again), text(&quads));
            }
        }
    }
}
