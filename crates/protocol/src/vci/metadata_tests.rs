use serde_json::json;

use super::*;
use crate::http::{HttpResponse, UrlRule};
use crate::vci::CredentialIssuerId;

const RULE: UrlRule = UrlRule::PublicHttps;

fn issuer() -> CredentialIssuerId {
    CredentialIssuerId::parse("https://issuer.example.com/tenant", RULE).unwrap()
}

fn document() -> Value {
    json!({
        "credential_issuer": "https://issuer.example.com/tenant",
        "credential_endpoint": "https://issuer.example.com/tenant/credential",
        "nonce_endpoint": "https://issuer.example.com/tenant/nonce",
        "batch_credential_issuance": {"batch_size": 10},
        "display": [{"name": "Club", "locale": "en"}, {"name": "Verein", "locale": "de"}],
        "unknown": {"x": 1},
        "credential_configurations_supported": {
            "membership": {
                "format": "dc+sd-jwt", "scope": "membership", "vct": "urn:vouchsafe:membership:1",
                "cryptographic_binding_methods_supported": ["jwk"],
                "proof_types_supported": {"jwt": {"proof_signing_alg_values_supported": ["ES256"]}},
                "credential_metadata": {"claims": [{"path": ["member_id"]}, {"path": ["tier"]}]}
            }
        }
    })
}

fn parse(document: &Value) -> Result<IssuerMetadata, MetadataError> {
    IssuerMetadata::parse(document.to_string().as_bytes(), &issuer(), RULE)
}

fn with(pointer: &str, value: Value) -> Result<IssuerMetadata, MetadataError> {
    let mut changed = document();
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    changed
        .pointer_mut(parent)
        .unwrap()
        .as_object_mut()
        .unwrap()
        .insert(name.to_owned(), value);
    parse(&changed)
}

#[test]
fn the_well_known_url_is_inserted() {
    assert_eq!(
        issuer().metadata_url(RULE).unwrap().as_str(),
        "https://issuer.example.com/.well-known/openid-credential-issuer/tenant"
    );
    let url = |id: &str| {
        let id = CredentialIssuerId::parse(id, RULE).unwrap();
        id.metadata_url(RULE).unwrap().to_string()
    };
    let root = "https://issuer.example.com/.well-known/openid-credential-issuer";
    assert_eq!(url("https://issuer.example.com"), root);
    // Unlike RFC 8414, the identifier's path is taken as it is.
    assert_eq!(url("https://issuer.example.com/a/"), format!("{root}/a/"));
}

#[test]
fn good_metadata() {
    let metadata = parse(&document()).unwrap();
    assert_eq!(metadata.batch_size(), 10);
    assert_eq!(
        metadata.nonce_endpoint().unwrap().as_str(),
        "https://issuer.example.com/tenant/nonce"
    );
    assert!(metadata.configuration("membership").is_some());
    assert!(metadata.configuration("Membership").is_none());
    assert_eq!(
        metadata.authorization_server(None),
        Ok("https://issuer.example.com/tenant")
    );
}

#[test]
fn cat_289_metadata_of_another_issuer_or_with_foreign_endpoints() {
    for other in [
        "https://issuer.example.com/tenant/",
        "https://ISSUER.example.com/tenant",
        "https://issuer.example.com:443/tenant",
        "https://issuer.example.com",
    ] {
        assert_eq!(
            with("/credential_issuer", json!(other)),
            Err(MetadataError::IssuerMismatch),
            "{other}"
        );
    }
    for endpoint in [
        "/credential_endpoint",
        "/nonce_endpoint",
        "/deferred_credential_endpoint",
        "/notification_endpoint",
    ] {
        let got = with(endpoint, json!("https://10.0.0.1/x"));
        assert_eq!(
            got,
            Err(MetadataError::Endpoint(UrlRefused::PrivateHost)),
            "{endpoint}"
        );
    }
    let several = with(
        "/authorization_servers",
        json!(["https://a.example.com", "https://b.example.com"]),
    )
    .unwrap();
    assert_eq!(
        several.authorization_server(None),
        Ok("https://a.example.com")
    );
    assert_eq!(
        several.authorization_server(Some("https://b.example.com")),
        Ok("https://b.example.com")
    );
    assert_eq!(
        several.authorization_server(Some("https://evil.example")),
        Err(MetadataError::IssuerMismatch)
    );
    let none = parse(&document()).unwrap();
    assert_eq!(
        none.authorization_server(Some("https://evil.example")),
        Err(MetadataError::IssuerMismatch)
    );
}

