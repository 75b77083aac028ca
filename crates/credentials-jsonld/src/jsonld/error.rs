//! Why a document was refused.

/// Why a JSON-LD document was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JsonLdError {
    /// Larger than a limit.
    #[error("document exceeds a limit")]
    LimitExceeded,
    /// A context URL that is not at hand. Nothing is fetched.
    #[error("unknown context")]
    UnknownContext,
}

impl JsonLdError {
    /// A stable name of the reason.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::LimitExceeded => "document_limit",
            Self::UnknownContext => "unknown_context",
        }
    }
}
