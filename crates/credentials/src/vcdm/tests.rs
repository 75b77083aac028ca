use proptest::prelude::*;
use serde_json::{Value, json};

use super::fixtures::{Party, credential, damage, presentation};
use super::{Credential, Embedded, EnvelopeType, Enveloped, Presentation, VcdmError};
use crate::json as strict;

fn base() -> Value {
    credential(&Party::issuer(), &Party::holder())
}

fn with(name: &str, value: Value) -> Value {
    let mut document = base();
    document[name] = value;
    document
}

fn without(name: &str) -> Value {
    let mut document = base();
    document.as_object_mut().unwrap().shift_remove(name);
    document
}

#[track_caller]
fn accepted(document: &Value) {
    if let Err(error) = Credential::parse(document) {
        panic!("{error} ({})", error.code());
    }
}

#[track_caller]
fn refused(document: &Value, code: &str) {
    assert_eq!(
        Credential::parse(document).unwrap_err().code(),
        code,
        "{document}"
    );
}

#[test]
fn a_credential_says_what_it_says() {
    let credential = Credential::parse(&base()).unwrap();
    assert_eq!(credential.issuer(), Party::issuer().did);
    assert_eq!(credential.types().len(), 2);
    assert_eq!(credential.subject_ids(), [Some(Party::holder().did)]);
    assert_eq!(credential.subjects().count(), 1);
    assert!(credential.id().is_some() && credential.valid_from().is_some());
    assert_eq!(credential.status().count(), 0);
    assert_eq!(credential.as_json(), &base());
    assert_eq!(credential.extensions().count(), 0);
    let extended = Credential::parse(&with("badExtension", json!({"huh": "what?"}))).unwrap();
    assert_eq!(extended.extensions().collect::<Vec<_>>(), ["badExtension"]);
}

#[test]
fn context_begins_with_version_2() {
    let v2 = "https://www.w3.org/ns/credentials/v2";
    let examples = "https://www.w3.org/ns/credentials/examples/v2";
    accepted(&with("@context", json!([v2])));
    accepted(&with("@context", json!([v2, examples])));
    accepted(&with(
        "@context",
        json!([v2, {"Member": "https://example.org/#Member"}]),
    ));
    refused(&without("@context"), "vcdm_missing");
    for context in [
        json!([]),
        json!([examples]),
        json!([examples, v2]),
        json!([v2, "https ://not-a-url/contexts/example/v1"]),
        json!([v2, 123_192_875]),
        json!([v2, null]),
        json!([v2, [v2]]),
        json!([v2, v2]),
        json!(null),
        json!({}),
    ] {
        refused(&with("@context", context), "vcdm_malformed");
    }
}

#[test]
fn dates_of_one_version_are_refused_in_the_other() {
    let v1 = "https://www.w3.org/2018/credentials/v1";
    // `validFrom` says nothing in version 1.1, `expirationDate` nothing in version 2.0.
    refused(&with("@context", json!([v1])), "vcdm_other_version");
    for name in ["issuanceDate", "expirationDate"] {
        let document = with(name, json!("2020-01-01T00:00:00Z"));
        refused(&document, "vcdm_other_version");
    }
}

#[test]
fn identifiers_are_single_urls() {
    accepted(&without("id"));
    for id in [
        json!(null),
        json!(""),
        json!("https ://not-a-url/vcs/343cf54b"),
        json!(["https://example.org/1", "https://example.net/1"]),
        json!(17),
        json!({"id": "https://example.org/1"}),
    ] {
        refused(&with("id", id.clone()), "vcdm_malformed");
        refused(
            &with("credentialSubject", json!({"id": id, "a": 1})),
            "vcdm_malformed",
        );
        refused(
            &with("credentialSchema", json!({"id": id, "type": "A"})),
            "vcdm_malformed",
        );
        refused(
            &with("credentialStatus", json!({"id": id, "type": "A"})),
            "vcdm_malformed",
        );
    }
}

#[test]
fn types_name_the_class() {
    accepted(&with("type", json!("VerifiableCredential")));
    accepted(&with(
        "type",
        json!(["https://example.org/#A", "VerifiableCredential"]),
    ));
    refused(&without("type"), "vcdm_missing");
    refused(&with("type", json!(["Member"])), "vcdm_wrong_type");
    refused(
        &with("type", json!("VerifiablePresentation")),
        "vcdm_wrong_type",
    );
    refused(
        &with(
            "type",
            json!(["VerifiableCredential", "EnvelopedVerifiableCredential"]),
        ),
        "vcdm_enveloped",
    );
    for types in [
        json!([]),
        json!(null),
        json!(["VerifiableCredential", 2]),
        json!(["VerifiableCredential", ""]),
    ] {
        refused(&with("type", types), "vcdm_malformed");
    }
}

