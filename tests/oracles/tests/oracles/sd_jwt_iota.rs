//! Both ways with sd-jwt-payload 0.5.1. It checks no signatures, so what is
//! compared is the processing of Disclosures. Two known differences are left
//! out: it drops empty objects in arrays, and leaves the digests in an array
//! of which nothing is shown.

use std::collections::BTreeSet;

use sd_jwt_payload::{JsonObject, JwsSigner, SdJwt, SdJwtBuilder, Sha256Hasher};
use serde_json::Value;
use vouchsafe_credentials::crypto::{Signer as _, SigningKey};
use vouchsafe_credentials::encoding::b64url;
use vouchsafe_credentials::sd_jwt::{ClaimPath, HashAlg, PathElement};

use crate::sd_jwt_cases::*;

struct Key<'a> {
    key: &'a SigningKey,
    header: Value,
}

#[async_trait::async_trait]
impl JwsSigner for Key<'_> {
    type Error = std::convert::Infallible;

    /// Their header says `sd-jwt`; ours goes on the wire.
    async fn sign(&self, _: &JsonObject, payload: &JsonObject) -> Result<Vec<u8>, Self::Error> {
        let payload = Value::Object(payload.clone());
        let part = |value: &Value| b64url(value.to_string().as_bytes());
        let input = format!("{}.{}", part(&self.header), part(&payload));
        let signature = self.key.sign(input.as_bytes()).await.unwrap();
        Ok(format!("{input}.{}", b64url(&signature)).into_bytes())
    }
}

/// What they make of an SD-JWT.
pub fn disclosed(compact: &str) -> Value {
    let parsed = SdJwt::parse(compact).unwrap();
    let object = parsed.into_disclosed_object(&Sha256Hasher::new()).unwrap();
    Value::Object(object)
}

fn pointer(path: &ClaimPath) -> String {
    let part = |element: &PathElement| match element {
        PathElement::Key(key) => key.replace('~', "~0").replace('/', "~1"),
        PathElement::Index(index) => index.to_string(),
        PathElement::Any => panic!("cases name positions"),
    };
    path.elements()
        .iter()
        .map(|element| format!("/{}", part(element)))
        .collect()
}

#[test]
fn they_read_what_we_issue() {
    let parties = Parties::new();
    for case in cases() {
        let compact = parties.issue(&case, HashAlg::Sha256);
        let held = parties.hold(&compact);
        assert_eq!(
            disclosed(&compact),
            Value::Object(held.claims().clone()),
            "{}",
            case.name
        );
    }
}

#[test]
fn we_read_what_they_issue() {
    let parties = Parties::new();
    let key = Key {
        key: &parties.issuer,
        header: parties.header(),
    };
    for case in cases() {
        let card = parties.card(&case);
        let mut builder = SdJwtBuilder::new(card.clone()).unwrap();
        // Children before their parents.
        let mut hidden = case.hidden.clone();
        hidden.sort_by_key(|path| std::cmp::Reverse(path.elements().len()));
        for path in &hidden {
            builder = builder.make_concealable(&pointer(path)).unwrap();
        }
        if !hidden.is_empty() {
            builder = builder.add_decoys("", 3).unwrap();
        }
        let theirs = ready(builder.finish(&key, "ES256")).unwrap();
        let held = parties.hold(&theirs.presentation());
        assert_eq!(Value::Object(held.claims().clone()), card, "{}", case.name);
        let places: BTreeSet<&ClaimPath> = held.disclosable().iter().map(|d| &d.path).collect();
        assert_eq!(places, case.hidden.iter().collect(), "{}", case.name);

        let ours = parties.verify(&parties.present(&case, &held)).unwrap();
        for path in &case.shown {
            let shown = path.resolve(&card);
            assert_eq!(shown.len(), 1, "{}: {path}", case.name);
        }
        assert!(ours.disclosed.len() <= held.disclosable().len());
    }
}
