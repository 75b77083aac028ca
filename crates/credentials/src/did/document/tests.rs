use proptest::prelude::*;
use serde_json::{Value, json};

use super::{DidDocument, DocumentError, MAX_DOCUMENT, MAX_METHODS, MethodError, Relationship};
use crate::crypto::{Algorithm, Multikey, Signer as _, SigningKey};
use crate::did::{Did, DidUrl};
use crate::testing::SeededRng;
use crate::time::UnixTime;

const DID: &str = "did:web:issuer.example";
const ED25519: &str = "z6MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDooWp";

fn did() -> Did {
    Did::parse(DID).unwrap()
}

fn url(fragment: &str) -> DidUrl {
    DidUrl::parse(&format!("{DID}#{fragment}")).unwrap()
}

fn method(id: &str) -> Value {
    json!({"id": id, "type": "Multikey", "controller": DID, "publicKeyMultibase": ED25519})
}

fn document() -> Value {
    json!({
        "@context": ["https://www.w3.org/ns/did/v1"],
        "id": DID,
        "verificationMethod": [method("#a"), method("did:web:issuer.example#b")],
        "assertionMethod": ["#a"],
        "authentication": [method("#c")],
        "service": [{"id": "#s", "type": "LinkedDomains", "serviceEndpoint": "https://issuer.example"}],
    })
}

fn parsed(json: Value) -> Result<DidDocument, DocumentError> {
    DidDocument::parse(json.to_string().as_bytes(), &did())
}

fn refused(json: Value) -> DocumentError {
    parsed(json.clone()).expect_err(&json.to_string())
}

fn with(name: &str, value: Value) -> Value {
    let mut json = document();
    json[name] = value;
    json
}

#[test]
fn a_method_is_good_for_its_relationships_alone() {
    let document = parsed(document()).unwrap();
    assert!(
        document
            .method(&url("a"), Relationship::AssertionMethod)
            .is_ok()
    );
    assert!(
        document
            .method(&url("c"), Relationship::Authentication)
            .is_ok()
    );
    for (fragment, relationship, error) in [
        ("a", Relationship::Authentication, MethodError::Relationship),
        (
            "b",
            Relationship::AssertionMethod,
            MethodError::Relationship,
        ),
        (
            "c",
            Relationship::AssertionMethod,
            MethodError::Relationship,
        ),
        ("d", Relationship::AssertionMethod, MethodError::NotFound),
        ("A", Relationship::AssertionMethod, MethodError::NotFound),
    ] {
        assert_eq!(
            document.method(&url(fragment), relationship),
            Err(error),
            "{fragment}"
        );
    }
    let ids: Vec<_> = document
        .methods()
        .map(|method| method.id.as_str())
        .collect();
    assert_eq!(ids.len(), 3);
    let for_claims = document.methods_for(Relationship::AssertionMethod);
    assert_eq!(for_claims.count(), 1);
    assert_eq!(document.services()[0].id, "did:web:issuer.example#s");
}

#[test]
fn cat_187_id_of_the_document() {
    for id in [
        json!("did:web:other.example"),
        json!("did:web:Issuer.example"),
        json!("did:web:issuer.example#a"),
        json!(1),
        Value::Null,
    ] {
        assert_eq!(refused(with("id", id)), DocumentError::Id);
    }
    let mut missing = document();
    missing.as_object_mut().unwrap().remove("id");
    assert_eq!(refused(missing), DocumentError::Id);
}

#[test]
fn cat_188_other_controllers_and_relative_keys() {
    let other = json!({
        "id": "#a", "type": "Multikey", "controller": "did:web:other.example", "publicKeyMultibase": ED25519,
    });
    let mut json = with("verificationMethod", json!([other]));
    let foreign = parsed(json.clone()).unwrap();
    let found = foreign.method(&url("a"), Relationship::AssertionMethod);
    assert_eq!(found, Err(MethodError::Controller));
    // Without a controller nobody controls it.
    json["verificationMethod"][0]
        .as_object_mut()
        .unwrap()
        .remove("controller");
    let nobody = parsed(json).unwrap();
    let found = nobody.method(&url("a"), Relationship::AssertionMethod);
    assert_eq!(found, Err(MethodError::Controller));
    // `#a` is a key of this document and of no other, and @base moves nothing.
    let base = json!(["https://www.w3.org/ns/did/v1", {"@base": "did:web:other.example"}]);
    assert_eq!(refused(with("@context", base)), DocumentError::Context);
    let elsewhere = json!([{
        "id": "did:web:other.example#a", "type": "Multikey", "controller": DID, "publicKeyMultibase": ED25519,
    }]);
    let mut json = with("verificationMethod", elsewhere);
    json["assertionMethod"] = json!(["did:web:other.example#a"]);
    let document = parsed(json).unwrap();
    let there = DidUrl::parse("did:web:other.example#a").unwrap();
    let found = document.method(&there, Relationship::AssertionMethod);
    assert_eq!(found, Err(MethodError::Controller));
}

