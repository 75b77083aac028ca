//! Views of the items of an input that passed the scan.

use std::fmt;

use super::scan::{self, Head, major};
use super::{CborError, TAG_EMBEDDED};

/// One item of CBOR that passed the strict scan, with the bytes it came in.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Item<'a> {
    raw: &'a [u8],
}

/// What an item is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Kind<'a> {
    /// An integer from 0.
    Unsigned(u64),
    /// The integer -1 - n.
    Negative(u64),
    /// Bytes.
    Bytes(&'a [u8]),
    /// Text.
    Text(&'a str),
    /// An array.
    Array(Items<'a>),
    /// A map.
    Map(Entries<'a>),
    /// A tag with its content.
    Tag(u64, Item<'a>),
    /// A boolean.
    Bool(bool),
    /// `null`
    Null,
    /// A finite number.
    Float(f64),
}

const SCANNED: &str = "the bytes of an item passed the scan";

impl<'a> Item<'a> {
    /// Reads the one item that `input` is, with nothing after it.
    ///
    /// # Errors
    /// See [`CborError`].
    pub fn parse(input: &'a [u8]) -> Result<Self, CborError> {
        Self::parse_within(input, scan::MAX_BYTES)
    }

    /// As [`Self::parse`], for kinds of messages that may have another size than
    /// [`MAX_BYTES`](super::MAX_BYTES): at most `limit` bytes.
    ///
    /// # Errors
    /// See [`CborError`].
    pub fn parse_within(input: &'a [u8], limit: usize) -> Result<Self, CborError> {
        scan::whole(input, limit)?;
        Ok(Self { raw: input })
    }

    /// The bytes as received.
    #[must_use]
    pub const fn raw(self) -> &'a [u8] {
        self.raw
    }

    /// What it is.
    #[must_use]
    #[expect(clippy::expect_used, reason = "the scan has read the same bytes")]
    pub fn kind(self) -> Kind<'a> {
        let head = Head::read(self.raw).expect(SCANNED);
        let rest = self.raw.get(head.size..).unwrap_or_default();
        match head.major {
            major::UNSIGNED => Kind::Unsigned(head.argument),
            major::NEGATIVE => Kind::Negative(head.argument),
            major::BYTES => Kind::Bytes(rest),
            major::TEXT => Kind::Text(std::str::from_utf8(rest).expect(SCANNED)),
            major::ARRAY => Kind::Array(Items {
                rest,
                left: head.argument,
            }),
            major::MAP => Kind::Map(Entries(Items {
                rest,
                left: head.children(),
            })),
            major::TAG => Kind::Tag(head.argument, Item { raw: rest }),
            _ => simple(head),
        }
    }

    /// The bytes of a byte string.
    pub fn bytes(self) -> Result<&'a [u8], CborError> {
        match self.kind() {
            Kind::Bytes(bytes) => Ok(bytes),
            _ => Err(CborError::Type),
        }
    }

    /// A text.
    pub fn text(self) -> Result<&'a str, CborError> {
        match self.kind() {
            Kind::Text(text) => Ok(text),
            _ => Err(CborError::Type),
        }
    }

    /// An integer from 0.
    pub fn unsigned(self) -> Result<u64, CborError> {
        match self.kind() {
            Kind::Unsigned(number) => Ok(number),
            _ => Err(CborError::Type),
        }
    }

    /// An integer that fits.
    pub fn integer(self) -> Result<i64, CborError> {
        let number = match self.kind() {
            Kind::Unsigned(number) => i64::try_from(number),
            Kind::Negative(number) => i64::try_from(number).map(|number| !number),
            _ => return Err(CborError::Type),
        };
        number.map_err(|_| CborError::Type)
    }

    /// The elements of an array.
    pub fn array(self) -> Result<Items<'a>, CborError> {
        match self.kind() {
            Kind::Array(items) => Ok(items),
            _ => Err(CborError::Type),
        }
    }

    /// The elements of an array that has `N` of them.
    #[expect(clippy::expect_used, reason = "the scan has read the same bytes")]
    pub fn array_of<const N: usize>(self) -> Result<[Item<'a>; N], CborError> {
        let mut items = self.array()?;
        if items.len() != N {
            return Err(CborError::Type);
        }
        Ok(std::array::from_fn(|_| {
            items.next().expect("as many as counted")
        }))
    }

    /// The entries of a map.
    pub fn map(self) -> Result<Entries<'a>, CborError> {
        match self.kind() {
            Kind::Map(entries) => Ok(entries),
            _ => Err(CborError::Type),
        }
    }

    /// A map whose keys are texts, to be read by name.
    pub fn fields(self) -> Result<Fields<'a>, CborError> {
        Ok(Fields(self.map()?))
    }

    /// The content of `tag`.
    pub fn tagged(self, tag: u64) -> Result<Item<'a>, CborError> {
        match self.kind() {
            Kind::Tag(own, content) if own == tag => Ok(content),
            _ => Err(CborError::Type),
        }
    }

    /// The item in `#6.24(bstr .cbor …)`: scanned like an input of its own.
    pub fn embedded(self) -> Result<Item<'a>, CborError> {
        Item::parse(self.tagged(TAG_EMBEDDED)?.bytes()?)
    }

    /// Whether it is `null`.
    #[must_use]
    pub fn is_null(self) -> bool {
        self.raw == [0xf6]
    }
}

