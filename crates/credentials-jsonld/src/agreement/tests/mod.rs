//! The second lock alone: forms that hide something are let through on purpose (`any_form`), and what the
//! rules of credentials then read is never something else than what was signed.

mod parts;

use std::collections::BTreeSet;
use std::sync::LazyLock;

use proptest::prelude::*;
use serde_json::{Map, Value, json};
use vouchsafe_credentials::vcdm::{Credential, DateTimeStamp, Presentation};

use super::{Kinds, check};
use crate::contexts::Contexts;
use crate::jsonld::{Options, to_quads};
use crate::rdf::{HashAlgorithm, Quad, Term, WorkLimits, canonicalize};

const V2: &str = "https://www.w3.org/ns/credentials/v2";
const UNDEFINED: &str = "https://www.w3.org/ns/credentials/undefined-terms/v2";
const CREDENTIALS: &str = "https://www.w3.org/2018/credentials#";
const TERM: &str = "https://www.w3.org/ns/credentials/undefined-term#";
const DATE: &str = "http://www.w3.org/2001/XMLSchema#dateTime";

fn entry() -> Value {
    json!({"id": "https://example.com/status/1#7", "type": "BitstringStatusListEntry",
        "statusPurpose": "revocation", "statusListIndex": "7",
        "statusListCredential": "https://example.com/status/1"})
}

fn credential() -> Value {
    json!({
        "@context": [V2, UNDEFINED],
        "id": "urn:uuid:58172aac-d8ba-11ed-83dd-0b3aef56cc33",
        "type": ["VerifiableCredential", "LibraryCard"],
        "issuer": "did:example:issuer",
        "validFrom": "2019-01-01T00:00:00Z",
        "validUntil": "2020-01-01T00:00:00Z",
        "credentialStatus": [entry(), {"id": "https://example.com/status/2#8",
            "type": "BitstringStatusListEntry", "statusPurpose": "suspension", "statusListIndex": "8",
            "statusListCredential": "https://example.com/status/2"}],
        "credentialSubject": {"id": "did:example:ada", "given": "Ada",
            "card": {"id": "urn:uuid:58172aac-d8ba-11ed-83dd-0b3aef56cc33"}},
        "cnf": {"kid": "did:example:ada#key"},
    })
}

fn presentation() -> Value {
    let mut other = credential();
    other["id"] = json!("urn:uuid:00000000-d8ba-11ed-83dd-0b3aef56cc33");
    other["credentialSubject"]["card"]["id"] = other["id"].clone();
    json!({"@context": [V2, UNDEFINED], "type": "VerifiablePresentation", "holder": "did:example:ada",
        "verifiableCredential": [credential(), other]})
}

fn list() -> Value {
    json!({"@context": V2, "id": "https://example.com/status/1",
        "type": ["VerifiableCredential", "BitstringStatusListCredential"], "issuer": "did:example:issuer",
        "credentialSubject": {"id": "https://example.com/status/1#list", "type": "BitstringStatusList",
            "statusPurpose": "revocation", "encodedList": "uH4sIAAAAAAAAA", "ttl": 300_000}})
}

fn proof() -> Value {
    json!({"@context": V2, "id": "urn:uuid:1", "type": "DataIntegrityProof", "cryptosuite": "eddsa-rdfc-2022",
        "created": "2026-01-01T00:00:00Z", "expires": "2026-02-01T00:00:00Z",
        "verificationMethod": "did:example:issuer#key", "proofPurpose": "assertionMethod",
        "domain": ["a.example", "b.example"], "challenge": "c", "nonce": "n", "previousProof": "urn:uuid:2"})
}

/// What a document is read with when nothing looks at its form.
fn anything() -> Options {
    Options {
        any_form: true,
        inline_contexts: true,
        inline_vocab: true,
        ..Options::default()
    }
}

static CONTEXTS: LazyLock<Contexts> = LazyLock::new(Contexts::bundled);
static SIGNED: LazyLock<String> =
    LazyLock::new(|| canonical(&quads(&credential(), &Options::default()).expect("quads")));

