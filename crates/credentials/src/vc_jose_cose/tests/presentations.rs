//! Enveloped presentations, and any bytes as an envelope.

use super::support::*;
use crate::crypto::{Algorithm, Portable, Signer as _};
use crate::did::LocalResolver;
use crate::jws::TokenType;
use crate::sd_jwt::{ClaimPath, Frame};
use crate::testing::SeededRng;
use crate::vc_jose_cose::{KeySource, issue_cose, issue_jwt, issue_sd_jwt, open_presentation};
use crate::vcdm::fixtures::{Party, code, credential, presentation, presentation_policy};
use crate::vcdm::{Binding, EnvelopeType, Enveloped, Issuers, Policy, PresentationPolicy};
use proptest::prelude::*;
use serde_json::json;

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
    assert_eq!(verified.get().presenter(), holder.did.as_str());
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
        challenge: Binding::Unchecked,
        domain: Binding::Unchecked,
        ..presentation_policy()
    };
    let (key, controller) = (holder.key.public_key(), holder.did.as_str());
    let keys = KeySource::Key { key, controller };
    let opened = open_presentation(&envelope, keys, &policy, &Portable)
        .await
        .unwrap();
    assert_eq!(opened.presentation().credentials().len(), 1);
    let other = Party::new(Algorithm::Es256, 41);
    // The same key, said to be another's: only who looks at signatures alone takes that.
    let controller = other.did.as_str();
    let keys = KeySource::Key { key, controller };
    let unbound = PresentationPolicy {
        credentials: Policy {
            issuers: Issuers::DangerousUnbound,
            ..policy.credentials
        },
        ..policy
    };
    assert_eq!(
        code(open_presentation(&envelope, keys, &policy, &Portable).await),
        "holder_mismatch"
    );
    let opened = open_presentation(&envelope, keys, &unbound, &Portable).await;
    assert_eq!(opened.unwrap().signer(), other.did);
    let key = other.key.public_key();
    let keys = KeySource::Key { key, controller };
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
