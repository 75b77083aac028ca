use proptest::prelude::*;
use serde_json::{Value, json};
use vouchsafe_credentials::data_integrity::ProofError;

use super::fixtures::{Party, altered, credential, parties, pointers};
use super::*;
use crate::bbs_2023;
use crate::ecdsa_sd;
use crate::jsonld::JsonLdError;

fn all(pointers: &[&str]) -> Vec<String> {
    pointers.iter().map(|&text| text.to_owned()).collect()
}

fn cause(error: &ProofError) -> Option<&SdError> {
    match error {
        ProofError::Transformation(cause) => cause.downcast_ref(),
        _ => None,
    }
}

/// Two nodes of one shape, nodes in nodes, an array of nodes, an ordered list, a shared blank node.
fn subject() -> Value {
    json!({
        "name": "Ada",
        "homes": [
            { "type": "Home", "town": "Turin", "rooms": [{ "size": 12 }, { "size": 12 }, { "size": 9 }] },
            { "type": "Home", "town": "Turin", "rooms": [{ "size": 12 }, { "size": 12 }, { "size": 9 }] },
        ],
        "friend": { "id": "_:b0", "name": "Bea" },
        "also": { "id": "_:b0", "age": 30 },
        "steps": { "@list": [{ "first": 1 }, "second", { "third": 3 }] },
        "looks": "_:c14n0 is no node",
        "member": true,
    })
}

#[test]
fn documents_with_blank_nodes_are_disclosed_in_parts() {
    let document = credential(&subject());
    for party in parties() {
        let base = party.issue(&document, &["/issuer"]).unwrap();
        party.verify_base(&base).unwrap();
        for wanted in [
            &["/credentialSubject/name"][..],
            &["/credentialSubject/homes/1/town"],
            &[
                "/credentialSubject/homes/0/rooms/2",
                "/credentialSubject/homes/1",
            ],
            &[
                "/credentialSubject/homes/0/rooms/0",
                "/credentialSubject/homes/1/rooms/1/size",
            ],
            &["/credentialSubject/friend", "/credentialSubject/also/age"],
            &["/credentialSubject/steps"],
            &["/credentialSubject/looks"],
            &["/credentialSubject"],
            &[""],
        ] {
            let derived = party
                .derive(&base, &all(wanted))
                .unwrap_or_else(|error| panic!("{wanted:?}: {error:?}"));
            party
                .verify(&derived)
                .unwrap_or_else(|error| panic!("{wanted:?}: {error}"));
            for (place, altered) in altered(&derived.document) {
                let mut other = derived.clone();
                other.document = altered;
                assert!(party.verify(&other).is_err(), "{wanted:?} {place}");
            }
        }
    }
}

#[test]
fn what_is_not_selected_is_not_there() {
    let document = credential(&subject());
    for party in parties() {
        let base = party.issue(&document, &[]).unwrap();
        let wanted = all(&[
            "/credentialSubject/homes/1/rooms/2/size",
            "/credentialSubject/friend",
        ]);
        let derived = party.derive(&base, &wanted).unwrap();
        assert_eq!(
            derived.document["credentialSubject"],
            json!({
                "homes": [{ "type": "Home", "rooms": [{ "size": 9 }] }],
                "friend": { "id": "_:b0", "name": "Bea" },
            })
        );
        let text = derived.document.to_string();
        for hidden in ["Ada", "Turin", "second"] {
            assert!(!text.contains(hidden));
        }
    }
}

#[test]
fn who_issued_it_and_until_when_cannot_be_hidden() {
    let document = credential(&subject());
    for party in parties() {
        let base = party.issue(&document, &[]).unwrap();
        let derived = party
            .derive(&base, &all(&["/credentialSubject/name"]))
            .unwrap();
        for name in [
            "issuer",
            "validFrom",
            "validUntil",
            "credentialStatus",
            "type",
        ] {
            assert_eq!(derived.document[name], document[name], "{name}");
            let mut without = derived.clone();
            without.document.as_object_mut().unwrap().shift_remove(name);
            assert!(party.verify(&without).is_err(), "{name}");
        }
    }
}

