//! SD-JWT based verifiable credentials (SD-JWT VC): issue, verify, present.
//!
//! Wire format: HAIP 1.0's pin, draft 13; fields of later drafts (`aka_vcts`,
//! no `iss`) are read. `typ` is exactly `dc+sd-jwt`.
//!
//! - The issuer calls [`issue()`].
//! - The Holder calls [`verify_issued`] and gets a [`HeldSdJwtVc`], from which
//!   [`HeldSdJwtVc::present`] and [`Presentation::bind`] make an answer.
//! - The Verifier calls [`verify_presented`] and gets a [`StatusOwed`]; only
//!   settling the status makes a `Verified<SdJwtVc>`.

pub(crate) mod claims;
mod error;
mod held;
mod issue;
pub(crate) mod issuer_key;
pub mod kb;
mod status_owed;
mod trust;
mod verify;

pub use claims::RegisteredClaims;
pub use error::{KbError, VcError};
pub use held::{HeldSdJwtVc, Presentation};
pub use issue::{IssueError, IssueInput, IssuerKey, issue};
pub use status_owed::{SdJwtVc, StatusOwed, StatusPolicy};
pub use trust::{
    IssuerAuthority, IssuerIdentity, IssuerMethod, IssuerTrust, StatusMethod, TrustError,
    TrustedIssuer,
};
pub use verify::{
    CLOCK_SKEW_S, IssuancePolicy, KeyBindingPolicy, Policy, verify_issued, verify_presented,
};

#[cfg(test)]
pub(crate) mod fixtures;
#[cfg(test)]
mod kb_tests;
#[cfg(test)]
mod tests;
