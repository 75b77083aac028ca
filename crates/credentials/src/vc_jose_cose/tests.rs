use proptest::prelude::*;
use serde_json::{Value, json};

use super::{
    KeySource, issue_cose, issue_jwt, issue_sd_jwt, open_presentation, verify_credential,
    verify_presentation,
};
use crate::Verified;
use crate::cose::{self, Header as CoseHeader, Label};
use crate::crypto::{Algorithm, Portable, Signer as _};
use crate::data_integrity::Suites;
use crate::did::LocalResolver;
use crate::encoding::b64url;
use crate::jws::{self, Header, TokenType};
use crate::sd_jwt::{ClaimPath, Frame};
use crate::testing::SeededRng;
use crate::vcdm::fixtures::{
    NOW, Party, code, credential, policy, presentation, presentation_policy,
};
use crate::vcdm::{
    Credential, EnvelopeType, Enveloped, Issuers, Policy, PresentationPolicy, VerifiedPresentation,
    VerifyError,
};

async fn verify_by(
    envelope: &Enveloped,
    policy: &Policy<'_>,
) -> Result<Verified<Credential>, VerifyError> {
    let keys = KeySource::Resolver(&LocalResolver);
    verify_credential(envelope, keys, &Suites::jcs(), policy, &Portable).await
}

async fn verify(
    kind: EnvelopeType,
    content: impl Into<Vec<u8>>,
) -> Result<Verified<Credential>, VerifyError> {
    verify_by(&Enveloped::new(kind, content), &policy()).await
}

async fn verify_vp(
    kind: EnvelopeType,
    content: impl Into<Vec<u8>>,
) -> Result<Verified<VerifiedPresentation>, VerifyError> {
    let envelope = Enveloped::new(kind, content);
    verify_presentation(
        &envelope,
        &Suites::jcs(),
        &presentation_policy(),
        &LocalResolver,
        &Portable,
    )
    .await
}

async fn jwt(document: &Value, issuer: &Party) -> String {
    issue_jwt(document, EnvelopeType::VcJwt, &issuer.method, &issuer.key)
        .await
        .unwrap()
}

/// A JWT with any claims and header members, which `issue_jwt` would refuse to make.
async fn raw(
    kind: TokenType,
    claims: &Value,
    party: &Party,
    change: impl FnOnce(Header) -> Header,
) -> String {
    let header = change(Header::new(kind).with_kid(&party.method));
    jws::sign(&header, claims, &party.key).await.unwrap()
}

fn with(document: &Value, name: &str, value: Value) -> Value {
    let mut document = document.clone();
    document[name] = value;
    document
}

#[tokio::test]
async fn every_envelope_of_a_credential() {
    for algorithm in [
        Algorithm::EdDsa,
        Algorithm::Es256,
        Algorithm::Es384,
        Algorithm::Es512,
    ] {
        let issuer = Party::new(algorithm, 21);
        let document = credential(&issuer, &Party::holder());
        let jwt = jwt(&document, &issuer).await;
        assert_eq!(
            verify(EnvelopeType::VcJwt, jwt)
                .await
                .unwrap()
                .get()
                .as_json(),
            &document
        );
        let cose = issue_cose(&document, EnvelopeType::VcCose, &issuer.method, &issuer.key)
            .await
            .unwrap();
        assert_eq!(cose[0], 0xd2);
        assert_eq!(
            verify(EnvelopeType::VcCose, cose)
                .await
                .unwrap()
                .get()
                .as_json(),
            &document
        );
        let path = ClaimPath::of_keys(&["credentialSubject", "member"]);
        let frame = Frame::new().hide(&path).unwrap();
        let sd_jwt = issue_sd_jwt(
            &document,
            EnvelopeType::VcSdJwt,
            &frame,
            &issuer.method,
            &issuer.key,
            &SeededRng::new(4),
        )
        .await
        .unwrap();
        let whole = verify(EnvelopeType::VcSdJwt, sd_jwt.clone()).await.unwrap();
        assert_eq!(
            whole.get().subjects().next().unwrap()["member"]["number"],
            42
        );
        let hidden = format!("{}~", sd_jwt.split('~').next().unwrap());
        let less = verify(EnvelopeType::VcSdJwt, hidden).await.unwrap();
        assert_eq!(less.get().subjects().next().unwrap().get("member"), None);
    }
}

