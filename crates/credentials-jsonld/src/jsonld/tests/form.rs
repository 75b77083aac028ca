//! Statements have one form, and what a reader of the JSON sees is what is signed.

use super::*;
use crate::jsonld::brings_contexts;

const CREDENTIALS: &str = "https://www.w3.org/2018/credentials#";
const UNDEFINED: &str = "https://www.w3.org/ns/credentials/undefined-terms/v2";
const OPEN_VOCABULARY: &str = "https://www.w3.org/ns/credentials/undefined-term#";

fn strict(document: &Value) -> Result<String, JsonLdError> {
    canonical_with(document, &Options::default())
}

fn credential() -> Value {
    json!({
        "@context": [V2, UNDEFINED],
        "id": "urn:uuid:58172aac-d8ba-11ed-83dd-0b3aef56cc33",
        "type": ["VerifiableCredential", "LibraryCard"],
        "issuer": {"id": "did:example:issuer", "name": "Library"},
        "validUntil": "2020-01-01T00:00:00Z",
        "credentialStatus": {"id": "https://example.com/status/1#7", "type": "BitstringStatusListEntry",
            "statusPurpose": "revocation", "statusListIndex": "7", "statusListCredential": "https://example.com/status/1"},
        "credentialSubject": {"id": "did:example:ada", "given": "Ada", "isStudent": true, "isProfessor": false},
    })
}

/// The credential without some members, and what they were.
fn without(names: &[&str]) -> (Value, serde_json::Map<String, Value>) {
    let mut document = credential();
    let members = document.as_object_mut().expect("object");
    let taken = names.iter().map(|name| {
        let value = members.shift_remove(*name).expect("member");
        ((*name).to_owned(), value)
    });
    let taken = taken.collect();
    (document, taken)
}

/// Both have the same statements, so one signature fits both; only the plain one may pass.
fn assert_hidden(changed: &Value, expected: JsonLdError) {
    assert_eq!(canonical(changed), canonical(&credential()), "{changed}");
    assert!(strict(&credential()).is_ok());
    assert_eq!(strict(changed), Err(expected), "{changed}");
}

#[test]
fn cat_176_members_cannot_be_hidden_in_nest() {
    let (mut document, taken) = without(&["validUntil", "credentialStatus"]);
    document["@nest"] = Value::Object(taken.clone());
    assert_hidden(&document, JsonLdError::HiddenStatement);
    document.as_object_mut().expect("object").remove("@nest");
    document["more"] = Value::Object(taken);
    document["@context"] = json!([V2, UNDEFINED, {"more": "@nest"}]);
    assert_hidden(&document, JsonLdError::InlineContext);
    let aliases = Options {
        inline_contexts: true,
        ..Options::default()
    };
    assert_eq!(
        canonical_with(&document, &aliases),
        Err(JsonLdError::HiddenStatement)
    );
}

#[test]
fn cat_176_members_cannot_be_hidden_in_a_second_description() {
    let (mut document, mut taken) = without(&["validUntil", "credentialStatus"]);
    taken.insert("id".to_owned(), document["id"].clone());
    taken.insert("type".to_owned(), json!("VerifiableCredential"));
    document["@included"] = json!([taken]);
    assert_hidden(&document, JsonLdError::HiddenStatement);
    // The document as a graph: its root is nobody's to read.
    let mut graph = credential();
    let context = graph.as_object_mut().expect("object").remove("@context");
    assert_hidden(
        &json!({"@context": context, "@graph": [graph]}),
        JsonLdError::HiddenStatement,
    );
    // Where the subject refers to the credential, the reference can be made a description.
    let mut plain = credential();
    plain["credentialSubject"]["card"] = json!({"id": plain["id"]});
    let mut changed = plain.clone();
    let until = changed
        .as_object_mut()
        .expect("object")
        .remove("validUntil");
    changed["credentialSubject"]["card"] =
        json!({"id": plain["id"], "type": "VerifiableCredential", "validUntil": until});
    assert_eq!(canonical(&changed), canonical(&plain));
    assert!(strict(&plain).is_ok());
    assert_eq!(strict(&changed), Err(JsonLdError::HiddenStatement));
}

