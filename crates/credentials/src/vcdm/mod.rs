//! Verifiable Credentials Data Model 2.0: credentials and presentations, parsed with every structural rule.
//!
//! Parsing says that a document is well-formed, never that it is true. Only
//! verifying gives a `Verified<…>`: [`crate::data_integrity`] for embedded proofs.
//!
//! Documents of version 1.1 are refused with a code of their own
//! ([`VcdmError::Version1`]): their dates, their JWT form and their contexts mean
//! other things.

mod credential;
mod date_time;
mod policy;
mod url;

pub use credential::{Credential, Presentation, VcdmError};
pub use date_time::{DateTimeError, DateTimeStamp};
pub use policy::{HolderPolicy, Issuers, Policy, PresentationPolicy, StatusLists, StatusPolicy};
pub use url::is_url;