#[test]
fn parts_have_a_type() {
    for name in [
        "credentialStatus",
        "refreshService",
        "termsOfUse",
        "evidence",
        "proof",
    ] {
        accepted(&with(name, json!({"type": "https://example.org/#A"})));
        accepted(&with(
            name,
            json!([{"type": "A"}, {"type": ["A", "B"], "id": "did:example:1"}]),
        ));
        for value in [json!({}), json!({"id": "did:example:1"})] {
            refused(&with(name, value), "vcdm_missing");
        }
        for value in [
            json!({"type": 2}),
            json!({"type": []}),
            json!([]),
            json!(null),
            json!("https://example.org"),
            json!(["https://example.org"]),
            json!([{"type": "A"}, 1]),
        ] {
            refused(&with(name, value), "vcdm_malformed");
        }
    }
    let schema = json!({"id": "https://example.org/schema", "type": "JsonSchema"});
    accepted(&with("credentialSchema", schema.clone()));
    accepted(&with("credentialSchema", json!([schema.clone(), schema])));
    refused(
        &with("credentialSchema", json!({"type": "JsonSchema"})),
        "vcdm_missing",
    );
}

#[test]
fn the_issuer_is_a_url_or_has_one() {
    accepted(&with("issuer", json!("did:example:1")));
    accepted(&with(
        "issuer",
        json!({"id": "did:example:1", "name": "A", "image": {"id": "x"}}),
    ));
    refused(&without("issuer"), "vcdm_missing");
    for issuer in [
        json!(null),
        json!("fake-issuer"),
        json!({}),
        json!({"id": null}),
        json!({"id": "fake-issuer"}),
        json!(["did:example:1"]),
        json!({"id": ["did:example:1"]}),
    ] {
        refused(&with("issuer", issuer), "vcdm_malformed");
    }
}

#[test]
fn every_subject_makes_a_claim() {
    accepted(&with(
        "credentialSubject",
        json!([{"id": "did:example:1"}, {"a": 1}]),
    ));
    refused(&without("credentialSubject"), "vcdm_missing");
    for subject in [
        json!({}),
        json!([]),
        json!([{"a": 1}, {}]),
        json!(null),
        json!("did:example:1"),
        json!(["did:example:1"]),
    ] {
        refused(&with("credentialSubject", subject), "vcdm_malformed");
    }
}

#[test]
fn the_validity_period_has_a_time_zone_and_an_order() {
    for name in ["validFrom", "validUntil"] {
        accepted(&without(name));
        for text in [
            json!("Sat 25 Feb 2026 07:16:31 PM CST"),
            json!("2026-02-25T19:10:39"),
            json!("2026-02-25"),
            json!(1_771_000_000),
            json!(null),
            json!(["2026-02-25T19:10:39Z"]),
        ] {
            refused(&with(name, text), "vcdm_malformed");
        }
    }
    accepted(&with("validUntil", json!("2026-01-01T00:00:00Z")));
    accepted(&with("validUntil", json!("2026-01-01T01:00:00+01:00")));
    refused(
        &with("validUntil", json!("2026-01-01T00:30:00+01:00")),
        "vcdm_period",
    );
    accepted(&with("validUntil", json!("4023-02-26T01:02:58.447Z")));
}

#[test]
fn names_are_texts_in_languages() {
    let dog = json!({"@value": "Dog", "@language": "en", "@direction": "ltr"});
    for name in ["name", "description"] {
        for good in [
            json!("Dog"),
            dog.clone(),
            json!([dog.clone(), {"@value": "Chien", "@language": "fr-CA"}]),
        ] {
            accepted(&with(name, good.clone()));
            accepted(&with("issuer", json!({"id": "did:example:1", name: good})));
        }
        for bad in [
            json!({"@value": "Dog", "@language": "en", "url": "did:example:1"}),
            json!({"@language": "en"}),
            json!({"@value": 1}),
            json!({"@value": "Dog", "@language": "not a tag"}),
            json!({"@value": "Dog", "@direction": "up"}),
            json!([]),
            json!(["Dog"]),
            json!(1),
            json!(null),
        ] {
            refused(&with(name, bad.clone()), "vcdm_malformed");
            refused(
                &with("issuer", json!({"id": "did:example:1", name: bad})),
                "vcdm_malformed",
            );
        }
    }
}

