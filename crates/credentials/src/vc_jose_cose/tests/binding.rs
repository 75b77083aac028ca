//! A credential that is bound to a key, a presentation of nothing, a presenter under another name.

use super::support::*;
use crate::crypto::{Algorithm, Signer as _};
use crate::jws::TokenType;
use crate::sd_jwt::Frame;
use crate::testing::SeededRng;
use crate::vc_jose_cose::{issue_cose, issue_jwt, issue_sd_jwt};
use crate::vcdm::fixtures::{
    Party, code, credential, presentation, presentation_policy, verify_vp as verify_proven_vp,
};
use crate::vcdm::{EnvelopeType, Enveloped, VerifyError};
use serde_json::{Value, json};

/// The credential of the holder in each envelope, with this `cnf`.
async fn bound_to(cnf: &Value) -> Vec<Enveloped> {
    let (issuer, holder) = (Party::issuer(), Party::holder());
    let document = with(&credential(&issuer, &holder), "cnf", cnf.clone());
    let (method, key) = (&issuer.method, &issuer.key);
    let jwt = jwt(&document, &issuer).await;
    let cose = issue_cose(&document, EnvelopeType::VcCose, method, key).await;
    let (kind, rng) = (EnvelopeType::VcSdJwt, SeededRng::new(4));
    let sd_jwt = issue_sd_jwt(&document, kind, &Frame::new(), method, key, &rng).await;
    vec![
        Enveloped::new(EnvelopeType::VcJwt, jwt),
        Enveloped::new(EnvelopeType::VcCose, cose.unwrap()),
        Enveloped::new(kind, sd_jwt.unwrap()),
    ]
}

/// The codes of presenting this, as `vp+jwt` and with an embedded proof. Empty: accepted.
async fn present(holder: &Party, document: &Value) -> [&'static str; 2] {
    let mut token = document.clone();
    token["nonce"] = json!("c-1");
    token["aud"] = json!("verifier.example");
    let (method, key) = (&holder.method, &holder.key);
    let token = issue_jwt(&token, EnvelopeType::VpJwt, method, key).await;
    let enveloped = verify_vp(EnvelopeType::VpJwt, token.unwrap()).await;
    let proven = holder.present(document).await;
    let proven = verify_proven_vp(&proven, &presentation_policy()).await;
    let code = |error: Option<VerifyError>| error.map_or("", |error| error.code());
    [code(enveloped.err()), code(proven.err())]
}

#[tokio::test]
async fn cat_173_a_bound_credential_is_presented_by_its_key_alone() {
    let (holder, thief) = (Party::holder(), Party::new(Algorithm::Es256, 41));
    for cnf in [
        json!({"jwk": holder.key.public_key().to_jwk()}),
        json!({"kid": holder.method}),
    ] {
        for envelope in bound_to(&cnf).await {
            let inner = [envelope.to_json()];
            let by = async |who: &Party| present(who, &presentation(who, &inner)).await;
            assert_eq!(by(&holder).await, ["", ""], "{cnf}");
            assert_eq!(by(&thief).await, ["holder_key_mismatch"; 2], "{cnf}");
            // Nobody presents it.
            let bare = verify_by(&envelope, &crate::vcdm::fixtures::policy()).await;
            assert_eq!(code(bare), "holder_unproven");
        }
    }
}

#[tokio::test]
async fn a_binding_that_is_not_understood_is_no_binding_to_ignore() {
    let holder = Party::holder();
    let jwk = holder.key.public_key().to_jwk();
    let remote = |name: &str| with(&json!(jwk), name, json!("https://e.example"));
    for (cnf, expected) in [
        (json!({}), "holder_key_unsupported"),
        (json!(null), "holder_key_unsupported"),
        (json!("x"), "holder_key_unsupported"),
        (json!({"jwk": "x"}), "holder_key_unsupported"),
        (json!({"jwk": jwk, "kid": "x"}), "holder_key_unsupported"),
        (json!({"jwk": remote("jku")}), "holder_key_unsupported"),
        (json!({"jwk": remote("x5u")}), "holder_key_unsupported"),
        // RFC 7517, section 4.2: a key for something else.
        (json!({"jwk": remote("use")}), "holder_key_unsupported"),
        (json!({"jwk": remote("kid")}), ""),
        (
            json!({"jku": "https://e.example"}),
            "holder_key_unsupported",
        ),
        (json!({"kid": holder.did}), "holder_key_mismatch"),
    ] {
        for envelope in bound_to(&cnf).await {
            let document = presentation(&holder, &[envelope.to_json()]);
            assert_eq!(present(&holder, &document).await, [expected; 2], "{cnf}");
        }
    }
}

#[tokio::test]
async fn a_presentation_of_nothing_satisfies_no_policy() {
    let holder = Party::holder();
    let mut none = presentation(&holder, &[]);
    assert_eq!(present(&holder, &none).await, ["presentation_empty"; 2]);
    none.as_object_mut()
        .unwrap()
        .shift_remove("verifiableCredential");
    assert_eq!(present(&holder, &none).await, ["presentation_empty"; 2]);
}

#[tokio::test]
async fn iss_is_who_signed_without_a_holder_too() {
    let (issuer, holder) = (Party::issuer(), Party::holder());
    let inner = issuer.issue(&credential(&issuer, &holder)).await;
    let mut vp = presentation(&holder, &[inner]);
    vp.as_object_mut().unwrap().shift_remove("holder");
    vp["nonce"] = json!("c-1");
    vp["aud"] = json!("verifier.example");
    for (iss, expected) in [
        (json!(holder.did), None),
        (json!(issuer.did), Some("claim_mismatch")),
        (json!(7), Some("claim_malformed")),
    ] {
        let token = raw(TokenType::VpJwt, &with(&vp, "iss", iss), &holder, |h| h).await;
        let found = verify_vp(EnvelopeType::VpJwt, token).await.err();
        assert_eq!(found.map(|error| error.code()), expected);
    }
}
