//! CBOR (RFC 8949), read strictly and without changing a byte.
//!
//! Everything that is signed or digested is used as it was received: an [`Item`]
//! is a view of the bytes, and [`Item::raw`] gives them back. [`Item::parse`]
//! accepts one form for each value (RFC 8949, section 4.2.1, but for the order of
//! map keys) and refuses what two readers might understand differently.

#![cfg_attr(
    not(test),
    deny(
        clippy::arithmetic_side_effects,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic,
        clippy::string_slice,
        clippy::unwrap_used
    )
)]

mod error;
mod item;
mod scan;
mod value;
mod write;

pub use ciborium::Value;
pub use error::CborError;
pub use item::{Entries, Fields, Item, Items, Kind};
pub use scan::{MAX_BYTES, MAX_DEPTH};
pub use value::{to_json, to_vec};
pub use write::Writer;

/// Tag of a date-time text (RFC 8949, section 3.4.1): `tdate`.
pub const TAG_TDATE: u64 = 0;
/// Tag of embedded CBOR (RFC 8949, section 3.4.5.1).
pub const TAG_EMBEDDED: u64 = 24;
/// Tag of a date without time (RFC 8943): `full-date`.
pub const TAG_FULL_DATE: u64 = 1004;
/// Tag that only says "this is CBOR" (RFC 8949, section 3.4.6). Refused.
pub const TAG_SELF_DESCRIBED: u64 = 55799;

#[cfg(test)]
mod tests;
