//! Presentations.

use serde_json::{Value, json};

use crate::crypto::Algorithm;
use crate::data_integrity::ProofPurpose;
use crate::vc_jose_cose::issue_jwt;
use crate::vcdm::fixtures::{
    NOW, Party, code, credential, presentation, presentation_policy, verify_vp,
};
use crate::vcdm::{
    Binding, DateTimeStamp, EmptyPresentation, EnvelopeType, Enveloped, HolderPolicy,
    PresentationPolicy,
};

async fn presented() -> Value {
    let (issuer, holder) = (Party::issuer(), Party::holder());
    let secured = issuer.issue(&credential(&issuer, &holder)).await;
    holder.present(&presentation(&holder, &[secured])).await
}

#[tokio::test]
async fn a_presentation_of_the_holder() {
    let verified = verify_vp(&presented().await, &presentation_policy())
        .await
        .unwrap();
    let presented = verified.get();
    assert_eq!(presented.credentials().len(), 1);
    assert_eq!(presented.presenter(), Party::holder().did.as_str());
    assert_eq!(
        presented.presentation().holder(),
        Some(presented.presenter())
    );
}

#[tokio::test]
async fn cat_157_the_presentation_fails_although_its_credentials_hold() {
    let document = presented().await;
    let mut altered = document.clone();
    altered["id"] = json!("urn:uuid:added");
    assert_eq!(
        code(verify_vp(&altered, &presentation_policy()).await),
        "proof_signature"
    );
    let mut unsigned = document.clone();
    unsigned.as_object_mut().unwrap().shift_remove("proof");
    assert_eq!(
        code(verify_vp(&unsigned, &presentation_policy()).await),
        "proof_missing"
    );
    // And the other way round: the presentation holds, a credential does not.
    let holder = Party::holder();
    let mut inner = document["verifiableCredential"][0].clone();
    inner["credentialSubject"]["member"]["number"] = json!(43);
    let outer = holder.present(&presentation(&holder, &[inner])).await;
    let error = verify_vp(&outer, &presentation_policy()).await.unwrap_err();
    assert_eq!(error.code(), "proof_signature");
    assert_eq!(error.to_string(), "credential 0 is not acceptable");
}

#[tokio::test]
async fn cat_158_a_presentation_proven_as_an_assertion() {
    let (issuer, holder) = (Party::issuer(), Party::holder());
    let secured = issuer.issue(&credential(&issuer, &holder)).await;
    let document = presentation(&holder, &[secured]);
    let wrong = holder.prove(&document, ProofPurpose::AssertionMethod).await;
    assert_eq!(
        code(verify_vp(&wrong, &presentation_policy()).await),
        "proof_purpose"
    );
}

#[tokio::test]
async fn cat_161_challenge_and_domain() {
    let document = presented().await;
    let by = |challenge: Option<&'static str>, domain: Option<&'static str>| PresentationPolicy {
        challenge: challenge.map_or(Binding::Unchecked, Binding::Expected),
        domain: domain.map_or(Binding::Unchecked, Binding::Expected),
        ..presentation_policy()
    };
    let good = by(Some("c-1"), Some("verifier.example"));
    assert!(verify_vp(&document, &good).await.is_ok());
    for (policy, problem) in [
        (
            by(Some("c-2"), Some("verifier.example")),
            "INVALID_CHALLENGE_ERROR",
        ),
        (
            by(Some("C-1"), Some("verifier.example")),
            "INVALID_CHALLENGE_ERROR",
        ),
        (
            by(Some("c-1"), Some("other.example")),
            "INVALID_DOMAIN_ERROR",
        ),
    ] {
        let error = verify_vp(&document, &policy).await.unwrap_err();
        assert_eq!(error.problem().name(), problem);
    }
    // Missing, and another domain beside ours.
    let holder = Party::holder();
    let bare = presentation(&holder, &[]);
    for (challenge, domain, expected) in [
        (None, vec!["verifier.example"], "proof_challenge"),
        (Some("c-1"), vec![], "proof_domain"),
        (
            Some("c-1"),
            vec!["verifier.example", "evil.example"],
            "proof_domain",
        ),
    ] {
        let mut options = holder.options(ProofPurpose::Authentication);
        options.created = Some(DateTimeStamp::from_time(NOW));
        options.challenge = challenge.map(str::to_owned);
        options.domain = domain.into_iter().map(str::to_owned).collect();
        let document = holder.prove_with(&bare, &options).await;
        assert_eq!(code(verify_vp(&document, &good).await), expected);
    }
}

