use serde_json::{Value, json};

use crate::crypto::{Algorithm, Signer as _, SigningKey};
use crate::testing::SeededRng;
use crate::type_metadata::{IssuerKeys, IssuerMetadataError as E, JwtVcIssuerMetadata};

const ISS: &str = "https://issuer.example/tenant/1";

fn jwk(kid: &str) -> Value {
    let key = SigningKey::generate(Algorithm::Es256, &SeededRng::new(1));
    let mut jwk = key.public_key().to_jwk();
    jwk["kid"] = json!(kid);
    jwk
}

fn parse(metadata: &Value) -> Result<JwtVcIssuerMetadata, E> {
    JwtVcIssuerMetadata::parse(metadata.to_string().as_bytes(), ISS)
}

#[test]
fn the_address_of_the_metadata() {
    for (iss, url) in [
        (
            "https://issuer.example",
            "https://issuer.example/.well-known/jwt-vc-issuer",
        ),
        (
            "https://issuer.example/",
            "https://issuer.example/.well-known/jwt-vc-issuer",
        ),
        (
            ISS,
            "https://issuer.example/.well-known/jwt-vc-issuer/tenant/1",
        ),
        (
            "https://issuer.example:8443/a/",
            "https://issuer.example:8443/.well-known/jwt-vc-issuer/a",
        ),
    ] {
        assert_eq!(JwtVcIssuerMetadata::url(iss).as_deref(), Ok(url));
    }
    for iss in [
        "",
        "http://issuer.example",
        "https://",
        "https:///a",
        "https://a@b",
        "https://a?b",
        "https://a#b",
        "HTTPS://issuer.example",
        "https://a b",
        "https://a\\b",
        "did:web:issuer.example",
    ] {
        assert_eq!(JwtVcIssuerMetadata::url(iss), Err(E::IssuerUrl), "{iss}");
    }
}

#[test]
fn cat_038_metadata_with_one_source_of_keys_for_this_issuer() {
    let keys = json!({"keys": [jwk("a"), jwk("b"), {"kty": "RSA", "n": "AQAB", "e": "AQAB"}]});
    let inline = parse(&json!({"issuer": ISS, "jwks": keys, "more": 1})).unwrap();
    let IssuerKeys::Inline(found) = inline.keys else {
        panic!("inline")
    };
    assert_eq!(found.len(), 2);
    let uri = "https://keys.example/jwks";
    let by_uri = parse(&json!({"issuer": ISS, "jwks_uri": uri})).unwrap();
    assert_eq!(by_uri.keys, IssuerKeys::Uri(uri.to_owned()));
    for issuer in [
        json!("https://issuer.example/tenant/2"),
        json!("https://issuer.example/tenant/1/"),
        json!("https://ISSUER.example/tenant/1"),
        json!(null),
        json!([ISS]),
    ] {
        let answer = parse(&json!({"issuer": issuer, "jwks": keys}));
        assert_eq!(answer, Err(E::WrongIssuer), "{issuer}");
    }
    assert_eq!(parse(&json!({"jwks": keys})), Err(E::WrongIssuer));
    let both = json!({"issuer": ISS, "jwks": keys, "jwks_uri": uri});
    assert_eq!(parse(&both), Err(E::NotOneKeySource));
    assert_eq!(parse(&json!({"issuer": ISS})), Err(E::NotOneKeySource));
}

#[test]
fn cat_038_malformed_keys() {
    let mut private = jwk("a");
    private["d"] = json!("AQAB");
    let mut off_curve = jwk("a");
    off_curve["x"] = off_curve["y"].clone();
    let mut odd_kid = jwk("a");
    odd_kid["kid"] = json!(1);
    for (keys, why) in [
        (json!([private]), E::PrivateKey),
        (json!([jwk("a"), jwk("a")]), E::DuplicateKid),
        (json!([off_curve]), E::Keys),
        (json!([odd_kid]), E::Keys),
        (json!(["a"]), E::Keys),
        (json!("a"), E::Keys),
        (json!(vec![json!({"kty": "RSA"}); 65]), E::Keys),
    ] {
        let answer = parse(&json!({"issuer": ISS, "jwks": {"keys": keys}}));
        assert_eq!(answer, Err(why), "{keys}");
    }
    for uri in [
        json!("http://keys.example/jwks"),
        json!(7),
        json!("https://u@keys.example"),
    ] {
        assert_eq!(
            parse(&json!({"issuer": ISS, "jwks_uri": uri})),
            Err(E::Keys),
            "{uri}"
        );
    }
    let set = json!({"keys": [jwk("a")]}).to_string();
    assert_eq!(
        JwtVcIssuerMetadata::parse_keys(set.as_bytes())
            .unwrap()
            .len(),
        1
    );
    assert_eq!(JwtVcIssuerMetadata::parse_keys(b"{}"), Err(E::Keys));
    assert!(matches!(parse(&json!("x")), Err(E::Json(_))));
}
