//! Why a document cannot be disclosed in parts.

use vouchsafe_credentials::data_integrity::ProofError;

use crate::agreement::Disagreement;
use crate::jsonld::JsonLdError;
use crate::rdf::RdfError;

/// Why a document, a pointer or a proof value is refused. None carries a claim.
#[derive(Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SdError {
    /// A JSON pointer that is none (RFC 6901, section 3).
    #[error("not a JSON pointer")]
    Pointer,
    /// A JSON pointer that names nothing in the document, or something inside a text.
    #[error("a JSON pointer names nothing in the document")]
    NoSuchValue,
    /// More than [`super::MAX_POINTERS`].
    #[error("too many JSON pointers")]
    TooManyPointers,
    /// The chosen part does not say what the whole says: part of an ordered list, a text
    /// without its language, an element without the context it needs.
    #[error("the selected part cannot be disclosed apart from the rest")]
    NotSeparable,
    /// The label map of a derived proof does not fit the blank nodes of its document.
    #[error("the labels of the proof do not fit the document")]
    Labels,
    /// Indexes that are not ascending or name no statement.
    #[error("the indexes of the proof do not fit the document")]
    Indexes,
    /// A credential of which nothing about its subject would be left.
    #[error("nothing about the subject is disclosed")]
    SubjectHidden,
    /// The JSON-LD of the document.
    #[error("the document is not JSON-LD that can be secured")]
    JsonLd(#[from] JsonLdError),
    /// The statements of the document.
    #[error("the document has no canonical form")]
    Rdf(#[from] RdfError),
}

impl SdError {
    /// A stable name of the reason.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Pointer => "invalid_json_pointer",
            Self::NoSuchValue => "json_pointer_unmatched",
            Self::TooManyPointers => "too_many_json_pointers",
            Self::NotSeparable => "selection_not_separable",
            Self::Labels => "label_map_mismatch",
            Self::Indexes => "statement_indexes_mismatch",
            Self::SubjectHidden => "subject_hidden",
            Self::JsonLd(error) => error.code(),
            Self::Rdf(error) => error.code(),
        }
    }
}

impl From<Disagreement> for SdError {
    fn from(error: Disagreement) -> Self {
        Self::JsonLd(error.into())
    }
}

impl From<SdError> for ProofError {
    fn from(error: SdError) -> Self {
        match error {
            SdError::Labels | SdError::Indexes => Self::ProofValue,
            SdError::JsonLd(JsonLdError::Disagreement) => Self::Statements,
            other => Self::transformation(other),
        }
    }
}