/// Who may leave out the key that a credential is bound to can hand it on.
#[test]
fn the_key_of_the_holder_cannot_be_hidden() {
    let mut document = credential(&subject());
    document["cnf"] = json!({ "kid": "did:example:ada#key" });
    for party in parties() {
        let base = party.issue(&document, &[]).unwrap();
        let derived = party
            .derive(&base, &all(&["/credentialSubject/name"]))
            .unwrap();
        assert_eq!(derived.document["cnf"], document["cnf"]);
        let mut without = derived.clone();
        let members = without.document.as_object_mut().unwrap();
        members.shift_remove("cnf");
        assert!(party.verify(&without).is_err());
    }
}

#[test]
fn the_issuer_is_disclosed_where_another_made_nothing_mandatory() {
    let document = credential(&subject());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let rng = vouchsafe_credentials::testing::SeededRng::new(5);
    let key = crate::bbs::SecretKey::generate(&rng);
    let suite = bbs_2023::Bbs2023::new(super::fixtures::transformation());
    let members = json!({
        "type": "DataIntegrityProof",
        "cryptosuite": "bbs-2023",
        "verificationMethod": "did:example:i#k",
        "proofPurpose": "assertionMethod",
    });
    let members = members.as_object().unwrap().clone();
    let proof = suite.create_base(&document, members, &[], &key, [7; 32]);
    let proof = runtime.block_on(proof).unwrap();
    let base = super::fixtures::Secured {
        document,
        proof: Value::Object(proof),
    };
    let derived = Party::bbs()
        .derive(&base, &all(&["/credentialSubject/name"]))
        .unwrap();
    assert_eq!(derived.document["issuer"], base.document["issuer"]);
    assert!(derived.document.get("validUntil").is_none());
}

#[test]
fn a_credential_about_nobody_is_not_derived() {
    let document = credential(&subject());
    for party in parties() {
        let base = party.issue(&document, &[]).unwrap();
        for wanted in [&[][..], &["/validFrom"]] {
            let error = party.derive(&base, &all(wanted)).unwrap_err();
            assert_eq!(cause(&error), Some(&SdError::SubjectHidden));
        }
    }
}

#[test]
fn pointers_that_name_nothing_are_refused() {
    let document = credential(&subject());
    for party in parties() {
        let base = party.issue(&document, &[]).unwrap();
        for (wanted, expected) in [
            ("/credentialSubject/nobody", SdError::NoSuchValue),
            ("/credentialSubject/name/0", SdError::NoSuchValue),
            ("/credentialSubject/name/length", SdError::NoSuchValue),
            ("/credentialSubject/homes/2", SdError::NoSuchValue),
            ("/credentialSubject/homes/-", SdError::NoSuchValue),
            ("/credentialSubject/homes/00", SdError::NoSuchValue),
            ("/credentialSubject/homes/town", SdError::NoSuchValue),
            ("/credentialSubject/member/x", SdError::NoSuchValue),
            ("/credentialSubject//name", SdError::NoSuchValue),
            ("credentialSubject", SdError::Pointer),
            ("/credentialSubject/~", SdError::Pointer),
        ] {
            let wanted = [wanted, "/credentialSubject/name"];
            let error = party.derive(&base, &all(&wanted)).unwrap_err();
            assert_eq!(cause(&error), Some(&expected), "{wanted:?}");
            let error = party.issue(&document, &wanted[..1]).unwrap_err();
            assert_eq!(cause(&error), Some(&expected), "{wanted:?}");
        }
    }
}

#[test]
fn part_of_a_list_and_half_of_a_literal_are_refused() {
    let mut subject = subject();
    subject["motto"] = json!({ "@value": "ciao", "@language": "it" });
    let document = credential(&subject);
    for party in parties() {
        let base = party.issue(&document, &[]).unwrap();
        for wanted in [
            "/credentialSubject/steps/@list/1",
            "/credentialSubject/motto/@value",
        ] {
            let error = party.derive(&base, &all(&[wanted])).unwrap_err();
            assert_eq!(cause(&error), Some(&SdError::NotSeparable), "{wanted}");
        }
        let whole = all(&["/credentialSubject/steps", "/credentialSubject/motto"]);
        party.verify(&party.derive(&base, &whole).unwrap()).unwrap();
    }
}

/// What expansion would drop would stand in a credential without a signature.
#[test]
fn cat_170_undefined_terms_are_not_secured() {
    let mut document = credential(&subject());
    document["@context"] = json!(["https://www.w3.org/ns/credentials/v2"]);
    for party in parties() {
        let error = party.issue(&document, &[]).unwrap_err();
        assert!(matches!(cause(&error), Some(SdError::JsonLd(_))));
        let base = party.issue(&credential(&subject()), &[]).unwrap();
        let mut derived = party.derive(&base, &all(&["/credentialSubject"])).unwrap();
        derived.document["@context"] = json!(["https://www.w3.org/ns/credentials/v2"]);
        assert!(party.verify(&derived).is_err());
    }
}

