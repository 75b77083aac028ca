//! Parts of documents that the fixtures do not have, and statements that no document has.

use super::*;
use crate::rdf::Literal;

const TYPE: &str = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type";

fn said(document: &Value) -> Vec<Quad> {
    quads(document, &Options::default()).expect("quads")
}

fn with(mut document: Value, name: &str, value: Value) -> Value {
    document[name] = value;
    document
}

/// The statement with that property, and where it stands.
fn find(said: &[Quad], predicate: &str) -> (usize, Quad) {
    let found = said.iter().enumerate();
    let mut found = found.filter(|(_, quad)| *quad.predicate == *predicate);
    let (at, quad) = found.next().expect("said");
    (at, quad.clone())
}

#[test]
fn cat_176_the_key_that_a_credential_is_bound_to_is_compared() {
    let bound = |key: Value| with(credential(), "cnf", key);
    let key = |x: &str| json!({"kty": "OKP", "x": x, "crv": "Ed25519"});
    let document = bound(json!({"jwk": key("a")}));
    let signed = said(&document);
    assert_eq!(check(&document, &signed), Ok(()));
    for other in [
        json!({"jwk": key("b")}),
        json!({"jwk": [key("a")]}),
        json!({"jwk": key("a"), "kid": "did:example:ada#key"}),
        json!({"kid": "did:example:ada#key"}),
        json!({}),
        json!([]),
    ] {
        assert!(check(&bound(other.clone()), &signed).is_err(), "{other}");
    }
    let by_name = said(&credential());
    let both = bound(json!({"kid": "did:example:ada#key", "jwk": key("a")}));
    assert!(check(&both, &by_name).is_err());
    // One literal, and no more.
    let (at, jwk) = find(&signed, "https://www.iana.org/assignments/jwt#jwk");
    let mut twice = signed.clone();
    twice.insert(at + 1, jwk);
    assert!(check(&document, &twice).is_err());
    let mut named = signed;
    named[at].object = Term::Iri("urn:key".into());
    assert!(check(&document, &named).is_err());
}

#[test]
fn cat_176_a_purpose_is_the_relationship_that_it_names() {
    const PURPOSES: [&str; 4] = [
        "assertionMethod",
        "authentication",
        "capabilityDelegation",
        "capabilityInvocation",
    ];
    let meant = |purpose: &str| with(proof(), "proofPurpose", json!(purpose));
    let mut without = proof();
    without
        .as_object_mut()
        .expect("object")
        .shift_remove("proofPurpose");
    for purpose in PURPOSES {
        let signed = said(&meant(purpose));
        for other in PURPOSES {
            let agreed = check(&meant(other), &signed).is_ok();
            assert_eq!(agreed, other == purpose, "{purpose} {other}");
        }
        assert!(check(&without, &signed).is_err());
        let (at, quad) = find(&signed, "https://w3id.org/security#proofPurpose");
        let mut twice = signed;
        twice.insert(at + 1, quad);
        assert!(check(&meant(purpose), &twice).is_err());
    }
    let signed = said(&without);
    assert_eq!(check(&without, &signed), Ok(()));
    assert!(check(&meant("assertionMethod"), &signed).is_err());
    assert!(check(&meant("keyAgreement"), &signed).is_err());
}

/// What other names mean is the matter of contexts, but not a type that decides how a document is read.
#[test]
fn cat_176_no_other_name_stands_for_a_type_that_decides() {
    let document = credential();
    let signed = said(&document);
    let card = Term::Iri(format!("{TERM}LibraryCard").into());
    let at = signed.iter().position(|quad| quad.object == card);
    let at = at.expect("a type");
    let status = "https://www.w3.org/ns/credentials/status#";
    for class in [
        format!("{CREDENTIALS}VerifiablePresentation"),
        format!("{CREDENTIALS}EnvelopedVerifiableCredential"),
        format!("{CREDENTIALS}EnvelopedVerifiablePresentation"),
        format!("{status}BitstringStatusListCredential"),
        format!("{status}BitstringStatusList"),
        format!("{status}BitstringStatusListEntry"),
        "https://w3id.org/security#DataIntegrityProof".to_owned(),
    ] {
        let mut other = signed.clone();
        other[at].object = Term::Iri(class.as_str().into());
        assert!(check(&document, &other).is_err(), "{class}");
    }
    let mut other = signed;
    other[at].object = Term::Iri(format!("{TERM}Other").into());
    assert_eq!(check(&document, &other), Ok(()));
}

/// To be the type of something is not to stand in the document.
#[test]
fn cat_176_what_is_only_a_type_is_not_described() {
    let document = credential();
    let mut signed = said(&document);
    let literal = Literal {
        value: "x".into(),
        datatype: "http://www.w3.org/2001/XMLSchema#string".into(),
        language: None,
    };
    for (subject, predicate, object) in [
        ("did:example:ada", TYPE, Term::Iri("urn:class".into())),
        ("urn:class", "urn:p", Term::Literal(literal)),
    ] {
        assert_eq!(check(&document, &signed), Ok(()));
        signed.push(Quad {
            subject: Term::Iri(subject.into()),
            predicate: predicate.into(),
            object,
            graph: None,
        });
    }
    assert!(check(&document, &signed).is_err());
}

#[test]
fn cat_176_digests_of_related_resources_are_compared() {
    let digest = |name: &str, value: &str| {
        let resource = json!({"id": "https://e.example/r", name: value});
        with(credential(), "relatedResource", json!([resource]))
    };
    for name in ["digestSRI", "digestMultibase"] {
        let document = digest(name, "uA");
        let signed = said(&document);
        assert_eq!(check(&document, &signed), Ok(()));
        assert!(check(&digest(name, "uB"), &signed).is_err());
        assert!(check(&credential(), &signed).is_err());
    }
}