#[tokio::test]
async fn one_altered_byte_refuses() {
    let issuer = Party::issuer();
    let document = credential(&issuer, &Party::holder());
    let jwt = jwt(&document, &issuer).await;
    let cose = issue_cose(&document, EnvelopeType::VcCose, &issuer.method, &issuer.key)
        .await
        .unwrap();
    let frame = Frame::new().hide(&ClaimPath::of_keys(&["name"])).unwrap();
    let sd_jwt = issue_sd_jwt(
        &document,
        EnvelopeType::VcSdJwt,
        &frame,
        &issuer.method,
        &issuer.key,
        &SeededRng::new(4),
    )
    .await
    .unwrap();
    for (kind, good) in [
        (EnvelopeType::VcJwt, jwt.into_bytes()),
        (EnvelopeType::VcCose, cose),
        (EnvelopeType::VcSdJwt, sd_jwt.into_bytes()),
    ] {
        assert!(verify(kind, good.clone()).await.is_ok());
        for at in (0..good.len()).step_by(7) {
            let mut bad = good.clone();
            bad[at] ^= 1;
            // The tag of COSE_Sign1 is not part of what is signed; another tag is another message.
            assert!(verify(kind, bad).await.is_err(), "{kind:?} {at}");
        }
        for length in [0, 1, good.len() / 2, good.len() - 1] {
            assert!(
                verify(kind, &good[..length]).await.is_err(),
                "{kind:?} {length}"
            );
        }
    }
}

#[tokio::test]
async fn the_caller_names_the_envelope() {
    let (issuer, holder) = (Party::issuer(), Party::holder());
    let document = credential(&issuer, &holder);
    let jwt = jwt(&document, &issuer).await;
    for (kind, expected) in [
        (EnvelopeType::VpJwt, "envelope_kind"),
        (EnvelopeType::VpCose, "envelope_kind"),
        (EnvelopeType::VcSdJwt, "sd_jwt_malformed"),
    ] {
        let refused = verify(kind, jwt.clone()).await.unwrap_err();
        assert!(
            refused.code() == expected || kind == EnvelopeType::VcSdJwt,
            "{}",
            refused.code()
        );
    }
    // typ is compared byte by byte; `jwt_vc_json` of data model 1.1 and IETF SD-JWT VC are other things.
    for (token_type, expected) in [
        (TokenType::VpJwt, "jws_wrong_type"),
        (TokenType::IdToken, "jws_wrong_type"),
        (TokenType::SdJwtVc, "jws_wrong_type"),
        (TokenType::VcSdJwt, "jws_wrong_type"),
    ] {
        let token = raw(token_type, &document, &issuer, |header| header).await;
        assert_eq!(code(verify(EnvelopeType::VcJwt, token).await), expected);
    }
    let wrapped = json!({"iss": issuer.did, "vc": document});
    let token = raw(TokenType::VcJwt, &wrapped, &issuer, |header| header).await;
    assert_eq!(
        code(verify(EnvelopeType::VcJwt, token).await),
        "envelope_wrapper"
    );
    for name in ["vc", "vp"] {
        let token = raw(
            TokenType::VcJwt,
            &with(&document, name, json!("oops")),
            &issuer,
            |h| h,
        )
        .await;
        assert_eq!(
            code(verify(EnvelopeType::VcJwt, token).await),
            "envelope_wrapper"
        );
    }
    for (cty, good) in [
        (json!("vc"), true),
        (json!("application/vc"), true),
        (json!("vp"), false),
        (json!("bad+cty"), false),
        (json!(1), false),
    ] {
        let token = raw(TokenType::VcJwt, &document, &issuer, |header| {
            header.with("cty", cty)
        })
        .await;
        assert_eq!(verify(EnvelopeType::VcJwt, token).await.is_ok(), good);
    }
    let token = issue_jwt(
        &presentation(&holder, &[]),
        EnvelopeType::VpJwt,
        &holder.method,
        &holder.key,
    )
    .await
    .unwrap();
    assert_eq!(
        code(verify(EnvelopeType::VpJwt, token).await),
        "envelope_kind"
    );
}

