//! Query and form parameters: each at most once, percent-encoding and UTF-8 strict.

use std::collections::HashSet;

use serde::de::{DeserializeOwned, value::MapDeserializer};

use super::limits;

/// Why parameters are refused. The texts never contain a value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParamError {
    /// The same name twice (RFC 6749, section 3.1).
    #[error("a parameter is included more than once")]
    Duplicate,
    /// Percent-encoding or UTF-8 is broken.
    #[error("a parameter is not correctly encoded")]
    Encoding,
    /// More than [`limits::PARAMETERS`].
    #[error("there are too many parameters")]
    TooMany,
    /// A parameter is missing, or its value is not one that is known.
    #[error("a parameter is missing or has an unexpected value")]
    Shape,
}

/// Parameters in the order in which they came.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Params(Vec<(String, String)>);

impl Params {
    /// Parses `application/x-www-form-urlencoded` bytes.
    pub fn parse(bytes: &[u8]) -> Result<Self, ParamError> {
        let mut pairs = Vec::new();
        for piece in bytes
            .split(|byte| *byte == b'&')
            .filter(|piece| !piece.is_empty())
        {
            if pairs.len() == limits::PARAMETERS {
                return Err(ParamError::TooMany);
            }
            let mut halves = piece.splitn(2, |byte| *byte == b'=');
            let name = decode(halves.next().unwrap_or_default())?;
            let value = decode(halves.next().unwrap_or_default())?;
            pairs.push((name, value));
        }
        let mut names = HashSet::new();
        if !pairs.iter().all(|(name, _)| names.insert(name.as_str())) {
            return Err(ParamError::Duplicate);
        }
        Ok(Self(pairs))
    }

    /// The value of a parameter.
    pub fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(own, _)| own == name);
        found.map(|(_, value)| value.as_str())
    }

    /// All pairs.
    pub fn pairs(&self) -> &[(String, String)] {
        &self.0
    }

    /// All pairs, owned.
    pub fn into_pairs(self) -> Vec<(String, String)> {
        self.0
    }

    /// Whether a name occurs here and in `other`.
    pub fn shares_a_name_with(&self, other: &Self) -> bool {
        self.0.iter().any(|(name, _)| other.get(name).is_some())
    }

    /// Into a struct of strings and options of strings.
    pub fn into_struct<T: DeserializeOwned>(self) -> Result<T, ParamError> {
        let pairs = self.0.into_iter().map(|(name, value)| (name, Text(value)));
        let pairs = MapDeserializer::<_, serde::de::value::Error>::new(pairs);
        T::deserialize(pairs).map_err(|_| ParamError::Shape)
    }
}

impl std::fmt::Debug for Params {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names = self.0.iter().map(|(name, _)| name);
        f.debug_list().entries(names).finish()
    }
}

/// A value that can also become an `Option<String>`, which a plain string of serde cannot.
struct Text(String);

impl<'de> serde::de::IntoDeserializer<'de> for Text {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

impl<'de> serde::Deserializer<'de> for Text {
    type Error = serde::de::value::Error;

    fn deserialize_any<V: serde::de::Visitor<'de>>(
        self,
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        visitor.visit_string(self.0)
    }

    fn deserialize_option<V: serde::de::Visitor<'de>>(
        self,
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: serde::de::Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: serde::de::Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        visitor.visit_enum(serde::de::IntoDeserializer::<Self::Error>::into_deserializer(self.0))
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}

fn decode(bytes: &[u8]) -> Result<String, ParamError> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = bytes.iter();
    while let Some(byte) = rest.next() {
        match byte {
            b'+' => out.push(b' '),
            b'%' => out.push((hex(rest.next())? << 4) | hex(rest.next())?),
            other => out.push(*other),
        }
    }
    String::from_utf8(out).map_err(|_| ParamError::Encoding)
}

fn hex(digit: Option<&u8>) -> Result<u8, ParamError> {
    digit
        .and_then(|digit| char::from(*digit).to_digit(16))
        .and_then(|value| u8::try_from(value).ok())
        .ok_or(ParamError::Encoding)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cat_115_a_parameter_occurs_once() {
        for bad in ["a=1&a=1", "a=1&b=2&a=3", "a=1&%61=2", "a&a"] {
            assert_eq!(
                Params::parse(bad.as_bytes()),
                Err(ParamError::Duplicate),
                "{bad}"
            );
        }
    }

    #[test]
    fn cat_107_encoding_is_strict() {
        for bad in [
            "a=%ff",
            "a=%c3%28",
            "a=%ed%a0%80",
            "a=%c0%ae",
            "a=%",
            "a=%4",
            "a=%zz",
            "%ff=1",
        ] {
            assert_eq!(
                Params::parse(bad.as_bytes()),
                Err(ParamError::Encoding),
                "{bad}"
            );
        }
        assert_eq!(
            Params::parse(&[b'a', b'=', 0xff]),
            Err(ParamError::Encoding)
        );
    }

    #[test]
    fn decodes_once() {
        let params = Params::parse(b"state=a%2Bb+c&empty=&x=%2525&&name").unwrap();
        assert_eq!(params.get("state"), Some("a+b c"));
        assert_eq!(params.get("empty"), Some(""));
        assert_eq!(params.get("x"), Some("%25"));
        assert_eq!(params.get("name"), Some(""));
        assert_eq!(params.get("State"), None);
    }

    #[test]
    fn the_number_is_limited() {
        let many: Vec<String> = (0..=limits::PARAMETERS)
            .map(|n| format!("p{n}=1"))
            .collect();
        assert_eq!(
            Params::parse(many.join("&").as_bytes()),
            Err(ParamError::TooMany)
        );
    }

    #[test]
    fn debug_shows_no_values() {
        let params = Params::parse(b"code=canary").unwrap();
        assert_eq!(format!("{params:?}"), "[\"code\"]");
    }

    #[test]
    fn into_struct_refuses_what_is_missing() {
        #[derive(Debug, PartialEq, serde::Deserialize)]
        #[serde(rename_all = "snake_case")]
        enum Grant {
            AuthorizationCode,
        }
        #[derive(Debug, serde::Deserialize)]
        struct Form {
            code: String,
            state: Option<String>,
            grant: Option<Grant>,
        }
        let form: Form = Params::parse(b"code=1&state=2&grant=authorization_code&other=3")
            .unwrap()
            .into_struct()
            .unwrap();
        assert_eq!(
            (form.code.as_str(), form.state.as_deref()),
            ("1", Some("2"))
        );
        assert_eq!(form.grant, Some(Grant::AuthorizationCode));
        for bad in ["state=1", "code=1&grant=password"] {
            assert_eq!(
                Params::parse(bad.as_bytes())
                    .unwrap()
                    .into_struct::<Form>()
                    .unwrap_err(),
                ParamError::Shape
            );
        }
    }
}