fn quads(document: &Value, options: &Options) -> Option<Vec<Quad>> {
    to_quads(document, &CONTEXTS, options).ok()
}

fn canonical(quads: &[Quad]) -> String {
    canonicalize(quads, HashAlgorithm::Sha256, &WorkLimits::default())
        .expect("small")
        .text()
}

/// The members of a document that are compared, each with something else in its place.
fn changes(document: &Value, at: &str, out: &mut Vec<(String, Option<Value>)>) {
    const READ: [&str; 26] = [
        "id",
        "type",
        "issuer",
        "validFrom",
        "validUntil",
        "credentialStatus",
        "credentialSubject",
        "statusPurpose",
        "statusListIndex",
        "statusListCredential",
        "encodedList",
        "ttl",
        "holder",
        "verifiableCredential",
        "cnf",
        "kid",
        "cryptosuite",
        "created",
        "expires",
        "verificationMethod",
        "proofPurpose",
        "domain",
        "challenge",
        "nonce",
        "previousProof",
        "relatedResource",
    ];
    let Value::Object(members) = document else {
        return;
    };
    for (name, value) in members
        .iter()
        .filter(|(name, _)| READ.contains(&name.as_str()))
    {
        let path = format!("{at}/{name}");
        out.push((path.clone(), None));
        out.push((path.clone(), Some(json!("urn:other"))));
        out.push((path.clone(), Some(json!([value, "urn:other"]))));
        match value {
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    out.push((format!("{path}/{index}"), Some(json!("urn:other"))));
                    changes(item, &format!("{path}/{index}"), out);
                }
            }
            one => changes(one, &path, out),
        }
    }
}

fn set(document: &mut Value, path: &str, value: Option<Value>) {
    let (parent, name) = path.rsplit_once('/').expect("a path");
    match (document.pointer_mut(parent).expect("a parent"), value) {
        (Value::Object(members), None) => drop(members.shift_remove(name)),
        (Value::Array(items), None) => drop(items.remove(name.parse().expect("index"))),
        (Value::Object(members), Some(value)) => drop(members.insert(name.to_owned(), value)),
        (Value::Array(items), Some(value)) => {
            items[name.parse::<usize>().expect("index")] = value;
        }
        _ => unreachable!("no container at {path}"),
    }
}

fn is_further(changed: &Value) -> bool {
    let types = changed["credentialSubject"]["type"].as_array();
    types.is_some_and(|types| types.contains(&json!("BitstringStatusList")))
}

#[test]
fn cat_176_every_member_that_is_read_is_compared() {
    let mut seen = 0;
    for document in [credential(), presentation(), list(), proof()] {
        let said = quads(&document, &Options::default()).expect("quads");
        assert_eq!(check(&document, &said), Ok(()), "{document}");
        let mut all = Vec::new();
        changes(&document, "", &mut all);
        for (path, value) in all {
            let mut changed = document.clone();
            set(&mut changed, &path, value);
            // Without its type the document is read by no rule.
            if !Kinds::of(&changed).any() {
                continue;
            }
            // A further type of a subject decides nothing.
            if path == "/credentialSubject/type" && is_further(&changed) {
                continue;
            }
            seen += 1;
            assert!(check(&changed, &said).is_err(), "{path} {changed}");
        }
    }
    assert!(seen > 150, "{seen}");
}

#[test]
fn cat_176_every_statement_that_is_read_is_compared() {
    for document in [credential(), presentation(), list(), proof()] {
        let said = quads(&document, &Options::default()).expect("quads");
        // What other types mean is the matter of contexts.
        let read = |quad: &Quad| {
            let free = |term: &str| term.starts_with(TERM);
            let class = matches!(&quad.object, Term::Iri(iri) if free(iri));
            !(class || free(&quad.predicate))
        };
        for index in (0..said.len()).filter(|index| read(&said[*index])) {
            let mut fewer = said.clone();
            fewer.remove(index);
            assert!(check(&document, &fewer).is_err(), "{:?}", said[index]);
            let mut more = said.clone();
            more[index].object = Term::Iri("urn:other".into());
            assert!(check(&document, &more).is_err(), "{:?}", said[index]);
        }
    }
}

