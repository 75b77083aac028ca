//! RDF: quads, N-Quads and RDF Dataset Canonicalization.

mod canonical;
mod issuer;
mod parse;
mod term;
#[cfg(test)]
mod tests;
mod write;

use std::collections::BTreeMap;

pub use canonical::canonicalize;
pub use parse::parse_nquads;
pub use term::{Literal, Quad, Term};
pub use write::to_nquad;

/// The hash that RDFC-1.0 uses inside (RDFC-1.0, section 4.2). Not the hash of the signature.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HashAlgorithm {
    /// SHA-256, the default.
    #[default]
    Sha256,
    /// SHA-384.
    Sha384,
}

/// How much work a dataset may cause.
#[derive(Clone, Copy, Debug)]
pub struct WorkLimits {
    /// Most quads.
    pub quads: usize,
    /// Most steps of the costly part (Hash N-Degree Quads) for each quad of the dataset.
    pub steps_per_quad: usize,
}

impl Default for WorkLimits {
    fn default() -> Self {
        Self {
            quads: 20_000,
            steps_per_quad: 32,
        }
    }
}

/// The canonical form of a dataset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Canonical {
    /// The canonical N-Quads in code point order, without duplicates; each ends with a line feed.
    pub nquads: Vec<String>,
    /// From the labels of the input (without `_:`) to the canonical ones (`c14n0`, …).
    pub labels: BTreeMap<String, String>,
}

impl Canonical {
    /// All lines as one text: what is hashed.
    #[must_use]
    pub fn text(&self) -> String {
        self.nquads.concat()
    }
}

/// Why a dataset has no canonical form here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RdfError {
    /// More quads than [`WorkLimits::quads`].
    #[error("too many statements")]
    TooManyQuads,
    /// The blank nodes are wired so that telling them apart costs too much (RDFC-1.0, section 7.1).
    #[error("canonicalization takes too much work")]
    TooMuchWork,
    /// A line that is not an N-Quad.
    #[error("not N-Quads")]
    Syntax,
}

impl RdfError {
    /// A stable name of the reason.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::TooManyQuads => "too_many_quads",
            Self::TooMuchWork => "canonicalization_work",
            Self::Syntax => "invalid_nquads",
        }
    }
}
