//! JSON pointers (RFC 6901).

use std::fmt;
use std::str::FromStr;

use super::SdError;

/// Longest pointer in bytes.
const MAX_LENGTH: usize = 4096;

/// A JSON pointer, read once. The empty one names the whole document.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Pointer {
    tokens: Vec<String>,
}

impl Pointer {
    /// The names and indexes on the way from the root, unescaped.
    #[must_use]
    pub fn tokens(&self) -> &[String] {
        &self.tokens
    }

    /// Whether this selects `other` or a part of it.
    #[must_use]
    pub fn is_within(&self, other: &Self) -> bool {
        self.tokens.starts_with(&other.tokens)
    }

    /// Reads several.
    ///
    /// # Errors
    /// [`SdError::Pointer`], [`SdError::TooManyPointers`].
    pub fn parse_all<T: AsRef<str>>(texts: &[T]) -> Result<Vec<Self>, SdError> {
        if texts.len() > super::MAX_POINTERS {
            return Err(SdError::TooManyPointers);
        }
        texts.iter().map(|text| text.as_ref().parse()).collect()
    }
}

/// RFC 6901, section 4: an array index has no leading zeros, no sign, and `-` names nothing that is there.
pub(super) fn array_index(token: &str) -> Option<usize> {
    let canonical = token == "0" || !token.starts_with('0');
    let digits = token.bytes().all(|byte| byte.is_ascii_digit());
    (canonical && digits).then(|| token.parse().ok())?
}

impl FromStr for Pointer {
    type Err = SdError;

    fn from_str(text: &str) -> Result<Self, SdError> {
        if text.len() > MAX_LENGTH {
            return Err(SdError::Pointer);
        }
        if text.is_empty() {
            return Ok(Self { tokens: Vec::new() });
        }
        // RFC 6901, section 3: every token begins with `/`.
        let rest = text.strip_prefix('/').ok_or(SdError::Pointer)?;
        let tokens: Result<_, _> = rest.split('/').map(unescape).collect();
        Ok(Self { tokens: tokens? })
    }
}

impl fmt::Display for Pointer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for token in &self.tokens {
            write!(f, "/{}", token.replace('~', "~0").replace('/', "~1"))?;
        }
        Ok(())
    }
}

/// `~1` is `/`, `~0` is `~`, and no other `~` may stand there.
fn unescape(token: &str) -> Result<String, SdError> {
    let mut parts = token.split('~');
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (mark, rest) = match part.as_bytes().first() {
            Some(b'0') => ('~', &part[1..]),
            Some(b'1') => ('/', &part[1..]),
            _ => return Err(SdError::Pointer),
        };
        out.push(mark);
        out.push_str(rest);
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Pointer, SdError, array_index};

    #[test]
    fn tokens_are_unescaped() {
        let pointer: Pointer = "/a~1b/m~0n//~01".parse().unwrap();
        assert_eq!(pointer.tokens(), ["a/b", "m~n", "", "~1"]);
        assert_eq!(pointer.to_string(), "/a~1b/m~0n//~01");
        assert!("".parse::<Pointer>().unwrap().tokens().is_empty());
        assert_eq!("/".parse::<Pointer>().unwrap().tokens(), [""]);
    }

    #[test]
    fn what_is_no_pointer_is_refused() {
        for text in ["a", "a/b", "/~", "/~2", "/a~", "#/a", " /a"] {
            assert_eq!(text.parse::<Pointer>(), Err(SdError::Pointer), "{text}");
        }
        let long = "/a".repeat(3000);
        assert_eq!(long.parse::<Pointer>(), Err(SdError::Pointer));
        let many = vec!["/a"; super::super::MAX_POINTERS + 1];
        assert_eq!(Pointer::parse_all(&many), Err(SdError::TooManyPointers));
    }

    #[test]
    fn array_indexes_have_one_form() {
        assert_eq!(array_index("0"), Some(0));
        assert_eq!(array_index("10"), Some(10));
        for token in [
            "",
            "00",
            "01",
            "-",
            "-1",
            "+1",
            "1 ",
            "1.0",
            "99999999999999999999",
        ] {
            assert_eq!(array_index(token), None, "{token}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in ".{0,40}") {
            if let Ok(pointer) = text.parse::<Pointer>() {
                prop_assert_eq!(pointer.to_string(), text);
            }
        }

        #[test]
        fn tokens_round_trip(tokens in prop::collection::vec("[a-z~/0-9]{0,5}", 0..5)) {
            let pointer = Pointer { tokens };
            prop_assert_eq!(pointer.to_string().parse::<Pointer>().unwrap(), pointer);
        }
    }
}