/// Two descriptions of a node are one too many as soon as one of them, whichever comes first, says
/// something of the data model.
#[test]
fn cat_176_one_description_of_the_data_model_is_the_only_one() {
    let described = |first: Value, second: Value| {
        let mut document = credential();
        document["credentialSubject"] =
            json!({"id": "did:example:ada", "first": first, "second": second});
        strict(&document).map(drop)
    };
    let free = json!({"id": "urn:uuid:1", "given": "Ada"});
    let ours = json!({"id": "urn:uuid:1", "type": "VerifiableCredential"});
    let hidden = Err(JsonLdError::HiddenStatement);
    assert_eq!(
        described(free.clone(), json!({"id": "urn:uuid:1", "age": 1})),
        Ok(())
    );
    assert_eq!(described(free.clone(), ours.clone()), hidden);
    assert_eq!(described(ours.clone(), free), hidden);
    assert_eq!(described(ours, json!("urn:uuid:1")), Ok(()));
}

#[test]
fn cat_176_members_cannot_be_hidden_in_reverse() {
    let (mut document, taken) = without(&["credentialStatus"]);
    let mut entry = taken["credentialStatus"].clone();
    let reverse = json!({format!("{CREDENTIALS}credentialStatus"): document});
    entry["@reverse"] = reverse;
    let context = entry["@reverse"][format!("{CREDENTIALS}credentialStatus")]
        .as_object_mut()
        .and_then(|map| map.shift_remove("@context"));
    document = entry;
    document["@context"] = context.expect("context");
    assert_hidden(&document, JsonLdError::HiddenStatement);
}

#[test]
fn cat_176_terms_cannot_be_written_as_iris() {
    let date = "http://www.w3.org/2001/XMLSchema#dateTime";
    let (mut document, taken) = without(&["validUntil", "credentialStatus"]);
    let until = json!({"@value": taken["validUntil"], "@type": date});
    document[format!("{CREDENTIALS}validUntil")] = until.clone();
    document["credentialStatus"] = taken["credentialStatus"].clone();
    assert_hidden(&document, JsonLdError::HiddenStatement);

    let (mut document, taken) = without(&["credentialStatus"]);
    document[format!("{CREDENTIALS}credentialStatus")] = taken["credentialStatus"].clone();
    assert_hidden(&document, JsonLdError::HiddenStatement);

    // An alias, and a compact IRI, where documents may define terms.
    let aliases = Options {
        inline_contexts: true,
        ..Options::default()
    };
    for (context, name) in [
        (
            json!({"foo": {"@id": format!("{CREDENTIALS}validUntil"), "@type": date}}),
            "foo",
        ),
        (json!({"c": CREDENTIALS}), "c:validUntil"),
    ] {
        let (mut document, _) = without(&["validUntil"]);
        document["@context"] = json!([V2, UNDEFINED, context]);
        document[name] = until.clone();
        if name == "foo" {
            document[name] = taken_until();
        }
        assert_hidden(&document, JsonLdError::InlineContext);
        assert_eq!(
            canonical_with(&document, &aliases),
            Err(JsonLdError::HiddenStatement),
            "{name}"
        );
    }
}

fn taken_until() -> Value {
    credential()["validUntil"].clone()
}

#[test]
fn cat_176_ids_and_types_have_one_name() {
    let mut document = credential();
    document["type"] = json!("VerifiableCredential");
    document["@type"] = json!("LibraryCard");
    assert_hidden(&document, JsonLdError::HiddenStatement);

    let mut document = credential();
    document["type"] = json!("VerifiableCredential");
    document["http://www.w3.org/1999/02/22-rdf-syntax-ns#type"] =
        json!({"@id": format!("{OPEN_VOCABULARY}LibraryCard")});
    assert_hidden(&document, JsonLdError::HiddenStatement);

    let mut document = credential();
    document["type"] = json!([format!("{CREDENTIALS}VerifiableCredential"), "LibraryCard"]);
    assert_eq!(strict(&document), Err(JsonLdError::HiddenStatement));

    for raw in ["@id", "uid"] {
        let mut document = credential();
        document["@context"] = json!([V2, UNDEFINED, "https://www.w3.org/ns/odrl.jsonld"]);
        let subject = document["credentialSubject"]
            .as_object_mut()
            .expect("object");
        let id = subject.remove("id").expect("id");
        subject.insert(raw.to_owned(), id);
        assert!(canonical(&document).is_ok());
        assert_eq!(
            strict(&document),
            Err(JsonLdError::HiddenStatement),
            "{raw}"
        );
    }
    // What only readers of another vocabulary read has the names of that vocabulary.
    let mut document = credential();
    document["@context"] = json!([V2, UNDEFINED, "https://www.w3.org/ns/odrl.jsonld"]);
    document["credentialSubject"]["permission"] =
        json!([{"uid": "urn:uuid:1", "target": "https://e.example/"}]);
    assert!(strict(&document).is_ok());
}

