//! `canonicalizeAndGroup` (Data Integrity ECDSA Cryptosuites 1.0, section 3.4.16).

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};
use vouchsafe_credentials::crypto::sha256;
use vouchsafe_credentials::data_integrity::ProofError;

use super::labels::relabel;
use super::{LabelMap, SdError, Selection};
use crate::agreement;
use crate::jsonld::{self, JsonLdError};
use crate::rdf::{self, Canonical, HashAlgorithm, Quad};
use crate::rdfc::{Transformation, configuration};

/// How documents are read and parted.
#[derive(Clone, Debug)]
pub struct Processor(Transformation);

/// A document as statements whose blank nodes were given labels.
#[derive(Clone, Debug)]
pub struct Labelled {
    skolemized: Value,
    nquads: Vec<String>,
    /// From the labels of the skolemized document.
    labels: LabelMap,
    /// Likewise to the canonical labels.
    canonical: LabelMap,
}

impl Labelled {
    /// Every statement as a line of N-Quads with its line feed, in code point order, without duplicates.
    #[must_use]
    pub fn nquads(&self) -> &[String] {
        &self.nquads
    }

    /// From canonical labels to the new ones.
    #[must_use]
    pub fn label_map(&self) -> LabelMap {
        self.canonical
            .iter()
            .filter_map(|(input, canonical)| {
                Some((canonical.clone(), self.labels.get(input)?.clone()))
            })
            .collect()
    }
}

/// The statements of a part of a document.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Selected {
    /// Where they stand in [`Labelled::nquads`], ascending.
    pub indexes: BTreeSet<usize>,
    /// With the labels of the skolemized document.
    quads: Vec<Quad>,
}

impl Selected {
    /// What either contains.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        let indexes = self.indexes.union(&other.indexes).copied().collect();
        let quads: BTreeSet<_> = self.quads.iter().chain(&other.quads).cloned().collect();
        Self {
            indexes,
            quads: quads.into_iter().collect(),
        }
    }
}

impl Processor {
    /// Reads documents like this.
    #[must_use]
    pub const fn new(transformation: Transformation) -> Self {
        Self(transformation)
    }

    /// The canonical form of a document.
    ///
    /// # Errors
    /// [`SdError::JsonLd`], [`SdError::Rdf`].
    pub fn canonicalize(&self, document: &Value) -> Result<Canonical, SdError> {
        let quads = self.0.quads(document)?;
        Ok(rdf::canonicalize(
            &quads,
            HashAlgorithm::Sha256,
            &self.0.work,
        )?)
    }

    /// The canonical form of proof options, with the context of the document that they secure.
    ///
    /// # Errors
    /// [`ProofError::Context`] where the proof has another one; [`ProofError::Transformation`].
    pub fn canonicalize_options(
        &self,
        document: &Value,
        options: Map<String, Value>,
    ) -> Result<Canonical, ProofError> {
        Ok(self.canonicalize(&configuration(document, options)?)?)
    }

    /// The statements of a document, its blank nodes labelled by `label`, which gets the canonical labels.
    ///
    /// # Errors
    /// [`SdError::JsonLd`], [`SdError::Rdf`].
    pub fn label(
        &self,
        document: &Value,
        label: impl FnOnce(&LabelMap) -> LabelMap,
    ) -> Result<Labelled, SdError> {
        let skolemized = jsonld::skolemize(document, &self.0.contexts, &self.0.options)?;
        let mut quads = self.quads(&skolemized)?;
        agreement::check(document, &quads)?;
        let canonical = rdf::canonicalize(&quads, HashAlgorithm::Sha256, &self.0.work)?.labels;
        let new = label(&canonical);
        let labels: Option<LabelMap> = canonical
            .iter()
            .map(|(input, canonical)| Some((input.clone(), new.get(canonical)?.clone())))
            .collect();
        let labels = labels.ok_or(SdError::Labels)?;
        relabel(&mut quads, &labels)?;
        Ok(Labelled {
            skolemized,
            nquads: lines(&quads),
            labels,
            canonical,
        })
    }

