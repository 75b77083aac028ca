//! Names of records: a fixed collection and a random or fixed id.

use std::fmt;

use super::StorageError;

/// The kinds of records a wallet keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Collection {
    /// The sealed data key and its parameters.
    Meta,
    /// Verified credentials.
    Credentials,
    /// Private keys of the software secure area.
    Keys,
    /// What happened, without claim values.
    History,
    /// Issuers the person confirmed.
    Trust,
    /// Which cards there are of which type and issuer; made anew from the cards when it is missing.
    Index,
    /// Cards of a restored wallet whose keys could not move.
    Reissue,
}

impl Collection {
    /// All collections, for adapters that prepare them.
    pub const ALL: [Self; 7] = [
        Self::Meta,
        Self::Credentials,
        Self::Keys,
        Self::History,
        Self::Trust,
        Self::Index,
        Self::Reissue,
    ];

    /// The name in lower case, safe as a folder name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Meta => "meta",
            Self::Credentials => "credentials",
            Self::Keys => "keys",
            Self::History => "history",
            Self::Trust => "trust",
            Self::Index => "index",
            Self::Reissue => "reissue",
        }
    }
}

/// An id inside a collection: 1 to 64 characters of `a-z`, `0-9` and `-`,
/// which every file system tells apart.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordId(String);

impl RecordId {
    /// Parses an id.
    pub fn parse(text: &str) -> Result<Self, StorageError> {
        let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        if text.is_empty() || text.len() > 64 || !text.bytes().all(allowed) {
            return Err(StorageError::InvalidName);
        }
        Ok(Self(text.to_owned()))
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Lower-case hexadecimal digits of `bytes`, at most 32 of them.
    pub(crate) fn from_bytes<const N: usize>(bytes: &[u8; N]) -> Self {
        const { assert!(N > 0 && N <= 32) };
        Self(hex(bytes))
    }
}

impl fmt::Display for RecordId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The full name of a record.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordName {
    /// The collection it belongs to.
    pub collection: Collection,
    /// Its id in there.
    pub id: RecordId,
}

impl RecordName {
    /// Puts a name together.
    #[must_use]
    pub fn new(collection: Collection, id: RecordId) -> Self {
        Self { collection, id }
    }
}

impl fmt::Display for RecordName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.collection.as_str(), self.id)
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |nibble: u8| char::from(DIGITS[usize::from(nibble)]);
    bytes
        .iter()
        .flat_map(|b| [digit(b >> 4), digit(b & 15)])
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_names_that_could_leave_the_folder() {
        for bad in ["", "..", "a/b", "a\\b", "A", "é", "a.b", &"a".repeat(65)] {
            assert!(
                matches!(RecordId::parse(bad), Err(StorageError::InvalidName)),
                "{bad:?}"
            );
        }
    }

    #[test]
    fn hex_ids_are_valid() {
        let id = RecordId::from_bytes(&[0, 0x9f, 0xff]);
        assert_eq!(id.as_str(), "009fff");
        assert_eq!(RecordId::parse(id.as_str()).unwrap(), id);
    }
}
