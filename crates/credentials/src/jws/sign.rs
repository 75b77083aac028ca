//! Signing.

use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};
use serde_json::{Map, Value};

use super::TokenType;
use crate::crypto::{Algorithm, PublicKey, Signer, SignerError};
use crate::encoding::b64url_append;
use crate::x509::Chain;

/// The protected header of a token to be signed; `alg` comes from the signer, `typ` from the type.
#[derive(Clone, Debug)]
pub struct Header(Map<String, Value>);

impl Header {
    /// A header with `typ` alone.
    #[must_use]
    pub fn new(token_type: TokenType) -> Self {
        Self(Map::new()).with("typ", token_type.typ())
    }

    /// Sets `kid`.
    #[must_use]
    pub fn with_kid(self, kid: impl Into<String>) -> Self {
        self.with("kid", kid.into())
    }

    /// Sets `jwk`.
    #[must_use]
    pub fn with_jwk(self, key: &PublicKey) -> Self {
        self.with("jwk", key.to_jwk())
    }

    /// Sets `x5c`.
    #[must_use]
    pub fn with_x5c(self, chain: &Chain) -> Self {
        self.with("x5c", chain.to_x5c())
    }

    /// Sets any further member. `alg` is always the signer's; setting it here has no effect.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        if name != "alg" {
            self.0.insert(name.to_owned(), value.into());
        }
        self
    }
}

/// Why a token could not be signed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SignError {
    /// The payload cannot be written as JSON.
    #[error("payload cannot be serialised")]
    Payload(#[source] serde_json::Error),
    /// The signer failed.
    #[error("signing failed")]
    Signer(#[source] SignerError),
}

/// Signs `payload` (serialised once, as it is) and gives the compact serialisation.
pub async fn sign<P: Serialize + Sync + ?Sized>(
    header: &Header,
    payload: &P,
    signer: &dyn Signer,
) -> Result<String, SignError> {
    let payload = serde_json::to_vec(payload).map_err(SignError::Payload)?;
    sign_bytes(header, &payload, signer).await
}

/// Like [`sign`], for a payload that is JSON text already.
pub async fn sign_bytes(
    header: &Header,
    payload: &[u8],
    signer: &dyn Signer,
) -> Result<String, SignError> {
    let members = Protected {
        algorithm: signer.algorithm(),
        members: &header.0,
    };
    let members = serde_json::to_vec(&members).map_err(SignError::Payload)?;
    // RFC 7515, section 3.1; room for the signature and two dots.
    let room = members.len().saturating_add(payload.len());
    let room = (room.saturating_mul(4) / 3).saturating_add(192);
    let mut compact = String::with_capacity(room);
    b64url_append(&members, &mut compact);
    compact.push('.');
    b64url_append(payload, &mut compact);
    let signature = signer
        .sign(compact.as_bytes())
        .await
        .map_err(SignError::Signer)?;
    compact.push('.');
    b64url_append(&signature, &mut compact);
    Ok(compact)
}

/// The header as it is written: `alg` first, then the members in their order.
struct Protected<'a> {
    algorithm: Algorithm,
    members: &'a Map<String, Value>,
}

impl Serialize for Protected<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.members.len().saturating_add(1)))?;
        map.serialize_entry("alg", self.algorithm.name())?;
        for (name, value) in self.members {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}
