//! What values become.

use super::*;

fn object_of(members: Value) -> String {
    let context = json!({
        "a": "https://e.com/a",
        "double": {"@id": "https://e.com/a", "@type": "http://www.w3.org/2001/XMLSchema#double"},
        "json": {"@id": "https://e.com/a", "@type": "@json"},
        "date": {"@id": "https://e.com/a", "@type": "http://www.w3.org/2001/XMLSchema#date"},
        "lang": {"@id": "https://e.com/a", "@container": "@language"},
        "ref": {"@id": "https://e.com/a", "@type": "@id"},
    });
    let mut document = with_context(context, members);
    document["@id"] = json!("did:e:s");
    let text = canonical(&document).expect("expands");
    let line = text.lines().next().expect("a line");
    let object = line
        .strip_prefix("<did:e:s> <https://e.com/a> ")
        .expect("prefix");
    object.strip_suffix(" .").expect("end").to_owned()
}

#[test]
fn literals() {
    let xsd =
        |value: &str, kind: &str| format!("\"{value}\"^^<http://www.w3.org/2001/XMLSchema#{kind}>");
    for (members, expected) in [
        (json!({"a": "x"}), "\"x\"".to_owned()),
        (json!({"a": "q\"\\\n\r\t\u{8}\u{c}\u{1}\u{7f}é"}), "\"q\\\"\\\\\\n\\r\\t\\b\\f\\u0001\\u007Fé\"".to_owned()),
        (json!({"a": true}), xsd("true", "boolean")),
        (json!({"a": 5}), xsd("5", "integer")),
        (json!({"a": -5}), xsd("-5", "integer")),
        (json!({"a": 5.0}), xsd("5", "integer")),
        (json!({"a": 5.5}), xsd("5.5E0", "double")),
        (json!({"a": 1e21}), xsd("1.0E21", "double")),
        (json!({"a": 1.234e-7}), xsd("1.234E-7", "double")),
        (json!({"double": 5}), xsd("5.0E0", "double")),
        (json!({"double": "5"}), xsd("5", "double")),
        (json!({"date": "2020-01-01"}), xsd("2020-01-01", "date")),
        (json!({"json": {"b": [1, null], "a": 1.0}}), "\"{\\\"a\\\":1,\\\"b\\\":[1,null]}\"^^<http://www.w3.org/1999/02/22-rdf-syntax-ns#JSON>".to_owned()),
        (json!({"a": {"@value": "x", "@language": "DE-at"}}), "\"x\"@de-at".to_owned()),
        (json!({"a": {"@value": "x", "@language": "ar", "@direction": "rtl"}}), "\"x\"^^<https://www.w3.org/ns/i18n#ar_rtl>".to_owned()),
        (json!({"a": {"@value": "x", "@direction": "ltr"}}), "\"x\"^^<https://www.w3.org/ns/i18n#_ltr>".to_owned()),
        (json!({"lang": {"de": "x"}}), "\"x\"@de".to_owned()),
        (json!({"lang": {"@none": "x"}}), "\"x\"".to_owned()),
        (json!({"ref": "did:e:o"}), "<did:e:o>".to_owned()),
        (json!({"a": {"@list": []}}), "<http://www.w3.org/1999/02/22-rdf-syntax-ns#nil>".to_owned()),
    ] {
        assert_eq!(object_of(members.clone()), expected, "{members}");
    }
}

#[test]
fn generated_labels_avoid_those_of_the_document() {
    let document = with_context(
        json!({"a": "https://e.com/a"}),
        json!({"@id": "_:b0", "a": [{"a": "one"}, {"@id": "_:b1", "a": "two"}]}),
    );
    let text = canonical(&document).expect("expands");
    assert_eq!(text.lines().count(), 4, "{text}");
}

#[test]
fn processed_contexts_are_the_same_from_the_cache() {
    let contexts = Contexts::bundled();
    let document = json!({
        "@context": [V2, "https://w3id.org/citizenship/v4rc1"],
        "type": ["VerifiableCredential", "EmploymentAuthorizationDocumentCredential"],
        "credentialSubject": {"type": ["Person", "EmployablePerson"], "givenName": "JANE"},
    });
    let first = to_quads(&document, &contexts, &open()).expect("expands");
    let second = to_quads(&document, &contexts, &open()).expect("expands");
    assert_eq!(first, second);
    assert_eq!(text(&first), canonical(&document).expect("expands"));
}
