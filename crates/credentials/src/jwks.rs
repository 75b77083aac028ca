//! Sets of public keys of one party (RFC 7517, section 5), within bounds.
//!
//! A set belongs to the party it was read for: keys are looked up in the set of an issuer, so the same `kid`
//! in the sets of two issuers never mixes them up.

#![cfg_attr(
    not(test),
    deny(
        clippy::arithmetic_side_effects,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic,
        clippy::string_slice,
        clippy::unwrap_used
    )
)]

#[cfg(test)]
mod tests;

use std::sync::OnceLock;

use serde_json::{Map, Value};

use crate::crypto::{Algorithm, KeyError, PublicKey, has_private_members};
use crate::json;

/// Longest accepted set in bytes.
pub const MAX_LENGTH: usize = 256 * 1024;

/// Most keys in a set.
pub const MAX_KEYS: usize = 1000;

/// Most keys that are tried for one token.
pub const MAX_TRIED: usize = 8;

/// Why a set is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JwksError {
    /// Longer than [`MAX_LENGTH`] or more than [`MAX_KEYS`] keys.
    #[error("key set too large")]
    TooLarge,
    /// Not a JSON object with an array of objects in `keys`, or a member of a key has the wrong type.
    #[error("not a key set")]
    Malformed,
    /// A private or symmetric key in it: whoever publishes one has lost it.
    #[error("private key material in a key set")]
    PrivateMaterial,
}

impl JwksError {
    /// Stable code for logs and interfaces.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::TooLarge => "jwks_too_large",
            Self::Malformed => "jwks_malformed",
            Self::PrivateMaterial => "jwks_private_key",
        }
    }
}

/// The public keys of one party.
#[derive(Clone, Debug, Default)]
pub struct JwkSet(Vec<Jwk>);

impl JwkSet {
    /// Reads a set as it was fetched.
    ///
    /// # Errors
    /// [`JwksError`].
    pub fn parse(bytes: &[u8]) -> Result<Self, JwksError> {
        if bytes.len() > MAX_LENGTH {
            return Err(JwksError::TooLarge);
        }
        let document = json::parse_object(bytes).map_err(|_| JwksError::Malformed)?;
        Self::from_members(&document)
    }

    /// Reads a set as it was fetched, without the keys in it that are not well-formed: a party may
    /// publish keys of a kind to come (RFC 7517, section 5). A private key refuses the set.
    ///
    /// # Errors
    /// [`JwksError`].
    pub fn parse_usable(bytes: &[u8]) -> Result<Self, JwksError> {
        if bytes.len() > MAX_LENGTH {
            return Err(JwksError::TooLarge);
        }
        let document = json::parse_object(bytes).map_err(|_| JwksError::Malformed)?;
        Self::read_members(&document, |key| match Jwk::read(key) {
            Err(JwksError::Malformed) => None,
            other => Some(other),
        })
    }

    /// Reads a set that is part of a JSON document whose length has been bounded.
    ///
    /// # Errors
    /// [`JwksError`].
    pub fn from_value(value: &Value) -> Result<Self, JwksError> {
        Self::from_members(value.as_object().ok_or(JwksError::Malformed)?)
    }

    fn from_members(document: &Map<String, Value>) -> Result<Self, JwksError> {
        Self::read_members(document, |key| Some(Jwk::read(key)))
    }

    fn read_members(
        document: &Map<String, Value>,
        read: impl Fn(&Value) -> Option<Result<Jwk, JwksError>>,
    ) -> Result<Self, JwksError> {
        let keys = document.get("keys").and_then(Value::as_array);
        let keys = keys.ok_or(JwksError::Malformed)?;
        if keys.len() > MAX_KEYS {
            return Err(JwksError::TooLarge);
        }
        keys.iter()
            .filter_map(read)
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// All keys, those of unknown kinds too.
    #[must_use]
    pub fn keys(&self) -> &[Jwk] {
        &self.0
    }

    /// The keys that may have made a signature: at most [`MAX_TRIED`], of the right kind, meant for it, and of this
    /// `kid` when the token names one. Keys that turn out to be invalid count as tried.
    pub fn verification_keys<'a>(
        &'a self,
        algorithm: Algorithm,
        kid: Option<&'a str>,
    ) -> impl Iterator<Item = &'a PublicKey> {
        self.0
            .iter()
            .filter(move |key| kid.is_none_or(|kid| key.kid() == Some(kid)))
            .filter(move |key| key.may_verify(algorithm))
            .take(MAX_TRIED)
            .filter_map(|key| key.public_key().ok())
    }
}

/// One key of a set. The point is checked when the key is first used.
#[derive(Clone, Debug)]
pub struct Jwk {
    members: Map<String, Value>,
    key: OnceLock<Result<PublicKey, KeyError>>,
}

impl Jwk {
    fn read(value: &Value) -> Result<Self, JwksError> {
        let members = value.as_object().ok_or(JwksError::Malformed)?;
        // RFC 7517, section 9.2; RFC 8725, section 2.4: private members have no business in a public set.
        if has_private_members(members) {
            return Err(JwksError::PrivateMaterial);
        }
        let is_text = |name: &&str| matches!(members.get(*name), None | Some(Value::String(_)));
        // RFC 7517, sections 4.1 to 4.5: text, and `key_ops` an array of it.
        let texts = ["kty", "use", "alg", "kid"].iter().all(is_text);
        let operations = match members.get("key_ops") {
            None => true,
            Some(Value::Array(list)) => list.iter().all(Value::is_string),
            Some(_) => false,
        };
        if !texts || !operations || !members.contains_key("kty") {
            return Err(JwksError::Malformed);
        }
        Ok(Self {
            members: members.clone(),
            key: OnceLock::new(),
        })
    }

    /// The members as they were read.
    #[must_use]
    pub const fn members(&self) -> &Map<String, Value> {
        &self.members
    }

    /// A member that is text.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        self.members.get(name).and_then(Value::as_str)
    }

    /// `kid`.
    #[must_use]
    pub fn kid(&self) -> Option<&str> {
        self.text("kid")
    }

    /// Whether `use`, `alg` and `key_ops` allow this, where they are there (RFC 7517, sections 4.2 to 4.4).
    #[must_use]
    pub fn may(&self, key_use: &str, operations: &[&str]) -> bool {
        let named = |value: &Value| {
            value
                .as_str()
                .is_some_and(|name| operations.contains(&name))
        };
        let listed = |list: &Vec<Value>| list.iter().any(named);
        self.text("use").is_none_or(|own| own == key_use)
            && (self.members.get("key_ops").and_then(Value::as_array)).is_none_or(listed)
    }

    fn may_verify(&self, algorithm: Algorithm) -> bool {
        let kind = match (self.text("kty"), self.text("crv")) {
            (Some("EC"), Some("P-256")) => Algorithm::Es256,
            (Some("EC"), Some("P-384")) => Algorithm::Es384,
            (Some("EC"), Some("P-521")) => Algorithm::Es512,
            (Some("OKP"), Some("Ed25519")) => Algorithm::EdDsa,
            _ => return false,
        };
        kind == algorithm
            && self.may("sig", &["verify"])
            && (self.text("alg")).is_none_or(|name| Algorithm::from_name(name) == Some(algorithm))
    }

    /// The key.
    ///
    /// # Errors
    /// [`KeyError`] for other kinds of keys and invalid points.
    pub fn public_key(&self) -> Result<&PublicKey, KeyError> {
        let key = self
            .key
            .get_or_init(|| PublicKey::from_members(&self.members));
        key.as_ref().map_err(|error| *error)
    }
}
