//! DIDs and DID URLs (DID Core 1.0, section 3).

use std::fmt;
use std::slice::SliceIndex;

use super::{DidError, MAX_LENGTH};

/// A DID: `did:` method `:` identifier, without path, query or fragment (DID Core 1.0, section 3.1).
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Did {
    text: String,
    /// Where the method name ends.
    method_end: usize,
}

impl Did {
    /// Parses by the ABNF of DID Core 1.0, section 3.1.
    ///
    /// # Errors
    /// [`DidError::Malformed`], also for more than [`MAX_LENGTH`] bytes.
    pub fn parse(text: &str) -> Result<Self, DidError> {
        if text.len() > MAX_LENGTH {
            return Err(DidError::Malformed);
        }
        let rest = text.strip_prefix("did:").ok_or(DidError::Malformed)?;
        let (method, id) = rest.split_once(':').ok_or(DidError::Malformed)?;
        // method-name = 1*method-char; method-char = %x61-7A / DIGIT
        let method_char = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
        if method.is_empty() || !method.bytes().all(method_char) {
            return Err(DidError::Malformed);
        }
        // method-specific-id = *( *idchar ":" ) 1*idchar
        let idchar = |b: u8| b == b':' || is_idchar(b);
        if id.is_empty() || id.ends_with(':') || !escaped(id.as_bytes(), idchar) {
            return Err(DidError::Malformed);
        }
        Ok(Self {
            text: text.to_owned(),
            method_end: method.len().saturating_add(4),
        })
    }

    /// The DID as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The method name, for example `key`.
    #[must_use]
    pub fn method(&self) -> &str {
        part(&self.text, 4..self.method_end)
    }

    /// The method-specific identifier, percent-encoding kept.
    #[must_use]
    pub fn id(&self) -> &str {
        part(&self.text, self.method_end.saturating_add(1)..)
    }
}

impl fmt::Display for Did {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// A DID URL: a DID with path, query and fragment, each optional (DID Core 1.0, section 3.2).
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DidUrl {
    did: Did,
    text: String,
    /// Where path, query (`?`) and fragment (`#`) end; equal to the end of what is before when absent.
    path_end: usize,
    query_end: usize,
}

impl DidUrl {
    /// Parses an absolute DID URL by the ABNF of DID Core 1.0, section 3.2.
    ///
    /// # Errors
    /// [`DidError::Malformed`], also for more than [`MAX_LENGTH`] bytes.
    pub fn parse(text: &str) -> Result<Self, DidError> {
        if text.len() > MAX_LENGTH {
            return Err(DidError::Malformed);
        }
        let query_end = text.find('#').unwrap_or(text.len());
        let path_end = part(text, ..query_end).find('?').unwrap_or(query_end);
        let did_end = part(text, ..path_end).find('/').unwrap_or(path_end);
        let did = Did::parse(part(text, ..did_end))?;
        // RFC 3986, section 3.3 to 3.5: path-abempty, query, fragment.
        let path = |b: u8| is_pchar(b) || b == b'/';
        let query = |b: u8| is_pchar(b) || b == b'/' || b == b'?';
        let parts = [
            escaped(part(text, did_end..path_end).as_bytes(), path),
            escaped(after_mark(part(text, path_end..query_end)), query),
            escaped(after_mark(part(text, query_end..)), query),
        ];
        if parts.contains(&false) {
            return Err(DidError::Malformed);
        }
        Ok(Self {
            did,
            text: text.to_owned(),
            path_end,
            query_end,
        })
    }

    /// Parses an absolute DID URL, or `#fragment` relative to `base` (DID Core 1.0, section 3.2.2).
    ///
    /// # Errors
    /// [`DidError::Malformed`], also for every other relative reference.
    pub fn parse_within(text: &str, base: &Did) -> Result<Self, DidError> {
        if text.starts_with('#') {
            Self::parse(&format!("{base}{text}"))
        } else {
            Self::parse(text)
        }
    }

    /// The URL as it was written (made absolute).
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The DID alone.
    #[must_use]
    pub fn did(&self) -> &Did {
        &self.did
    }

    /// The path with its leading `/`; empty when there is none.
    #[must_use]
    pub fn path(&self) -> &str {
        part(&self.text, self.did.text.len()..self.path_end)
    }

    /// The query without `?`.
    #[must_use]
    pub fn query(&self) -> Option<&str> {
        part(&self.text, self.path_end..self.query_end).strip_prefix('?')
    }

    /// The fragment without `#`.
    #[must_use]
    pub fn fragment(&self) -> Option<&str> {
        part(&self.text, self.query_end..).strip_prefix('#')
    }

    /// The URL without its fragment.
    #[must_use]
    pub fn without_fragment(&self) -> &str {
        part(&self.text, ..self.query_end)
    }

    /// Whether there is a DID and nothing else.
    #[must_use]
    pub fn is_bare(&self) -> bool {
        self.text.len() == self.did.text.len()
    }

    /// The DID parameters of the query in their order, percent-decoded (DID Core 1.0, section 3.2.1).
    ///
    /// # Errors
    /// [`DidError::Malformed`] when a name occurs twice or a value is not UTF-8.
    pub fn parameters(&self) -> Result<Vec<(String, String)>, DidError> {
        let mut parameters: Vec<(String, String)> = Vec::new();
        for pair in self.query().unwrap_or_default().split('&') {
            if pair.is_empty() {
                continue;
            }
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let name = percent_decode(name).ok_or(DidError::Malformed)?;
            let value = percent_decode(value).ok_or(DidError::Malformed)?;
            if parameters.iter().any(|(known, _)| *known == name) {
                return Err(DidError::Malformed);
            }
            parameters.push((name, value));
        }
        Ok(parameters)
    }
}

impl fmt::Display for DidUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// A part between two marks that were found in the text.
fn part(text: &str, range: impl SliceIndex<str, Output = str>) -> &str {
    text.get(range).unwrap_or_default()
}

/// The bytes after a `?` or `#`.
fn after_mark(text: &str) -> &[u8] {
    text.as_bytes().get(1..).unwrap_or_default()
}

/// `idchar` without `pct-encoded`.
fn is_idchar(b: u8) -> bool {
    b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_')
}

/// `pchar` of RFC 3986, section 3.3, without `pct-encoded`.
fn is_pchar(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@".contains(&b)
}

/// Whether all bytes are allowed or part of `%` and two hexadecimal digits.
fn escaped(bytes: &[u8], allowed: impl Fn(u8) -> bool) -> bool {
    let mut rest = bytes;
    while let Some((first, tail)) = rest.split_first() {
        rest = match (*first, tail) {
            (b'%', [a, b, tail @ ..]) if a.is_ascii_hexdigit() && b.is_ascii_hexdigit() => tail,
            (b'%', _) => return false,
            (byte, _) if allowed(byte) => tail,
            _ => return false,
        };
    }
    true
}

/// Decodes `%xx` once. `None` for a broken escape or bytes that are not UTF-8.
pub(super) fn percent_decode(text: &str) -> Option<String> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        rest = match (*first, tail) {
            (b'%', [high, low, tail @ ..]) => {
                let digit = |b: u8| {
                    char::from(b)
                        .to_digit(16)
                        .and_then(|d| u8::try_from(d).ok())
                };
                out.push(digit(*high)? << 4 | digit(*low)?);
                tail
            }
            (b'%', _) => return None,
            (byte, _) => {
                out.push(byte);
                tail
            }
        };
    }
    String::from_utf8(out).ok()
}
