//! Why a card was not added.

use crate::error::Fault;

/// Why a card was not added.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IssuanceError {
    /// The issuer could not be reached.
    #[error("the issuer could not be reached")]
    Unreachable,
}

impl IssuanceError {
    /// A stable snake_case code, also a key for translated texts.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unreachable => "issuer_unreachable",
        }
    }

    pub(crate) fn fault(&self) -> Fault {
        match self {
            Self::Unreachable => Fault::Network,
        }
    }
}
