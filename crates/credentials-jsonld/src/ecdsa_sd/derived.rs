//! Derived proof values (sections 3.5.5 to 3.5.8).

use vouchsafe_credentials::cbor::{CborError, Item, Writer};
use vouchsafe_credentials::data_integrity::ProofError;
use vouchsafe_credentials::encoding::b64url_decode_array;
use vouchsafe_credentials::multibase::base64url;

use super::{KEY_LENGTH, KIND};
use crate::sd::{self, LabelMap, SdError};

/// What a derived proof value holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DerivedProof {
    /// The base signature.
    pub signature: [u8; 64],
    /// The proof-scoped key: multicodec prefix of P-256 and compressed point.
    pub public_key: [u8; KEY_LENGTH],
    /// One for each disclosed statement that is not mandatory.
    pub signatures: Vec<[u8; 64]>,
    /// From canonical labels of the disclosed document to those that were signed.
    pub labels: LabelMap,
    /// Where the mandatory statements stand among the disclosed ones, ascending.
    pub mandatory: Vec<usize>,
}

impl DerivedProof {
    /// `parseDerivedProofValue` with `decompressLabelMap`.
    ///
    /// # Errors
    /// [`ProofError::ProofValue`]; [`ProofError::BaseProof`] for a base proof.
    pub fn parse(text: &str) -> Result<Self, ProofError> {
        let bytes = sd::components(text, sd::derived_header(KIND))?;
        read(&bytes).map_err(|_| ProofError::ProofValue)
    }

    /// `serializeDerivedProofValue` with `compressLabelMap`.
    ///
    /// # Errors
    /// [`SdError::Labels`] where a label is not what this suite makes.
    pub fn encode(&self) -> Result<String, SdError> {
        let mut writer = Writer::new();
        writer.raw(&sd::derived_header(KIND)).array(5);
        writer.bytes(&self.signature).bytes(&self.public_key);
        writer.array(self.signatures.len());
        for signature in &self.signatures {
            writer.bytes(signature);
        }
        let compressed = sd::compress_labels(&self.labels, |label| {
            let digest = label.strip_prefix('u')?;
            b64url_decode_array::<32>(digest).ok()
        })?;
        writer.map(compressed.len());
        for (canonical, digest) in compressed {
            writer.unsigned(canonical).bytes(&digest);
        }
        sd::write_indexes(&mut writer, &self.mandatory)?;
        Ok(base64url(&writer.finish()))
    }
}

fn read(bytes: &[u8]) -> Result<DerivedProof, CborError> {
    let [signature, public_key, signatures, labels, mandatory] =
        Item::parse(bytes)?.array_of::<5>()?;
    let label = |item: Item<'_>| Ok(base64url(&sd::byte_array::<32>(item)?));
    Ok(DerivedProof {
        signature: sd::byte_array(signature)?,
        // The text says 36 bytes; two of prefix and 33 of point are 35, as the vectors have it.
        public_key: sd::byte_array(public_key)?,
        signatures: sd::bytes_list(signatures)?,
        labels: sd::compressed_labels(labels, label)?,
        mandatory: sd::indexes(mandatory)?,
    })
}
