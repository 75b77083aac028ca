//! The wallet without I/O of its own.
//!
//! A host (a phone app, the command line, a web page) supplies storage, time
//! and randomness as [`wallet::Ports`], opens a [`Wallet`], sends the requests
//! that its sessions hand out and gives the answers back. Redirects are never
//! followed: they are answers like any other.
//!
//! - [`issuance`]: adding a card, from an offer to a verified credential.
//! - [`presentation`]: showing a card, from a link to an answer.
//! - [`consent`]: what the person is asked, as data.
//! - [`status`]: whether issuers still stand by their cards.
//! - [`history`]: what happened, without values of claims.
//! - [`storage`], [`secure_area`], [`attestation`]: the ports, with a software adapter each.
//!
//! How to extend it: a store implements [`storage::Storage`]; key hardware
//! implements [`secure_area::SecureArea`]; a protocol step is one type in
//! `issuance` or `presentation` that consumes the one before it.

pub mod attestation;
pub mod backup;
pub mod consent;
pub mod credential;
pub mod display;
pub mod error;
pub mod history;
mod index;
pub mod issuance;
mod net;
pub mod picture;
pub mod presentation;
pub mod secure_area;
pub mod status;
pub mod storage;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
pub mod text;
pub mod trust;
pub mod verifiers;
pub mod wallet;
mod withdrawal;

#[cfg(test)]
mod tests;

pub use error::{Fault, WalletError};
pub use wallet::Wallet;
pub use withdrawal::Withdrawal;