#[test]
fn cat_191_byte_order_mark_and_broken_json() {
    let text = document().to_string();
    let parse = |text: &str| DidDocument::parse(text.as_bytes(), &did());
    assert!(parse(&text).is_ok());
    for bad in [
        format!("\u{feff}{text}"),
        format!("{text}{text}"),
        format!("[{text}]"),
        text.replacen('{', "{\"id\":\"did:web:issuer.example\",", 1),
        String::new(),
    ] {
        assert_eq!(parse(&bad).unwrap_err(), DocumentError::Json, "{bad}");
    }
}

#[test]
fn documents_are_bounded() {
    let filler = "x".repeat(MAX_DOCUMENT);
    assert_eq!(
        refused(with("filler", json!(filler))),
        DocumentError::TooLarge
    );
    let many: Vec<_> = (0..=MAX_METHODS)
        .map(|n| json!({"id": format!("#{n}"), "type": "X", "controller": DID}))
        .collect();
    assert_eq!(
        refused(with("verificationMethod", json!(many))),
        DocumentError::TooMany
    );
    // Embedded methods count too.
    let mut json = with("verificationMethod", json!(many[..MAX_METHODS]));
    assert_eq!(refused(json.clone()), DocumentError::TooMany);
    json["authentication"] = json!([]);
    assert!(parsed(json).is_ok());
    let references = vec!["#a"; MAX_METHODS + 1];
    assert_eq!(
        refused(with("keyAgreement", json!(references))),
        DocumentError::TooMany
    );
    let controllers = vec![DID; MAX_METHODS + 1];
    assert_eq!(
        refused(with("controller", json!(controllers))),
        DocumentError::TooMany
    );
}

