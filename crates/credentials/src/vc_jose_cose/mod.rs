//! Securing Verifiable Credentials using JOSE and COSE 1.0: credentials and presentations of VCDM 2.0 in an envelope.
//!
//! `vc+jwt`, `vp+jwt`, `vc+sd-jwt`, `vp+sd-jwt`, `vc+cose`, `vp+cose`. The payload *is*
//! the document. That makes them other formats than `jwt_vc_json` (data model 1.1 in a
//! claim `vc`) and `dc+sd-jwt` ([`crate::sd_jwt_vc`]): nothing here guesses between
//! them, the caller says which envelope it has.
//!
//! - [`verify_credential`], [`verify_presentation`]: by policy, to a `Verified<…>`.
//! - [`open_presentation`]: the envelope of a presentation alone.
//! - [`issue_jwt`], [`issue_sd_jwt`], [`issue_cose`].

mod claims;
mod error;
mod issue;
mod key;
mod open;
#[cfg(test)]
mod tests;
mod verify;

pub use error::{EnvelopeError, IssueError};
pub use issue::{issue_cose, issue_jwt, issue_sd_jwt};
pub use key::KeySource;
pub use verify::{open_presentation, verify_credential, verify_presentation};
