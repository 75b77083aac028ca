//! Putting disclosed claims back.

use serde_json::{Map, Value};

use super::{ClaimPath, SdJwtError};

/// A payload with its disclosed claims in place.
#[derive(Debug, Clone, PartialEq)]
pub struct Processed {
    /// The Processed SD-JWT Payload.
    pub claims: Map<String, Value>,
    /// What each Disclosure revealed, in the order received.
    pub disclosed: Vec<DisclosedClaim>,
}

/// Where one Disclosure put its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DisclosedClaim {
    /// Path in the processed payload.
    pub path: ClaimPath,
    /// Position of the Disclosure that holds this one, when nested.
    pub parent: Option<usize>,
}

/// Processes a payload whose signature has been checked.
///
/// # Errors
/// Each rule of RFC 9901, section 7.1 has its own [`SdJwtError`].
pub fn process(
    _payload: Map<String, Value>,
    _disclosures: &[&str],
) -> Result<Processed, SdJwtError> {
    unimplemented!()
}
