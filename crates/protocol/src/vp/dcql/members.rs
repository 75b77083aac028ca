//! Reading members of JSON objects: type, emptiness and size.

use serde_json::{Map, Value};

use super::{DcqlError, limits};

/// A member that may be absent. `null` is not absent: it has the wrong type.
pub(super) fn optional<'v>(object: &'v Map<String, Value>, name: &str) -> Option<&'v Value> {
    object.get(name)
}

pub(super) fn object<'v>(
    value: &'v Value,
    what: &'static str,
) -> Result<&'v Map<String, Value>, DcqlError> {
    value.as_object().ok_or(DcqlError::NotAnObject(what))
}

pub(super) fn array<'v>(
    value: Option<&'v Value>,
    what: &'static str,
    limit: usize,
) -> Result<&'v [Value], DcqlError> {
    match value {
        Some(Value::Array(list)) if list.len() > limit => Err(DcqlError::TooLarge(what)),
        Some(Value::Array(list)) if !list.is_empty() => Ok(list),
        _ => Err(DcqlError::NotANonEmptyArray(what)),
    }
}

pub(super) fn string<'v>(
    value: Option<&'v Value>,
    what: &'static str,
) -> Result<&'v str, DcqlError> {
    match value {
        Some(Value::String(text)) if text.len() > limits::STRING_BYTES => {
            Err(DcqlError::TooLarge(what))
        }
        Some(Value::String(text)) if !text.is_empty() => Ok(text),
        _ => Err(DcqlError::NotAString(what)),
    }
}

pub(super) fn strings(value: Option<&Value>, what: &'static str) -> Result<Vec<String>, DcqlError> {
    array(value, what, limits::VALUES)?
        .iter()
        .map(|value| string(Some(value), what).map(str::to_owned))
        .collect()
}

pub(super) fn boolean(
    object: &Map<String, Value>,
    name: &'static str,
    default: bool,
) -> Result<bool, DcqlError> {
    match object.get(name) {
        None => Ok(default),
        Some(Value::Bool(flag)) => Ok(*flag),
        Some(_) => Err(DcqlError::NotABoolean(name)),
    }
}

/// Sections 6.1 and 6.3: "a non-empty string consisting of alphanumeric,
/// underscore (`_`), or hyphen (`-`) characters".
pub(super) fn identifier(value: Option<&Value>, what: &'static str) -> Result<String, DcqlError> {
    let text = string(value, what)?;
    if text.len() > limits::ID_BYTES {
        return Err(DcqlError::TooLarge(what));
    }
    let legal = |c: u8| c.is_ascii_alphanumeric() || c == b'_' || c == b'-';
    if !text.bytes().all(legal) {
        return Err(DcqlError::BadIdentifier(what));
    }
    Ok(text.to_owned())
}