#[test]
fn every_member_has_its_form() {
    let method_with = |name: &str, value: Value| {
        let mut method = method("#a");
        method[name] = value;
        with("verificationMethod", json!([method]))
    };
    let jwk = |value: Value| {
        with(
            "verificationMethod",
            json!([{
                "id": "#a", "type": "JsonWebKey", "controller": DID, "publicKeyJwk": value,
            }]),
        )
    };
    let public =
        json!({"kty": "OKP", "crv": "Ed25519", "x": "O2onvM62pC1io6jQKm8Nc2UyFXcd4kOmOsBIoYtZ2ik"});
    assert!(parsed(jwk(public.clone())).is_ok());
    let mut private = public;
    private["d"] = json!("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A");
    for (json, error) in [
        (with("controller", json!(1)), DocumentError::Controller),
        (
            with("controller", json!(["did:web:a#b"])),
            DocumentError::Controller,
        ),
        (
            with("alsoKnownAs", json!("text")),
            DocumentError::AlsoKnownAs,
        ),
        (with("alsoKnownAs", json!([1])), DocumentError::AlsoKnownAs),
        (with("@context", json!(1)), DocumentError::Context),
        (with("verificationMethod", json!({})), DocumentError::Method),
        (
            with("verificationMethod", json!(["#a"])),
            DocumentError::Method,
        ),
        (
            with("verificationMethod", json!([method("#a"), method("#a")])),
            DocumentError::DuplicateId,
        ),
        (
            with(
                "verificationMethod",
                json!([method("#a"), method("did:web:issuer.example#a")]),
            ),
            DocumentError::DuplicateId,
        ),
        (
            with("keyAgreement", json!([method("#a")])),
            DocumentError::DuplicateId,
        ),
        (
            with("assertionMethod", json!("#a")),
            DocumentError::Relationship,
        ),
        (
            with("assertionMethod", json!([1])),
            DocumentError::Relationship,
        ),
        (
            with("assertionMethod", json!(["a"])),
            DocumentError::Relationship,
        ),
        (
            with("assertionMethod", json!(["/a#b"])),
            DocumentError::Relationship,
        ),
        (method_with("id", json!("a")), DocumentError::Method),
        (method_with("id", json!(DID)), DocumentError::Method),
        (
            method_with("controller", json!("#x")),
            DocumentError::Method,
        ),
        (method_with("type", json!(1)), DocumentError::Method),
        (
            method_with("expires", json!("tomorrow")),
            DocumentError::Method,
        ),
        (method_with("revoked", json!(0)), DocumentError::Method),
        (
            method_with("publicKeyJwk", json!({})),
            DocumentError::Method,
        ),
        (
            method_with("publicKeyMultibase", json!(1)),
            DocumentError::Method,
        ),
        (
            method_with("publicKeyMultibase", json!(ED25519[1..])),
            DocumentError::Key,
        ),
        (
            method_with("type", json!("X25519KeyAgreementKey2020")),
            DocumentError::Key,
        ),
        (
            method_with("secretKeyMultibase", json!("z")),
            DocumentError::Key,
        ),
        (jwk(private), DocumentError::Key),
        (jwk(json!({"kty": "oct", "k": "AAAA"})), DocumentError::Key),
        (with("service", json!({})), DocumentError::Service),
        (
            with("service", json!([{"id": "#s", "type": "X"}])),
            DocumentError::Service,
        ),
        (
            with(
                "service",
                json!([{"id": "#s", "type": [], "serviceEndpoint": "x"}]),
            ),
            DocumentError::Service,
        ),
        (
            with(
                "service",
                json!([{"id": "#s", "type": "X", "serviceEndpoint": 1}]),
            ),
            DocumentError::Service,
        ),
        (
            with(
                "service",
                json!([
                    {"id": "#s", "type": "X", "serviceEndpoint": "x"},
                    {"id": "did:web:issuer.example#s", "type": "X", "serviceEndpoint": "x"},
                ]),
            ),
            DocumentError::DuplicateId,
        ),
    ] {
        assert_eq!(refused(json.clone()), error, "{json}");
    }
    // A type that is not known here spoils nothing but itself.
    let unknown = parsed(method_with("type", json!("FutureKey2040"))).unwrap();
    let found = unknown.method(&url("a"), Relationship::AssertionMethod);
    assert_eq!(found, Err(MethodError::Unsupported));
}

#[test]
fn expired_and_revoked_keys() {
    let mut one = method("#a");
    one["expires"] = json!("2025-01-01T00:00:00Z");
    one["revoked"] = json!("2026-01-01T00:00:00Z");
    let document = parsed(with("verificationMethod", json!([one]))).unwrap();
    let method = document
        .method(&url("a"), Relationship::AssertionMethod)
        .unwrap();
    assert!(method.is_valid_at(UnixTime(1_735_689_599)));
    assert!(!method.is_valid_at(UnixTime(1_735_689_600)));
}

#[test]
fn relative_urls_are_expanded() {
    let expanded = parsed(document()).unwrap().expanded();
    let json = expanded.as_json();
    assert_eq!(json["verificationMethod"][0]["id"], format!("{DID}#a"));
    assert_eq!(json["verificationMethod"][1]["id"], format!("{DID}#b"));
    assert_eq!(json["assertionMethod"][0], format!("{DID}#a"));
    assert_eq!(json["authentication"][0]["id"], format!("{DID}#c"));
    assert_eq!(json["service"][0]["id"], format!("{DID}#s"));
}

#[test]
fn the_limits_themselves_are_accepted() {
    let padded = |length: usize| {
        let mut text = document().to_string().into_bytes();
        text.resize(length, b' ');
        DidDocument::parse(&text, &did()).err()
    };
    assert_eq!(padded(65_536), None);
    assert_eq!(padded(65_537), Some(DocumentError::TooLarge));
    let service = |n: usize| json!({"id": format!("#{n}"), "type": "X", "serviceEndpoint": "https://a.example"});
    for (count, expected) in [(128, None), (129, Some(DocumentError::TooMany))] {
        let services: Vec<_> = (0..count).map(service).collect();
        for (name, value) in [
            ("keyAgreement", json!(vec!["#a"; count])),
            ("controller", json!(vec![DID; count])),
            ("service", json!(services)),
        ] {
            assert_eq!(parsed(with(name, value)).err(), expected, "{name} {count}");
        }
    }
}