/// Without the content: an item may hold claims.
impl fmt::Debug for Item<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Item({} bytes)", self.raw.len())
    }
}

#[expect(clippy::expect_used, reason = "the scan has read the same bytes")]
fn simple(head: Head) -> Kind<'static> {
    let argument = head.argument;
    match head.info {
        20 => Kind::Bool(false),
        21 => Kind::Bool(true),
        25 => Kind::Float(half(argument)),
        26 => Kind::Float(f32::from_bits(u32::try_from(argument).expect(SCANNED)).into()),
        27 => Kind::Float(f64::from_bits(argument)),
        _ => Kind::Null,
    }
}

/// RFC 8949, appendix D.
#[expect(clippy::expect_used, reason = "the scan has read the same bytes")]
fn half(bits: u64) -> f64 {
    let bits = u16::try_from(bits).expect(SCANNED);
    let (exponent, mantissa) = (i32::from(bits >> 10 & 0x1f), f64::from(bits & 0x3ff));
    let value = match exponent {
        0 => mantissa * 2f64.powi(-24),
        _ => (mantissa + 1024.0) * 2f64.powi(exponent.saturating_sub(25)),
    };
    if bits & 0x8000 == 0 { value } else { -value }
}

/// The elements of an array, one after the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Items<'a> {
    rest: &'a [u8],
    left: u64,
}

impl Items<'_> {
    /// How many are left.
    #[must_use]
    #[expect(clippy::expect_used, reason = "the scan has read the same bytes")]
    pub fn len(&self) -> usize {
        usize::try_from(self.left).expect("no more than bytes in the input")
    }

    /// Whether none is left.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.left == 0
    }
}

impl<'a> Iterator for Items<'a> {
    type Item = Item<'a>;

    fn next(&mut self) -> Option<Item<'a>> {
        self.left = self.left.checked_sub(1)?;
        let (raw, rest) = self.rest.split_at(end(self.rest));
        self.rest = rest;
        Some(Item { raw })
    }
}

/// The length of the scanned item at the start of `input`.
#[expect(clippy::expect_used, reason = "the scan has read the same bytes")]
fn end(input: &[u8]) -> usize {
    let mut at = 0;
    let mut open = 1_u64;
    while open > 0 {
        let rest = input.get(at..).expect(SCANNED);
        let head = Head::read(rest).expect(SCANNED);
        at = at.saturating_add(head.size);
        if head.major == major::BYTES || head.major == major::TEXT {
            at = at.saturating_add(usize::try_from(head.argument).expect(SCANNED));
        }
        open = open.saturating_sub(1).saturating_add(head.children());
    }
    at
}

/// The entries of a map, one after the other, in the order of the input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entries<'a>(Items<'a>);

impl Entries<'_> {
    /// How many are left.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len() / 2
    }

    /// Whether none is left.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<'a> Iterator for Entries<'a> {
    type Item = (Item<'a>, Item<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        Some((self.0.next()?, self.0.next()?))
    }
}

/// A map with texts as keys. Other keys are no error here: they are never asked for.
#[derive(Debug, Clone, Copy)]
pub struct Fields<'a>(Entries<'a>);

impl<'a> Fields<'a> {
    /// The value of this key.
    #[must_use]
    pub fn optional(&self, name: &str) -> Option<Item<'a>> {
        self.0
            .into_iter()
            .find(|(key, _)| key.kind() == Kind::Text(name))
            .map(|(_, value)| value)
    }

    /// The value of this key, which must be there.
    ///
    /// # Errors
    /// [`CborError::Missing`].
    pub fn required(&self, name: &'static str) -> Result<Item<'a>, CborError> {
        self.optional(name).ok_or(CborError::Missing(name))
    }
}
