//! `did:jwk`: the base64url of a JWK.

use crate::crypto::PublicKey;

/// The `did:jwk` of a key.
#[must_use]
pub fn encode(_key: &PublicKey) -> String {
    unimplemented!()
}
