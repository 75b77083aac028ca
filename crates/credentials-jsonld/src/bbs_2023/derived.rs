//! Derived proof values (sections "compressLabelMap" to "parseDerivedProofValue").

use std::collections::BTreeMap;

use vouchsafe_credentials::cbor::{CborError, Item, Writer};
use vouchsafe_credentials::data_integrity::ProofError;
use vouchsafe_credentials::multibase::base64url;

use super::KIND;
use crate::sd::{self, LabelMap, SdError};

/// What a derived proof value holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DerivedProof {
    /// The BBS proof.
    pub proof: Vec<u8>,
    /// From the numbers of the canonical labels (`c14n…`) to those of the signed labels (`b…`).
    pub labels: BTreeMap<u64, u64>,
    /// Where the mandatory statements stand among the disclosed ones, ascending.
    pub mandatory: Vec<usize>,
    /// Where the other disclosed statements stand among all that are not mandatory, ascending.
    pub selective: Vec<usize>,
    /// What binds the proof to its use. A verifier that gave one out says so in its policy.
    pub presentation_header: Vec<u8>,
}

impl DerivedProof {
    /// `parseDerivedProofValue`, baseline.
    ///
    /// # Errors
    /// [`ProofError::ProofValue`]; [`ProofError::BaseProof`] for a base proof.
    pub fn parse(text: &str) -> Result<Self, ProofError> {
        let bytes = sd::components(text, sd::derived_header(KIND))?;
        read(&bytes).map_err(|_| ProofError::ProofValue)
    }

    /// `serializeDerivedProofValue`, baseline.
    ///
    /// # Errors
    /// [`SdError::Indexes`] where an index has more than 64 bits.
    pub fn encode(&self) -> Result<String, SdError> {
        let mut writer = Writer::new();
        writer.raw(&sd::derived_header(KIND)).array(5);
        writer.bytes(&self.proof).map(self.labels.len());
        for (&canonical, &label) in &self.labels {
            writer.unsigned(canonical).unsigned(label);
        }
        sd::write_indexes(&mut writer, &self.mandatory)?;
        sd::write_indexes(&mut writer, &self.selective)?;
        writer.bytes(&self.presentation_header);
        Ok(base64url(&writer.finish()))
    }

    /// `decompressLabelMap`.
    #[must_use]
    pub fn label_map(&self) -> LabelMap {
        self.labels
            .iter()
            .map(|(canonical, label)| (format!("c14n{canonical}"), format!("b{label}")))
            .collect()
    }
}

/// `compressLabelMap`.
pub(super) fn compress(labels: &LabelMap) -> Result<BTreeMap<u64, u64>, SdError> {
    sd::compress_labels(labels, |label| label.strip_prefix('b')?.parse().ok())
}

fn read(bytes: &[u8]) -> Result<DerivedProof, CborError> {
    let [proof, labels, mandatory, selective, presentation_header] =
        Item::parse(bytes)?.array_of::<5>()?;
    let entry =
        |(canonical, label): (Item<'_>, Item<'_>)| Ok((canonical.unsigned()?, label.unsigned()?));
    Ok(DerivedProof {
        proof: proof.bytes()?.to_vec(),
        labels: labels.map()?.map(entry).collect::<Result<_, CborError>>()?,
        mandatory: sd::indexes(mandatory)?,
        selective: sd::indexes(selective)?,
        presentation_header: presentation_header.bytes()?.to_vec(),
    })
}
