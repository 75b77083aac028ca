//! `did:jwk`: the base64url of a JWK.

use serde_json::Value;

use super::DidError;
use crate::crypto::PublicKey;
use crate::encoding::{b64url, b64url_decode};
use crate::json;

/// The `did:jwk` of a key.
#[must_use]
pub fn encode(key: &PublicKey) -> String {
    format!("did:jwk:{}", b64url(key.to_jwk().to_string().as_bytes()))
}

/// Reads what follows `did:jwk:`.
pub(super) fn decode(text: &str) -> Result<PublicKey, DidError> {
    let bytes = b64url_decode(text).map_err(|_| DidError::InvalidKey)?;
    let jwk = json::parse_object(&bytes).map_err(|_| DidError::InvalidKey)?;
    // did:jwk: a key for encryption has no assertionMethod or authentication relationship.
    if !matches!(jwk.get("use").map(Value::as_str), None | Some(Some("sig"))) {
        return Err(DidError::InvalidKey);
    }
    PublicKey::from_jwk(&Value::Object(jwk)).map_err(|_| DidError::InvalidKey)
}
