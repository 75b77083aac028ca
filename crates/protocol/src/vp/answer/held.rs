//! What a wallet holds, as a query looks at it.

use serde_json::{Map, Value};
use vouchsafe_credentials::cbor;
use vouchsafe_credentials::crypto::PublicKey;
use vouchsafe_credentials::encoding::b64url_decode;
use vouchsafe_credentials::json;
use vouchsafe_credentials::mdoc::{ElementPath, HeldMdoc, IssuerSigned};
use vouchsafe_credentials::sd_jwt::{ClaimPath, SdJwt, process};
use vouchsafe_credentials::sd_jwt_vc::HeldSdJwtVc;

use crate::vp::dcql::{Candidate, ClaimPointer, CredentialFacts, Format, PointerStep};
use crate::vp::verify::authority_key_ids;

/// A credential in the hands of its holder, in one of the formats that can be presented.
#[derive(Clone, Copy, Debug)]
pub enum HeldCredential<'a> {
    /// `dc+sd-jwt`
    SdJwtVc(&'a HeldSdJwtVc),
    /// `mso_mdoc`
    Mdoc(&'a HeldMdoc),
}

impl<'a> From<&'a HeldSdJwtVc> for HeldCredential<'a> {
    fn from(credential: &'a HeldSdJwtVc) -> Self {
        Self::SdJwtVc(credential)
    }
}

impl<'a> From<&'a HeldMdoc> for HeldCredential<'a> {
    fn from(credential: &'a HeldMdoc) -> Self {
        Self::Mdoc(credential)
    }
}

impl HeldCredential<'_> {
    /// The key that it is bound to.
    pub fn holder_key(&self) -> Option<&PublicKey> {
        match self {
            Self::SdJwtVc(held) => held.registered().holder_key.as_ref(),
            Self::Mdoc(held) => Some(held.device_key()),
        }
    }
}

/// A held credential as a candidate for [`find_matches`](crate::vp::dcql::find_matches).
#[derive(Debug)]
pub struct HeldCandidate<'a> {
    credential: HeldCredential<'a>,
    claims: Value,
    authority_key_ids: Vec<Vec<u8>>,
}

impl<'a> HeldCandidate<'a> {
    /// Prepares a credential for matching.
    pub fn new(credential: impl Into<HeldCredential<'a>>) -> Self {
        let credential = credential.into();
        let (claims, authority_key_ids) = match credential {
            HeldCredential::SdJwtVc(held) => (
                Value::Object(held.claims().clone()),
                authority_key_ids(held.compact()),
            ),
            HeldCredential::Mdoc(held) => (mdoc_view(held, |_| true), document_signers(held)),
        };
        HeldCandidate {
            credential,
            claims,
            authority_key_ids,
        }
    }

    /// What it says, as DCQL looks at it: of an mdoc an object of elements for each namespace.
    pub fn claims(&self) -> &Value {
        &self.claims
    }
}

impl Candidate for HeldCandidate<'_> {
    fn facts(&self) -> CredentialFacts<'_> {
        let (format, credential_type, also_known_as) = match self.credential {
            HeldCredential::SdJwtVc(held) => {
                let registered = held.registered();
                let also = registered.aka_vcts.as_slice();
                (Format::SdJwtVc.as_str(), registered.vct.as_str(), also)
            }
            HeldCredential::Mdoc(held) => (Format::MsoMdoc.as_str(), held.doctype(), [].as_slice()),
        };
        CredentialFacts {
            format,
            credential_type,
            also_known_as,
            claims: &self.claims,
            authority_key_ids: &self.authority_key_ids,
            holder_bound: self.credential.holder_key().is_some(),
        }
    }

    /// What cannot be presented is seen as `null`, which answers no query.
    fn disclosed_view(&self, claims: &[ClaimPointer]) -> Value {
        match self.credential {
            HeldCredential::SdJwtVc(held) => {
                let presentation = held.present(&claim_paths(claims));
                presentation
                    .ok()
                    .and_then(|made| view(made.sd_jwt()))
                    .unwrap_or(Value::Null)
            }
            HeldCredential::Mdoc(held) => match element_paths(claims) {
                Some(paths) => mdoc_view(held, |path| paths.contains(path)),
                None => Value::Null,
            },
        }
    }
}

pub(super) fn claim_paths(claims: &[ClaimPointer]) -> Vec<ClaimPath> {
    claims.iter().map(ClaimPointer::to_claim_path).collect()
}

/// Section 7.2: a namespace and an element of it. Elements leave whole.
pub(super) fn element_paths(claims: &[ClaimPointer]) -> Option<Vec<ElementPath>> {
    let path = |claim: &ClaimPointer| match claim.steps() {
        [PointerStep::Key(namespace), PointerStep::Key(element)] => {
            Some(ElementPath::new(namespace, element))
        }
        _ => None,
    };
    claims.iter().map(path).collect()
}

/// The elements of an mdoc that `shown` lets through. An element without a JSON form answers no query,
/// so it is never shown.
fn mdoc_view(held: &HeldMdoc, shown: impl Fn(&ElementPath) -> bool) -> Value {
    let mut namespaces = Map::new();
    for (namespace, elements) in held.elements().namespaces() {
        let own: Map<String, Value> = elements
            .iter()
            .filter(|(name, _)| shown(&ElementPath::new(namespace, name)))
            .filter_map(|(name, value)| Some((name.clone(), cbor::to_json(value).ok()?)))
            .collect();
        if !own.is_empty() {
            namespaces.insert(namespace.to_owned(), Value::Object(own));
        }
    }
    Value::Object(namespaces)
}

/// The AuthorityKeyIdentifiers of the document signer's chain, which was verified before.
fn document_signers(held: &HeldMdoc) -> Vec<Vec<u8>> {
    let chain = || {
        let parsed = IssuerSigned::parse(held.bytes()).ok()?;
        parsed.issuer_auth().ok()?.x5chain_unprotected().ok()?
    };
    chain()
        .map(|chain| chain.authority_key_ids())
        .unwrap_or_default()
}

/// The processed payload of an SD-JWT of our own.
fn view(sd_jwt: &str) -> Option<Value> {
    let parts = SdJwt::parse(sd_jwt).ok()?;
    let payload = b64url_decode(parts.issuer_signed().split('.').nth(1)?).ok()?;
    let payload = json::parse_object(&payload).ok()?;
    let processed = process(payload, parts.disclosures()).ok()?;
    Some(Value::Object(processed.claims))
}
