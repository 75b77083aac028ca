//! From a document and a proof to the bytes that are signed.

use std::sync::Arc;

use serde_json::{Map, Value};
use vouchsafe_credentials::crypto::{Algorithm, sha256, sha384};
use vouchsafe_credentials::data_integrity::ProofError;

use crate::agreement;
use crate::contexts::Contexts;
use crate::jsonld::{JsonLdError, Options, to_quads};
use crate::rdf::{HashAlgorithm, Quad, WorkLimits, canonicalize};

/// How documents are read and canonicalized.
#[derive(Clone, Debug)]
pub struct Transformation {
    /// The contexts that documents may name.
    pub contexts: Arc<Contexts>,
    /// What documents may be.
    pub options: Options,
    /// How much work a document may cause.
    pub work: WorkLimits,
}

impl Transformation {
    /// With these contexts, and everything else strict.
    #[must_use]
    pub fn new(contexts: Arc<Contexts>) -> Self {
        Self {
            contexts,
            options: Options::default(),
            work: WorkLimits::default(),
        }
    }

    /// The statements of a document. Of a credential, a presentation and proof options they say what
    /// the JSON says, as far as policies and the data model read it.
    ///
    /// # Errors
    /// [`JsonLdError`]; [`JsonLdError::Disagreement`] where they say something else.
    pub fn quads(&self, document: &Value) -> Result<Vec<Quad>, JsonLdError> {
        let quads = to_quads(document, &self.contexts, &self.options)?;
        agreement::check(document, &quads)?;
        Ok(quads)
    }

    /// The canonical N-Quads of a document.
    ///
    /// # Errors
    /// [`ProofError::Statements`]; [`ProofError::Transformation`], its cause a [`JsonLdError`] or a
    /// [`crate::rdf::RdfError`].
    pub fn canonical(&self, document: &Value, hash: HashAlgorithm) -> Result<String, ProofError> {
        let quads = self.quads(document)?;
        canonicalize(&quads, hash, &self.work)
            .map(|canonical| canonical.text())
            .map_err(ProofError::transformation)
    }

    /// hash(proof options) || hash(document) (Data Integrity EdDSA Cryptosuites 1.0, sections
    /// 3.2.3 to 3.2.5; ECDSA Cryptosuites 1.0, the same). `options` has no `proofValue`.
    ///
    /// # Errors
    /// [`ProofError::Context`], [`ProofError::Transformation`].
    pub fn hash_data(
        &self,
        document: &Value,
        options: Map<String, Value>,
        algorithm: Algorithm,
    ) -> Result<Vec<u8>, ProofError> {
        let hash = match algorithm {
            Algorithm::Es384 => HashAlgorithm::Sha384,
            Algorithm::Es256 | Algorithm::Es512 | Algorithm::EdDsa => HashAlgorithm::Sha256,
        };
        let options = configuration(document, options)?;
        let mut data = digest(hash, &self.canonical(&options, hash)?);
        data.extend(digest(hash, &self.canonical(document, hash)?));
        Ok(data)
    }
}

/// Section 3.2.5, step 5: the proof is read with the context of the document.
///
/// # Errors
/// [`ProofError::Context`] where the proof has another.
pub(crate) fn configuration(
    document: &Value,
    mut options: Map<String, Value>,
) -> Result<Value, ProofError> {
    let context = document.get("@context").ok_or(ProofError::Context)?;
    if let Some(own) = options.get("@context")
        && !as_list(context).starts_with(as_list(own))
    {
        return Err(ProofError::Context);
    }
    options.insert("@context".to_owned(), context.clone());
    Ok(Value::Object(options))
}

fn as_list(value: &Value) -> &[Value] {
    match value {
        Value::Array(items) => items,
        one => std::slice::from_ref(one),
    }
}

fn digest(hash: HashAlgorithm, text: &str) -> Vec<u8> {
    match hash {
        HashAlgorithm::Sha256 => sha256(text.as_bytes()).to_vec(),
        HashAlgorithm::Sha384 => sha384(text.as_bytes()).to_vec(),
    }
}
