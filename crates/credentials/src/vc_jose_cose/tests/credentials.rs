//! Enveloped credentials.

use super::support::*;
use crate::bitstring_status_list::{Bitstring, Entry, ListOptions, list_credential};
use crate::crypto::{Algorithm, Portable, Signer as _};
use crate::data_integrity::Suites;
use crate::did::LocalResolver;
use crate::jws::{self, Header, TokenType};
use crate::sd_jwt::{ClaimPath, Frame};
use crate::testing::SeededRng;
use crate::vc_jose_cose::{KeySource, issue_cose, issue_jwt, issue_sd_jwt, verify_credential};
use crate::vcdm::fixtures::{Lists, NOW, Party, code, credential, policy, presentation};
use crate::vcdm::{EnvelopeType, Enveloped, Issuers, Policy, StatusLists, StatusPolicy};
use serde_json::json;

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
        ("exp", json!(1e15), Some("claim_malformed")),
        ("exp", json!(99_999_999_999.5), None),
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
    let by = async |key: &Party, controller: &Party| {
        let (key, controller) = (key.key.public_key(), controller.did.as_str());
        let keys = KeySource::Key { key, controller };
        verify_credential(&envelope, keys, &Suites::jcs(), &policy(), &Portable).await
    };
    assert!(by(&issuer, &issuer).await.is_ok());
    assert_eq!(code(by(&other, &issuer).await), "jws_signature");
    // The key of somebody else than the credential names.
    assert_eq!(code(by(&issuer, &other).await), "issuer_mismatch");
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

/// VC-JOSE-COSE 1.0, section 3: version 1.1 has a JWT form of its own.
#[tokio::test]
async fn a_credential_of_version_1_is_not_enveloped() {
    let issuer = Party::issuer();
    let document = json!({
        "@context": ["https://www.w3.org/2018/credentials/v1"],
        "type": ["VerifiableCredential"],
        "issuer": issuer.did,
        "issuanceDate": "2020-03-16T22:37:26Z",
        "credentialSubject": {"id": Party::holder().did}
    });
    let token = raw(TokenType::VcJwt, &document, &issuer, |header| header).await;
    assert_eq!(
        code(verify(EnvelopeType::VcJwt, token).await),
        "vcdm_version_1"
    );
    let token = raw(TokenType::VcSdJwt, &document, &issuer, |header| header).await;
    assert_eq!(
        code(verify(EnvelopeType::VcSdJwt, format!("{token}~")).await),
        "vcdm_version_1"
    );
    let (method, key) = (&issuer.method, &issuer.key);
    let issued = issue_jwt(&document, EnvelopeType::VcJwt, method, key).await;
    assert!(issued.is_err());
}

/// Who brings the key of a credential is asked for no other key.
#[tokio::test]
async fn a_given_key_finds_no_key_of_a_status_list() {
    let issuer = Party::issuer();
    let url = "https://issuer.example/status/3";
    let options = ListOptions {
        id: url,
        issuer: &issuer.did,
        purpose: "revocation",
        valid_from: None,
        valid_until: None,
        ttl_ms: None,
    };
    let list = list_credential(&options, &Bitstring::new(0, 1).unwrap());
    let published = issuer.issue(&list).await.to_string();
    let lists = Lists::one(url, "application/vc", published);
    let entry = Entry::new("revocation", url, 1).to_json();
    let document = with(
        &credential(&issuer, &Party::holder()),
        "credentialStatus",
        entry,
    );
    let envelope = Enveloped::new(EnvelopeType::VcJwt, jwt(&document, &issuer).await);
    let policy = Policy {
        status: StatusPolicy::Required(StatusLists::new(&lists)),
        ..policy()
    };
    let by = async |keys: KeySource<'_>| {
        verify_credential(&envelope, keys, &Suites::jcs(), &policy, &Portable).await
    };
    assert!(by(KeySource::Resolver(&LocalResolver)).await.is_ok());
    let (key, controller) = (issuer.key.public_key(), issuer.did.as_str());
    let given = KeySource::Key { key, controller };
    let shown = format!("{given:?} {:?}", KeySource::Resolver(&LocalResolver));
    assert!(shown.contains(controller) && shown.ends_with("Resolver"));
    let refused = by(given).await.unwrap_err();
    assert_eq!(refused.code(), "status_list_credential");
    assert!(format!("{refused:?}").contains("MethodNotSupported"));
}
