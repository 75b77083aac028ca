//! COSE (RFC 9052): `COSE_Sign1`, `COSE_Mac0` and `COSE_Key`, received bytes kept.
//!
//! - [`sign1`], [`sign1_detached`] and [`mac0`] make messages;
//! - [`Sign1::parse`] and [`Mac0::parse`] read one; only `verify` gives the payload as a [`Verified`](crate::Verified).
//!
//! The algorithm stands in the protected header and fits the key. `crit` is refused
//! unless every label in it is understood here (RFC 9052, section 3.1).

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
mod header;
mod key;
mod mac0;
mod message;
mod sign1;

pub use error::{CoseError, CoseSignError};
pub use header::{ALGORITHM_NUMBERS, Header, Label, number as algorithm_number};
pub use key::{key_from_item, key_to_vec};
pub use mac0::{Mac0, mac0, mac0_detached};
pub use sign1::{Sign1, sign1, sign1_detached};

/// Tag of `COSE_Sign1` (RFC 9052, section 2).
pub const TAG_SIGN1: u64 = 18;
/// Tag of `COSE_Mac0`.
pub const TAG_MAC0: u64 = 17;

#[cfg(test)]
mod tests;
