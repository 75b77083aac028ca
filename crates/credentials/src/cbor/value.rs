//! Values apart from their bytes.

use ciborium::value::Integer;
use serde_json::Number;

use super::{CborError, Item, Kind, TAG_FULL_DATE, TAG_TDATE, Value};
use crate::encoding::b64url;

/// The bytes of a value: shortest forms, definite lengths, map entries in their order.
#[must_use]
pub fn to_vec(value: &Value) -> Vec<u8> {
    super::Writer::new().value(value).finish()
}

impl Item<'_> {
    /// The value, copied.
    #[must_use]
    pub fn to_value(self) -> Value {
        match self.kind() {
            Kind::Unsigned(number) => Value::Integer(number.into()),
            Kind::Negative(number) => Value::Integer(negative(number)),
            Kind::Bytes(bytes) => Value::Bytes(bytes.to_vec()),
            Kind::Text(text) => Value::Text(text.to_owned()),
            Kind::Array(items) => Value::Array(items.map(Item::to_value).collect()),
            Kind::Map(entries) => Value::Map(
                entries
                    .map(|(key, value)| (key.to_value(), value.to_value()))
                    .collect(),
            ),
            Kind::Tag(tag, content) => Value::Tag(tag, Box::new(content.to_value())),
            Kind::Bool(value) => Value::Bool(value),
            Kind::Null => Value::Null,
            Kind::Float(number) => Value::Float(number),
        }
    }
}

#[expect(
    clippy::expect_used,
    reason = "-1 - u64::MAX is the least CBOR integer"
)]
fn negative(number: u64) -> Integer {
    Integer::try_from(!i128::from(number)).expect("the range of CBOR integers")
}

/// A value as JSON: byte strings as base64url, dates as their text, map keys as text
/// (OpenID4VP 1.0, section 7.2 and appendix B.2: what a claims query compares with).
///
/// # Errors
/// [`CborError::Type`] for tags other than dates, [`CborError::NotFinite`],
/// [`CborError::KeyType`], [`CborError::DuplicateKey`] for keys that are the same as text.
pub fn to_json(value: &Value) -> Result<serde_json::Value, CborError> {
    use serde_json::Value as Json;
    Ok(match value {
        Value::Integer(number) => {
            let number = i128::from(*number);
            let number = match (u64::try_from(number), i64::try_from(number)) {
                (Ok(number), _) => Number::from(number),
                (_, Ok(number)) => Number::from(number),
                (Err(_), Err(_)) => return Err(CborError::Type),
            };
            Json::Number(number)
        }
        Value::Bytes(bytes) => Json::String(b64url(bytes)),
        Value::Float(number) => {
            Json::Number(Number::from_f64(*number).ok_or(CborError::NotFinite)?)
        }
        Value::Text(text) => Json::String(text.clone()),
        Value::Bool(value) => Json::Bool(*value),
        Value::Null => Json::Null,
        Value::Tag(TAG_TDATE | TAG_FULL_DATE, content) => match &**content {
            Value::Text(text) => Json::String(text.clone()),
            _ => return Err(CborError::Type),
        },
        Value::Array(items) => Json::Array(items.iter().map(to_json).collect::<Result<_, _>>()?),
        Value::Map(entries) => {
            let mut members = serde_json::Map::new();
            for (key, value) in entries {
                // The keys 1 and "1" are two here and one in JSON.
                if members.insert(key_text(key)?, to_json(value)?).is_some() {
                    return Err(CborError::DuplicateKey);
                }
            }
            Json::Object(members)
        }
        _ => return Err(CborError::Type),
    })
}

fn key_text(key: &Value) -> Result<String, CborError> {
    match key {
        Value::Text(text) => Ok(text.clone()),
        Value::Integer(number) => Ok(i128::from(*number).to_string()),
        _ => Err(CborError::KeyType),
    }
}
