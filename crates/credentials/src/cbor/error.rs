//! Why bytes are no acceptable CBOR.

use thiserror::Error;

/// Why bytes are refused as CBOR.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum CborError {
    /// More than [`super::MAX_BYTES`].
    #[error("too many bytes")]
    TooLarge,
    /// A header promises more than there is.
    #[error("the input ends too early")]
    Truncated,
    /// Bytes after the item.
    #[error("bytes after the item")]
    Trailing,
    /// More than [`super::MAX_DEPTH`] arrays, maps and tags in each other.
    #[error("nested too deeply")]
    TooDeep,
    /// A string, array or map of indefinite length.
    #[error("an indefinite length")]
    Indefinite,
    /// An integer or length in a longer form than needed.
    #[error("an integer or length that is not in its shortest form")]
    NotShortest,
    /// A key twice in a map.
    #[error("a map with the same key twice")]
    DuplicateKey,
    /// A map key that is no integer, text or byte string.
    #[error("a map key of an unsupported type")]
    KeyType,
    /// A simple value other than false, true and null, or a reserved header.
    #[error("an unknown simple value")]
    Simple,
    /// NaN or an infinity.
    #[error("a number that is not finite")]
    NotFinite,
    /// The tag 55799.
    #[error("the tag of self-described CBOR")]
    SelfDescribed,
    /// Text that is not UTF-8.
    #[error("text that is not UTF-8")]
    Utf8,
    /// A value of another type than expected.
    #[error("a value of another type than expected")]
    Type,
    /// A map without this key.
    #[error("`{0}` is missing")]
    Missing(&'static str),
}

impl CborError {
    /// A stable code for logs and interfaces.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::TooLarge => "cbor_too_large",
            Self::Truncated => "cbor_truncated",
            Self::Trailing => "cbor_trailing",
            Self::TooDeep => "cbor_too_deep",
            Self::Indefinite => "cbor_indefinite",
            Self::NotShortest => "cbor_not_shortest",
            Self::DuplicateKey => "cbor_duplicate_key",
            Self::KeyType => "cbor_key_type",
            Self::Simple => "cbor_simple",
            Self::NotFinite => "cbor_not_finite",
            Self::SelfDescribed => "cbor_self_described",
            Self::Utf8 => "cbor_utf8",
            Self::Type => "cbor_type",
            Self::Missing(_) => "cbor_missing",
        }
    }
}