const ENTRY: [&str; 6] = [
    "id",
    "type",
    "statusPurpose",
    "statusListIndex",
    "statusListCredential",
    "statusSize",
];

/// What a policy and the data model see of a credential; `None`: it is refused before anything else.
fn view(document: &Value, with_types: bool) -> Option<Value> {
    let credential = Credential::parse(document).ok()?;
    let mut subjects: Vec<_> = credential.subject_ids().to_vec();
    subjects.sort();
    // An array of one is one; where a rule reads it otherwise, it refuses it.
    let one = |value: &Value| match value {
        Value::Array(items) if items.len() == 1 => items[0].clone(),
        other => other.clone(),
    };
    let read = |entry: &Value| json!(ENTRY.map(|name| entry.get(name).map(one))).to_string();
    let mut status: Vec<String> = credential.status().map(read).collect();
    status.sort();
    let types: BTreeSet<&String> = credential.types().iter().collect();
    Some(json!({
        "id": credential.id(),
        "types": if with_types { json!(types) } else { json!(types.len()) },
        "list": types.contains(&"BitstringStatusListCredential".to_owned()),
        "issuer": credential.issuer(),
        "from": credential.valid_from().map(DateTimeStamp::as_str),
        "until": credential.valid_until().map(DateTimeStamp::as_str),
        "subjects": subjects,
        "status": status,
        "cnf": document.get("cnf").map(one),
    }))
}

