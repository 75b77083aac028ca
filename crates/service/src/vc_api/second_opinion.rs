//! A second implementation's verdict on what is about to leave.

use serde_json::Value;

use super::Parts;
use super::problem::Refusal;

/// Lets a second implementation verify a new credential. `Ok` where none is configured or the
/// credential is not of a kind that it knows: VCDM 2.0 with an rdfc suite and a `did:key`.
pub(super) async fn ask(parts: &Parts, secured: &Value) -> Result<(), Refusal> {
    match parts.second_opinion {
        true => verdict(secured).await,
        false => Ok(()),
    }
}

#[cfg(feature = "ssi")]
async fn verdict(secured: &Value) -> Result<(), Refusal> {
    use vouchsafe_credentials::problem::Problem as Kind;
    use vouchsafe_credentials::vcdm::CONTEXT;
    use vouchsafe_credentials_jsonld::second_opinion::{SecondOpinionError, verify};

    // It is asked about what we made ourselves and nothing else: no credential of a caller, no
    // DID but did:key, no status list and no token reaches it.
    if secured["@context"][0] != CONTEXT {
        return Ok(());
    }
    match verify(secured).await {
        Ok(()) | Err(SecondOpinionError::Unsupported) => Ok(()),
        Err(error) => {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "the second opinion is another"
            );
            Err(Refusal::invalid(
                Kind::ProofGeneration,
                "second_opinion",
                "another implementation would refuse this credential",
            ))
        }
    }
}

/// The configuration is refused before this can be reached.
#[cfg(not(feature = "ssi"))]
async fn verdict(_: &Value) -> Result<(), Refusal> {
    Err(Refusal::internal())
}