#[test]
fn base_proofs_are_not_shown_and_derived_ones_not_derived_again() {
    let document = credential(&subject());
    for party in parties() {
        let base = party.issue(&document, &[]).unwrap();
        assert!(matches!(party.verify(&base), Err(ProofError::BaseProof)));
        let wanted = all(&["/credentialSubject/name"]);
        let derived = party.derive(&base, &wanted).unwrap();
        assert!(matches!(
            party.verify_base(&derived),
            Err(ProofError::DerivedProof)
        ));
        assert!(matches!(
            party.derive(&derived, &wanted),
            Err(ProofError::DerivedProof)
        ));
    }
    // The proof of one suite is none of the other.
    let [one, other] = parties();
    let base = one.issue(&document, &[]).unwrap();
    assert!(matches!(other.verify(&base), Err(ProofError::ProofValue)));
    let base = other.issue(&document, &[]).unwrap();
    assert!(matches!(one.verify(&base), Err(ProofError::ProofValue)));
}

#[test]
fn an_altered_base_proof_is_noticed_by_its_holder() {
    let document = credential(&subject());
    for party in parties() {
        let base = party.issue(&document, &[]).unwrap();
        for (place, altered) in altered(&document) {
            let mut other = base.clone();
            other.document = altered;
            assert!(party.verify_base(&other).is_err(), "{place}");
        }
    }
}

/// Two blank nodes under one label would be one node, or one node two.
#[test]
fn label_maps_must_fit() {
    let party = Party::ecdsa();
    let base = party.issue(&credential(&subject()), &[]).unwrap();
    let derived = party
        .derive(&base, &all(&["/credentialSubject/homes"]))
        .unwrap();
    let good = ecdsa_sd::DerivedProof::parse(derived.value()).unwrap();
    let alter = |change: &dyn Fn(&mut LabelMap)| {
        let mut value = good.clone();
        change(&mut value.labels);
        party.verify(&derived.with_value(value.encode().unwrap()))
    };
    assert!(alter(&|_| ()).is_ok());
    assert!(matches!(
        alter(&|map| drop(map.pop_first())),
        Err(ProofError::ProofValue)
    ));
    let twice = |map: &mut LabelMap| {
        let label = map["c14n0"].clone();
        map.insert("c14n1".to_owned(), label);
    };
    assert!(matches!(alter(&twice), Err(ProofError::ProofValue)));
    let more = |map: &mut LabelMap| {
        let label = vouchsafe_credentials::multibase::base64url(&[9; 32]);
        map.insert("c14n99".to_owned(), label);
    };
    assert!(matches!(alter(&more), Err(ProofError::ProofValue)));
    let swapped = |map: &mut LabelMap| {
        let (a, b) = (map["c14n0"].clone(), map["c14n1"].clone());
        map.insert("c14n0".to_owned(), b);
        map.insert("c14n1".to_owned(), a);
    };
    assert!(alter(&swapped).is_err());
}

#[test]
fn indexes_must_fit() {
    let party = Party::bbs();
    let base = party.issue(&credential(&subject()), &[]).unwrap();
    let derived = party
        .derive(&base, &all(&["/credentialSubject/homes"]))
        .unwrap();
    let good = bbs_2023::DerivedProof::parse(derived.value()).unwrap();
    let alter = |change: &dyn Fn(&mut bbs_2023::DerivedProof)| {
        let mut value = good.clone();
        change(&mut value);
        party.verify(&derived.with_value(value.encode().unwrap()))
    };
    assert!(alter(&|_| ()).is_ok());
    assert!(matches!(
        alter(&|v| v.mandatory.push(5000)),
        Err(ProofError::ProofValue)
    ));
    assert!(matches!(
        alter(&|v| v.mandatory.swap(0, 1)),
        Err(ProofError::ProofValue)
    ));
    assert!(matches!(
        alter(&|v| v.selective.push(5000)),
        Err(ProofError::Signature)
    ));
    assert!(matches!(
        alter(&|v| {
            v.mandatory.pop();
        }),
        Err(ProofError::Signature)
    ));
    assert!(matches!(
        alter(&|v| v.presentation_header.clear()),
        Err(ProofError::Signature)
    ));
    assert!(alter(&|v| v.proof[300] ^= 1).is_err());
    assert!(alter(&|v| drop(v.proof.drain(272..304))).is_err());
}