#[test]
fn cat_176_sets_and_graphs_are_written_without_keywords() {
    let mut document = credential();
    document["credentialSubject"] = json!({"@set": [credential()["credentialSubject"]]});
    assert_hidden(&document, JsonLdError::HiddenStatement);
    // What the contexts make a graph stays one.
    let presentation = json!({"@context": V2, "type": "VerifiablePresentation",
        "verifiableCredential": [credential()], "holder": "did:example:ada"});
    assert!(strict(&presentation).is_ok());
}

#[test]
fn cat_169_contexts_that_a_document_brings_are_refused() {
    let swapped = json!({"isStudent": format!("{OPEN_VOCABULARY}isProfessor"),
        "isProfessor": format!("{OPEN_VOCABULARY}isStudent")});
    let mut document = credential();
    let subject = json!({"@context": swapped, "id": "did:example:ada", "given": "Ada",
        "isStudent": false, "isProfessor": true});
    document["credentialSubject"] = subject.clone();
    assert_hidden(&document, JsonLdError::InlineContext);

    let mut document = credential();
    document["@context"] =
        json!([V2, UNDEFINED, {"DrivingLicence": format!("{OPEN_VOCABULARY}LibraryCard")}]);
    document["type"] = json!(["VerifiableCredential", "DrivingLicence"]);
    assert_hidden(&document, JsonLdError::InlineContext);

    // A URL is no better below the root, and null takes definitions away.
    for below in [json!(UNDEFINED), json!([V2, UNDEFINED]), json!(null)] {
        let mut document = credential();
        document["credentialSubject"]["@context"] = below;
        assert_eq!(strict(&document), Err(JsonLdError::InlineContext));
    }
    let mut document = credential();
    document["@context"] = json!([V2, UNDEFINED, null]);
    assert_eq!(strict(&document), Err(JsonLdError::InlineContext));

    // In a credential of a presentation the same rules hold.
    let mut presentation = json!({"@context": V2, "type": "VerifiablePresentation",
        "verifiableCredential": [credential()]});
    presentation["verifiableCredential"][0]["credentialSubject"] = subject;
    assert_eq!(strict(&presentation), Err(JsonLdError::InlineContext));
}

#[test]
fn cat_134_no_text_breaks_a_line() {
    let text = "x> \"a\" .\n<urn:victim> <urn:isAdmin";
    let with = |context: Value, member: &str| {
        json!({"@context": [V2, context], "type": "VerifiableCredential",
            "credentialSubject": {"id": "urn:me", member: "true"}})
    };
    for (context, member) in [
        (json!({"inj": {"@id": format!("_:{text}")}}), "inj"),
        (json!({"inj": format!("_:{text}")}), "inj"),
        (json!({"inj": format!("urn:{text}")}), "inj"),
        (
            json!({"inj": {"@id": "urn:p", "@type": format!("urn:{text}")}}),
            "inj",
        ),
        (json!({"inj": {"@id": "urn:p", "@language": text}}), "inj"),
        (json!({"@vocab": format!("_:{text}")}), "inj"),
        (json!({"@vocab": "_:v"}), text),
        (json!({"@vocab": "urn:v"}), text),
        (json!({"p": {"@id": "urn:p", "@prefix": true}}), "p:x> <y"),
        (json!({"p": "_:p"}), "p:x> <y"),
    ] {
        let options = Options {
            inline_vocab: true,
            ..open()
        };
        let result = canonical_with(&with(context.clone(), member), &options);
        assert!(result.is_err(), "{context} {result:?}");
    }
}

