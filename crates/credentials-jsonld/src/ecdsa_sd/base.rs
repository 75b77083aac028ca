//! Base proof values (sections 3.5.2 and 3.5.3).

use vouchsafe_credentials::cbor::{CborError, Item, Writer};
use vouchsafe_credentials::data_integrity::ProofError;
use vouchsafe_credentials::multibase::base64url;

use super::{KEY_LENGTH, KIND};
use crate::sd::{self, Pointer};

/// What a base proof value holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BaseProof {
    /// By the issuer, over the hash of the proof options, the proof-scoped key and the hash of the mandatory statements.
    pub signature: [u8; 64],
    /// The proof-scoped key: multicodec prefix of P-256 and compressed point.
    pub public_key: [u8; KEY_LENGTH],
    /// The key of the labels.
    pub hmac_key: [u8; 32],
    /// By the proof-scoped key, one for each statement that is not mandatory.
    pub signatures: Vec<[u8; 64]>,
    /// What is mandatory.
    pub mandatory: Vec<Pointer>,
}

impl BaseProof {
    /// `parseBaseProofValue`.
    ///
    /// # Errors
    /// [`ProofError::ProofValue`]; [`ProofError::DerivedProof`] for a derived proof.
    pub fn parse(text: &str) -> Result<Self, ProofError> {
        let bytes = sd::components(text, sd::base_header(KIND))?;
        let (base, pointers) = read(&bytes).map_err(|_| ProofError::ProofValue)?;
        Ok(Self {
            mandatory: Pointer::parse_all(&pointers).map_err(|_| ProofError::ProofValue)?,
            ..base
        })
    }

    /// `serializeBaseProofValue`.
    #[must_use]
    pub fn encode(&self) -> String {
        let mut writer = Writer::new();
        writer.raw(&sd::base_header(KIND)).array(5);
        writer.bytes(&self.signature).bytes(&self.public_key);
        writer.bytes(&self.hmac_key).array(self.signatures.len());
        for signature in &self.signatures {
            writer.bytes(signature);
        }
        sd::write_pointers(&mut writer, &self.mandatory);
        base64url(&writer.finish())
    }
}

fn read(bytes: &[u8]) -> Result<(BaseProof, Vec<String>), CborError> {
    let [signature, public_key, hmac_key, signatures, pointers] =
        Item::parse(bytes)?.array_of::<5>()?;
    let base = BaseProof {
        signature: sd::byte_array(signature)?,
        public_key: sd::byte_array(public_key)?,
        hmac_key: sd::byte_array(hmac_key)?,
        signatures: sd::bytes_list(signatures)?,
        mandatory: Vec::new(),
    };
    Ok((base, sd::pointers(pointers)?))
}
