//! Writing CBOR: shortest forms, definite lengths.

use ciborium_ll::{Encoder, Header};

use super::Value;

/// Writes items one after the other. Counts are the caller's part.
#[derive(Debug, Clone, Default)]
pub struct Writer {
    out: Vec<u8>,
}

impl Writer {
    /// Nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Nothing yet, with room for this many bytes.
    #[must_use]
    pub fn with_capacity(bytes: usize) -> Self {
        Self {
            out: Vec::with_capacity(bytes),
        }
    }

    #[expect(clippy::expect_used, reason = "a vector takes every byte")]
    fn head(&mut self, header: Header) -> &mut Self {
        Encoder::from(&mut self.out)
            .push(header)
            .expect("a vector takes every byte");
        self
    }

    /// The head of an array of `count` items, which follow.
    pub fn array(&mut self, count: usize) -> &mut Self {
        self.head(Header::Array(Some(count)))
    }

    /// The head of a map of `count` entries, which follow.
    pub fn map(&mut self, count: usize) -> &mut Self {
        self.head(Header::Map(Some(count)))
    }

    /// A tag; its content follows.
    pub fn tag(&mut self, tag: u64) -> &mut Self {
        self.head(Header::Tag(tag))
    }

    /// An integer.
    pub fn integer(&mut self, number: i64) -> &mut Self {
        match u64::try_from(number) {
            Ok(number) => self.head(Header::Positive(number)),
            Err(_) => self.head(Header::Negative(number.unsigned_abs().saturating_sub(1))),
        }
    }

    /// An integer from 0.
    pub fn unsigned(&mut self, number: u64) -> &mut Self {
        self.head(Header::Positive(number))
    }

    /// A byte string.
    pub fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        self.head(Header::Bytes(Some(bytes.len())));
        self.raw(bytes)
    }

    /// A text.
    pub fn text(&mut self, text: &str) -> &mut Self {
        self.head(Header::Text(Some(text.len())));
        self.raw(text.as_bytes())
    }

    /// `null`
    pub fn null(&mut self) -> &mut Self {
        self.raw(&[0xf6])
    }

    /// Any value. What a [`super::Item`] would refuse (NaN, a key twice) is the caller's part.
    #[expect(clippy::expect_used, reason = "a vector takes every byte")]
    pub fn value(&mut self, value: &Value) -> &mut Self {
        ciborium::into_writer(value, &mut self.out).expect("a vector takes every byte");
        self
    }

    /// `#6.24(bstr)`: an item as embedded CBOR (RFC 8949, section 3.4.5.1).
    pub fn embedded(&mut self, item: &[u8]) -> &mut Self {
        self.tag(super::TAG_EMBEDDED).bytes(item)
    }

    /// An item that is encoded already.
    pub fn raw(&mut self, item: &[u8]) -> &mut Self {
        self.out.extend_from_slice(item);
        self
    }

    /// What was written.
    #[must_use]
    pub fn finish(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.out)
    }
}
