//! `COSE_Sign1` (RFC 9052, section 4.2).

use super::header::{Header, Label, algorithm, chain, number};
use super::message::{Message, protected as protected_bytes, to_be_sealed, untagged, write};
use super::{CoseError, CoseSignError, TAG_SIGN1};
use crate::Verified;
use crate::cbor::Item;
use crate::crypto::{Algorithm, CryptoProvider, PublicKey, Signer};
use crate::x509::Chain;

const CONTEXT: &str = "Signature1";

/// A `COSE_Sign1` as received. Not verified.
#[derive(Debug, Clone, Copy)]
pub struct Sign1<'a> {
    message: Message<'a>,
    algorithm: Algorithm,
}

impl<'a> Sign1<'a> {
    /// Reads a message, with or without the tag 18.
    ///
    /// # Errors
    /// See [`CoseError`]. `COSE_Sign` and other messages are no `COSE_Sign1`.
    pub fn parse(input: &'a [u8]) -> Result<Self, CoseError> {
        Self::from_item(Item::parse(input)?)
    }

    /// Reads a message that is part of a larger structure, with or without the tag 18.
    ///
    /// # Errors
    /// See [`CoseError`].
    pub fn from_item(item: Item<'a>) -> Result<Self, CoseError> {
        let message = Message::read(untagged(item, TAG_SIGN1))?;
        Ok(Self {
            algorithm: algorithm(message.headers.alg)?,
            message,
        })
    }

    /// `alg` of the protected header.
    #[must_use]
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// A parameter of the protected header. Not verified.
    #[must_use]
    pub fn protected(&self, label: &Label) -> Option<Item<'a>> {
        self.message.headers.protected(label)
    }

    /// A parameter of the unprotected header, which nothing protects.
    #[must_use]
    pub fn unprotected(&self, label: &Label) -> Option<Item<'a>> {
        self.message.headers.unprotected(label)
    }

    /// `x5chain` of the unprotected header (RFC 9360), where mdoc has it. Not verified.
    ///
    /// # Errors
    /// When it is malformed or has too many certificates.
    pub fn x5chain_unprotected(&self) -> Result<Option<Chain>, CoseError> {
        self.unprotected(&Label::X5CHAIN).map(chain).transpose()
    }

    /// `x5chain` of either header. Not verified.
    ///
    /// # Errors
    /// When it is malformed or has too many certificates.
    pub fn x5chain(&self) -> Result<Option<Chain>, CoseError> {
        let protected = self.protected(&Label::X5CHAIN);
        let either = protected.or_else(|| self.unprotected(&Label::X5CHAIN));
        either.map(chain).transpose()
    }

    /// The payload, before anything is checked. Only to find the key that will check it.
    #[must_use]
    pub const fn payload_unverified(&self) -> Option<&'a [u8]> {
        self.message.payload
    }

    /// Checks the signature over the payload that is part of the message.
    ///
    /// # Errors
    /// [`CoseError::Payload`] when it is detached, [`CoseError::AlgorithmMismatch`],
    /// [`CoseError::Signature`].
    pub fn verify(
        &self,
        key: &PublicKey,
        external_aad: &[u8],
        crypto: &dyn CryptoProvider,
    ) -> Result<Verified<&'a [u8]>, CoseError> {
        let payload = self.message.payload.ok_or(CoseError::Payload)?;
        self.check(key, external_aad, payload, crypto)?;
        Ok(Verified::new(payload))
    }

    /// Checks the signature over a payload that is not part of the message.
    ///
    /// # Errors
    /// [`CoseError::Payload`] when there is one in the message, otherwise as [`Self::verify`].
    pub fn verify_detached(
        &self,
        key: &PublicKey,
        external_aad: &[u8],
        payload: &[u8],
        crypto: &dyn CryptoProvider,
    ) -> Result<(), CoseError> {
        if self.message.payload.is_some() {
            return Err(CoseError::Payload);
        }
        self.check(key, external_aad, payload, crypto)
    }

    fn check(
        &self,
        key: &PublicKey,
        external_aad: &[u8],
        payload: &[u8],
        crypto: &dyn CryptoProvider,
    ) -> Result<(), CoseError> {
        if key.algorithm() != self.algorithm {
            return Err(CoseError::AlgorithmMismatch);
        }
        let protected = self.message.headers.protected_raw;
        let signed = to_be_sealed(CONTEXT, protected, external_aad, payload);
        crypto
            .verify(key, &signed, self.message.seal)
            .map_err(CoseError::Signature)
    }
}

/// Makes a `COSE_Sign1` without a tag; `alg` is set from the signer.
///
/// # Errors
/// See [`CoseSignError`].
pub async fn sign1(
    protected: &Header,
    unprotected: &Header,
    external_aad: &[u8],
    payload: &[u8],
    signer: &dyn Signer,
) -> Result<Vec<u8>, CoseSignError> {
    let (protected, signature) =
        seal(protected, unprotected, external_aad, payload, signer).await?;
    Ok(write(&protected, unprotected, Some(payload), &signature))
}

/// Makes a `COSE_Sign1` without a tag over a payload that does not become part of it.
///
/// # Errors
/// See [`CoseSignError`].
pub async fn sign1_detached(
    protected: &Header,
    unprotected: &Header,
    external_aad: &[u8],
    payload: &[u8],
    signer: &dyn Signer,
) -> Result<Vec<u8>, CoseSignError> {
    let (protected, signature) =
        seal(protected, unprotected, external_aad, payload, signer).await?;
    Ok(write(&protected, unprotected, None, &signature))
}

async fn seal(
    protected: &Header,
    unprotected: &Header,
    external_aad: &[u8],
    payload: &[u8],
    signer: &dyn Signer,
) -> Result<(Vec<u8>, Vec<u8>), CoseSignError> {
    Header::check(protected, unprotected)?;
    let protected = protected_bytes(protected, number(signer.algorithm()));
    let signed = to_be_sealed(CONTEXT, &protected, external_aad, payload);
    let signature = signer.sign(&signed).await?;
    Ok((protected, signature))
}
