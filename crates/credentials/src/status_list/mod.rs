//! Token Status List (draft-ietf-oauth-status-list, HAIP 1.0's pin 14; the wire
//! format has not changed since), in JWT and in CWT form: encode, sign, verify, read.
//! Mdocs may name an identifier list instead.

mod check;
mod cwt;
mod error;
mod identifier_list;
mod list;
mod reference;
mod token;

pub use check::{MAX_REFRESH_S, StatusCheck};
pub use cwt::{
    MAX_CWT_BYTES, STATUS_LIST_CWT, StatusCwtInput, read_list as read_cbor_list,
    sign_status_list_cwt, verify_status_list_cwt, write_list as write_cbor_list,
};
pub use error::StatusError;
pub use identifier_list::{
    IDENTIFIER_LIST_CWT, IdentifierListInput, IdentifierRef, VerifiedIdentifierList,
    sign_identifier_list, verify_identifier_list,
};
pub use list::{Bits, MAX_COMPRESSED_BYTES, MAX_LIST_BYTES, Status, StatusList};
pub use reference::StatusRef;
pub use token::{StatusTokenInput, VerifiedStatusList, sign_status_list, verify_status_list};

#[cfg(test)]
mod cwt_tests;
#[cfg(test)]
mod tests;
