//! Verifying a credential with embedded proofs.

use serde_json::Value;
use thiserror::Error;

use super::{ProofError, Suites};
use crate::Verified;
use crate::crypto::CryptoProvider;
use crate::did::Resolver;
use crate::problem::Problem;
use crate::vcdm::{Credential, Policy, VcdmError};

/// Why a credential or a presentation is refused. None carries a claim.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// Not a document of VCDM 2.0.
    #[error("not a well-formed document")]
    Malformed(#[from] VcdmError),
    /// A proof does not hold.
    #[error("the proof is not acceptable")]
    Proof(#[from] ProofError),
}

impl VerifyError {
    /// A stable code for logs and interfaces.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Malformed(error) => error.code(),
            Self::Proof(error) => error.code(),
        }
    }

    /// The problem type.
    #[must_use]
    pub const fn problem(&self) -> Problem {
        match self {
            Self::Malformed(error) => error.problem(),
            Self::Proof(error) => error.problem(),
        }
    }
}

/// Verifies a credential: its form, every proof, that the issuer is who proved it, type, time and status.
///
/// # Errors
/// Each rule has its own [`VerifyError`].
#[expect(clippy::unimplemented, reason = "the shape first")]
pub async fn verify_credential(
    _secured: &Value,
    _suites: &Suites,
    _policy: &Policy<'_>,
    _resolver: &dyn Resolver,
    _crypto: &dyn CryptoProvider,
) -> Result<Verified<Credential>, VerifyError> {
    unimplemented!()
}
