//! The compressed byte array.

use std::io::Read;

use flate2::read::ZlibDecoder;

use super::StatusError;
use crate::deflate;
use crate::encoding::{b64url, b64url_decode};

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

impl Bits {
    /// How many bits.
    #[must_use]
    pub fn count(self) -> u8 {
        match self {
            Self::One => 1,
            Self::Two => 2,
            Self::Four => 4,
            Self::Eight => 8,
        }
    }

    /// The value of `bits`.
    ///
    /// # Errors
    /// [`StatusError::Bits`] unless 1, 2, 4 or 8.
    pub fn from_count(count: u64) -> Result<Self, StatusError> {
        match count {
            1 => Ok(Self::One),
            2 => Ok(Self::Two),
            4 => Ok(Self::Four),
            8 => Ok(Self::Eight),
            _ => Err(StatusError::Bits),
        }
    }

    /// How many statuses stand in one byte.
    fn per_byte(self) -> u8 {
        match self {
            Self::One => 8,
            Self::Two => 4,
            Self::Four => 2,
            Self::Eight => 1,
        }
    }

    /// The largest value that fits.
    fn largest(self) -> u8 {
        match self {
            Self::One => 0b1,
            Self::Two => 0b11,
            Self::Four => 0b1111,
            Self::Eight => u8::MAX,
        }
    }
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

impl Status {
    /// The value in a list.
    #[must_use]
    pub fn value(self) -> u8 {
        match self {
            Self::Valid => 0x00,
            Self::Invalid => 0x01,
            Self::Suspended => 0x02,
            Self::Other(value) => value,
        }
    }

    /// The meaning of a value.
    #[must_use]
    pub fn from_value(value: u8) -> Self {
        match value {
            0x00 => Self::Valid,
            0x01 => Self::Invalid,
            0x02 => Self::Suspended,
            other => Self::Other(other),
        }
    }

    /// Refuses all but `VALID`: a value without a meaning here is no "valid".
    ///
    /// # Errors
    /// [`StatusError::Revoked`], [`StatusError::Suspended`],
    /// [`StatusError::Unknown`].
    pub fn require_valid(self) -> Result<(), StatusError> {
        match self {
            Self::Valid | Self::Other(0x00) => Ok(()),
            Self::Invalid | Self::Other(0x01) => Err(StatusError::Revoked),
            Self::Suspended | Self::Other(0x02) => Err(StatusError::Suspended),
            Self::Other(_) => Err(StatusError::Unknown),
        }
    }
}

/// Statuses of many credentials, packed from the least significant bit
/// ("Compressed Byte Array").
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusList {
    bits: Bits,
    bytes: Vec<u8>,
}

impl StatusList {
    /// A list with room for at least `entries` statuses, all valid.
    ///
    /// # Errors
    /// [`StatusError::TooLarge`].
    pub fn new(bits: Bits, entries: usize) -> Result<Self, StatusError> {
        let size = entries.div_ceil(usize::from(bits.per_byte()));
        if size > MAX_LIST_BYTES {
            return Err(StatusError::TooLarge);
        }
        Ok(Self {
            bits,
            bytes: vec![0; size],
        })
    }

    /// The list with these packed bytes.
    ///
    /// # Errors
    /// [`StatusError::TooLarge`].
    pub fn from_bytes(bits: Bits, bytes: Vec<u8>) -> Result<Self, StatusError> {
        if bytes.len() > MAX_LIST_BYTES {
            return Err(StatusError::TooLarge);
        }
        Ok(Self { bits, bytes })
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
        (self.bytes.len() as u64).saturating_mul(u64::from(self.bits.per_byte()))
    }

    /// The status at `index`.
    ///
    /// # Errors
    /// [`StatusError::OutOfRange`].
    pub fn get(&self, index: u64) -> Result<Status, StatusError> {
        let (position, shift) = self.place(index);
        let byte = position.and_then(|position| self.bytes.get(position));
        let byte = byte.ok_or(StatusError::OutOfRange)?;
        Ok(Status::from_value((byte >> shift) & self.bits.largest()))
    }

    /// Sets the status at `index`.
    ///
    /// # Errors
    /// [`StatusError::OutOfRange`], [`StatusError::ValueTooLarge`].
    pub fn set(&mut self, index: u64, status: Status) -> Result<(), StatusError> {
        let largest = self.bits.largest();
        if status.value() > largest {
            return Err(StatusError::ValueTooLarge);
        }
        let (position, shift) = self.place(index);
        let byte = position.and_then(|position| self.bytes.get_mut(position));
        let byte = byte.ok_or(StatusError::OutOfRange)?;
        *byte = (*byte & !(largest << shift)) | (status.value() << shift);
        Ok(())
    }

    /// Which byte, and how far from its least significant bit.
    #[expect(
        clippy::arithmetic_side_effects,
        reason = "one to eight statuses in a byte"
    )]
    fn place(&self, index: u64) -> (Option<usize>, u8) {
        let per_byte = u64::from(self.bits.per_byte());
        let within = u8::try_from(index % per_byte).unwrap_or_default();
        (
            usize::try_from(index / per_byte).ok(),
            within * self.bits.count(),
        )
    }

    /// `lst` of the JSON format: [`Self::compress`] as base64url.
    #[must_use]
    pub fn encode(&self) -> String {
        b64url(&self.compress())
    }

    /// `lst` of the CBOR format: one zlib stream.
    #[must_use]
    pub fn compress(&self) -> Vec<u8> {
        deflate::zlib(&self.bytes)
    }

    /// Reads `lst` of the JSON format.
    ///
    /// # Errors
    /// [`StatusError::TooLarge`], [`StatusError::Encoding`].
    pub fn decode(bits: Bits, lst: &str) -> Result<Self, StatusError> {
        if lst.len() > MAX_COMPRESSED_BYTES.div_ceil(3).saturating_mul(4) {
            return Err(StatusError::TooLarge);
        }
        let compressed = b64url_decode(lst).map_err(|_| StatusError::Encoding)?;
        Self::decompress(bits, &compressed)
    }

    /// Reads `lst` of the CBOR format.
    ///
    /// # Errors
    /// [`StatusError::TooLarge`], [`StatusError::Encoding`].
    pub fn decompress(bits: Bits, compressed: &[u8]) -> Result<Self, StatusError> {
        if compressed.len() > MAX_COMPRESSED_BYTES {
            return Err(StatusError::TooLarge);
        }
        let mut decoder = ZlibDecoder::new(compressed);
        let mut bytes = Vec::new();
        (&mut decoder)
            .take((MAX_LIST_BYTES as u64).saturating_add(1))
            .read_to_end(&mut bytes)
            .map_err(|_| StatusError::Encoding)?;
        if bytes.len() > MAX_LIST_BYTES {
            return Err(StatusError::TooLarge);
        }
        // One whole zlib stream and nothing after it.
        if decoder.total_in() != compressed.len() as u64 {
            return Err(StatusError::Encoding);
        }
        Ok(Self { bits, bytes })
    }
}
