//! Choosing Disclosures.

use super::{ClaimPath, Processed, SdJwtError};

/// Positions of the Disclosures that reveal the claims at `paths` with all
/// that is below them, and nothing else.
///
/// # Errors
/// [`SdJwtError::PathNotFound`] when a path leads nowhere.
pub fn select(_all: &Processed, _paths: &[ClaimPath]) -> Result<Vec<usize>, SdJwtError> {
    unimplemented!()
}
