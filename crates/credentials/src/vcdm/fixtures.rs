//! Keys, documents and resolvers for tests.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{
    Binding, EmptyPresentation, HolderPolicy, Issuers, Policy, PresentationPolicy, StatusPolicy,
    VerifyError,
};
use crate::Verified;
use crate::bitstring_status_list::{FetchedList, RetrievalError, StatusListSource};
use crate::crypto::{Algorithm, Portable, Signer as _, SigningKey};
use crate::data_integrity::{
    ProofOptions, ProofPurpose, SuiteSigner, Suites, add_proof, verify_credential,
    verify_presentation,
};
use crate::did::{
    Did, DidDocument, DocumentMetadata, ErrorCode, LocalResolver, Resolution, ResolutionError,
    ResolutionOptions, Resolver, key,
};
use crate::testing::SeededRng;
use crate::time::UnixTime;
use crate::vcdm::{Credential, DateTimeStamp, VerifiedPresentation};

/// 2026-11-23T12:00:00Z
pub(crate) const NOW: UnixTime = UnixTime(1_795_435_200);

/// Somebody with a key and its `did:key`.
pub(crate) struct Party {
    pub(crate) key: SigningKey,
    pub(crate) did: String,
    pub(crate) method: String,
}

impl Party {
    pub(crate) fn new(algorithm: Algorithm, seed: u64) -> Self {
        let key = SigningKey::generate(algorithm, &SeededRng::new(seed));
        let did = key::encode(key.public_key());
        let method = format!("{did}#{}", did.strip_prefix("did:key:").unwrap());
        Self { key, did, method }
    }

    pub(crate) fn issuer() -> Self {
        Self::new(Algorithm::EdDsa, 1)
    }

    pub(crate) fn holder() -> Self {
        Self::new(Algorithm::Es256, 2)
    }

    pub(crate) fn suite(&self) -> &'static str {
        match self.key.algorithm() {
            Algorithm::EdDsa => "eddsa-jcs-2022",
            _ => "ecdsa-jcs-2019",
        }
    }

    pub(crate) fn options(&self, purpose: ProofPurpose) -> ProofOptions {
        let mut options = ProofOptions::new(&self.method, purpose);
        options.created = Some(DateTimeStamp::from_time(NOW));
        options
    }

    /// Adds a proof for a purpose.
    pub(crate) async fn prove(&self, document: &Value, purpose: ProofPurpose) -> Value {
        self.prove_with(document, &self.options(purpose)).await
    }

    pub(crate) async fn prove_with(&self, document: &Value, options: &ProofOptions) -> Value {
        let suites = Suites::jcs();
        let suite = suites.get(self.suite()).unwrap();
        let signer = SuiteSigner::Signature(&self.key);
        add_proof(document, options, suite, signer, &SeededRng::new(9))
            .await
            .unwrap()
    }

    /// A credential of this issuer with a proof.
    pub(crate) async fn issue(&self, document: &Value) -> Value {
        self.prove(document, ProofPurpose::AssertionMethod).await
    }

    /// A presentation of this holder, for the challenge and the domain of [`presentation_policy`].
    pub(crate) async fn present(&self, document: &Value) -> Value {
        let mut options = self.options(ProofPurpose::Authentication);
        options.challenge = Some("c-1".to_owned());
        options.domain = vec!["verifier.example".to_owned()];
        self.prove_with(document, &options).await
    }
}

/// An unsecured credential about the holder.
pub(crate) fn credential(issuer: &Party, subject: &Party) -> Value {
    json!({
        "@context": ["https://www.w3.org/ns/credentials/v2"],
        "id": "urn:uuid:58172aac-d8ba-11ed-83dd-0b3aef56cc33",
        "type": ["VerifiableCredential", "https://example.org/types#Member"],
        "name": "Member",
        "issuer": {"id": issuer.did, "name": "Club"},
        "validFrom": "2026-01-01T00:00:00Z",
        "validUntil": "2027-01-01T00:00:00+01:00",
        "credentialSubject": {
            "id": subject.did,
            "member": {"number": 42, "since": 2019.5, "active": true, "groups": ["a", "b"]},
        },
    })
}