#[test]
fn selections_merge() {
    let document = json!({
        "@context": "c", "id": "urn:x", "type": "T",
        "a": [{ "b": 1, "id": "_:n" }, { "b": 2, "c": { "d": 3, "type": ["D"] } }, 5],
        "e": "f",
    });
    let select = |pointers: &[&str]| {
        let pointers = Pointer::parse_all(pointers).unwrap();
        Selection::new(&document, &pointers)
            .unwrap()
            .map(|selection| selection.apply(&document))
    };
    assert_eq!(select(&[]), None);
    assert_eq!(select(&[""]), Some(document.clone()));
    let head = json!({ "@context": "c", "id": "urn:x", "type": "T" });
    assert_eq!(select(&["/type"]), Some(head.clone()));
    let with = |a: Value| {
        let mut document = head.clone();
        document["a"] = a;
        Some(document)
    };
    assert_eq!(select(&["/a/2"]), with(json!([5])));
    assert_eq!(
        select(&["/a/2", "/a/0/b"]),
        with(json!([{ "b": 1, "id": "_:n" }, 5]))
    );
    assert_eq!(select(&["/a/0"]), with(json!([{ "b": 1, "id": "_:n" }])));
    assert_eq!(
        select(&["/a/1/c/d"]),
        with(json!([{ "c": { "d": 3, "type": ["D"] } }]))
    );
    assert_eq!(
        select(&["/a/1/b", "/a/1", "/a/1/c/d"]),
        with(json!([document["a"][1]]))
    );
    assert_eq!(select(&["/a/1/b", "/a"]), with(document["a"].clone()));
    let pointers = Pointer::parse_all(&["/a", "/a/7"]).unwrap();
    assert_eq!(
        Selection::new(&document, &pointers),
        Err(SdError::NoSuchValue)
    );
}

#[test]
fn labels_are_shuffled_by_the_key() {
    let canonical: Vec<String> = (0..20).map(|index| format!("c14n{index}")).collect();
    let one = shuffled_labels(&canonical, &[1; 32]);
    let two = shuffled_labels(&canonical, &[2; 32]);
    assert_ne!(one, two);
    let mut labels: Vec<_> = one.into_values().collect();
    labels.sort_by_key(|label| label[1..].parse::<u32>().unwrap());
    let expected: Vec<_> = (0..20).map(|index| format!("b{index}")).collect();
    assert_eq!(labels, expected);
}

/// What is twice in one place, and of which nothing but its name is left, would be said once.
#[test]
fn a_node_named_twice_in_one_place_is_not_cut_down_to_its_name() {
    let nodes = json!([{ "id": "_:b0", "size": 1 }, { "id": "_:b0", "age": 2 }]);
    let document = credential(&json!({ "rooms": nodes }));
    for party in parties() {
        let base = party.issue(&document, &["/credentialSubject/rooms/0/id"]);
        let base = base.unwrap();
        let error = party
            .derive(&base, &all(&["/credentialSubject/rooms/1/id"]))
            .unwrap_err();
        assert_eq!(cause(&error), Some(&SdError::NotSeparable));
        for wanted in ["/credentialSubject/rooms/1", "/credentialSubject/rooms"] {
            let derived = party.derive(&base, &all(&[wanted])).unwrap();
            party.verify(&derived).unwrap();
        }
    }
}

/// Whether an array somewhere in it has a node of one name twice.
fn names_twice(value: &Value) -> bool {
    match value {
        Value::Array(items) => {
            let ids: Vec<_> = items.iter().filter_map(|item| item.get("id")).collect();
            let twice = (1..ids.len()).any(|at| ids[..at].contains(&ids[at]));
            twice || items.iter().any(names_twice)
        }
        Value::Object(members) => members.values().any(names_twice),
        _ => false,
    }
}

