//! Safe mode: nothing is dropped.

use super::*;

fn context() -> Value {
    json!({
        "id": "@id", "type": "@type",
        "T": "https://example.com/T",
        "a": "https://example.com/a",
        "ref": {"@id": "https://example.com/ref", "@type": "@id"},
        "map": {"@id": "https://example.com/map", "@container": "@index"},
        "lang": {"@id": "https://example.com/lang", "@container": "@language"},
        "gone": null,
    })
}

#[test]
fn cat_170_what_would_be_dropped_is_refused() {
    for (members, expected) in [
        (json!({"undefined": 1}), JsonLdError::UndefinedTerm),
        (json!({"gone": 1}), JsonLdError::UndefinedTerm),
        (
            json!({"a": {"undefined": null}}),
            JsonLdError::UndefinedTerm,
        ),
        (json!({"@unknown": 1}), JsonLdError::UndefinedTerm),
        (json!({"relative/path": 1}), JsonLdError::UndefinedTerm),
        (
            json!({"https://example.com/a b": 1}),
            JsonLdError::UndefinedTerm,
        ),
        (json!({"_:blank": 1}), JsonLdError::UndefinedTerm),
        (json!({"a": null}), JsonLdError::DroppedValue),
        (json!({"a": ["x", null]}), JsonLdError::DroppedValue),
        (json!({"a": {"@value": null}}), JsonLdError::DroppedValue),
        (json!({"a": {"@language": "en"}}), JsonLdError::DroppedValue),
        (
            json!({"a": {"@list": ["x", null]}}),
            JsonLdError::DroppedValue,
        ),
        (json!({"lang": {"en": null}}), JsonLdError::DroppedValue),
        (
            json!({"a": {"id": "https://example.com/x", "@index": "lost"}}),
            JsonLdError::DroppedValue,
        ),
        (
            json!({"map": {"lost": {"id": "https://example.com/x"}}}),
            JsonLdError::DroppedValue,
        ),
        (json!({"@graph": ["floating"]}), JsonLdError::DroppedValue),
        (
            json!({"@graph": [{"id": "https://example.com/bare"}]}),
            JsonLdError::DroppedValue,
        ),
        (
            json!({"@included": [{"id": "https://example.com/bare"}]}),
            JsonLdError::DroppedValue,
        ),
    ] {
        let mut members = members;
        members["type"] = json!("T");
        let document = with_context(context(), members);
        assert_eq!(refusal(&document), expected, "{document}");
    }
}

#[test]
fn relative_and_malformed_iris_are_refused() {
    for members in [
        json!({"id": "relative", "type": "T"}),
        json!({"id": "", "type": "T"}),
        json!({"id": "https://example.com/a b", "type": "T"}),
        json!({"id": "https://example.com/<x>", "type": "T"}),
        json!({"id": "https://example.com/#a#b", "type": "T"}),
        json!({"id": "_:", "type": "T"}),
        json!({"id": "_:a b", "type": "T"}),
        json!({"id": "_:x> <y", "type": "T"}),
        json!({"id": "@type", "type": "T"}),
        json!({"type": "Unknown"}),
        json!({"type": ["T", "Unknown"]}),
        json!({"type": "T", "ref": "relative"}),
        json!({"type": "T", "ref": "1:a"}),
        json!({"type": "T", "ref": "a\u{0}:b"}),
    ] {
        assert_eq!(
            refusal(&with_context(context(), members.clone())),
            JsonLdError::RelativeIri,
            "{members}"
        );
    }
}

#[test]
fn malformed_objects_are_refused() {
    for (members, expected) in [
        (json!({"id": 1}), JsonLdError::InvalidKeywordValue),
        (json!({"id": null}), JsonLdError::InvalidKeywordValue),
        (json!({"type": [1]}), JsonLdError::InvalidKeywordValue),
        (
            json!({"id": "https://example.com/1", "@id": "https://example.com/2"}),
            JsonLdError::CollidingKeywords,
        ),
        (
            json!({"a": {"@value": "x", "id": "https://example.com/1"}}),
            JsonLdError::InvalidValueObject,
        ),
        (
            json!({"a": {"@value": "x", "a": 1}}),
            JsonLdError::InvalidValueObject,
        ),
        (
            json!({"a": {"@value": ["x"]}}),
            JsonLdError::InvalidValueObject,
        ),
        (
            json!({"a": {"@value": 1, "@language": "en"}}),
            JsonLdError::InvalidValueObject,
        ),
        (
            json!({"a": {"@value": "x", "@language": "en", "@type": "T"}}),
            JsonLdError::InvalidValueObject,
        ),
        (
            json!({"a": {"@value": "x", "@type": ["T"]}}),
            JsonLdError::InvalidValueObject,
        ),
        (
            json!({"a": {"@value": "x", "@language": "not a tag"}}),
            JsonLdError::InvalidLanguage,
        ),
        (
            json!({"a": {"@value": "x", "@direction": "up"}}),
            JsonLdError::InvalidLanguage,
        ),
        (
            json!({"lang": {"en_US": "x"}}),
            JsonLdError::InvalidLanguage,
        ),
        (json!({"lang": {"en": 1}}), JsonLdError::InvalidLanguage),
        (
            json!({"a": {"@list": [], "id": "https://example.com/1"}}),
            JsonLdError::InvalidSetOrList,
        ),
        (
            json!({"a": {"@set": [], "a": 1}}),
            JsonLdError::InvalidSetOrList,
        ),
        (json!({"@nest": 1}), JsonLdError::InvalidNest),
        (json!({"@nest": {"@value": 1}}), JsonLdError::InvalidNest),
        (json!({"@included": "x"}), JsonLdError::InvalidNest),
        (json!({"@reverse": "x"}), JsonLdError::InvalidReverse),
        (
            json!({"@reverse": {"a": "text"}}),
            JsonLdError::InvalidReverse,
        ),
        (
            json!({"@reverse": {"id": "https://example.com/1"}}),
            JsonLdError::InvalidReverse,
        ),
        (json!({"@vocab": "x"}), JsonLdError::InvalidKeywordValue),
    ] {
        assert_eq!(
            refusal(&with_context(context(), members.clone())),
            expected,
            "{members}"
        );
    }
}

#[test]
fn documents_that_say_nothing_are_refused() {
    for document in [
        json!({}),
        json!("x"),
        json!(1),
        json!(null),
        json!([{}]),
        json!({"@id": "did:example:a"}),
    ] {
        assert_eq!(refusal(&document), JsonLdError::DroppedValue, "{document}");
    }
}

#[test]
fn codes_are_stable_names() {
    assert_eq!(JsonLdError::UndefinedTerm.code(), "undefined_term");
    assert_eq!(JsonLdError::UnknownContext.code(), "unknown_context");
}