/// An unsecured presentation of credentials.
pub(crate) fn presentation(holder: &Party, credentials: &[Value]) -> Value {
    json!({
        "@context": ["https://www.w3.org/ns/credentials/v2"],
        "type": "VerifiablePresentation",
        "holder": holder.did,
        "verifiableCredential": credentials,
    })
}

pub(crate) fn policy() -> Policy<'static> {
    Policy::new(Issuers::AnyResolvable, NOW, StatusPolicy::Unchecked)
}

pub(crate) fn presentation_policy() -> PresentationPolicy<'static> {
    PresentationPolicy {
        credentials: policy(),
        challenge: Binding::Expected("c-1"),
        domain: Binding::Expected("verifier.example"),
        holder: HolderPolicy::Any,
        empty: EmptyPresentation::Refused,
    }
}

pub(crate) async fn verify(document: &Value) -> Result<Verified<Credential>, VerifyError> {
    verify_by(document, &policy(), &LocalResolver).await
}

pub(crate) async fn verify_by(
    document: &Value,
    policy: &Policy<'_>,
    resolver: &dyn Resolver,
) -> Result<Verified<Credential>, VerifyError> {
    verify_credential(document, &Suites::jcs(), policy, resolver, &Portable).await
}

pub(crate) async fn verify_vp(
    document: &Value,
    policy: &PresentationPolicy<'_>,
) -> Result<Verified<VerifiedPresentation>, VerifyError> {
    verify_presentation(document, &Suites::jcs(), policy, &LocalResolver, &Portable).await
}

/// The code of a refusal.
pub(crate) fn code<T: std::fmt::Debug>(result: Result<T, VerifyError>) -> &'static str {
    let error = result.expect_err("must be refused");
    // Every error has a problem type and a text.
    assert!(error.problem().url().starts_with("https://"));
    assert!(!error.to_string().is_empty());
    error.code()
}

/// DIDs whose documents the test writes; others are resolved locally.
#[derive(Default)]
pub(crate) struct Documents(pub(crate) BTreeMap<String, Value>);

#[async_trait::async_trait]
impl Resolver for Documents {
    async fn resolve(&self, did: &str, options: &ResolutionOptions) -> Resolution {
        let Some(document) = self.0.get(did) else {
            return LocalResolver.resolve(did, options).await;
        };
        match DidDocument::from_json(document.clone(), &Did::parse(did).unwrap()) {
            Ok(document) => Resolution::found(document, DocumentMetadata::default()),
            Err(_) => Resolution::failed(ResolutionError::new(
                ErrorCode::InvalidDidDocument,
                "malformed",
            )),
        }
    }
}

/// Status lists in memory.
#[derive(Default)]
pub(crate) struct Lists(pub(crate) BTreeMap<String, FetchedList>);

impl Lists {
    pub(crate) fn one(url: &str, media_type: &str, body: impl Into<Vec<u8>>) -> Self {
        let list = FetchedList {
            media_type: media_type.to_owned(),
            body: body.into(),
        };
        Self(BTreeMap::from([(url.to_owned(), list)]))
    }
}

#[async_trait::async_trait]
impl StatusListSource for Lists {
    async fn fetch(&self, url: &str) -> Result<FetchedList, RetrievalError> {
        let list = self.0.get(url).cloned();
        list.ok_or_else(|| RetrievalError("no such list".into()))
    }
}

/// Replaces one leaf of a document; empty arrays and objects are leaves.
pub(crate) fn damage(document: &mut Value, place: usize, with: &Value) {
    let mut all = Vec::new();
    leaves(document, &mut all);
    let count = all.len();
    *all.swap_remove(place % count) = with.clone();
}

/// Every leaf of a document.
pub(crate) fn leaves<'v>(value: &'v mut Value, out: &mut Vec<&'v mut Value>) {
    let inner = match value {
        Value::Object(members) => !members.is_empty(),
        Value::Array(items) => !items.is_empty(),
        _ => false,
    };
    if !inner {
        out.push(value);
        return;
    }
    match value {
        Value::Object(members) => members.values_mut().for_each(|value| leaves(value, out)),
        Value::Array(items) => items.iter_mut().for_each(|value| leaves(value, out)),
        _ => {}
    }
}
