//! Bitstring Status List 1.0: statuses of many credentials in one credential.
//!
//! - The issuer of a list packs a [`Bitstring`], writes [`list_credential`] and secures it as any credential.
//! - The issuer of a credential writes an [`Entry`] into `credentialStatus`.
//! - A verifier passes a [`StatusListSource`] with its policy; [`check`] does the rest.
//!
//! Not to be mixed up with [`crate::status_list`] (IETF Token Status List): here the
//! stream is GZIP in multibase, and index 0 is the *most* significant bit.

mod bits;
mod check;
mod entry;
mod error;
mod list;
#[cfg(test)]
mod tests;

pub use bits::{Bitstring, MAX_COMPRESSED_BYTES, MAX_LIST_BYTES, MIN_BITS};
pub(crate) use check::check;
pub use check::{CredentialStatus, FetchedList, MAX_CREDENTIAL, RetrievalError, StatusListSource};
pub use entry::{ENTRY_TYPE, Entry};
pub use error::StatusError;
pub use list::{ListOptions, StatusListCredential, list_credential};
