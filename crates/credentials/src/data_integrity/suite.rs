//! What a cryptosuite can do, and the table of those that a caller allows.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::{Proof, ProofError, ProofPurpose};
use crate::crypto::{CryptoProvider, Signer, SignerError};
use crate::did::Multikey;
use crate::random::Rng;
use crate::vcdm::DateTimeStamp;

/// A private BLS12-381 key that signs many messages at once (BBS, ciphersuite BLS12-381-SHA-256).
#[async_trait::async_trait]
pub trait BbsSigner: Send + Sync {
    /// The public half: a compressed point of G2.
    fn public_key(&self) -> &[u8; 96];

    /// The BBS signature of a header and messages: a compressed point of G1 and a scalar.
    async fn sign(&self, header: &[u8], messages: &[Vec<u8>]) -> Result<[u8; 80], SignerError>;
}

/// The private key with which a proof is made.
#[derive(Clone, Copy)]
pub enum SuiteSigner<'a> {
    /// Ed25519 and ECDSA.
    Signature(&'a dyn Signer),
    /// BBS.
    Bbs(&'a dyn BbsSigner),
}

impl fmt::Debug for SuiteSigner<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Signature(_) => "Signature",
            Self::Bbs(_) => "Bbs",
        })
    }
}

/// What a new proof says beside its value.
#[derive(Clone, Debug, PartialEq)]
pub struct ProofOptions {
    /// `verificationMethod`: the URL of the public half of the signer's key.
    pub verification_method: String,
    /// `proofPurpose`.
    pub purpose: ProofPurpose,
    /// `created`.
    pub created: Option<DateTimeStamp>,
    /// `expires`.
    pub expires: Option<DateTimeStamp>,
    /// `id`, needed where another proof is to name this one.
    pub id: Option<String>,
    /// `domain`; one name is written as a string.
    pub domain: Vec<String>,
    /// `challenge`.
    pub challenge: Option<String>,
    /// `nonce`.
    pub nonce: Option<String>,
    /// `previousProof`; one name is written as a string.
    pub previous: Vec<String>,
    /// JSON pointers (RFC 6901) of what a holder must always disclose. Selective disclosure suites alone.
    pub mandatory_pointers: Vec<String>,
}

impl ProofOptions {
    /// Options with nothing but what a proof must have.
    #[must_use]
    pub fn new(verification_method: impl Into<String>, purpose: ProofPurpose) -> Self {
        Self {
            verification_method: verification_method.into(),
            purpose,
            created: None,
            expires: None,
            id: None,
            domain: Vec::new(),
            challenge: None,
            nonce: None,
            previous: Vec::new(),
            mandatory_pointers: Vec::new(),
        }
    }

    /// The members of a proof without `proofValue` and `@context`.
    #[must_use]
    pub fn members(&self, cryptosuite: &str) -> Map<String, Value> {
        let names = |names: &[String]| match names {
            [] => None,
            [one] => Some(Value::from(one.as_str())),
            many => Some(Value::from(many)),
        };
        let text = |text: Option<&str>| text.map(Value::from);
        let moment =
            |stamp: &Option<DateTimeStamp>| text(stamp.as_ref().map(DateTimeStamp::as_str));
        let members = [
            ("id", text(self.id.as_deref())),
            ("type", text(Some("DataIntegrityProof"))),
            ("cryptosuite", text(Some(cryptosuite))),
            ("created", moment(&self.created)),
            ("expires", moment(&self.expires)),
            ("verificationMethod", text(Some(&self.verification_method))),
            ("proofPurpose", text(Some(self.purpose.name()))),
            ("domain", names(&self.domain)),
            ("challenge", text(self.challenge.as_deref())),
            ("nonce", text(self.nonce.as_deref())),
            ("previousProof", names(&self.previous)),
        ];
        members
            .into_iter()
            .filter_map(|(name, value)| Some((name.to_owned(), value?)))
            .collect()
    }
}

