//! Selective Disclosure for JWTs, RFC 9901: the format alone, without
//! signatures and without a credential profile (that is
//! [`sd_jwt_vc`](crate::sd_jwt_vc)).
//!
//! Issuing: [`Frame`] says which claims are hidden, [`conceal`] turns claims
//! into a payload with digests and a list of Disclosures.
//! Receiving: [`SdJwt::parse`] takes the compact form apart and borrows from
//! it, [`process`] puts the disclosed claims back (section 7.1, step 3).
//! Presenting: [`select`] finds the Disclosures that reveal given claims.
//!
//! The JWS JSON serialization (section 8) is optional and refused.

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

mod compact;
mod conceal;
mod disclosure;
mod error;
mod frame;
mod hash;
mod path;
mod process;
mod select;

pub use compact::SdJwt;
pub use conceal::{Concealed, conceal};
pub use error::SdJwtError;
pub use frame::Frame;
pub use hash::HashAlg;
pub use path::{ClaimPath, PathElement};
pub use process::{DisclosedClaim, Processed, process};
pub use select::select;

/// Most Disclosures an SD-JWT may carry.
pub const MAX_DISCLOSURES: usize = 512;

/// Deepest nesting of Disclosures inside Disclosures.
pub const MAX_DEPTH: usize = 16;

/// Longest compact form that is looked at, in bytes.
pub const MAX_COMPACT_BYTES: usize = 512 * 1024;

/// The claim that carries digests of hidden object properties (section 4.2.4.1).
pub(crate) const SD: &str = "_sd";
/// The key that carries the digest of a hidden array element (section 4.2.4.2).
pub(crate) const ELLIPSIS: &str = "...";
/// The claim that names the hash algorithm (section 4.1.1).
pub(crate) const SD_ALG: &str = "_sd_alg";

/// Whether the format keeps this claim name for itself.
pub(crate) fn is_reserved(name: &str) -> bool {
    matches!(name, SD | ELLIPSIS | SD_ALG)
}

#[cfg(test)]
mod tests;
