//! Rules of contexts.

use super::*;

#[test]
fn cat_167_an_unknown_context_is_refused_wherever_it_stands() {
    let unknown = "https://attacker.example/v1";
    for document in [
        json!({"@context": unknown, "@type": "https://example.com/T"}),
        json!({"@context": [V2, unknown], "type": "VerifiableCredential"}),
        json!({"@context": V2, "type": "VerifiableCredential",
            "credentialSubject": {"@context": unknown, "id": "did:example:a"}}),
        json!({"@context": {"a": {"@id": "https://example.com/a", "@context": unknown}}, "a": {"@id": "did:example:b"}}),
        json!({"@context": "http://127.0.0.1/context", "@type": "https://example.com/T"}),
        json!({"@context": "context.jsonld", "@type": "https://example.com/T"}),
    ] {
        assert_eq!(
            refusal(&document),
            JsonLdError::UnknownContext,
            "{document}"
        );
    }
}

#[test]
fn cat_169_directives_inside_a_document_are_refused() {
    for context in [
        json!({"@vocab": "https://attacker.example/"}),
        json!({"@import": V2}),
        json!({"@propagate": false, "a": "https://example.com/a"}),
        json!({"a": {"@id": "https://example.com/a", "@context": {"@vocab": "https://attacker.example/"}}}),
    ] {
        let document = with_context(
            json!([V2, context]),
            json!({"type": "VerifiableCredential", "a": {}}),
        );
        assert_eq!(
            refusal(&document),
            JsonLdError::InlineDirective,
            "{context}"
        );
    }
}

#[test]
fn cat_169_at_vocab_is_an_option() {
    let document = with_context(
        json!([V2, {"@vocab": "https://windsurf.example/vocab#"}]),
        json!({"type": "VerifiableCredential", "sailNumber": "Earth101"}),
    );
    let options = Options {
        inline_vocab: true,
        ..open()
    };
    let text = canonical_with(&document, &options).expect("allowed");
    assert!(text.contains("<https://windsurf.example/vocab#sailNumber> \"Earth101\""));
    assert_eq!(refusal(&document), JsonLdError::InlineDirective);
}

#[test]
fn cat_169_protected_terms_cannot_be_overridden() {
    for context in [
        json!({"name": "https://attacker.example/name"}),
        json!({"name": null}),
        json!({"id": "https://attacker.example/id"}),
        json!({"type": "https://attacker.example/type"}),
        json!({"VerifiableCredential": "https://attacker.example/VC"}),
        json!({"name": {"@id": "https://schema.org/name", "@type": "@id"}}),
    ] {
        let document = with_context(
            json!([V2, context]),
            json!({"type": "VerifiableCredential"}),
        );
        assert_eq!(
            refusal(&document),
            JsonLdError::ProtectedTermRedefinition,
            "{context}"
        );
        let nested = json!({"@context": V2, "type": "VerifiableCredential",
            "credentialSubject": {"@context": context, "id": "did:example:a"}});
        assert_eq!(
            refusal(&nested),
            JsonLdError::ProtectedTermRedefinition,
            "{context}"
        );
    }
    let removed = with_context(json!([V2, null]), json!({"type": "VerifiableCredential"}));
    assert_eq!(refusal(&removed), JsonLdError::InvalidContextNullification);
}

#[test]
fn cat_169_terms_of_a_credential_mean_what_the_data_model_says() {
    // These terms come with the type: a definition before it has no effect.
    let plain = json!({"@context": V2, "type": "VerifiableCredential", "issuer": "did:example:a"});
    let mut changed = plain.clone();
    changed["@context"] = json!([V2, {"issuer": "https://attacker.example/issuer"}]);
    assert_eq!(canonical(&changed), canonical(&plain));
    changed["@context"] = json!([{"issuer": "https://attacker.example/issuer"}, V2]);
    assert_eq!(canonical(&changed), canonical(&plain));
}

#[test]
fn the_same_definition_again_is_no_override() {
    let document = with_context(
        json!([V2, V2, {"type": "@type"}]),
        json!({"type": "VerifiableCredential"}),
    );
    assert!(canonical(&document).is_ok());
}

#[test]
fn malformed_contexts_are_refused() {
    for (context, expected) in [
        (json!(1), JsonLdError::InvalidContext),
        (json!([["x"]]), JsonLdError::InvalidContext),
        (json!({"@version": 1.0}), JsonLdError::InvalidContext),
        (json!({"@base": 1}), JsonLdError::InvalidContext),
        (json!({"@base": "relative"}), JsonLdError::InvalidContext),
        (json!({"@protected": "yes"}), JsonLdError::InvalidContext),
        (json!({"@language": 1}), JsonLdError::InvalidLanguage),
        (json!({"@direction": "up"}), JsonLdError::InvalidLanguage),
        (
            json!({"": "https://example.com/"}),
            JsonLdError::InvalidTermDefinition,
        ),
        (json!({"a": 1}), JsonLdError::InvalidTermDefinition),
        (
            json!({"a": {"@id": "https://example.com/a", "x": 1}}),
            JsonLdError::InvalidTermDefinition,
        ),
        (
            json!({"a": {"@id": "https://example.com/a", "@type": "relative"}}),
            JsonLdError::InvalidTermDefinition,
        ),
        (
            json!({"a": {"@id": "https://example.com/a", "@container": "@other"}}),
            JsonLdError::InvalidContainerMapping,
        ),
        (
            json!({"a": {"@id": "https://example.com/a", "@container": ["@list", "@set"]}}),
            JsonLdError::InvalidContainerMapping,
        ),
        (json!({"a": {"@id": 1}}), JsonLdError::InvalidIriMapping),
        (json!({"a": "relative"}), JsonLdError::InvalidIriMapping),
        (json!({"a": "@context"}), JsonLdError::InvalidIriMapping),
        (
            json!({"a": "b:x", "b": "a:x"}),
            JsonLdError::CyclicIriMapping,
        ),
        (
            json!({"@id": "https://example.com/id"}),
            JsonLdError::KeywordRedefinition,
        ),
        (
            json!({"@type": "https://example.com/type"}),
            JsonLdError::KeywordRedefinition,
        ),
        (
            json!({"@unknown": "https://example.com/unknown"}),
            JsonLdError::KeywordRedefinition,
        ),
        (
            json!({"a": {"@reverse": "https://example.com/a", "@id": "https://example.com/a"}}),
            JsonLdError::InvalidReverse,
        ),
        (
            json!({"https://example.com/a": "https://example.com/b"}),
            JsonLdError::InvalidIriMapping,
        ),
    ] {
        let document = with_context(context.clone(), json!({"@type": "https://example.com/T"}));
        assert_eq!(refusal(&document), expected, "{context}");
    }
}

#[test]
fn a_context_document_that_was_pasted_whole_is_what_is_in_it() {
    let terms = json!({"name": "https://schema.org/name"});
    let with = |context: Value| json!({"@context": [context], "name": "x"});
    let plain = canonical(&with(terms.clone())).unwrap();
    assert_eq!(canonical(&with(json!({"@context": terms}))).unwrap(), plain);
    for wrong in [
        json!({"@context": terms, "more": "https://schema.org/more"}),
        json!({"@context": {"@context": terms}}),
        json!({"@context": [terms]}),
        json!({"@context": "https://www.w3.org/ns/credentials/v2"}),
        json!({"@context": null}),
    ] {
        assert_eq!(refusal(&with(wrong)), JsonLdError::InvalidContext);
    }
}
