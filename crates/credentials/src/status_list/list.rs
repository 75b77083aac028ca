//! The compressed byte array.

use super::StatusError;

/// Largest list that is looked at, in bytes after decompression.
pub const MAX_LIST_BYTES: usize = 16 * 1024 * 1024;
/// Largest compressed list that is looked at, in bytes.
pub const MAX_COMPRESSED_BYTES: usize = 4 * 1024 * 1024;

/// Bits per status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Bits {
    /// 1
    One,
    /// 2
    Two,
    /// 4
    Four,
    /// 8
    Eight,
}

/// A status ("Status Types Values").
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Status {
    /// 0x00
    Valid,
    /// 0x01: revoked
    Invalid,
    /// 0x02
    Suspended,
    /// Any other value: application specific or reserved.
    Other(u8),
}

/// Statuses of many credentials, packed from the least significant bit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusList {
    bits: Bits,
    bytes: Vec<u8>,
}

impl StatusList {
    /// A list with room for `entries` statuses, all valid.
    ///
    /// # Errors
    /// [`StatusError::TooLarge`].
    pub fn new(_bits: Bits, _entries: usize) -> Result<Self, StatusError> {
        unimplemented!()
    }

    /// The list with these packed bytes.
    ///
    /// # Errors
    /// [`StatusError::TooLarge`].
    pub fn from_bytes(_bits: Bits, _bytes: Vec<u8>) -> Result<Self, StatusError> {
        unimplemented!()
    }

    /// Bits per status.
    #[must_use]
    pub fn bits(&self) -> Bits {
        self.bits
    }

    /// The packed bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// How many statuses there is room for.
    #[must_use]
    pub fn capacity(&self) -> u64 {
        unimplemented!()
    }

    /// The status at `index`.
    ///
    /// # Errors
    /// [`StatusError::OutOfRange`].
    pub fn get(&self, _index: u64) -> Result<Status, StatusError> {
        unimplemented!()
    }

    /// Sets the status at `index`.
    ///
    /// # Errors
    /// [`StatusError::OutOfRange`], [`StatusError::ValueTooLarge`].
    pub fn set(&mut self, _index: u64, _status: Status) -> Result<(), StatusError> {
        unimplemented!()
    }

    /// `lst`: zlib at level 6, base64url.
    #[must_use]
    pub fn encode(&self) -> String {
        unimplemented!()
    }

    /// Reads `lst`.
    ///
    /// # Errors
    /// [`StatusError::TooLarge`], [`StatusError::Encoding`].
    pub fn decode(_bits: Bits, _lst: &str) -> Result<Self, StatusError> {
        unimplemented!()
    }
}