/// Another form of a document, most of them with the same statements.
#[derive(Clone, Debug)]
enum Form {
    Nest(&'static str),
    Included(&'static str),
    Elsewhere(&'static str),
    AsIri(&'static str),
    Aliased(&'static str),
    Set(&'static str),
    Listed(&'static str),
    Spread(&'static str),
    ValueObject(&'static str),
    NamedObject(&'static str),
    Keyword(&'static str),
    Reversed,
    Graph,
    TypeAsIri(usize),
    TypeRenamed,
    CompactId(&'static str),
    NoContext,
    Swapped,
    Removed(&'static str),
    Changed(&'static str),
}

const MEMBERS: [&str; 8] = [
    "issuer",
    "validFrom",
    "validUntil",
    "credentialStatus",
    "credentialSubject",
    "cnf",
    "id",
    "type",
];

fn forms() -> impl Strategy<Value = Form> {
    let member = || prop::sample::select(&MEMBERS[..]);
    prop_oneof![
        member().prop_map(Form::Nest),
        member().prop_map(Form::Included),
        member().prop_map(Form::Elsewhere),
        member().prop_map(Form::AsIri),
        member().prop_map(Form::Aliased),
        member().prop_map(Form::Set),
        member().prop_map(Form::Listed),
        member().prop_map(Form::Spread),
        member().prop_map(Form::ValueObject),
        member().prop_map(Form::NamedObject),
        prop::sample::select(&["id", "type"][..]).prop_map(Form::Keyword),
        Just(Form::Reversed),
        Just(Form::Graph),
        (0..2_usize).prop_map(Form::TypeAsIri),
        Just(Form::TypeRenamed),
        member().prop_map(Form::CompactId),
        Just(Form::NoContext),
        Just(Form::Swapped),
        member().prop_map(Form::Removed),
        member().prop_map(Form::Changed),
    ]
}

/// Where a form is applied: the document, an entry of its status, its subject.
const PLACES: [&str; 3] = ["", "/credentialStatus/0", "/credentialSubject"];

fn add_context(document: &mut Value, definition: Value) {
    if let Some(Value::Array(contexts)) = document.get_mut("@context") {
        contexts.push(definition);
    }
}

fn iri_of(member: &str) -> String {
    match member {
        "cnf" => "https://www.iana.org/assignments/jwt#cnf".to_owned(),
        "type" => "http://www.w3.org/1999/02/22-rdf-syntax-ns#type".to_owned(),
        other => format!("{CREDENTIALS}{other}"),
    }
}

/// A value as it stands under an IRI, which coerces nothing.
fn uncoerced(member: &str, value: Value) -> Value {
    match (member, value) {
        ("validFrom" | "validUntil", text) => json!({"@value": text, "@type": DATE}),
        (_, Value::String(text)) => json!({"@id": text}),
        (_, other) => other,
    }
}

impl Form {
    /// `None`: the form is not one of this document.
    fn apply(&self, document: &mut Value, place: &str) -> Option<()> {
        let id = document.get("id").cloned();
        let taken = |document: &mut Value, name: &str| {
            let members = document.pointer_mut(place)?.as_object_mut()?;
            members.shift_remove(name)
        };
        let put = |document: &mut Value, name: &str, value: Value| -> Option<()> {
            let members = document.pointer_mut(place)?.as_object_mut()?;
            members.insert(name.to_owned(), value);
            Some(())
        };
        match self {
            Self::Nest(name) => {
                let value = taken(document, name)?;
                put(document, "@nest", json!({*name: value}))
            }
            Self::Included(name) => {
                let value = taken(document, name)?;
                put(
                    document,
                    "@included",
                    json!([{"id": id?, "type": "VerifiableCredential", *name: value}]),
                )
            }
            Self::Elsewhere(name) => {
                let value = taken(document, name)?;
                let card = document
                    .pointer_mut("/credentialSubject/card")?
                    .as_object_mut()?;
                card.insert("type".to_owned(), json!("VerifiableCredential"));
                card.insert((*name).to_owned(), value);
                Some(())
            }
            Self::AsIri(name) => {
                let value = uncoerced(name, taken(document, name)?);
                put(document, &iri_of(name), value)
            }
            Self::Aliased(name) => {
                let value = taken(document, name)?;
                let coerced = if name.starts_with("valid") {
                    DATE
                } else {
                    "@id"
                };
                let definition = match *name {
                    "id" | "type" => json!(format!("@{name}")),
                    other => json!({"@id": iri_of(other), "@type": coerced}),
                };
                add_context(document, json!({"alias": definition}));
                put(document, "alias", value)
            }
            Self::Set(name) => {
                let value = taken(document, name)?;
                put(document, name, json!({"@set": [value]}))
            }
            Self::Listed(name) => {
                let value = taken(document, name)?;
                put(document, name, json!([value]))
            }
            Self::Spread(name) => {
                let mut value = taken(document, name)?;
                let one = value
                    .as_array_mut()
                    .filter(|items| items.len() > 1)?
                    .remove(0);
                put(document, name, value)?;
                put(document, &iri_of(name), uncoerced(name, one))
            }
            Self::ValueObject(name) => {
                let value = taken(document, name)?;
                let value = if name.starts_with("valid") {
                    json!({"@value": value, "@type": DATE})
                } else {
                    json!({"@value": value})
                };
                put(document, name, value)
            }
            Self::NamedObject(name) => {
                let value = taken(document, name)?;
                put(document, name, json!({"id": value.as_str()?}))
            }
            Self::Keyword(name) => {
                let value = taken(document, name)?;
                put(document, &format!("@{name}"), value)
            }
            Self::Reversed => {
                let mut status = taken(document, "credentialStatus")?;
                let mut entry = status.as_array_mut()?.remove(0);
                if !entry.is_object() {
                    return None;
                }
                put(document, "credentialStatus", status)?;
                let context = document.as_object_mut()?.shift_remove("@context")?;
                entry["@reverse"] = json!({iri_of("credentialStatus"): document.take()});
                entry["@context"] = context;
                *document = entry;
                Some(())
            }
            Self::Graph => {
                let context = document.as_object_mut()?.shift_remove("@context")?;
                *document = json!({"@context": context, "@graph": [document.take()]});
                Some(())
            }
            Self::TypeAsIri(index) => {
                let types = document
                    .pointer_mut(&format!("{place}/type"))?
                    .as_array_mut()?;
                let name = types.get(*index)?.as_str()?;
                let iri = match name {
                    "VerifiableCredential" => format!("{CREDENTIALS}{name}"),
                    _ => format!("{TERM}{name}"),
                };
                types[*index] = json!(iri);
                Some(())
            }
            Self::TypeRenamed => {
                add_context(document, json!({"Other": format!("{TERM}LibraryCard")}));
                let types = document.get_mut("type")?.as_array_mut()?;
                let at = types.iter().position(|name| name == "LibraryCard")?;
                types[at] = json!("Other");
                Some(())
            }
            Self::CompactId(name) => {
                let value = taken(document, name)?;
                let rest = value.as_str()?.strip_prefix("did:example:")?.to_owned();
                add_context(
                    document,
                    json!({"x": {"@id": "did:example:", "@prefix": true}}),
                );
                put(document, name, json!(format!("x:{rest}")))
            }
            Self::NoContext => {
                document["@context"] = json!([V2]);
                Some(())
            }
            Self::Swapped => {
                let status = document.get_mut("credentialStatus")?.as_array_mut()?;
                status.reverse();
                Some(())
            }
            Self::Removed(name) => taken(document, name).map(drop),
            Self::Changed(name) => {
                taken(document, name)?;
                put(document, name, json!("did:example:other"))
            }
        }
    }
}

/// The forms that were tried, with the same statements, and of these refused by the comparison alone.
#[derive(Debug, Default)]
struct Tally {
    same: usize,
    refused: usize,
}

/// Whoever has the same statements as the signed document and agrees with them is read in the same way.
fn judge(changed: &Value, tally: &mut Tally) {
    let original = credential();
    for (options, with_types) in [(anything(), false), (Options::default(), true)] {
        let Some(said) = quads(changed, &options) else {
            continue;
        };
        if canonical(&said) != *SIGNED {
            continue;
        }
        let agreed = check(changed, &said);
        if options.any_form {
            tally.same += 1;
            tally.refused += usize::from(agreed.is_err());
        }
        if agreed.is_ok()
            && let Some(seen) = view(changed, with_types)
        {
            assert_eq!(Some(seen), view(&original, with_types), "{changed}");
        }
    }
}

/// Every form, every pair of forms, everywhere.
#[test]
fn cat_176_pairs_of_forms_that_agree_are_read_alike() {
    let mut forms = vec![
        Form::Reversed,
        Form::Graph,
        Form::TypeAsIri(0),
        Form::TypeAsIri(1),
        Form::TypeRenamed,
        Form::NoContext,
        Form::Swapped,
        Form::Keyword("id"),
        Form::Keyword("type"),
    ];
    for name in MEMBERS {
        forms.extend([
            Form::Nest(name),
            Form::Included(name),
            Form::Elsewhere(name),
            Form::AsIri(name),
            Form::Aliased(name),
            Form::Set(name),
            Form::Listed(name),
            Form::Spread(name),
            Form::ValueObject(name),
            Form::NamedObject(name),
            Form::CompactId(name),
        ]);
    }
    let mut tally = Tally::default();
    for (at, first) in forms.iter().enumerate() {
        for place in PLACES {
            let mut one = credential();
            if first.apply(&mut one, place).is_none() {
                continue;
            }
            judge(&one, &mut tally);
            for second in &forms[at..] {
                let mut two = one.clone();
                if second.apply(&mut two, "").is_some() {
                    judge(&two, &mut tally);
                }
            }
        }
    }
    // The forms are what they should be: many say the same, and most of those are not what is read.
    assert!(tally.same > 500 && tally.refused > 400, "{tally:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn cat_176_forms_that_agree_are_read_alike(steps in prop::collection::vec((forms(), 0..3_usize), 1..6)) {
        let mut changed = credential();
        for (form, place) in steps {
            let before = changed.clone();
            if form.apply(&mut changed, PLACES[place]).is_none() {
                changed = before;
            }
        }
        judge(&changed, &mut Tally::default());
    }
}

#[test]
fn what_no_rule_reads_is_not_compared() {
    let other =
        json!({"@context": V2, "type": "https://e.example/#Thing", "https://e.example/#p": "x"});
    assert_eq!(check(&other, &[]), Ok(()));
    let mut empty = Map::new();
    empty.insert("type".to_owned(), json!("VerifiableCredential"));
    assert!(check(&Value::Object(empty), &[]).is_err());
    assert!(Presentation::parse(&presentation()).is_ok());
}