#[test]
fn related_resources_have_digests_that_fit() {
    let id = "https://www.w3.org/ns/credentials/v2";
    let sri = "sha384-NSOcNpmdIVUxIJGvGUoe22FjTWrXiaXlsZ8q6912LdnR3KraQO2n75Ica4wK4Qeg";
    let multibase = "uJKGMkOmFbVJhEfKTduMC2XCyvRAYLjOVmZWwIH1wQ7k";
    accepted(&with(
        "relatedResource",
        json!({"id": id, "digestSRI": sri}),
    ));
    accepted(&with(
        "relatedResource",
        json!([{"id": id, "digestMultibase": multibase, "mediaType": "application/ld+json"}]),
    ));
    for value in [json!({"id": id}), json!({"digestSRI": sri})] {
        refused(&with("relatedResource", value), "vcdm_missing");
    }
    for value in [
        json!([id]),
        json!({"id": "no url", "digestSRI": sri}),
        json!({"id": id, "digestSRI": 1}),
        json!({"id": id, "digestSRI": "md5-AAAA"}),
        json!({"id": id, "digestSRI": sri.replace("sha384", "sha256")}),
        json!({"id": id, "digestMultibase": "uAAAA"}),
        json!({"id": id, "digestMultibase": ""}),
        json!([{"id": id, "digestSRI": sri}, {"id": id, "digestMultibase": multibase}]),
    ] {
        refused(&with("relatedResource", value), "vcdm_malformed");
    }
    let digest = crate::crypto::sha256(b"resource");
    let hash = crate::multibase::base64url(&[&[0x12, 0x20][..], &digest].concat());
    let value = with(
        "relatedResource",
        json!({"id": id, "digestMultibase": hash}),
    );
    let credential = Credential::parse(&value).unwrap();
    let [resource] = credential.related_resources() else {
        panic!()
    };
    assert!(resource.matches(b"resource") && !resource.matches(b"Resource"));
    assert_eq!((resource.id(), resource.media_type()), (id, None));
}

#[test]
fn presentations() {
    let holder = Party::holder();
    let parse = |document: &Value| Presentation::parse(document).map_err(|error| error.code());
    let good = presentation(&holder, &[base()]);
    let parsed = parse(&good).unwrap();
    assert_eq!(parsed.holder(), Some(holder.did.as_str()));
    assert!(matches!(parsed.credentials(), [Embedded::Plain(_)]));
    let change = |name: &str, value: Value| {
        let mut document = good.clone();
        document[name] = value;
        parse(&document)
    };
    assert!(change("holder", json!({"id": holder.did})).is_ok());
    assert!(change("verifiableCredential", json!([])).is_ok());
    assert!(change("verifiableCredential", base()).is_ok());
    assert!(change("id", json!("urn:uuid:9c9a36f8-518f-4976-a934-6649502d0008")).is_ok());
    for (name, value, code) in [
        (
            "@context",
            json!(["https://www.w3.org/ns/credentials/examples/v2"]),
            "vcdm_malformed",
        ),
        ("type", json!(["Other"]), "vcdm_wrong_type"),
        (
            "type",
            json!("EnvelopedVerifiablePresentation"),
            "vcdm_enveloped",
        ),
        (
            "holder",
            json!("z6MkpJySvETLnxhQG9DzEdmKJtysBDjuuTeDfUj1uNNCUqcj"),
            "vcdm_malformed",
        ),
        ("holder", json!({"name": "Acme"}), "vcdm_malformed"),
        ("id", json!(null), "vcdm_malformed"),
        (
            "verifiableCredential",
            json!(["eyJ.eyJ.abc"]),
            "vcdm_malformed",
        ),
        ("verifiableCredential", json!([17]), "vcdm_malformed"),
        ("verifiableCredential", json!(null), "vcdm_malformed"),
        (
            "verifiableCredential",
            json!([{"type": []}]),
            "vcdm_malformed",
        ),
        (
            "verifiableCredential",
            json!([{"type": "Other"}]),
            "vcdm_wrong_type",
        ),
        (
            "verifiableCredential",
            json!(vec![base(); 33]),
            "vcdm_too_many",
        ),
        ("termsOfUse", json!({}), "vcdm_missing"),
        ("proof", json!({"created": "x"}), "vcdm_missing"),
    ] {
        assert_eq!(change(name, value), Err(code), "{name}");
    }
}