#[tokio::test]
async fn claims_repeat_the_document_or_are_refused() {
    let (issuer, holder) = (Party::issuer(), Party::holder());
    let document = credential(&issuer, &holder);
    for (name, value, expected) in [
        ("iss", json!(issuer.did), None),
        ("sub", json!(holder.did), None),
        ("jti", document["id"].clone(), None),
        ("iat", json!("2010-01-01T19:23:24Z"), None),
        ("iss", json!(holder.did), Some("claim_mismatch")),
        ("sub", json!(issuer.did), Some("claim_mismatch")),
        ("jti", json!("urn:uuid:other"), Some("claim_mismatch")),
        ("iss", json!([issuer.did]), Some("claim_malformed")),
        ("exp", json!(NOW.0 + 1), None),
        ("exp", json!(NOW.0 - 59), None),
        ("exp", json!(NOW.0 - 60), Some("envelope_expired")),
        ("exp", json!(1.5), Some("envelope_expired")),
        ("exp", json!("tomorrow"), Some("claim_malformed")),
        ("exp", json!(1e300), Some("claim_malformed")),
        ("nbf", json!(NOW.0 + 60), None),
        ("nbf", json!(NOW.0 + 61), Some("envelope_not_yet_valid")),
    ] {
        let token = raw(
            TokenType::VcJwt,
            &with(&document, name, value.clone()),
            &issuer,
            |h| h,
        )
        .await;
        let result = verify(EnvelopeType::VcJwt, token)
            .await
            .map_err(|error| error.code());
        assert_eq!(result.err(), expected, "{name} {value}");
    }
}

#[tokio::test]
async fn the_key_is_the_issuers() {
    let (issuer, other) = (Party::issuer(), Party::new(Algorithm::EdDsa, 31));
    let document = credential(&issuer, &Party::holder());
    assert_eq!(
        code(verify(EnvelopeType::VcJwt, jwt(&document, &other).await).await),
        "issuer_mismatch"
    );
    for (kid, expected) in [
        (other.method.as_str(), "jws_signature"),
        (
            &format!("{}#other", issuer.did),
            "verification_method_unknown",
        ),
        (issuer.did.as_str(), "verification_method_url"),
        (
            "73voMXFNmNlOEpuYCSJlh8eN0dscykoO6gBukgRS1uU",
            "envelope_key_missing",
        ),
        ("https://issuer.example/keys#1", "envelope_key_missing"),
        ("did:unknown:1#a", "verification_method_resolution"),
    ] {
        let token = issue_jwt(&document, EnvelopeType::VcJwt, kid, &issuer.key)
            .await
            .unwrap();
        assert_eq!(
            code(verify(EnvelopeType::VcJwt, token).await),
            expected,
            "{kid}"
        );
    }
    let header = Header::new(TokenType::VcJwt);
    let token = jws::sign(&header, &document, &issuer.key).await.unwrap();
    assert_eq!(
        code(verify(EnvelopeType::VcJwt, token.clone()).await),
        "envelope_key_missing"
    );
    // A key that the caller has from elsewhere.
    let envelope = Enveloped::new(EnvelopeType::VcJwt, token);
    let by = |key: &Party| {
        let (envelope, key) = (envelope.clone(), key.key.public_key().clone());
        async move {
            verify_credential(
                &envelope,
                KeySource::Key(&key),
                &Suites::jcs(),
                &policy(),
                &Portable,
            )
            .await
        }
    };
    assert!(by(&issuer).await.is_ok());
    assert_eq!(code(by(&other).await), "jws_signature");
}

#[tokio::test]
async fn policy_holds_for_envelopes_too() {
    let issuer = Party::issuer();
    let mut document = credential(&issuer, &Party::holder());
    let envelope = Enveloped::new(EnvelopeType::VcJwt, jwt(&document, &issuer).await);
    let nobody = ["did:example:1".to_owned()];
    let only = Policy {
        issuers: Issuers::Only(&nobody),
        ..policy()
    };
    assert_eq!(code(verify_by(&envelope, &only).await), "issuer_untrusted");
    let types = Policy {
        types: &nobody,
        ..policy()
    };
    assert_eq!(
        code(verify_by(&envelope, &types).await),
        "type_not_accepted"
    );
    document["validUntil"] = json!("2026-02-01T00:00:00Z");
    assert_eq!(
        code(verify(EnvelopeType::VcJwt, jwt(&document, &issuer).await).await),
        "credential_expired"
    );
    let malformed = raw(
        TokenType::VcJwt,
        &with(&document, "type", json!("Other")),
        &issuer,
        |h| h,
    )
    .await;
    assert_eq!(
        code(verify(EnvelopeType::VcJwt, malformed).await),
        "vcdm_wrong_type"
    );
}

