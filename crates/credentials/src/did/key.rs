//! `did:key` (W3C CCG, v0.9): P-256 and Ed25519, multibase base58btc.

use crate::crypto::PublicKey;

/// The `did:key` of a key.
#[must_use]
pub fn encode(_key: &PublicKey) -> String {
    unimplemented!()
}
