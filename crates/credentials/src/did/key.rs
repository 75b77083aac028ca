//! `did:key` (W3C CCG, v0.9): signature keys as Multikey.

use super::DidError;
use crate::crypto::{Multikey, PublicKey};

/// The `did:key` of a key.
#[must_use]
pub fn encode(key: &PublicKey) -> String {
    format!("did:key:{}", encode_multibase(key))
}

/// The Multikey text of a key (`z…`).
#[must_use]
pub fn encode_multibase(key: &PublicKey) -> String {
    Multikey::Signature(key.clone()).encode()
}

/// Reads what follows `did:key:`.
pub(super) fn decode(text: &str) -> Result<PublicKey, DidError> {
    match Multikey::decode(text) {
        Ok(Multikey::Signature(key)) => Ok(key),
        Ok(_) | Err(_) => Err(DidError::InvalidKey),
    }
}
