//! A proof, read once.

use serde_json::{Map, Value};

use super::ProofError;
use crate::vcdm::{DateTimeStamp, is_url};

/// Most proofs on one document.
pub const MAX_PROOFS: usize = 16;
/// Longest `proofValue` in bytes. A base proof of a selective disclosure suite holds one signature per statement.
pub const MAX_PROOF_VALUE: usize = 1024 * 1024;
/// Most names in `domain` and `previousProof`.
const MAX_NAMES: usize = 32;

/// What a proof is for: the verification relationship that its key must have
/// (Controlled Identifiers 1.0, section 2.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ProofPurpose {
    /// `assertionMethod`: credentials.
    AssertionMethod,
    /// `authentication`: presentations.
    Authentication,
    /// `capabilityDelegation`.
    CapabilityDelegation,
    /// `capabilityInvocation`.
    CapabilityInvocation,
}

impl ProofPurpose {
    /// The name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::AssertionMethod => "assertionMethod",
            Self::Authentication => "authentication",
            Self::CapabilityDelegation => "capabilityDelegation",
            Self::CapabilityInvocation => "capabilityInvocation",
        }
    }

    /// The purpose with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [
            Self::AssertionMethod,
            Self::Authentication,
            Self::CapabilityDelegation,
            Self::CapabilityInvocation,
        ]
        .into_iter()
        .find(|purpose| purpose.name() == name)
    }
}

/// A `DataIntegrityProof` of well-formed properties (Data Integrity 1.0, section 2.1).
/// Nothing of it has been verified.
#[derive(Clone, Debug, PartialEq)]
pub struct Proof {
    members: Map<String, Value>,
    id: Option<String>,
    cryptosuite: String,
    verification_method: String,
    purpose: ProofPurpose,
    created: Option<DateTimeStamp>,
    expires: Option<DateTimeStamp>,
    domain: Vec<String>,
    challenge: Option<String>,
    nonce: Option<String>,
    previous: Vec<String>,
    proof_value: String,
}

impl Proof {
    /// Reads one proof.
    ///
    /// # Errors
    /// [`ProofError::Malformed`] with the property, [`ProofError::Type`].
    pub fn parse(value: &Value) -> Result<Self, ProofError> {
        let members = value.as_object().ok_or(ProofError::Malformed("proof"))?;
        let read = Members(members);
        let kind = read.text("type")?.ok_or(ProofError::Malformed("type"))?;
        if kind != "DataIntegrityProof" {
            return Err(ProofError::Type);
        }
        let purpose = read.required("proofPurpose")?;
        let proof_value = read.required("proofValue")?;
        if proof_value.len() > MAX_PROOF_VALUE {
            return Err(ProofError::Malformed("proofValue"));
        }
        Ok(Self {
            id: read.url("id")?,
            cryptosuite: read.required("cryptosuite")?.to_owned(),
            verification_method: read
                .url("verificationMethod")?
                .ok_or(ProofError::Malformed("verificationMethod"))?,
            purpose: ProofPurpose::from_name(purpose).ok_or(ProofError::Purpose)?,
            created: read.moment("created")?,
            expires: read.moment("expires")?,
            domain: read.names("domain")?,
            challenge: read.text("challenge")?.map(str::to_owned),
            nonce: read.text("nonce")?.map(str::to_owned),
            previous: read.names("previousProof")?,
            proof_value: proof_value.to_owned(),
            members: members.clone(),
        })
    }

    /// Every member as received, `proofValue` among them.
    #[must_use]
    pub const fn members(&self) -> &Map<String, Value> {
        &self.members
    }

    /// The proof options: every member but `proofValue`. Suites add the `@context` that they prescribe.
    #[must_use]
    pub fn options(&self) -> Map<String, Value> {
        let mut options = self.members.clone();
        options.shift_remove("proofValue");
        options
    }

    /// `id`.
    #[must_use]
    pub fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    /// `cryptosuite`.
    #[must_use]
    pub fn cryptosuite(&self) -> &str {
        &self.cryptosuite
    }

    /// `verificationMethod`, a URL.
    #[must_use]
    pub fn verification_method(&self) -> &str {
        &self.verification_method
    }

    /// `proofPurpose`.
    #[must_use]
    pub const fn purpose(&self) -> ProofPurpose {
        self.purpose
    }

    /// `created`.
    #[must_use]
    pub const fn created(&self) -> Option<&DateTimeStamp> {
        self.created.as_ref()
    }

    /// `expires`.
    #[must_use]
    pub const fn expires(&self) -> Option<&DateTimeStamp> {
        self.expires.as_ref()
    }

