//! Strict JSON for everything that is signed or decides something.

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

mod number;
mod parser;
#[cfg(test)]
mod tests;

use serde_json::Value;

/// Why a text is not JSON we accept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JsonError {
    /// Not JSON at all (RFC 8259), a byte order mark or bytes after the value.
    #[error("not valid JSON")]
    Syntax,
    /// Not UTF-8, or an escape that is no Unicode character.
    #[error("text is not valid Unicode")]
    Unicode,
    /// The same member twice in one object (RFC 7493, section 2.3).
    #[error("duplicate object member")]
    DuplicateKey,
    /// Deeper than [`MAX_DEPTH`].
    #[error("nested too deeply")]
    TooDeep,
    /// A number that would change its value in a double (RFC 7493, section 2.2), or `-0`.
    #[error("number cannot be represented without loss")]
    LossyNumber,
    /// Valid JSON, but the value had to be an object.
    #[error("not a JSON object")]
    NotAnObject,
}

/// Deepest nesting of arrays and objects.
pub const MAX_DEPTH: usize = 32;

/// Parses one JSON value. See [`JsonError`] for what is refused beyond RFC 8259.
pub fn parse_strict(text: &[u8]) -> Result<Value, JsonError> {
    // RFC 8259, section 8.1: UTF-8, no byte order mark (which is no JSON token, so it fails as one).
    let text = std::str::from_utf8(text).map_err(|_| JsonError::Unicode)?;
    parser::parse(text)
}

/// Like [`parse_strict`], for texts that must be an object.
pub fn parse_object(text: &[u8]) -> Result<serde_json::Map<String, Value>, JsonError> {
    match parse_strict(text)? {
        Value::Object(map) => Ok(map),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            Err(JsonError::NotAnObject)
        }
    }
}

/// Sets a member of a value that is an object.
pub(crate) fn set(object: &mut Value, name: &str, value: Value) {
    if let Some(members) = object.as_object_mut() {
        members.insert(name.to_owned(), value);
    }
}
