//! Skolemization keeps the meaning and the identity of blank nodes.

use super::super::{skolemize, to_deskolemized_quads};
use super::*;

fn credential() -> Value {
    json!({
        "@context": [V2, "https://w3id.org/citizenship/v4rc1", {"my": "https://e.com/my", "items": {"@id": "https://e.com/items", "@container": "@list"}}],
        "type": ["VerifiableCredential", "EmploymentAuthorizationDocumentCredential"],
        "issuer": {"name": "Office", "id": "did:example:issuer"},
        "credentialSubject": [{
            "type": ["Person", "EmployablePerson"],
            "givenName": "JOHN",
            "employmentAuthorizationDocument": {"type": "EmploymentAuthorizationDocument", "identifier": "8"}
        }, {"id": "_:same", "name": {"@value": "x", "@language": "en"}, "my": [{"my": "a"}, {"my": "b"}], "items": ["p", "q", {"my": "r"}]}],
        "relatedResource": [{"id": "https://e.com/x", "digestSRI": "sha256-x"}],
    })
}

fn skolemized(document: &Value) -> Result<Value, JsonLdError> {
    skolemize(document, contexts(), &open())
}

fn quads_of(part: &Value) -> Vec<Quad> {
    to_deskolemized_quads(part, contexts(), &open()).expect("expands")
}

#[test]
fn every_node_gets_an_id_and_the_meaning_stays() {
    let document = credential();
    let skolemized = skolemized(&document).expect("skolemizes");
    let subjects = &skolemized["credentialSubject"];
    for node in [
        &skolemized,
        &subjects[0],
        &subjects[0]["employmentAuthorizationDocument"],
        &subjects[1]["my"][1],
        &subjects[1]["items"][2],
    ] {
        assert!(
            node["id"]
                .as_str()
                .is_some_and(|id| id.starts_with("urn:bnid:n")),
            "{node}"
        );
    }
    assert_eq!(subjects[1]["id"], "urn:bnid:usame");
    assert!(
        subjects[1]["name"].get("id").is_none(),
        "a value object is no node"
    );
    assert_eq!(skolemized["@context"], document["@context"]);
    assert_eq!(
        text(&quads_of(&skolemized)),
        canonical(&document).expect("expands")
    );
}

#[test]
fn parts_keep_the_identity_of_blank_nodes() {
    let whole = skolemized(&credential()).expect("skolemizes");
    let all = quads_of(&whole);
    let mut part = whole.clone();
    let map = part.as_object_mut().expect("object");
    map.retain(|key, _| {
        matches!(
            key.as_str(),
            "@context" | "id" | "type" | "credentialSubject"
        )
    });
    part["credentialSubject"]
        .as_array_mut()
        .expect("array")
        .remove(0);
    let some = quads_of(&part);
    assert!(some.len() > 5 && some.len() < all.len());
    for quad in &some {
        assert!(all.contains(quad), "{quad:?}");
    }
}

#[test]
fn names_that_look_like_ours_are_refused() {
    for place in ["/credentialSubject/0/id", "/issuer/id"] {
        let mut document = credential();
        let (parent, key) = place.rsplit_once('/').expect("pointer");
        document.pointer_mut(parent).expect("there")[key] = json!("urn:bnid:n0");
        assert_eq!(
            skolemized(&document),
            Err(JsonLdError::NotSkolemizable),
            "{place}"
        );
    }
}

#[test]
fn a_literal_that_looks_like_a_label_stays() {
    let mut document = credential();
    document["issuer"]["name"] = json!("_:same");
    let skolemized = skolemized(&document).expect("skolemizes");
    assert_eq!(skolemized["issuer"]["name"], "_:same");
    // Where a plain text would be a label.
    let value = json!({"@value": "_:same"});
    let subject =
        json!({"@context": V2, "type": "VerifiableCredential", "credentialSubject": value});
    let options = Options::default();
    let skolemized = skolemize(&subject, contexts(), &options).expect("skolemizes");
    assert_eq!(skolemized["credentialSubject"], value);
}

#[test]
fn graphs_without_a_name_are_refused() {
    let presentation = json!({"@context": V2, "type": "VerifiablePresentation",
        "verifiableCredential": [{"@context": V2, "type": "VerifiableCredential"}]});
    assert_eq!(skolemized(&presentation), Err(JsonLdError::NotSkolemizable));
}

#[test]
fn lists_that_cannot_be_told_apart_are_refused() {
    let document = json!({"@context": {"a": "https://e.com/a"}, "@id": "did:e:1",
        "a": [{"@list": ["x"]}, {"@list": ["y"]}]});
    let result = to_deskolemized_quads(&document, contexts(), &open());
    assert_eq!(result, Err(JsonLdError::NotSkolemizable));
    assert!(canonical(&document).is_ok());
}

#[test]
fn without_an_alias_the_keyword_is_used() {
    let document = json!({"https://e.com/a": {"https://e.com/a": "x"}});
    let skolemized = skolemized(&document).expect("skolemizes");
    assert!(skolemized["@id"].is_string() && skolemized["https://e.com/a"]["@id"].is_string());
}