#[test]
fn long_names_that_are_written_often_are_refused() {
    let values: Vec<String> = (0..1_000).map(|number| number.to_string()).collect();
    let document = |id: String| {
        json!({"@context": V2, "type": "VerifiableCredential", "issuer": "did:example:issuer",
            "credentialSubject": {"https://e.example/p": {"id": id, "https://e.example/q": values}}})
    };
    let long = |length: usize| format!("urn:{}", "a".repeat(length));
    assert!(strict(&document(long(4_000))).is_ok());
    assert_eq!(
        strict(&document(long(5_000))),
        Err(JsonLdError::LimitExceeded)
    );
    // A `data:` URL is as long as it must be, but not a thousand times.
    let data = |length: usize| format!("data:text/plain,{}", "a".repeat(length));
    assert_eq!(
        strict(&document(data(100_000))),
        Err(JsonLdError::LimitExceeded)
    );
    let once = json!({"@context": V2, "type": "VerifiableCredential",
        "credentialSubject": {"id": data(100_000), "https://e.example/q": "x"}});
    assert!(strict(&once).is_ok());
    // Prefixes do not multiply.
    let mut prefixed = json!({"@context": [V2, {"p": {"@id": data(50_000), "@prefix": true}}],
        "type": "VerifiableCredential"});
    prefixed["credentialSubject"] = json!({"p:a": "x"});
    assert_eq!(canonical(&prefixed), Err(JsonLdError::LimitExceeded));
    let mut vocabulary = json!({"@context": [V2, {"p": format!("{}:", long(3_000))}], "type": "VerifiableCredential"});
    vocabulary["credentialSubject"] = json!({format!("p:{}", "a".repeat(2_000)): "x"});
    assert_eq!(canonical(&vocabulary), Err(JsonLdError::LimitExceeded));
}

/// A context is not signed. Who takes it away and writes out what its names mean has the same
/// statements, and readers of the JSON miss the names.
#[test]
fn cat_176_what_some_context_names_is_not_written_as_an_iri() {
    let iri = |name: &str| format!("{OPEN_VOCABULARY}{name}");
    for context in [json!([V2, UNDEFINED]), json!([V2])] {
        let mut document = credential();
        document["@context"] = context;
        document["type"] = json!(["VerifiableCredential", iri("LibraryCard")]);
        let subject = json!({"id": "did:example:ada", iri("given"): "Ada",
            iri("isStudent"): true, iri("isProfessor"): false});
        document["credentialSubject"] = subject;
        assert_hidden(&document, JsonLdError::HiddenStatement);
        // One of them is enough.
        for (member, name) in [("given", "Ada"), ("isStudent", "x")] {
            let mut one = credential();
            one["@context"] = document["@context"].clone();
            one["type"] = json!("VerifiableCredential");
            one["credentialSubject"] = json!({iri(member): name});
            assert_eq!(strict(&one), Err(JsonLdError::HiddenStatement), "{member}");
        }
    }
    // A term of a context that is bundled and not named.
    let resident = json!({"@context": V2, "type": "VerifiableCredential", "issuer": "did:example:issuer",
        "credentialSubject": {"https://w3id.org/citizenship#lprNumber": "999-999-999"}});
    assert_eq!(strict(&resident), Err(JsonLdError::HiddenStatement));
    let typed = json!({"@context": V2, "type": "VerifiableCredential", "issuer": "did:example:issuer",
        "credentialSubject": {"type": "https://w3id.org/citizenship#PermanentResident", "name": "x"}});
    assert_eq!(strict(&typed), Err(JsonLdError::HiddenStatement));
    // What nobody names is written out.
    let unnamed = json!({"@context": V2, "type": ["VerifiableCredential", "https://e.example/#Card"],
        "issuer": "did:example:issuer", "credentialSubject": {"https://e.example/#given": "Ada"}});
    assert!(strict(&unnamed).is_ok());
}

