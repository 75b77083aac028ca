//! Verifiable Credentials Data Model 2.0: credentials and presentations, parsed with every structural rule.
//!
//! Parsing says that a document is well-formed, never that it is true. Only
//! verifying gives a `Verified<…>`: [`crate::data_integrity`] for embedded proofs.
//!
//! Credentials of version 1.1 are read too ([`Version`]), with the rules of that version for
//! contexts and dates; they are verified with Data Integrity proofs and no others. Presentations
//! and envelopes of version 1.1 are refused with [`VcdmError::Version1`].

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

pub(crate) mod accept;
pub(crate) mod confirmation;
mod credential;
mod date_time;
mod envelope;
mod error;
#[cfg(test)]
pub(crate) mod fixtures;
mod parts;
mod policy;
mod presentation;
pub(crate) mod presented;
mod related;
#[cfg(test)]
mod tests;
mod url;
mod verified;
mod verify_error;
#[cfg(test)]
mod version_tests;

pub use credential::Credential;
pub use date_time::{DateTimeError, DateTimeStamp};
pub use envelope::{ENVELOPED_CREDENTIAL, ENVELOPED_PRESENTATION, EnvelopeType, Enveloped};
pub use error::VcdmError;
pub use parts::{CONTEXT, Version};
pub use policy::{
    Binding, CLOCK_SKEW_S, Delegation, EmptyPresentation, HolderBinding, HolderPolicy, Issuers,
    Policy, PresentationHeader, PresentationPolicy, StatusLists, StatusPolicy,
};
pub use presentation::{Embedded, MAX_CREDENTIALS, Presentation};
pub use related::RelatedResource;
pub use url::is_url;
pub use verified::VerifiedPresentation;
pub use verify_error::VerifyError;