#[tokio::test]
async fn cat_172_an_unsecured_credential_inside() {
    let (issuer, holder) = (Party::issuer(), Party::holder());
    let bare = credential(&issuer, &holder);
    let document = holder
        .present(&presentation(&holder, std::slice::from_ref(&bare)))
        .await;
    assert_eq!(
        code(verify_vp(&document, &presentation_policy()).await),
        "proof_missing"
    );
    let secured = issuer.issue(&bare).await;
    let document = holder
        .present(&presentation(&holder, &[secured, bare]))
        .await;
    let error = verify_vp(&document, &presentation_policy())
        .await
        .unwrap_err();
    assert_eq!(error.to_string(), "credential 1 is not acceptable");
}

#[tokio::test]
async fn cat_173_the_holder_is_the_subject_where_policy_asks() {
    let (issuer, holder) = (Party::issuer(), Party::holder());
    let strict = PresentationPolicy {
        holder: HolderPolicy::IsSubject,
        empty: EmptyPresentation::Allowed,
        ..presentation_policy()
    };
    assert!(verify_vp(&presented().await, &strict).await.is_ok());
    let other = Party::new(Algorithm::EdDsa, 6);
    let about_other = issuer.issue(&credential(&issuer, &other)).await;
    let document = holder
        .present(&presentation(&holder, std::slice::from_ref(&about_other)))
        .await;
    assert_eq!(
        code(verify_vp(&document, &strict).await),
        "holder_not_subject"
    );
    assert!(verify_vp(&document, &presentation_policy()).await.is_ok());
    let mut two = credential(&issuer, &holder);
    two["credentialSubject"] = json!([{"id": holder.did, "a": 1}, {"b": 2}]);
    let two = issuer.issue(&two).await;
    let document = holder.present(&presentation(&holder, &[two])).await;
    assert_eq!(
        code(verify_vp(&document, &strict).await),
        "holder_not_subject"
    );
    let mut nobody = presentation(&holder, &[]);
    nobody.as_object_mut().unwrap().shift_remove("holder");
    let document = holder.present(&nobody).await;
    assert_eq!(code(verify_vp(&document, &strict).await), "holder_missing");
    // The holder that is named is who signed.
    let mut claimed = presentation(&holder, &[]);
    claimed["holder"] = json!(other.did);
    let document = holder.present(&claimed).await;
    assert_eq!(
        code(verify_vp(&document, &presentation_policy()).await),
        "holder_mismatch"
    );
}

#[tokio::test]
async fn an_enveloped_credential_inside() {
    let (issuer, holder) = (Party::issuer(), Party::holder());
    let jwt = issue_jwt(
        &credential(&issuer, &holder),
        EnvelopeType::VcJwt,
        &issuer.method,
        &issuer.key,
    )
    .await
    .unwrap();
    let wrap = |jwt: String| Enveloped::new(EnvelopeType::VcJwt, jwt).to_json();
    let document = holder
        .present(&presentation(&holder, &[wrap(jwt.clone())]))
        .await;
    let verified = verify_vp(&document, &presentation_policy()).await.unwrap();
    assert_eq!(verified.get().credentials()[0].issuer(), issuer.did);
    let forged = format!("{}A", &jwt[..jwt.len() - 1]);
    let document = holder
        .present(&presentation(&holder, &[wrap(forged)]))
        .await;
    let refused = code(verify_vp(&document, &presentation_policy()).await);
    assert_eq!(refused, "jws_signature");
}
