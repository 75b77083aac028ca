//! Base proof values (section "serializeBaseProofValue" and "parseBaseProofValue").

use vouchsafe_credentials::cbor::{CborError, Item, Writer};
use vouchsafe_credentials::data_integrity::{DeriveOptions, ProofError};
use vouchsafe_credentials::multibase::base64url;
use vouchsafe_credentials::random::Rng;

use super::KIND;
use crate::bbs::{self, BbsError, PublicKey, Signature};
use crate::sd::{self, Parted, Pointer};

/// What a base proof value holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BaseProof {
    /// The BBS signature over the header and all statements that are not mandatory.
    pub signature: [u8; bbs::SIGNATURE_LENGTH],
    /// The hash of the proof options and the hash of the mandatory statements.
    pub header: [u8; 64],
    /// The key of the issuer.
    pub public_key: [u8; bbs::PUBLIC_KEY_LENGTH],
    /// The key of the labels.
    pub hmac_key: [u8; 32],
    /// What is mandatory.
    pub mandatory: Vec<Pointer>,
}

impl BaseProof {
    /// `parseBaseProofValue`, baseline.
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

    /// `serializeBaseProofValue`, baseline.
    #[must_use]
    pub fn encode(&self) -> String {
        let mut writer = Writer::new();
        writer.raw(&sd::base_header(KIND)).array(5);
        writer.bytes(&self.signature).bytes(&self.header);
        writer.bytes(&self.public_key).bytes(&self.hmac_key);
        sd::write_pointers(&mut writer, &self.mandatory);
        base64url(&writer.finish())
    }

    pub(super) fn verify(&self, key: &PublicKey, parted: &Parted) -> Result<(), ProofError> {
        let signature =
            Signature::from_bytes(&self.signature).map_err(|_| ProofError::ProofValue)?;
        bbs::verify(key, &signature, &self.header, &messages(parted))
            .map_err(|_| ProofError::Signature)
    }

    pub(super) fn prove(
        &self,
        key: &PublicKey,
        parted: &Parted,
        disclosed: &[usize],
        options: &DeriveOptions,
        rng: &dyn Rng,
    ) -> Result<Vec<u8>, ProofError> {
        let signature =
            Signature::from_bytes(&self.signature).map_err(|_| ProofError::ProofValue)?;
        let presentation = &options.presentation_header;
        let messages = messages(parted);
        // CoreProofGen: "It is RECOMMENDED to validate that signature".
        bbs::proof_gen_verified(
            key,
            &signature,
            &self.header,
            presentation,
            &messages,
            disclosed,
            rng,
        )
        .map_err(|error| match error {
            BbsError::BadSignature | BbsError::TooManyMessages => ProofError::Signature,
            _ => ProofError::ProofValue,
        })
    }
}

fn messages(parted: &Parted) -> Vec<&[u8]> {
    parted
        .others()
        .map(|(_, statement)| statement.as_bytes())
        .collect()
}

fn read(bytes: &[u8]) -> Result<(BaseProof, Vec<String>), CborError> {
    let [signature, header, public_key, hmac_key, pointers] =
        Item::parse(bytes)?.array_of::<5>()?;
    let base = BaseProof {
        signature: sd::byte_array(signature)?,
        header: sd::byte_array(header)?,
        public_key: sd::byte_array(public_key)?,
        hmac_key: sd::byte_array(hmac_key)?,
        mandatory: Vec::new(),
    };
    Ok((base, sd::pointers(pointers)?))
}