/// What a holder wants to disclose.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeriveOptions {
    /// JSON pointers (RFC 6901) of what is disclosed beyond what is mandatory.
    pub selective_pointers: Vec<String>,
    /// BBS: the presentation header, which binds the derived proof to its use.
    pub presentation_header: Vec<u8>,
}

/// A cryptosuite (Data Integrity 1.0, section 4.1; each in its own specification).
///
/// `document` is always an object without `proof`, or, in a chain, with the
/// proofs that the new one seals. Times, purpose, domain, challenge and the
/// authority of the key are checked by the caller, see [`super::verify_proofs`].
#[async_trait::async_trait]
pub trait Cryptosuite: Send + Sync {
    /// The value of `cryptosuite`.
    fn name(&self) -> &'static str;

    /// Checks a proof. A selective disclosure suite accepts derived proofs alone.
    ///
    /// # Errors
    /// [`ProofError`].
    fn verify(
        &self,
        document: &Value,
        proof: &Proof,
        key: &Multikey,
        crypto: &dyn CryptoProvider,
    ) -> Result<(), ProofError>;

    /// Makes a proof: all its members, `proofValue` among them.
    ///
    /// # Errors
    /// [`ProofError::Options`], [`ProofError::Transformation`], [`ProofError::Key`], [`ProofError::Signer`].
    async fn create(
        &self,
        document: &Value,
        options: &ProofOptions,
        signer: SuiteSigner<'_>,
        rng: &dyn Rng,
    ) -> Result<Map<String, Value>, ProofError>;

    /// Checks a base proof, as the holder who received it does.
    ///
    /// # Errors
    /// [`ProofError`]; [`ProofError::Unsupported`] where there are no base proofs.
    fn verify_base(
        &self,
        document: &Value,
        proof: &Proof,
        key: &Multikey,
        crypto: &dyn CryptoProvider,
    ) -> Result<(), ProofError> {
        let _ = (document, proof, key, crypto);
        Err(ProofError::Unsupported)
    }

    /// The presentation header that a derived proof is bound to; `None` where a proof of this suite has none.
    ///
    /// # Errors
    /// [`ProofError`] where the proof value is malformed.
    fn presentation_header(&self, proof: &Proof) -> Result<Option<Vec<u8>>, ProofError> {
        let _ = proof;
        Ok(None)
    }

    /// Makes a document with a derived proof out of one with a base proof: the
    /// revealed document, whose `proof` is the derived one.
    ///
    /// # Errors
    /// [`ProofError`]; [`ProofError::Unsupported`] where there is no selective disclosure.
    fn derive(
        &self,
        document: &Value,
        base: &Proof,
        options: &DeriveOptions,
        rng: &dyn Rng,
    ) -> Result<Value, ProofError> {
        let _ = (document, base, options, rng);
        Err(ProofError::Unsupported)
    }
}

/// The cryptosuites that a caller allows, by name.
#[derive(Clone, Default)]
pub struct Suites(BTreeMap<&'static str, Arc<dyn Cryptosuite>>);

impl Suites {
    /// None.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Those of this crate: `eddsa-jcs-2022` and `ecdsa-jcs-2019`.
    #[must_use]
    pub fn jcs() -> Self {
        Self::new()
            .with(super::EddsaJcs2022)
            .with(super::EcdsaJcs2019)
    }

    /// One more; it takes the place of another with the same name.
    #[must_use]
    pub fn with(mut self, suite: impl Cryptosuite + 'static) -> Self {
        self.0.insert(suite.name(), Arc::new(suite));
        self
    }

    /// The suite with this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&dyn Cryptosuite> {
        self.0.get(name).map(AsRef::as_ref)
    }

    /// The names, in alphabetical order.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.0.keys().copied()
    }
}

impl fmt::Debug for Suites {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.names()).finish()
    }
}
