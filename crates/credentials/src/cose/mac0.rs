//! `COSE_Mac0` (RFC 9052, section 6.2) with HMAC 256/256.

use coset::iana::{Algorithm as Iana, EnumI64 as _};

use super::header::Header;
use super::message::{Message, protected as protected_bytes, to_be_sealed, untagged, write};
use super::{CoseError, CoseSignError, TAG_MAC0};
use crate::Verified;
use crate::cbor::Item;
use crate::crypto::{CryptoError, constant_time_eq, hmac_sha256};

const CONTEXT: &str = "MAC0";

/// A `COSE_Mac0` with HMAC 256/256 as received. Not verified.
#[derive(Debug, Clone, Copy)]
pub struct Mac0<'a> {
    message: Message<'a>,
}

impl<'a> Mac0<'a> {
    /// Reads a message, with or without the tag 17.
    ///
    /// # Errors
    /// See [`CoseError`].
    pub fn parse(input: &'a [u8]) -> Result<Self, CoseError> {
        Self::from_item(Item::parse(input)?)
    }

    /// Reads a message that is part of a larger structure, with or without the tag 17.
    ///
    /// # Errors
    /// See [`CoseError`].
    pub fn from_item(item: Item<'a>) -> Result<Self, CoseError> {
        let message = Message::read(untagged(item, TAG_MAC0))?;
        if message.headers.alg != Iana::HMAC_256_256.to_i64() {
            return Err(CoseError::Algorithm);
        }
        Ok(Self { message })
    }

    /// Checks the code over the payload that is part of the message.
    ///
    /// # Errors
    /// [`CoseError::Payload`], [`CoseError::Signature`].
    pub fn verify(&self, key: &[u8], external_aad: &[u8]) -> Result<Verified<&'a [u8]>, CoseError> {
        let payload = self.message.payload.ok_or(CoseError::Payload)?;
        self.check(key, external_aad, payload)?;
        Ok(Verified::new(payload))
    }

    /// Checks the code over a payload that is not part of the message.
    ///
    /// # Errors
    /// [`CoseError::Payload`] when there is one in the message, [`CoseError::Signature`].
    pub fn verify_detached(
        &self,
        key: &[u8],
        external_aad: &[u8],
        payload: &[u8],
    ) -> Result<(), CoseError> {
        if self.message.payload.is_some() {
            return Err(CoseError::Payload);
        }
        self.check(key, external_aad, payload)
    }

    fn check(&self, key: &[u8], external_aad: &[u8], payload: &[u8]) -> Result<(), CoseError> {
        let protected = self.message.headers.protected_raw;
        let sealed = to_be_sealed(CONTEXT, protected, external_aad, payload);
        if constant_time_eq(&hmac_sha256(key, &sealed), self.message.seal) {
            Ok(())
        } else {
            Err(CoseError::Signature(CryptoError::BadSignature))
        }
    }
}

/// Makes a `COSE_Mac0` without a tag.
///
/// # Errors
/// [`CoseSignError::Header`].
pub fn mac0(
    protected: &Header,
    unprotected: &Header,
    external_aad: &[u8],
    payload: &[u8],
    key: &[u8],
) -> Result<Vec<u8>, CoseSignError> {
    let (protected, code) = seal(protected, unprotected, external_aad, payload, key)?;
    Ok(write(&protected, unprotected, Some(payload), &code))
}

/// Makes a `COSE_Mac0` without a tag over a payload that does not become part of it.
///
/// # Errors
/// [`CoseSignError::Header`].
pub fn mac0_detached(
    protected: &Header,
    unprotected: &Header,
    external_aad: &[u8],
    payload: &[u8],
    key: &[u8],
) -> Result<Vec<u8>, CoseSignError> {
    let (protected, code) = seal(protected, unprotected, external_aad, payload, key)?;
    Ok(write(&protected, unprotected, None, &code))
}

fn seal(
    protected: &Header,
    unprotected: &Header,
    external_aad: &[u8],
    payload: &[u8],
    key: &[u8],
) -> Result<(Vec<u8>, [u8; 32]), CoseSignError> {
    Header::check(protected, unprotected)?;
    let protected = protected_bytes(protected, Iana::HMAC_256_256.to_i64());
    let code = hmac_sha256(
        key,
        &to_be_sealed(CONTEXT, &protected, external_aad, payload),
    );
    Ok((protected, code))
}
