//! Query strings and form bodies, read strictly.

use percent_encoding::percent_decode_str;

/// Most parameters of one request.
pub const MAX_PARAMS: usize = 64;
/// Longest query or form body in bytes (the limit of this project).
pub const MAX_BYTES: usize = 16 * 1024;

/// Decoded parameters of one request: every name occurs once. A value of length zero
/// counts as absent (RFC 6749, section 3.1).
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Params(Vec<(String, String)>);

// Values are codes, secrets and claims; only names are printed.
impl std::fmt::Debug for Params {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list()
            .entries(self.0.iter().map(|(n, _)| n))
            .finish()
    }
}

/// Why parameters could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ParamsError {
    /// RFC 6749, section 3.1: parameters MUST NOT be included more than once.
    #[error("a parameter occurs more than once")]
    Duplicate,
    /// `%` without two hexadecimal digits.
    #[error("malformed percent-encoding")]
    Encoding,
    /// The decoded bytes are not UTF-8.
    #[error("not UTF-8")]
    Utf8,
    /// Longer than the limit.
    #[error("too long")]
    TooLong,
    /// More parameters than [`MAX_PARAMS`].
    #[error("too many parameters")]
    TooMany,
    /// A required parameter is absent.
    #[error("required parameter missing: {0}")]
    Missing(&'static str),
}

impl Params {
    /// Reads a query string (without `?`) or a form body, at most [`MAX_BYTES`] long.
    ///
    /// # Errors
    /// [`ParamsError`] for everything that is not one well-formed set of parameters.
    pub fn parse(text: &str) -> Result<Self, ParamsError> {
        Self::parse_with_limit(text, MAX_BYTES)
    }

    /// As [`Self::parse`] for bodies with a limit of their own (`direct_post`: 1 MiB).
    ///
    /// # Errors
    /// As [`Self::parse`].
    pub fn parse_with_limit(text: &str, max_bytes: usize) -> Result<Self, ParamsError> {
        if text.len() > max_bytes {
            return Err(ParamsError::TooLong);
        }
        let mut params = Vec::new();
        for pair in text.split('&').filter(|p| !p.is_empty()) {
            if params.len() == MAX_PARAMS {
                return Err(ParamsError::TooMany);
            }
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let name = decode(name)?;
            // A repeated name is refused whatever the values, the empty one included.
            if params.iter().any(|(n, _)| *n == name) {
                return Err(ParamsError::Duplicate);
            }
            params.push((name, decode(value)?));
        }
        Ok(Self(params))
    }

    /// Reads a form body as bytes.
    ///
    /// # Errors
    /// As [`Self::parse`].
    pub fn parse_body(body: &[u8]) -> Result<Self, ParamsError> {
        Self::parse(std::str::from_utf8(body).map_err(|_| ParamsError::Utf8)?)
    }

    /// Value of a parameter; absent and empty are the same.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(n, v)| n == name && !v.is_empty())
            .map(|(_, v)| v.as_str())
    }

    /// Owned value of a parameter.
    #[must_use]
    pub fn owned(&self, name: &str) -> Option<String> {
        self.get(name).map(str::to_owned)
    }

    /// Value of a required parameter.
    ///
    /// # Errors
    /// [`ParamsError::Missing`] where it is absent or empty.
    pub fn required(&self, name: &'static str) -> Result<&str, ParamsError> {
        self.get(name).ok_or(ParamsError::Missing(name))
    }

    /// Whether the name was sent at all, even without a value.
    #[must_use]
    pub fn was_sent(&self, name: &str) -> bool {
        self.0.iter().any(|(n, _)| n == name)
    }

    /// Names and values in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(n, v)| (n.as_str(), v.as_str()))
    }
}

/// Decodes one form-encoded name or value (also used for HTTP Basic, RFC 6749, section 2.3.1).
pub(crate) fn decode(text: &str) -> Result<String, ParamsError> {
    let mut rest = text.as_bytes();
    while let Some(at) = rest.iter().position(|b| *b == b'%') {
        match &rest[at + 1..] {
            [a, b, ..] if a.is_ascii_hexdigit() && b.is_ascii_hexdigit() => rest = &rest[at + 3..],
            _ => return Err(ParamsError::Encoding),
        }
    }
    let spaced = text.replace('+', " ");
    percent_decode_str(&spaced)
        .decode_utf8()
        .map(std::borrow::Cow::into_owned)
        .map_err(|_| ParamsError::Utf8)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn duplicates_are_refused_in_every_disguise() {
        for text in [
            "a=1&a=1",
            "a=1&b=2&a=",
            "a&a=1",
            "a=1&%61=2",
            "a+b=1&a%20b=2",
        ] {
            assert_eq!(Params::parse(text), Err(ParamsError::Duplicate), "{text}");
        }
    }

    #[test]
    fn malformed_encoding_is_refused() {
        for text in ["a=%", "a=%2", "a=%zz", "%=1", "a=b%2&c=d"] {
            assert_eq!(Params::parse(text), Err(ParamsError::Encoding), "{text}");
        }
        assert_eq!(Params::parse("a=%ff"), Err(ParamsError::Utf8));
        assert_eq!(Params::parse("a=%ED%A0%80"), Err(ParamsError::Utf8));
        assert_eq!(Params::parse_body(b"a=\xff"), Err(ParamsError::Utf8));
    }

    #[test]
    fn limits_hold() {
        assert_eq!(
            Params::parse(&"a".repeat(MAX_BYTES + 1)),
            Err(ParamsError::TooLong)
        );
        let many: Vec<String> = (0..=MAX_PARAMS).map(|i| format!("p{i}=1")).collect();
        assert_eq!(Params::parse(&many.join("&")), Err(ParamsError::TooMany));
    }

    #[test]
    fn values_decode_and_empty_is_absent() {
        let params = Params::parse("a=x+y%26&b=&c").unwrap();
        assert_eq!(params.get("a"), Some("x y&"));
        assert_eq!(params.get("b"), None);
        assert!(params.was_sent("c"));
        assert_eq!(params.required("b"), Err(ParamsError::Missing("b")));
        assert!(!format!("{params:?}").contains("x y"));
    }

    proptest! {
        #[test]
        fn form_parser_round_trips(map in proptest::collection::btree_map("[^\u{0}]{1,12}", any::<String>(), 0..8)) {
            let text = url::form_urlencoded::Serializer::new(String::new())
                .extend_pairs(&map)
                .finish();
            let params = Params::parse(&text).unwrap();
            for (name, value) in &map {
                prop_assert_eq!(params.get(name).unwrap_or_default(), value.as_str());
            }
            if let Some((name, _)) = map.iter().next() {
                let again = url::form_urlencoded::Serializer::new(text.clone())
                    .append_pair(name, "x")
                    .finish();
                prop_assert_eq!(Params::parse(&again), Err(ParamsError::Duplicate));
            }
        }

        #[test]
        fn form_parser_never_panics(text in any::<String>()) {
            let _ = Params::parse(&text);
        }
    }
}
