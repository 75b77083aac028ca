//! Bounds, before anything is expanded.

use super::super::Limits;
use super::*;

#[test]
fn documents_beyond_a_limit_are_refused() {
    let mut deep = json!("x");
    for _ in 0..40 {
        deep = json!({"https://example.com/a": deep});
    }
    let many = json!({"https://example.com/a": vec![1; 30_000]});
    let large = json!({"https://example.com/a": "x".repeat(2 << 20)});
    let contexts = json!({"@context": vec![V2; 200], "type": "VerifiableCredential"});
    for document in [deep, many, large, contexts] {
        assert_eq!(refusal(&document), JsonLdError::LimitExceeded);
    }
}

#[test]
fn contexts_in_many_places_count_together() {
    let subject = json!({"@context": V2, "type": "VerifiableCredential"});
    let document = json!({"@context": V2, "type": "VerifiableCredential", "credentialSubject": vec![subject; 130]});
    assert_eq!(refusal(&document), JsonLdError::LimitExceeded);
}

#[test]
fn limits_are_parameters() {
    let document = json!({"@context": V2, "type": "VerifiableCredential"});
    let small = Options {
        limits: Limits {
            bytes: 10,
            ..Limits::default()
        },
        ..Options::default()
    };
    assert_eq!(
        canonical_with(&document, &small),
        Err(JsonLdError::LimitExceeded)
    );
    assert!(canonical(&document).is_ok());
}

#[test]
fn long_chains_of_terms_are_refused() {
    let mut context = serde_json::Map::new();
    for number in 0..9_000 {
        context.insert(format!("t{number}"), json!(format!("t{}:x", number + 1)));
    }
    let document = json!({"@context": context, "@type": "https://example.com/T"});
    assert_eq!(refusal(&document), JsonLdError::LimitExceeded);
}
