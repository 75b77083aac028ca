//! The reference from a credential to its status.

use serde::{Deserialize, Serialize};

/// `status.status_list` of a credential.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct StatusRef {
    /// URI of the Status List Token.
    pub uri: String,
    /// Index in the list.
    pub idx: u64,
}