#[tokio::test]
async fn presentations_and_their_credentials() {
    let (issuer, holder) = (Party::issuer(), Party::holder());
    let document = credential(&issuer, &holder);
    let inner = Enveloped::new(EnvelopeType::VcJwt, jwt(&document, &issuer).await).to_json();
    let embedded = issuer.issue(&document).await;
    let mut vp = presentation(&holder, &[inner.clone(), embedded]);
    vp["nonce"] = json!("c-1");
    vp["aud"] = json!("verifier.example");
    let token = issue_jwt(&vp, EnvelopeType::VpJwt, &holder.method, &holder.key)
        .await
        .unwrap();
    let verified = verify_vp(EnvelopeType::VpJwt, token).await.unwrap();
    assert_eq!(verified.get().credentials().len(), 2);
    assert_eq!(verified.get().presenter(), Some(holder.did.as_str()));
    let cose = issue_cose(&vp, EnvelopeType::VpCose, &holder.method, &holder.key)
        .await
        .unwrap();
    assert!(verify_vp(EnvelopeType::VpCose, cose).await.is_ok());
    let frame = Frame::new().hide(&ClaimPath::of_keys(&["holder"])).unwrap();
    let sd_jwt = issue_sd_jwt(
        &vp,
        EnvelopeType::VpSdJwt,
        &frame,
        &holder.method,
        &holder.key,
        &SeededRng::new(3),
    )
    .await
    .unwrap();
    assert!(verify_vp(EnvelopeType::VpSdJwt, sd_jwt).await.is_ok());
    let other = Party::new(Algorithm::Es256, 41);
    for (name, value, expected) in [
        ("nonce", json!("c-2"), "envelope_challenge"),
        ("nonce", json!(null), "envelope_challenge"),
        ("aud", json!("other.example"), "envelope_audience"),
        (
            "aud",
            json!(["verifier.example", "evil.example"]),
            "envelope_audience",
        ),
        ("aud", json!(null), "envelope_audience"),
        ("iss", json!(other.did), "claim_mismatch"),
        ("holder", json!(other.did), "holder_mismatch"),
        ("vp", json!({}), "envelope_wrapper"),
        (
            "verifiableCredential",
            json!([document]),
            "credential_unsecured",
        ),
        (
            "verifiableCredential",
            json!([with(&inner, "id", json!("not-a-credential"))]),
            "vcdm_malformed",
        ),
        (
            "verifiableCredential",
            json!([with(&inner, "id", json!("data:application/vc+jwt,a.b.c"))]),
            "jws_malformed",
        ),
    ] {
        let token = raw(
            TokenType::VpJwt,
            &with(&vp, name, value.clone()),
            &holder,
            |h| h,
        )
        .await;
        let refused = verify_vp(EnvelopeType::VpJwt, token).await.unwrap_err();
        // What cannot be decoded at all is refused as a JWS, whichever rule is first.
        let fits = refused.code() == expected
            || expected.starts_with("jws_") && refused.code().starts_with("jws_");
        assert!(fits, "{name} {value}: {}", refused.code());
    }
}

#[tokio::test]
async fn the_envelope_of_a_presentation_alone() {
    let holder = Party::holder();
    let inner = Enveloped::new(EnvelopeType::VcJwt, "not.verified.here").to_json();
    let vp = presentation(&holder, &[inner]);
    let token = issue_jwt(&vp, EnvelopeType::VpJwt, &holder.method, &holder.key)
        .await
        .unwrap();
    let envelope = Enveloped::new(EnvelopeType::VpJwt, token);
    let policy = PresentationPolicy {
        challenge: None,
        domain: None,
        ..presentation_policy()
    };
    let keys = KeySource::Key(holder.key.public_key());
    let opened = open_presentation(&envelope, keys, &policy, &Portable)
        .await
        .unwrap();
    assert_eq!(opened.get().credentials().len(), 1);
    let other = Party::new(Algorithm::Es256, 41);
    let keys = KeySource::Key(other.key.public_key());
    assert_eq!(
        code(open_presentation(&envelope, keys, &policy, &Portable).await),
        "jws_signature"
    );
    let strict = presentation_policy();
    let keys = KeySource::Resolver(&LocalResolver);
    assert_eq!(
        code(open_presentation(&envelope, keys, &strict, &Portable).await),
        "envelope_challenge"
    );
}

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

proptest! {
    #[test]
    fn any_envelope_is_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..120), text in r"[A-Za-z0-9_~.-]{0,60}") {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            for kind in EnvelopeType::ALL {
                assert!(verify(kind, bytes.clone()).await.is_err());
                assert!(verify(kind, text.clone()).await.is_err());
                assert!(verify_vp(kind, text.clone()).await.is_err());
            }
        });
    }
}
