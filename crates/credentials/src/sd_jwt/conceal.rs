//! Hiding claims.

use serde_json::{Map, Value};

use super::{Frame, HashAlg, SdJwtError};
use crate::random::Rng;

/// Claims after hiding.
#[derive(Debug, Clone)]
pub struct Concealed {
    /// What is signed.
    pub payload: Map<String, Value>,
    /// What goes to the Holder beside it, encoded.
    pub disclosures: Vec<String>,
}

/// Hides what `frame` names.
///
/// # Errors
/// When the claims use a reserved name or the frame does not fit them.
pub fn conceal(
    _claims: Map<String, Value>,
    _frame: &Frame,
    _hash: HashAlg,
    _rng: &dyn Rng,
) -> Result<Concealed, SdJwtError> {
    unimplemented!()
}
