//! Values that a claim may be required to have.

use serde_json::Value;

/// An element of `values`: a string, an integer or a boolean.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExpectedValue {
    /// Compared byte by byte.
    String(String),
    /// Compared with integers only: `18` is not `18.0`.
    Integer(i128),
    /// `true` or `false`.
    Boolean(bool),
}

impl ExpectedValue {
    /// Exact comparison of type and value.
    pub fn equals(&self, value: &Value) -> bool {
        match (self, value) {
            (ExpectedValue::String(wanted), Value::String(found)) => wanted == found,
            (ExpectedValue::Boolean(wanted), Value::Bool(found)) => wanted == found,
            (ExpectedValue::Integer(wanted), Value::Number(found)) => {
                integer(found) == Some(*wanted)
            }
            _ => false,
        }
    }
}

/// A JSON number that is an integer, without rounding.
pub(super) fn integer(number: &serde_json::Number) -> Option<i128> {
    number
        .as_i64()
        .map(i128::from)
        .or_else(|| number.as_u64().map(i128::from))
}
