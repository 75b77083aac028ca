//! What both suites do with a base proof: which statements are mandatory, disclosed, hidden.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{LabelMap, Labelled, Pointer, Processor, SdError, Selected, Selection, hash_mandatory};

/// A document with its statements parted into mandatory ones and others.
#[derive(Clone, Debug)]
pub struct Parted {
    labelled: Labelled,
    mandatory: Selected,
}

impl Parted {
    /// Labels the blank nodes of `document` and selects what `mandatory` names.
    ///
    /// # Errors
    /// [`SdError`].
    pub fn new(
        processor: &Processor,
        document: &Value,
        mandatory: &[Pointer],
        label: impl FnOnce(&LabelMap) -> LabelMap,
    ) -> Result<Self, SdError> {
        let selection = Selection::new(document, mandatory)?;
        let labelled = processor.label(document, label)?;
        let mandatory = processor.select(&labelled, selection.as_ref())?;
        Ok(Self {
            labelled,
            mandatory,
        })
    }

    /// All statements.
    #[must_use]
    pub const fn labelled(&self) -> &Labelled {
        &self.labelled
    }

    /// Where the mandatory statements stand among all.
    #[must_use]
    pub const fn mandatory_indexes(&self) -> &BTreeSet<usize> {
        &self.mandatory.indexes
    }

    /// SHA-256 of the mandatory statements.
    #[must_use]
    pub fn mandatory_hash(&self) -> [u8; 32] {
        let lines = self.labelled.nquads();
        hash_mandatory(
            self.mandatory
                .indexes
                .iter()
                .filter_map(|&index| lines.get(index)),
        )
    }

    /// The other statements, with where they stand among all.
    pub fn others(&self) -> impl Iterator<Item = (usize, &String)> {
        let lines = self.labelled.nquads().iter().enumerate();
        lines.filter(|(index, _)| !self.mandatory.indexes.contains(index))
    }

    /// Chooses what is disclosed: the mandatory statements and what `selective` names.
    ///
    /// # Errors
    /// [`SdError`].
    pub fn disclose(
        &self,
        processor: &Processor,
        document: &Value,
        mandatory: &[Pointer],
        selective: &[Pointer],
    ) -> Result<Disclosure, SdError> {
        let selection = Selection::new(document, selective)?;
        let selected = processor.select(&self.labelled, selection.as_ref())?;
        let combined = self.mandatory.union(&selected);
        let pointers: Vec<_> = mandatory.iter().chain(selective).cloned().collect();
        let reveal = Selection::new(document, &pointers)?.ok_or(SdError::SubjectHidden)?;
        let disclosure = Disclosure {
            document: reveal.apply(document),
            labels: processor.verifier_labels(&self.labelled, &combined)?,
            mandatory: positions(&self.mandatory.indexes, combined.indexes.iter().copied()),
            selective: positions(&selected.indexes, self.others().map(|(index, _)| index)),
            combined: combined.indexes,
            selected: selected.indexes,
        };
        self.check(processor, &disclosure)?;
        Ok(disclosure)
    }

    /// A verifier will compute exactly the statements that were chosen.
    fn check(&self, processor: &Processor, disclosure: &Disclosure) -> Result<(), SdError> {
        let found = processor.relabelled(&disclosure.document, &disclosure.labels);
        let found = found.map_err(|_| SdError::NotSeparable)?;
        let lines = self.labelled.nquads();
        let chosen = disclosure
            .combined
            .iter()
            .filter_map(|&index| lines.get(index));
        if !chosen.eq(&found) {
            return Err(SdError::NotSeparable);
        }
        Ok(())
    }
}

/// Where the members of `set` stand in `all`.
fn positions(set: &BTreeSet<usize>, all: impl Iterator<Item = usize>) -> Vec<usize> {
    all.enumerate()
        .filter(|(_, index)| set.contains(index))
        .map(|(position, _)| position)
        .collect()
}

/// What a holder discloses (`createDisclosureData`).
#[derive(Clone, Debug)]
pub struct Disclosure {
    /// The disclosed document without its proof.
    pub document: Value,
    /// From the canonical labels of the disclosed document to those that were signed.
    pub labels: LabelMap,
    /// Where the mandatory statements stand among the disclosed ones.
    pub mandatory: Vec<usize>,
    /// Where the other disclosed statements stand among all that are not mandatory.
    pub selective: Vec<usize>,
    /// The disclosed statements by their place among all.
    pub combined: BTreeSet<usize>,
    /// The selectively disclosed statements by their place among all, some of them mandatory.
    pub selected: BTreeSet<usize>,
}

/// The statements of a disclosed document as its verifier parts them (`createVerifyData`).
#[derive(Clone, Debug)]
pub struct Disclosed {
    /// All statements.
    pub nquads: Vec<String>,
    /// SHA-256 of the mandatory ones.
    pub mandatory_hash: [u8; 32],
    /// The others, in order.
    pub others: Vec<String>,
}

impl Disclosed {
    /// Reads `document`; the indexes of its mandatory statements are ascending.
    ///
    /// # Errors
    /// [`SdError`].
    pub fn new(
        processor: &Processor,
        document: &Value,
        labels: &LabelMap,
        mandatory: &[usize],
    ) -> Result<Self, SdError> {
        let nquads = processor.relabelled(document, labels)?;
        if mandatory.last().is_some_and(|&index| index >= nquads.len()) {
            return Err(SdError::Indexes);
        }
        let (required, others): (Vec<_>, Vec<_>) = nquads
            .iter()
            .cloned()
            .enumerate()
            .partition(|(index, _)| mandatory.binary_search(index).is_ok());
        Ok(Self {
            mandatory_hash: hash_mandatory(required.iter().map(|(_, line)| line)),
            others: others.into_iter().map(|(_, line)| line).collect(),
            nquads,
        })
    }
}