#[test]
fn relationships_controllers_and_endpoints_are_read() {
    for relationship in Relationship::ALL {
        let found = Relationship::from_name(relationship.name());
        assert_eq!(found, Some(relationship));
    }
    assert_eq!(Relationship::from_name("proof"), None);
    assert_eq!(parsed(document()).unwrap().controllers(), []);
    let one = parsed(with("controller", json!("did:web:other.example"))).unwrap();
    let other = Did::parse("did:web:other.example").unwrap();
    assert_eq!(one.controllers(), std::slice::from_ref(&other));
    let two = parsed(with("controller", json!([DID, "did:web:other.example"]))).unwrap();
    assert_eq!(two.controllers(), [did(), other]);
    let endpoint = |endpoint: Value| {
        let service = json!([{"id": "#s", "type": "X", "serviceEndpoint": endpoint}]);
        parsed(with("service", service)).err()
    };
    for good in [json!("x"), json!({}), json!(["x"]), json!(["x", {"a": 1}])] {
        assert_eq!(endpoint(good.clone()), None, "{good}");
    }
    for bad in [json!([]), json!([1]), json!(["x", 1]), json!([["x"]])] {
        let refused = Some(DocumentError::Service);
        assert_eq!(endpoint(bad.clone()), refused, "{bad}");
    }
}

#[test]
fn a_method_may_have_a_path_instead_of_a_fragment() {
    for (id, good) in [
        ("did:web:issuer.example/keys/1", true),
        ("did:web:issuer.example?key=1", true),
        ("did:web:issuer.example", false),
    ] {
        let one = with("verificationMethod", json!([method("#a"), method(id)]));
        assert_eq!(parsed(one).is_ok(), good, "{id}");
    }
}

#[test]
fn keys_that_are_too_long_are_not_known_and_keys_of_another_type_are_wrong() {
    let error = |kind: &str, key: &str| {
        let method = json!([{
            "id": "#a", "type": kind, "controller": DID, "publicKeyMultibase": key,
        }]);
        let document = parsed(with("verificationMethod", method))?;
        let found = document.method(&url("a"), Relationship::AssertionMethod);
        Ok(found.map(drop))
    };
    let unsupported = Ok(Err(MethodError::Unsupported));
    // `0` is no digit of base58btc.
    let text = |length: usize| format!("z{}", "0".repeat(length - 1));
    assert_eq!(error("Multikey", &text(140)), Err(DocumentError::Key));
    assert_eq!(error("Multikey", &text(141)), unsupported);
    let key = |algorithm| {
        let key = SigningKey::generate(algorithm, &SeededRng::new(1));
        Multikey::Signature(key.public_key().clone()).encode()
    };
    let (ed25519, p256) = (key(Algorithm::EdDsa), key(Algorithm::Es256));
    for (kind, key, good) in [
        ("P256Key2021", &p256, true),
        ("P256Key2021", &ed25519, false),
        ("EcdsaSecp256k1VerificationKey2019", &p256, false),
        ("EcdsaSecp256k1VerificationKey2019", &ed25519, false),
        ("Ed25519VerificationKey2018", &ed25519, true),
        ("Ed25519VerificationKey2018", &p256, false),
        ("Ed25519VerificationKey2020", &p256, false),
        ("X25519KeyAgreementKey2019", &ed25519, false),
        ("Multikey", &p256, true),
    ] {
        let expected = if good {
            Ok(Ok(()))
        } else {
            Err(DocumentError::Key)
        };
        assert_eq!(error(kind, key), expected, "{kind} {key}");
    }
}

proptest! {
    #[test]
    fn any_bytes_are_refused_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = DidDocument::parse(&bytes, &did());
    }

    #[test]
    fn any_member_may_be_anything(
        name in "@context|controller|alsoKnownAs|verificationMethod|assertionMethod|service",
        value in "[\\[{]?\"?(#a|did:a:b#c|id|type)?\"?:?[\\[{}0-9\"]{0,6}[\\]}]{0,3}",
    ) {
        let text = document().to_string();
        let rest = text.strip_suffix('}').unwrap();
        let altered = format!("{rest},\"{name}\":{value}}}");
        if let Ok(document) = DidDocument::parse(altered.as_bytes(), &did()) {
            prop_assert_eq!(document.id().as_str(), DID);
        }
    }
}
