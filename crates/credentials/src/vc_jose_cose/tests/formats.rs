//! What COSE, SD-JWT and the issuing functions refuse.

use super::support::*;
use crate::cose::{self, Header as CoseHeader, Label};
use crate::encoding::b64url;
use crate::jws::TokenType;
use crate::sd_jwt::{ClaimPath, Frame};
use crate::testing::SeededRng;
use crate::vc_jose_cose::{issue_cose, issue_jwt, issue_sd_jwt};
use crate::vcdm::EnvelopeType;
use crate::vcdm::fixtures::{Party, code, credential};
use serde_json::json;

#[tokio::test]
async fn headers_of_cose() {
    let issuer = Party::issuer();
    let payload = credential(&issuer, &Party::holder())
        .to_string()
        .into_bytes();
    let base = || CoseHeader::new().kid(issuer.method.as_bytes());
    let typed = || base().typ("application/vc+cose");
    for (protected, expected) in [
        (typed(), None),
        (typed().content_type("application/vc"), None),
        (base().typ("vc+cose"), None),
        (base(), Some("envelope_typ")),
        (base().typ("application/vp+cose"), Some("envelope_typ")),
        (base().typ("really/bad"), Some("envelope_typ")),
        (typed().content_type("application/vp"), Some("envelope_cty")),
        (typed().content_type("very/bad"), Some("envelope_cty")),
        (
            typed().with(Label::Int(15), ciborium::Value::Map(Vec::new())),
            Some("envelope_unsupported_header"),
        ),
        (
            CoseHeader::new().typ("application/vc+cose"),
            Some("envelope_key_missing"),
        ),
    ] {
        let message = cose::sign1(&protected, &CoseHeader::new(), &[], &payload, &issuer.key)
            .await
            .unwrap();
        let result = verify(EnvelopeType::VcCose, message)
            .await
            .map_err(|error| error.code());
        assert_eq!(result.err(), expected);
    }
    let untrusted = cose::sign1(
        &typed(),
        &CoseHeader::new(),
        &[],
        b"{\"a\":1,\"a\":2}",
        &issuer.key,
    )
    .await
    .unwrap();
    assert_eq!(
        code(verify(EnvelopeType::VcCose, untrusted).await),
        "envelope_payload_json"
    );
}

#[tokio::test]
async fn sd_jwt_rules() {
    let issuer = Party::issuer();
    let document = credential(&issuer, &Party::holder());
    for name in ["@context", "type", "issuer", "validUntil"] {
        let frame = Frame::new().hide(&ClaimPath::of_keys(&[name])).unwrap();
        let error = issue_sd_jwt(
            &document,
            EnvelopeType::VcSdJwt,
            &frame,
            &issuer.method,
            &issuer.key,
            &SeededRng::new(4),
        )
        .await;
        assert_eq!(error.unwrap_err().code(), "claim_hidden", "{name}");
    }
    let frame = Frame::new().hide(&ClaimPath::of_keys(&["name"])).unwrap();
    let good = issue_sd_jwt(
        &document,
        EnvelopeType::VcSdJwt,
        &frame,
        &issuer.method,
        &issuer.key,
        &SeededRng::new(4),
    )
    .await
    .unwrap();
    assert_eq!(
        code(verify(EnvelopeType::VcSdJwt, format!("{good}a.b.c")).await),
        "kb_unexpected"
    );
    // A wrapper that only a Disclosure brings.
    let disclosure = b64url(br#"["c2FsdHNhbHRzYWx0c2FsdA","vc",{"a":1}]"#);
    let digest = b64url(&crate::crypto::sha256(disclosure.as_bytes()));
    let claims = with(&document, "_sd", json!([digest]));
    let token = raw(TokenType::VcSdJwt, &claims, &issuer, |header| header).await;
    assert!(
        verify(EnvelopeType::VcSdJwt, format!("{token}~"))
            .await
            .is_ok()
    );
    assert_eq!(
        code(verify(EnvelopeType::VcSdJwt, format!("{token}~{disclosure}~")).await),
        "envelope_wrapper"
    );
}

#[tokio::test]
async fn what_is_not_signed() {
    let issuer = Party::issuer();
    let document = credential(&issuer, &Party::holder());
    for (bad, expected) in [
        (json!([]), "vcdm_not_an_object"),
        (with(&document, "type", json!("Other")), "vcdm_wrong_type"),
        (with(&document, "vc", json!({})), "envelope_wrapper"),
        (
            with(&document, "iss", json!("did:example:1")),
            "claim_mismatch",
        ),
    ] {
        let error = issue_jwt(&bad, EnvelopeType::VcJwt, &issuer.method, &issuer.key)
            .await
            .unwrap_err();
        assert_eq!(error.code(), expected);
        let error = issue_cose(&bad, EnvelopeType::VcCose, &issuer.method, &issuer.key)
            .await
            .unwrap_err();
        assert_eq!(error.code(), expected);
    }
    let error = issue_jwt(&document, EnvelopeType::VcCose, &issuer.method, &issuer.key)
        .await
        .unwrap_err();
    assert_eq!(error.code(), "envelope_kind");
    let error = issue_cose(&document, EnvelopeType::VcJwt, &issuer.method, &issuer.key)
        .await
        .unwrap_err();
    assert_eq!(error.code(), "envelope_kind");
}