/// Objects, most of them without ids, many alike.
fn node(depth: u32) -> BoxedStrategy<Value> {
    let scalar = prop_oneof![
        "[ab]{1,2}".prop_map(Value::from),
        (0..3_i64).prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
        Just(Value::from("_:c14n1 \"quoted\" \\ é")),
    ];
    let leaf = prop::collection::btree_map("[p-s]", scalar.clone(), 0..3);
    if depth == 0 {
        return leaf.prop_map(|members| json!(members)).boxed();
    }
    let inner = || node(depth - 1);
    let value = prop_oneof![
        2 => scalar,
        3 => inner(),
        2 => prop::collection::vec(inner(), 1..4).prop_map(Value::from),
        1 => (inner(), 2..4_usize).prop_map(|(one, count)| Value::from(vec![one; count])),
        1 => prop::collection::vec(inner(), 0..3).prop_map(|items| json!({ "@list": items })),
    ];
    let id =
        prop_oneof![4 => Just(None), 1 => Just(Some("urn:example:1")), 1 => Just(Some("_:b0"))];
    (prop::collection::btree_map("[p-s]", value, 1..4), id)
        .prop_map(|(members, id)| {
            let mut node = json!(members);
            if let Some(id) = id {
                node["id"] = id.into();
            }
            node
        })
        .boxed()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn cat_176_any_part_of_any_document_verifies_and_no_altered_one(
        subject in node(2),
        choices in prop::collection::vec(any::<prop::sample::Index>(), 1..6),
        mandatory in any::<prop::sample::Index>(),
    ) {
        let document = credential(&subject);
        let (free, listed) = pointers(&document);
        let chosen: Vec<String> = choices.iter().map(|index| index.get(&free).clone()).collect();
        let mandatory = mandatory.get(&free).as_str();
        for party in parties() {
            let base = match party.issue(&document, &[mandatory]) {
                Ok(base) => base,
                // Two lists under one property of one node cannot be told apart.
                Err(error) => {
                    prop_assert_eq!(cause(&error), Some(&SdError::JsonLd(JsonLdError::NotSkolemizable)));
                    continue;
                }
            };
            party.verify_base(&base).unwrap();
            let wanted: Vec<String> = chosen.iter().cloned().chain(["/credentialSubject".to_owned()]).collect();
            for wanted in [&chosen, &wanted] {
                let derived = match party.derive(&base, wanted) {
                    Ok(derived) => derived,
                    Err(error) => {
                        let merged = cause(&error) == Some(&SdError::NotSeparable) && names_twice(&subject);
                        prop_assert!(merged || cause(&error) == Some(&SdError::SubjectHidden), "{:?}", error);
                        continue;
                    }
                };
                prop_assert!(party.verify(&derived).is_ok());
                for (place, altered) in altered(&derived.document).into_iter().step_by(3) {
                    let mut other = derived.clone();
                    other.document = altered;
                    prop_assert!(party.verify(&other).is_err(), "{}", place);
                }
            }
            // Inside a list: whole or not at all, but what is given out verifies.
            if let Some(inside) = listed.first()
                && let Ok(derived) = party.derive(&base, std::slice::from_ref(inside))
            {
                prop_assert!(party.verify(&derived).is_ok());
            }
        }
    }

    #[test]
    fn any_bytes_are_no_proof_value_without_a_panic(
        kind in 0_u8..6,
        bytes in prop::collection::vec(any::<u8>(), 0..200),
        text in ".{0,60}",
    ) {
        let value = [&[0xd9, 0x5d, kind], &bytes[..]].concat();
        let value = vouchsafe_credentials::multibase::base64url(&value);
        for text in [value, text] {
            let _ = ecdsa_sd::BaseProof::parse(&text);
            let _ = ecdsa_sd::DerivedProof::parse(&text);
            let _ = bbs_2023::BaseProof::parse(&text);
            let _ = bbs_2023::DerivedProof::parse(&text);
        }
    }
}

/// What stands in a proof beside what is signed would be handed on as if it were.
#[test]
fn cat_176_a_proof_has_no_context_but_the_documents() {
    for party in parties() {
        let base = party
            .issue(&credential(&json!({ "name": "Ada" })), &[])
            .unwrap();
        let mut derived = party
            .derive(&base, &["/credentialSubject".to_owned()])
            .unwrap();
        let own = derived.document["@context"].clone();
        for (context, accepted) in [
            (own, true),
            (json!("https://evil.example/"), false),
            (json!([{ "name": "https://e.example/#other" }]), false),
        ] {
            derived.proof["@context"] = context;
            assert_eq!(party.verify(&derived).is_ok(), accepted);
        }
    }
}