    /// `domain`: the parties that the proof is meant for; empty when it names none.
    #[must_use]
    pub fn domain(&self) -> &[String] {
        &self.domain
    }

    /// `challenge`.
    #[must_use]
    pub fn challenge(&self) -> Option<&str> {
        self.challenge.as_deref()
    }

    /// `nonce`.
    #[must_use]
    pub fn nonce(&self) -> Option<&str> {
        self.nonce.as_deref()
    }

    /// `previousProof`: ids of the proofs that this one seals; empty outside chains.
    #[must_use]
    pub fn previous(&self) -> &[String] {
        &self.previous
    }

    /// `proofValue`, multibase text.
    #[must_use]
    pub fn proof_value(&self) -> &str {
        &self.proof_value
    }
}

struct Members<'a>(&'a Map<String, Value>);

impl<'a> Members<'a> {
    /// An optional string; `null` is no string.
    fn text(&self, name: &'static str) -> Result<Option<&'a str>, ProofError> {
        match self.0.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(ProofError::Malformed(name)),
        }
    }

    fn required(&self, name: &'static str) -> Result<&'a str, ProofError> {
        self.text(name)?.ok_or(ProofError::Malformed(name))
    }

    fn url(&self, name: &'static str) -> Result<Option<String>, ProofError> {
        match self.text(name)? {
            None => Ok(None),
            Some(text) if is_url(text) => Ok(Some(text.to_owned())),
            Some(_) => Err(ProofError::Malformed(name)),
        }
    }

    fn moment(&self, name: &'static str) -> Result<Option<DateTimeStamp>, ProofError> {
        let text = self.text(name)?;
        text.map(DateTimeStamp::parse)
            .transpose()
            .map_err(|_| ProofError::Malformed(name))
    }

    /// Data Integrity 1.0, section 2.1: one string or a list of different strings.
    fn names(&self, name: &'static str) -> Result<Vec<String>, ProofError> {
        let malformed = || ProofError::Malformed(name);
        let items = match self.0.get(name) {
            None => return Ok(Vec::new()),
            Some(Value::String(one)) => return Ok(vec![one.clone()]),
            Some(Value::Array(items)) if !items.is_empty() && items.len() <= MAX_NAMES => items,
            Some(_) => return Err(malformed()),
        };
        let mut names: Vec<String> = Vec::with_capacity(items.len());
        for item in items {
            let text = item.as_str().ok_or_else(malformed)?;
            if names.iter().any(|known| known == text) {
                return Err(malformed());
            }
            names.push(text.to_owned());
        }
        Ok(names)
    }
}

/// The proofs of a document and the document without them.
#[derive(Clone, Debug)]
pub struct Secured {
    /// The document without `proof`: an object.
    pub document: Value,
    /// Its proofs, at least one, in their order.
    pub proofs: Vec<Proof>,
}

impl Secured {
    /// Takes a secured document apart.
    ///
    /// # Errors
    /// [`ProofError::Missing`] for no `proof`, `null` and `[]`; [`ProofError::TooMany`]; those of [`Proof::parse`].
    pub fn parse(secured: &Value) -> Result<Self, ProofError> {
        let members = secured.as_object().ok_or(ProofError::Document)?;
        let values = match members.get("proof") {
            None | Some(Value::Null) => return Err(ProofError::Missing),
            Some(Value::Array(items)) if items.is_empty() => return Err(ProofError::Missing),
            Some(Value::Array(items)) => items.as_slice(),
            Some(one) => std::slice::from_ref(one),
        };
        if values.len() > MAX_PROOFS {
            return Err(ProofError::TooMany);
        }
        let proofs = values
            .iter()
            .map(Proof::parse)
            .collect::<Result<Vec<_>, _>>()?;
        refuse_equal_ids(&proofs)?;
        Ok(Self {
            document: without_proof(members),
            proofs,
        })
    }
}

pub(super) fn without_proof(members: &Map<String, Value>) -> Value {
    let rest = members.iter().filter(|(name, _)| *name != "proof");
    Value::Object(rest.map(|(n, v)| (n.clone(), v.clone())).collect())
}

/// `previousProof` must name one proof.
fn refuse_equal_ids(proofs: &[Proof]) -> Result<(), ProofError> {
    let ids: Vec<&str> = proofs.iter().filter_map(Proof::id).collect();
    let twice = ids
        .iter()
        .enumerate()
        .any(|(at, id)| ids.iter().take(at).any(|other| other == id));
    if twice {
        return Err(ProofError::DuplicateId);
    }
    Ok(())
}