/// The document's own term is the name, and what the vocabulary would call it is a second one.
#[test]
fn cat_176_a_term_goes_before_the_vocabulary() {
    let aliases = Options {
        inline_contexts: true,
        ..Options::default()
    };
    let named = |name: &str| {
        let mut document = credential();
        document["@context"] = json!([V2, UNDEFINED, {"alias": format!("{OPEN_VOCABULARY}given")}]);
        document["credentialSubject"] = json!({"id": "did:example:ada", name: "Ada"});
        document
    };
    let (term, local) = (named("alias"), named("given"));
    assert_eq!(canonical(&term), canonical(&local));
    assert!(canonical_with(&term, &aliases).is_ok());
    let refused = canonical_with(&local, &aliases);
    assert_eq!(refused, Err(JsonLdError::HiddenStatement));
}

#[test]
fn cat_176_compact_iris_are_a_second_name() {
    let v1 = "https://www.w3.org/2018/credentials/examples/v1";
    let with = |subject: Value| {
        json!({"@context": ["https://www.w3.org/2018/credentials/v1", v1], "type": "VerifiableCredential",
            "issuer": "did:example:issuer", "issuanceDate": "2020-01-01T00:00:00Z", "credentialSubject": subject})
    };
    for (compact, whole) in [
        (
            json!({"ex:given": "Ada"}),
            json!({"https://example.org/examples#given": "Ada"}),
        ),
        (
            json!({"id": "ex:ada", "name": "Ada"}),
            json!({"id": "https://example.org/examples#ada", "name": "Ada"}),
        ),
        (
            json!({"type": "ex:Ada"}),
            json!({"type": "https://example.org/examples#Ada"}),
        ),
    ] {
        let (compact, whole) = (with(compact), with(whole));
        assert_eq!(canonical(&compact), canonical(&whole));
        assert_eq!(
            strict(&compact),
            Err(JsonLdError::HiddenStatement),
            "{compact}"
        );
        let named = strict(&whole);
        assert!(
            named.is_ok() || named == Err(JsonLdError::HiddenStatement),
            "{named:?}"
        );
    }
}

/// What the strict rules refuse as a context of the document's own is seen without expanding it.
#[test]
fn contexts_that_a_document_brings_are_seen() {
    let mut with = vec![credential()];
    with[0]["@context"] = json!([V2, UNDEFINED, {"given": "https://e.example/#g"}]);
    for below in [
        json!(UNDEFINED),
        json!({"given": "https://e.example/#g"}),
        json!(null),
    ] {
        let mut document = credential();
        document["credentialSubject"]["@context"] = below;
        with.push(document);
    }
    let mut presentation = json!({"@context": V2, "type": "VerifiablePresentation",
        "verifiableCredential": [credential(), with[1].clone()]});
    with.push(presentation.clone());
    for document in &with {
        assert_eq!(strict(document), Err(JsonLdError::InlineContext));
        assert!(brings_contexts(document), "{document}");
    }
    presentation["verifiableCredential"] = json!(credential());
    for document in [credential(), presentation] {
        assert!(strict(&document).is_ok());
        assert!(!brings_contexts(&document), "{document}");
    }
}

