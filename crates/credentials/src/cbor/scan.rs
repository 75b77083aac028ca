//! The strict scan: one pass over the input, before anything is believed.

use super::{CborError, TAG_SELF_DESCRIBED};

/// Longest accepted input, in bytes.
pub const MAX_BYTES: usize = 1 << 20;
/// How many arrays, maps and tags may stand in each other.
pub const MAX_DEPTH: usize = 16;

/// Major types (RFC 8949, section 3.1).
pub(super) mod major {
    pub(in super::super) const UNSIGNED: u8 = 0;
    pub(in super::super) const NEGATIVE: u8 = 1;
    pub(in super::super) const BYTES: u8 = 2;
    pub(in super::super) const TEXT: u8 = 3;
    pub(in super::super) const ARRAY: u8 = 4;
    pub(in super::super) const MAP: u8 = 5;
    pub(in super::super) const TAG: u8 = 6;
    pub(in super::super) const SIMPLE: u8 = 7;
}

/// The first bytes of an item.
#[derive(Debug, Clone, Copy)]
pub(super) struct Head {
    pub(super) major: u8,
    /// Low five bits.
    pub(super) info: u8,
    /// Value, length or count.
    pub(super) argument: u64,
    /// How many bytes the head has.
    pub(super) size: usize,
}

impl Head {
    /// Reads a head. Indefinite lengths, reserved values and long forms of values are refused here.
    pub(super) fn read(input: &[u8]) -> Result<Self, CborError> {
        let first = *input.first().ok_or(CborError::Truncated)?;
        let (major, info) = (first >> 5, first & 0x1f);
        let width = match info {
            0..=23 => {
                let argument = u64::from(info);
                return Ok(Self {
                    major,
                    info,
                    argument,
                    size: 1,
                });
            }
            24 => 1,
            25 => 2,
            26 => 4,
            27 => 8,
            31 if (major::BYTES..=major::MAP).contains(&major) => {
                return Err(CborError::Indefinite);
            }
            _ => return Err(CborError::Simple),
        };
        let bytes = input.get(1..=width).ok_or(CborError::Truncated)?;
        let argument = bytes
            .iter()
            .fold(0, |sum, byte| sum << 8 | u64::from(*byte));
        // RFC 8949, section 4.2.1: the shortest form. Floats (major type 7) have widths of their own. Of how
        // many parts an array or a map has, wallets write more digits than it takes; a key of a map is
        // neither, so that equal keys are equal bytes.
        let least = match width {
            1 => 24,
            2 => 1 << 8,
            4 => 1 << 16,
            _ => 1 << 32,
        };
        let loose = [major::ARRAY, major::MAP, major::SIMPLE].contains(&major);
        if !loose && argument < least {
            return Err(CborError::NotShortest);
        }
        Ok(Self {
            major,
            info,
            argument,
            size: width.saturating_add(1),
        })
    }

    /// How many bytes of content a string has, if they are there.
    pub(super) fn content(self, input: &[u8]) -> Result<usize, CborError> {
        let length = usize::try_from(self.argument).map_err(|_| CborError::Truncated)?;
        if length > input.len().saturating_sub(self.size) {
            return Err(CborError::Truncated);
        }
        Ok(length)
    }

    /// How many items an array or a map has at its first level.
    pub(super) fn children(self) -> u64 {
        match self.major {
            major::ARRAY => self.argument,
            major::MAP => self.argument.saturating_mul(2),
            major::TAG => 1,
            _ => 0,
        }
    }
}

/// Checks the one item that `input` is.
pub(super) fn whole(input: &[u8], limit: usize) -> Result<(), CborError> {
    if input.len() > limit {
        return Err(CborError::TooLarge);
    }
    if item(input, 0)? == input.len() {
        Ok(())
    } else {
        Err(CborError::Trailing)
    }
}

/// Checks the item at the start of `input` and gives its length. The recursion is as deep as [`MAX_DEPTH`].
fn item(input: &[u8], depth: usize) -> Result<usize, CborError> {
    let head = Head::read(input)?;
    match head.major {
        major::UNSIGNED | major::NEGATIVE => Ok(head.size),
        major::BYTES => Ok(head.size.saturating_add(head.content(input)?)),
        major::TEXT => {
            let end = head.size.saturating_add(head.content(input)?);
            let text = input.get(head.size..end).ok_or(CborError::Truncated)?;
            std::str::from_utf8(text).map_err(|_| CborError::Utf8)?;
            Ok(end)
        }
        major::SIMPLE => simple(head),
        _ if depth == MAX_DEPTH => Err(CborError::TooDeep),
        major::TAG if head.argument == TAG_SELF_DESCRIBED => Err(CborError::SelfDescribed),
        major::TAG => {
            let content = item(after(input, head.size)?, depth.saturating_add(1))?;
            Ok(head.size.saturating_add(content))
        }
        major::MAP => map(input, head, depth.saturating_add(1)),
        _ => array(input, head, depth.saturating_add(1)),
    }
}

fn after(input: &[u8], at: usize) -> Result<&[u8], CborError> {
    input.get(at..).ok_or(CborError::Truncated)
}

fn simple(head: Head) -> Result<usize, CborError> {
    let finite = match head.info {
        20..=22 => true,
        // Half, single and double precision (RFC 8949, section 3.3): an exponent of ones is no number.
        25 => head.argument & 0x7c00 != 0x7c00,
        26 => head.argument & 0x7f80_0000 != 0x7f80_0000,
        27 => head.argument & 0x7ff0_0000_0000_0000 != 0x7ff0_0000_0000_0000,
        _ => return Err(CborError::Simple),
    };
    if finite {
        Ok(head.size)
    } else {
        Err(CborError::NotFinite)
    }
}

fn array(input: &[u8], head: Head, depth: usize) -> Result<usize, CborError> {
    let mut at = head.size;
    // Each element has a byte at least, so a count beyond the input ends with the input.
    for _ in 0..head.argument {
        at = at.saturating_add(item(after(input, at)?, depth)?);
    }
    Ok(at)
}

fn map(input: &[u8], head: Head, depth: usize) -> Result<usize, CborError> {
    let mut at = head.size;
    let mut keys: Vec<&[u8]> = Vec::new();
    let mut ascending = true;
    for _ in 0..head.argument {
        let start = at;
        at = at.saturating_add(item(after(input, at)?, depth)?);
        let key = input.get(start..at).ok_or(CborError::Truncated)?;
        if key.first().is_none_or(|first| first >> 5 > major::TEXT) {
            return Err(CborError::KeyType);
        }
        ascending &= keys.last().is_none_or(|last| *last < key);
        keys.push(key);
        at = at.saturating_add(item(after(input, at)?, depth)?);
    }
    // RFC 8949, section 5.6. Each key has one form, so equal keys are equal bytes.
    if !ascending {
        keys.sort_unstable();
        if !keys.is_sorted_by(|one, next| one < next) {
            return Err(CborError::DuplicateKey);
        }
    }
    Ok(at)
}