#[test]
fn envelopes_are_data_urls_of_known_types() {
    let envelope = Enveloped::new(EnvelopeType::VcJwt, "eyJ.eyJ.abc");
    let object = envelope.to_json();
    assert_eq!(object["id"], "data:application/vc+jwt,eyJ.eyJ.abc");
    assert_eq!(Enveloped::parse(&object).unwrap(), envelope);
    let cose = Enveloped::new(EnvelopeType::VpCose, vec![0xd2, 0x84]);
    assert_eq!(cose.to_json()["id"], "data:application/vp+cose;base64,0oQ=");
    assert_eq!(Enveloped::parse(&cose.to_json()).unwrap(), cose);
    // As others write it: without padding, with a line end.
    let mut bare = cose.to_json();
    bare["id"] = json!("data:application/vp+cose;base64,0oQ\n");
    assert_eq!(Enveloped::parse(&bare).unwrap(), cose);
    let change = |name: &str, value: Value| {
        let mut object = object.clone();
        object[name] = value;
        Enveloped::parse(&object).unwrap_err().code()
    };
    for (name, value, code) in [
        ("@context", json!([]), "vcdm_malformed"),
        (
            "@context",
            json!("https://www.w3.org/ns/credentials/examples/v2"),
            "vcdm_malformed",
        ),
        ("type", json!("VerifiableCredential"), "vcdm_wrong_type"),
        (
            "type",
            json!(["EnvelopedVerifiableCredential", "Other"]),
            "vcdm_wrong_type",
        ),
        (
            "type",
            json!("EnvelopedVerifiablePresentation"),
            "vcdm_wrong_type",
        ),
        ("id", json!("eyJ.eyJ.abc"), "vcdm_malformed"),
        ("id", json!("not-a-credential"), "vcdm_malformed"),
        (
            "id",
            json!("data:application/jwt,eyJ.eyJ.abc"),
            "vcdm_malformed",
        ),
        ("id", json!("data:application/vc+jwt,"), "vcdm_malformed"),
        (
            "id",
            json!("data:application/vc+jwt;charset=utf-8,eyJ"),
            "vcdm_malformed",
        ),
        (
            "id",
            json!("data:application/vc+jwt,eyJ%2eeyJ"),
            "vcdm_malformed",
        ),
        (
            "id",
            json!("data:application/vc+cose,0oQ"),
            "vcdm_malformed",
        ),
        (
            "id",
            json!("data:application/vc+cose;base64,0oR="),
            "vcdm_malformed",
        ),
        (
            "id",
            json!("data:application/vc+cose;base64,0o Q"),
            "vcdm_malformed",
        ),
        (
            "id",
            json!("data:application/vc+cose;base64,"),
            "vcdm_malformed",
        ),
        ("id", json!(7), "vcdm_malformed"),
    ] {
        assert_eq!(change(name, value.clone()), code, "{name} {value}");
    }
    let mut no_id = object.clone();
    no_id.as_object_mut().unwrap().shift_remove("id");
    assert_eq!(Enveloped::parse(&no_id), Err(VcdmError::Missing("id")));
}

#[test]
fn what_is_no_object() {
    for value in [json!(null), json!([]), json!("x"), json!(1)] {
        refused(&value, "vcdm_not_an_object");
        assert!(Presentation::parse(&value).is_err());
        assert!(Enveloped::parse(&value).is_err());
    }
}

proptest! {
    #[test]
    fn any_json_is_read_or_refused(place in any::<usize>(), text in r#"[\[\]{}",:0-9a-z@]{0,30}"#) {
        let value = strict::parse_strict(text.as_bytes()).unwrap_or(Value::String(text));
        let mut document = base();
        damage(&mut document, place, &value);
        let _ = Credential::parse(&document);
        let mut document = presentation(&Party::holder(), &[document]);
        damage(&mut document, place, &value);
        let _ = Presentation::parse(&document);
        let mut envelope = Enveloped::new(EnvelopeType::VcJwt, "a.b.c").to_json();
        damage(&mut envelope, place, &value);
        let _ = Enveloped::parse(&envelope);
    }
}
