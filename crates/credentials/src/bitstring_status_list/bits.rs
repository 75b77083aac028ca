//! The bitstring (Bitstring Status List 1.0, sections 3.3 and 3.4).

use std::io::Read as _;

use flate2::read::GzDecoder;

use super::StatusError;
use crate::deflate;
use crate::multibase::{base64url, base64url_decode};

/// Fewest bits of a list: 16 KiB (section 3.1, "minimum length").
pub const MIN_BITS: u64 = 131_072;
/// Largest list that is looked at, in bytes after decompression.
pub const MAX_LIST_BYTES: usize = 16 * 1024 * 1024;
/// Largest compressed list that is looked at, in bytes.
pub const MAX_COMPRESSED_BYTES: usize = 4 * 1024 * 1024;

/// Statuses in their order, each of the same number of bits; index 0 begins at the
/// most significant bit of the first byte.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bitstring {
    size: u8,
    bytes: Vec<u8>,
}

impl Bitstring {
    /// A list with room for at least `entries` statuses of `size` bits (1 to 8), all
    /// zero. It is never shorter than [`MIN_BITS`] entries.
    ///
    /// # Errors
    /// [`StatusError::TooLarge`], [`StatusError::Malformed`] for another size.
    pub fn new(entries: u64, size: u8) -> Result<Self, StatusError> {
        check_size(size)?;
        let bits = entries.max(MIN_BITS).checked_mul(u64::from(size));
        let bytes = bits
            .map(|bits| bits.div_ceil(8))
            .and_then(|bytes| usize::try_from(bytes).ok())
            .filter(|bytes| *bytes <= MAX_LIST_BYTES)
            .ok_or(StatusError::TooLarge)?;
        Ok(Self {
            size,
            bytes: vec![0; bytes],
        })
    }

    /// The list with these bytes.
    ///
    /// # Errors
    /// [`StatusError::TooLarge`], [`StatusError::TooShort`], [`StatusError::Malformed`].
    pub fn from_bytes(bytes: Vec<u8>, size: u8) -> Result<Self, StatusError> {
        check_size(size)?;
        if bytes.len() > MAX_LIST_BYTES {
            return Err(StatusError::TooLarge);
        }
        let list = Self { size, bytes };
        // Section 3.2, step 10: at least the minimum number of *entries*.
        if list.capacity() < MIN_BITS {
            return Err(StatusError::TooShort);
        }
        Ok(list)
    }

    /// The packed bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// How many statuses there is room for.
    #[must_use]
    pub fn capacity(&self) -> u64 {
        let bits = (self.bytes.len() as u64).saturating_mul(8);
        bits.checked_div(u64::from(self.size)).unwrap_or(0)
    }

    /// The status at `index`.
    ///
    /// # Errors
    /// [`StatusError::OutOfRange`].
    pub fn get(&self, index: u64) -> Result<u8, StatusError> {
        let mut value = 0;
        for (byte, mask) in self.places(index)? {
            let byte = self.bytes.get(byte).ok_or(StatusError::OutOfRange)?;
            value = value << 1 | u8::from(byte & mask != 0);
        }
        Ok(value)
    }

    /// Sets the status at `index`.
    ///
    /// # Errors
    /// [`StatusError::OutOfRange`], [`StatusError::ValueTooLarge`].
    pub fn set(&mut self, index: u64, value: u8) -> Result<(), StatusError> {
        if u32::from(value) >= 1 << self.size {
            return Err(StatusError::ValueTooLarge);
        }
        for (at, (byte, mask)) in self.places(index)?.enumerate() {
            let shift = usize::from(self.size).saturating_sub(at.saturating_add(1));
            let byte = self.bytes.get_mut(byte).ok_or(StatusError::OutOfRange)?;
            if value >> shift & 1 == 1 {
                *byte |= mask;
            } else {
                *byte &= !mask;
            }
        }
        Ok(())
    }

    /// Byte and bit of each bit of a status, the most significant first.
    fn places(&self, index: u64) -> Result<impl Iterator<Item = (usize, u8)> + use<>, StatusError> {
        if index >= self.capacity() {
            return Err(StatusError::OutOfRange);
        }
        // At most 8 * 16 MiB, so it fits a usize of 32 bits.
        let first = usize::try_from(index.saturating_mul(u64::from(self.size)))
            .map_err(|_| StatusError::OutOfRange)?;
        let bits = first..first.saturating_add(usize::from(self.size));
        Ok(bits.map(|bit| (bit / 8, 0x80 >> (bit % 8))))
    }

    /// `encodedList`: GZIP, base64url, multibase.
    #[must_use]
    pub fn encode(&self) -> String {
        base64url(&deflate::gzip(&self.bytes))
    }

    /// Reads `encodedList` with statuses of `size` bits.
    ///
    /// # Errors
    /// [`StatusError::Encoding`], [`StatusError::TooLarge`], [`StatusError::TooShort`].
    pub fn decode(encoded: &str, size: u8) -> Result<Self, StatusError> {
        if encoded.len() > MAX_COMPRESSED_BYTES.div_ceil(3).saturating_mul(4) {
            return Err(StatusError::TooLarge);
        }
        let compressed = base64url_decode(encoded).ok_or(StatusError::Encoding)?;
        let mut rest = compressed.as_slice();
        let mut bytes = Vec::new();
        GzDecoder::new(&mut rest)
            .take((MAX_LIST_BYTES as u64).saturating_add(1))
            .read_to_end(&mut bytes)
            .map_err(|_| StatusError::Encoding)?;
        if bytes.len() > MAX_LIST_BYTES {
            return Err(StatusError::TooLarge);
        }
        Self::from_bytes(bytes, size)
    }
}

fn check_size(size: u8) -> Result<(), StatusError> {
    if !(1..=8).contains(&size) {
        return Err(StatusError::Malformed("statusSize"));
    }
    Ok(())
}
