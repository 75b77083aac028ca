//! Token Status List (draft-ietf-oauth-status-list, HAIP 1.0's pin 14; the wire
//! format has not changed since), in JWT form: encode, sign, verify, read.

mod error;
mod list;
mod reference;
mod token;

pub use error::StatusError;
pub use list::{Bits, MAX_COMPRESSED_BYTES, MAX_LIST_BYTES, Status, StatusList};
pub use reference::StatusRef;
pub use token::{
    MAX_REFRESH_S, StatusCheck, StatusTokenInput, VerifiedStatusList, sign_status_list,
    verify_status_list,
};

#[cfg(test)]
mod tests;
