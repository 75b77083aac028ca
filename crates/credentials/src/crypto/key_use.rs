//! What a JWK says it may be used for (RFC 7517, sections 4.2 to 4.4).

use serde_json::{Map, Value};

use super::{Algorithm, KeyError, PublicKey};

/// What the reader of a JWK wants to do with the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyUse {
    /// Verify signatures.
    Verify,
    /// Agree on a key with ECDH-ES.
    Agree,
}

impl PublicKey {
    /// Reads a public JWK as [`Self::from_jwk`], for one use: what `use`, `key_ops` and `alg` say must
    /// allow it, where they are there. For a key that stands alone, in `cnf`, `jwk` or `epk`.
    ///
    /// # Errors
    /// [`KeyError::OtherUse`] for a key that is meant for something else.
    pub fn from_jwk_for(jwk: &Value, key_use: KeyUse) -> Result<Self, KeyError> {
        let key = Self::from_jwk(jwk)?;
        match jwk.as_object() {
            Some(members) => key_use.is_allowed(members, key.algorithm()).map(|()| key),
            None => Err(KeyError::Invalid),
        }
    }
}

impl KeyUse {
    fn is_allowed(self, jwk: &Map<String, Value>, algorithm: Algorithm) -> Result<(), KeyError> {
        let text = |name: &str| match jwk.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.as_str())),
            Some(_) => Err(KeyError::Invalid),
        };
        let operations = match jwk.get("key_ops") {
            None => None,
            Some(Value::Array(names)) if names.iter().all(Value::is_string) => Some(names),
            Some(_) => return Err(KeyError::Invalid),
        };
        let named = |own: &[&str]| {
            operations.is_none_or(|names| {
                let mut names = names.iter().filter_map(Value::as_str);
                names.any(|name| own.contains(&name))
            })
        };
        let (key_use, key_ops, alg) = (text("use")?, operations, text("alg")?);
        let allowed = match self {
            // Web Cryptography writes `sign` for the private half, and some cut the rest off it.
            Self::Verify => {
                key_use.is_none_or(|name| name == "sig")
                    && (key_ops.is_some_and(Vec::is_empty) || named(&["verify", "sign"]))
                    && alg.is_none_or(|name| Algorithm::from_name(name) == Some(algorithm))
            }
            // Web Cryptography writes an empty `key_ops` for the public half: the operation is that of
            // the private one.
            Self::Agree => {
                key_use.is_none_or(|name| name == "enc")
                    && (key_ops.is_some_and(Vec::is_empty) || named(&["deriveKey", "deriveBits"]))
                    && alg.is_none_or(|name| name == "ECDH-ES")
            }
        };
        allowed.then_some(()).ok_or(KeyError::OtherUse)
    }
}
