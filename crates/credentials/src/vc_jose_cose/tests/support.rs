//! What the tests of envelopes share.

use crate::Verified;
use crate::crypto::Portable;
use crate::data_integrity::Suites;
use crate::did::LocalResolver;
use crate::jws::{self, Header, TokenType};
use crate::vc_jose_cose::{KeySource, issue_jwt, verify_credential, verify_presentation};
use crate::vcdm::fixtures::{Party, policy, presentation_policy};
use crate::vcdm::{Credential, EnvelopeType, Enveloped, Policy, VerifiedPresentation, VerifyError};
use serde_json::Value;

pub(super) async fn verify_by(
    envelope: &Enveloped,
    policy: &Policy<'_>,
) -> Result<Verified<Credential>, VerifyError> {
    let keys = KeySource::Resolver(&LocalResolver);
    verify_credential(envelope, keys, &Suites::jcs(), policy, &Portable).await
}

pub(super) async fn verify(
    kind: EnvelopeType,
    content: impl Into<Vec<u8>>,
) -> Result<Verified<Credential>, VerifyError> {
    verify_by(&Enveloped::new(kind, content), &policy()).await
}

pub(super) async fn verify_vp(
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

pub(super) async fn jwt(document: &Value, issuer: &Party) -> String {
    issue_jwt(document, EnvelopeType::VcJwt, &issuer.method, &issuer.key)
        .await
        .unwrap()
}

/// A JWT with any claims and header members, which `issue_jwt` would refuse to make.
pub(super) async fn raw(
    kind: TokenType,
    claims: &Value,
    party: &Party,
    change: impl FnOnce(Header) -> Header,
) -> String {
    let header = change(Header::new(kind).with_kid(&party.method));
    jws::sign(&header, claims, &party.key).await.unwrap()
}

pub(super) fn with(document: &Value, name: &str, value: Value) -> Value {
    let mut document = document.clone();
    document[name] = value;
    document
}
