//! Mobile documents (ISO/IEC 18013-5:2021), of any `docType`.
//!
//! - The issuer calls [`issue()`] and sends the `IssuerSigned` structure.
//! - The Holder calls [`verify_issued`] and gets a [`HeldMdoc`], from which
//!   [`HeldMdoc::present`] and [`Presentation::sign`] or [`Presentation::mac`]
//!   make a `DeviceResponse` for one [`SessionTranscript`].
//! - The Verifier calls [`verify_presented`] and gets a [`StatusOwed`]; only
//!   settling the status makes a `Verified<Mdoc>`.
//!
//! Bytes that are digested or signed are used as received, never encoded again.

mod age;
mod authorization;
mod data_types;
mod device;
mod elements;
mod error;
mod held;
mod issue;
mod issuer_signed;
mod mso;
mod response;
mod status_owed;
mod tdate;
mod transcript;
mod verify;

pub use age::{age_over, nearest_age_over};
pub use authorization::KeyAuthorizations;
pub use data_types::{
    AGE_VERIFICATION, MAX_PORTRAIT_BYTES, MDL, MDL_NAMESPACE, PID, check_element,
};
pub use elements::{ElementPath, Elements};
pub use error::{IssueError, MdocError};
pub use held::{HeldMdoc, Presentation};
pub use issue::{IssueInput, issue};
pub use issuer_signed::IssuerSigned;
pub use mso::{DigestAlgorithm, MobileSecurityObject, MsoStatus, Validity};
pub use response::{DeviceAuth, DeviceResponse, DeviceSigned, Document};
pub use status_owed::{Mdoc, StatusOwed};
pub use transcript::SessionTranscript;
pub use verify::{IssuancePolicy, Policy, verify_issued, verify_presented};

#[cfg(test)]
mod tests;
