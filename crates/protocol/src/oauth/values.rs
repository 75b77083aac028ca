//! Small values that several messages share: client identifiers, scopes, opaque secrets.

use std::collections::BTreeSet;

use zeroize::Zeroizing;

/// Identifier of a client, compared byte for byte. Visible ASCII, at most 256 bytes
/// (RFC 6749, appendix A.1).
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ClientId(String);

/// A value is not of the form its specification demands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("malformed {0}")]
pub struct Malformed(pub &'static str);

impl ClientId {
    /// Reads an identifier.
    ///
    /// # Errors
    /// [`Malformed`] for empty, longer, or other than visible ASCII.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        if (1..=256).contains(&text.len()) && text.bytes().all(|b| (0x20..=0x7e).contains(&b)) {
            Ok(Self(text.to_owned()))
        } else {
            Err(Malformed("client_id"))
        }
    }

    /// The identifier.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for ClientId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// A set of scope tokens (RFC 6749, section 3.3); order and repetition carry no meaning.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Scopes(BTreeSet<String>);

impl Scopes {
    /// Reads a space-separated list of at most 64 tokens.
    ///
    /// # Errors
    /// [`Malformed`] for characters outside `%x21 / %x23-5B / %x5D-7E` or empty tokens.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        if text.is_empty() {
            return Ok(Self::default());
        }
        let allowed = |b: u8| matches!(b, 0x21 | 0x23..=0x5b | 0x5d..=0x7e);
        let mut tokens = BTreeSet::new();
        for token in text.split(' ') {
            if token.is_empty() || !token.bytes().all(allowed) || tokens.len() == 64 {
                return Err(Malformed("scope"));
            }
            tokens.insert(token.to_owned());
        }
        Ok(Self(tokens))
    }

    /// Whether the token is in the set.
    #[must_use]
    pub fn contains(&self, token: &str) -> bool {
        self.0.contains(token)
    }

    /// Whether there is no token.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Tokens in alphabetical order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }
}

impl std::fmt::Display for Scopes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (i, token) in self.iter().enumerate() {
            if i > 0 {
                f.write_str(" ")?;
            }
            f.write_str(token)?;
        }
        Ok(())
    }
}

impl<S: Into<String>> FromIterator<S> for Scopes {
    fn from_iter<T: IntoIterator<Item = S>>(tokens: T) -> Self {
        Self(tokens.into_iter().map(Into::into).collect())
    }
}

/// A code, token or password from the wire: wiped when dropped, never printed.
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Wraps a secret.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    /// The secret itself.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret")
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        use subtle::ConstantTimeEq;
        self.0.as_bytes().ct_eq(other.0.as_bytes()).into()
    }
}

impl Eq for Secret {}

/// Splits a space-separated list (`acr_values`, `ui_locales`): order is preference.
pub(crate) fn space_list(text: Option<&str>) -> Vec<String> {
    text.unwrap_or_default()
        .split(' ')
        .filter(|t| !t.is_empty())
        .take(32)
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_are_a_set_of_plain_tokens() {
        let scopes = Scopes::parse("openid age openid").unwrap();
        assert_eq!(scopes.to_string(), "age openid");
        for bad in ["a  b", " a", "a\"b", "a\\b", "\u{e9}", "a\tb"] {
            assert_eq!(Scopes::parse(bad), Err(Malformed("scope")), "{bad}");
        }
    }

    #[test]
    fn cat_109_client_id_is_compared_byte_for_byte() {
        assert_ne!(
            ClientId::parse("Shop").unwrap(),
            ClientId::parse("shop").unwrap()
        );
        assert!(ClientId::parse("sh\u{43e}p").is_err());
        assert!(ClientId::parse("").is_err());
        assert!(ClientId::parse("a\r\nb").is_err());
    }

    #[test]
    fn secrets_are_not_printed() {
        assert_eq!(format!("{:?}", Secret::new("x")), "Secret");
    }
}