/// A reader that finds an object where it expects a truth value takes it for true.
#[test]
fn cat_176_plain_values_are_not_written_as_objects() {
    let integer = "http://www.w3.org/2001/XMLSchema#integer";
    let date = "http://www.w3.org/2001/XMLSchema#dateTime";
    let with = |name: &str, value: Value| {
        let mut document = credential();
        document["credentialSubject"] = json!({"id": "did:example:ada"});
        if name == "validUntil" {
            document[name] = value;
        } else {
            document["credentialSubject"][name] = value;
        }
        document
    };
    for (name, plain, written) in [
        ("isProfessor", json!(false), json!({"@value": false})),
        (
            "isProfessor",
            json!(false),
            json!({"@value": "false", "@type": "http://www.w3.org/2001/XMLSchema#boolean"}),
        ),
        ("age", json!(17), json!({"@value": 17})),
        ("age", json!(17), json!({"@value": "17", "@type": integer})),
        (
            "age",
            json!(1.5),
            json!({"@value": "1.5E0", "@type": "http://www.w3.org/2001/XMLSchema#double"}),
        ),
        ("given", json!("Ada"), json!({"@value": "Ada"})),
        (
            "given",
            json!("Ada"),
            json!({"@value": "Ada", "@type": "http://www.w3.org/2001/XMLSchema#string"}),
        ),
        (
            "given",
            json!("Ada"),
            json!({"@value": "Ada", "@type": "http://www.w3.org/1999/02/22-rdf-syntax-ns#langString"}),
        ),
        (
            "validUntil",
            json!("2020-01-01T00:00:00Z"),
            json!({"@value": "2020-01-01T00:00:00Z", "@type": date}),
        ),
        (
            "given",
            json!({"@value": "Ada", "@language": "en", "@direction": "ltr"}),
            json!({"@value": "Ada", "@type": "https://www.w3.org/ns/i18n#en_ltr"}),
        ),
        (
            "given",
            json!({"@value": {"a": 1}, "@type": "@json"}),
            json!({"@value": "{\"a\":1}", "@type": "http://www.w3.org/1999/02/22-rdf-syntax-ns#JSON"}),
        ),
    ] {
        let (plain, written) = (with(name, plain), with(name, written));
        assert_eq!(canonical(&plain), canonical(&written), "{written}");
        assert!(strict(&plain).is_ok(), "{plain}");
        assert_eq!(
            strict(&written),
            Err(JsonLdError::HiddenStatement),
            "{written}"
        );
    }
    // What a plain value cannot say is written as an object.
    for only in [
        json!({"@value": "Ada", "@language": "en"}),
        json!({"@value": "2020-01-01T00:00:00Z", "@type": date}),
        json!({"@value": "017", "@type": integer}),
        json!({"@value": "18", "@type": "https://e.example/#age"}),
    ] {
        assert!(strict(&with("given", only.clone())).is_ok(), "{only}");
    }
}

/// Statements are a set: neither the nesting of arrays nor how often a value stands there is signed.
#[test]
fn cat_170_what_a_set_does_not_keep_is_refused() {
    let with = |value: Value| {
        let mut document = credential();
        document["credentialSubject"] = json!({"id": "did:example:ada", "given": value});
        document
    };
    let one = canonical(&with(json!(["a", "b"])));
    for (changed, error) in [
        (json!([["a"], ["b"]]), JsonLdError::HiddenStatement),
        (json!([["a", "b"]]), JsonLdError::HiddenStatement),
        (json!(["a", "b", "a"]), JsonLdError::DroppedValue),
    ] {
        assert_eq!(canonical(&with(changed.clone())), one);
        assert_eq!(strict(&with(changed.clone())), Err(error), "{changed}");
    }
    for twice in [
        json!([1, 1]),
        json!([true, false, true]),
        json!([{"id": "did:example:a"}, {"id": "did:example:a"}]),
        json!([{"@value": "a", "@language": "en"}, {"@value": "a", "@language": "EN"}]),
    ] {
        assert_eq!(
            strict(&with(twice.clone())),
            Err(JsonLdError::DroppedValue),
            "{twice}"
        );
    }
    for different in [
        json!([1, "1", true, "true"]),
        json!([{"@value": "a", "@language": "en"}, {"@value": "a", "@language": "de"}, "a"]),
        json!([{"name": "x"}, {"name": "x"}]),
        json!([{"id": "did:example:a", "name": "x"}, {"id": "did:example:a", "age": 1}]),
        json!({"@list": ["a", "a"]}),
    ] {
        assert!(strict(&with(different.clone())).is_ok(), "{different}");
    }
    let mut document = credential();
    document["type"] = json!(["VerifiableCredential", "LibraryCard", "LibraryCard"]);
    assert_eq!(strict(&document), Err(JsonLdError::DroppedValue));
}

/// A double has up to seventeen digits, and its lexical form sixteen.
#[test]
fn cat_170_numbers_that_rdf_would_round_are_refused() {
    let with = |value: f64| {
        let mut document = credential();
        document["credentialSubject"] = json!({"id": "did:example:ada", "share": value});
        document
    };
    for exact in [0.1, 0.3, 1.5, 1e-7, 2.2, 123_456.789] {
        assert!(strict(&with(exact)).is_ok(), "{exact}");
    }
    for rounded in [0.1_f64.next_up(), 0.1 + 0.2] {
        assert_eq!(
            strict(&with(rounded)),
            Err(JsonLdError::InvalidNumber),
            "{rounded}"
        );
    }
}