    /// The statements of a part of a document (`selectCanonicalNQuads`).
    ///
    /// # Errors
    /// [`SdError::NotSeparable`] where the part says something that the document does not say.
    pub fn select(
        &self,
        document: &Labelled,
        selection: Option<&Selection>,
    ) -> Result<Selected, SdError> {
        let Some(selection) = selection else {
            return Ok(Selected::default());
        };
        // The whole has a form that passed: what is hidden in the part was cut.
        let quads =
            self.quads(&selection.apply(&document.skolemized))
                .map_err(|error| match error {
                    SdError::JsonLd(JsonLdError::HiddenStatement) => SdError::NotSeparable,
                    other => other,
                })?;
        let mut labelled = quads.clone();
        relabel(&mut labelled, &document.labels).map_err(|_| SdError::NotSeparable)?;
        let position = |line: &String| {
            let found = document.nquads.binary_search(line);
            found.map_err(|_| SdError::NotSeparable)
        };
        let indexes: Result<_, _> = lines(&labelled).iter().map(position).collect();
        Ok(Selected {
            indexes: indexes?,
            quads,
        })
    }

    /// From the canonical labels that a verifier will find in the disclosed part to the labels that were signed
    /// (`createDisclosureData`, steps 12 to 14).
    ///
    /// # Errors
    /// [`SdError::Rdf`].
    pub fn verifier_labels(
        &self,
        document: &Labelled,
        disclosed: &Selected,
    ) -> Result<LabelMap, SdError> {
        let canonical = rdf::canonicalize(&disclosed.quads, HashAlgorithm::Sha256, &self.0.work)?;
        let signed = |input: &String| document.labels.get(input).ok_or(SdError::NotSeparable);
        canonical
            .labels
            .iter()
            .map(|(input, canonical)| Ok((canonical.clone(), signed(input)?.clone())))
            .collect()
    }

    /// The statements of a disclosed document with the labels that were signed (`labelReplacementCanonicalizeJsonLd`
    /// with `createLabelMapFunction`). The map must name every blank node, no other one, and no two of them alike.
    ///
    /// # Errors
    /// [`SdError::Labels`], [`SdError::JsonLd`], [`SdError::Rdf`].
    pub fn relabelled(&self, document: &Value, labels: &LabelMap) -> Result<Vec<String>, SdError> {
        let mut quads = self.0.quads(document)?;
        let canonical = rdf::canonicalize(&quads, HashAlgorithm::Sha256, &self.0.work)?.labels;
        let distinct: BTreeSet<&String> = labels.values().collect();
        if labels.len() != canonical.len() || distinct.len() != labels.len() {
            return Err(SdError::Labels);
        }
        let labels: Option<BTreeMap<_, _>> = canonical
            .into_iter()
            .map(|(input, canonical)| Some((input, labels.get(&canonical)?.clone())))
            .collect();
        relabel(&mut quads, &labels.ok_or(SdError::Labels)?)?;
        Ok(lines(&quads))
    }

    fn quads(&self, skolemized: &Value) -> Result<Vec<Quad>, SdError> {
        Ok(jsonld::to_deskolemized_quads(
            skolemized,
            &self.0.contexts,
            &self.0.options,
        )?)
    }
}

fn lines(quads: &[Quad]) -> Vec<String> {
    let mut lines: Vec<String> = quads.iter().map(rdf::to_nquad).collect();
    lines.sort_unstable();
    lines.dedup();
    lines
}

/// `hashMandatoryNQuads` (section 3.4.17) with SHA-256.
pub fn hash_mandatory<'a>(mandatory: impl IntoIterator<Item = &'a String>) -> [u8; 32] {
    let joined: String = mandatory.into_iter().map(String::as_str).collect();
    sha256(joined.as_bytes())
}