#[test]
fn rules_of_the_document() {
    assert_eq!(
        with("/authorization_servers", json!([])),
        Err(MetadataError::Range)
    );
    assert_eq!(
        with("/batch_credential_issuance", json!({"batch_size": 1})),
        Err(MetadataError::Range)
    );
    assert_eq!(
        with(
            "/display",
            json!([{"name": "a", "locale": "en"}, {"name": "b", "locale": "en"}])
        ),
        Err(MetadataError::Locale)
    );
    assert_eq!(
        with("/credential_endpoint", json!(7)),
        Err(MetadataError::Malformed)
    );
    for no_object in [json!([]), json!("membership"), Value::Null] {
        assert_eq!(
            with("/credential_configurations_supported", no_object),
            Err(MetadataError::Malformed)
        );
    }
}

/// Members that make the configuration unacceptable, and why.
fn malformed() -> Vec<(&'static str, Value, MetadataError)> {
    let claims = |claims: Value| json!({ "claims": claims });
    let names = json!([{"name": "a", "locale": "en"}, {"name": "b", "locale": "en"}]);
    let no_algorithm = json!({"jwt": {"proof_signing_alg_values_supported": []}});
    vec![
        (
            "cryptographic_binding_methods_supported",
            Value::Null,
            MetadataError::Binding,
        ),
        (
            "cryptographic_binding_methods_supported",
            json!([]),
            MetadataError::Range,
        ),
        ("proof_types_supported", Value::Null, MetadataError::Binding),
        ("proof_types_supported", json!({}), MetadataError::Range),
        ("proof_types_supported", no_algorithm, MetadataError::Range),
        ("vct", Value::Null, MetadataError::Configuration),
        ("vct", json!(""), MetadataError::Configuration),
        ("vct", json!(7), MetadataError::Configuration),
        ("format", Value::Null, MetadataError::Configuration),
        (
            "credential_metadata",
            json!({ "display": names }),
            MetadataError::Locale,
        ),
        (
            "credential_metadata",
            claims(json!([{"path": ["a"]}, {"path": ["a"]}])),
            MetadataError::Configuration,
        ),
        (
            "credential_metadata",
            claims(json!([{"path": []}])),
            MetadataError::Configuration,
        ),
        (
            "credential_metadata",
            claims(json!([{"path": [-1]}])),
            MetadataError::Configuration,
        ),
    ]
}

#[test]
fn a_malformed_configuration_costs_no_other_one() {
    let good = document()["credential_configurations_supported"]["membership"].clone();
    for (member, value, why) in malformed() {
        let mut other = good.clone();
        other[member] = value.clone();
        let read = with("/credential_configurations_supported/other", other).unwrap();
        assert!(read.configuration("membership").is_some(), "{member}");
        assert_eq!(read.refused_configuration("membership"), None);
        assert_eq!(read.configuration("other"), None, "{member} {value}");
        assert_eq!(read.refused_configuration("other"), Some(why), "{member}");
        assert_eq!(read.refused_configuration("unnamed"), None);
    }
    let read = with("/credential_configurations_supported/other", json!(7)).unwrap();
    assert_eq!(
        read.refused_configuration("other"),
        Some(MetadataError::Configuration)
    );
}

#[test]
fn an_issuer_has_no_malformed_configuration_of_its_own() {
    let own = |member: &str, value: &Value| -> Result<(), MetadataError> {
        let mut changed = document();
        changed["credential_configurations_supported"]["membership"][member] = value.clone();
        let read = serde_json::from_value::<CredentialIssuerMetadata>(changed);
        read.map_err(|_| MetadataError::Configuration)?.check()
    };
    assert_eq!(own("scope", &json!("membership")), Ok(()));
    for (member, value, why) in malformed() {
        assert_eq!(own(member, &value), Err(why), "{member} {value}");
    }
}

#[test]
fn answers() {
    let answer = |status, media_type: &str| {
        let response = HttpResponse {
            status,
            headers: [("content-type", media_type)].into_iter().collect(),
            body: document().to_string().into_bytes(),
        };
        IssuerMetadata::from_response(&response, &issuer(), RULE).map(|_| ())
    };
    assert_eq!(answer(200, "application/json"), Ok(()));
    assert_eq!(answer(302, "application/json"), Err(MetadataError::Fetch));
    assert_eq!(
        answer(200, "application/jwt"),
        Err(MetadataError::MediaType)
    );
}
