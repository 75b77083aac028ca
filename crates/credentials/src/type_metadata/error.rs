use super::IntegrityError;
use crate::json::JsonError;

/// A document could not be had. The reason stays with the port: it may name an address.
#[derive(Debug, thiserror::Error)]
#[error("the document is unavailable")]
pub struct FetchFailed(#[source] pub Box<dyn std::error::Error + Send + Sync>);

/// Why type metadata, or a credential by its type metadata, is refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TypeMetadataError {
    /// Not available.
    #[error(transparent)]
    Fetch(#[from] FetchFailed),
    /// Larger than [`super::MAX_DOCUMENT_BYTES`].
    #[error("the type metadata is too large")]
    TooLarge,
    /// Not strict JSON.
    #[error("the type metadata is not acceptable JSON")]
    Json(#[source] JsonError),
    /// A property has another form than the specification gives it.
    #[error("a property of the type metadata is malformed: {0}")]
    Malformed(&'static str),
    /// The integrity of a document does not hold.
    #[error("the type metadata is another document than the one referred to")]
    Integrity(#[source] IntegrityError),
    /// The document is about another type than the one asked for.
    #[error("the type metadata is about another type")]
    WrongType,
    /// A type extends itself, directly or not.
    #[error("a type extends itself")]
    Cycle,
    /// More than [`super::MAX_EXTENDS`] types extend each other.
    #[error("too many types extend each other")]
    TooDeep,
    /// A type changes `sd` of the type it extends.
    #[error("a type contradicts the type it extends in `sd`")]
    ContradictsSd,
    /// A type takes back `mandatory` of the type it extends.
    #[error("a type contradicts the type it extends in `mandatory`")]
    ContradictsMandatory,
    /// A path leads through a value that is no object or no array.
    #[error("a claim path does not fit the credential")]
    Path,
    /// A mandatory claim was not issued.
    #[error("a mandatory claim is missing")]
    Missing,
    /// A claim is disclosable although it must not be, or the other way round.
    #[error("a claim is not disclosed as its type demands")]
    Disclosability,
}

impl TypeMetadataError {
    /// Stable code for logs and interfaces.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Fetch(_) => "type_metadata_unavailable",
            Self::TooLarge => "type_metadata_too_large",
            Self::Json(_) => "type_metadata_json",
            Self::Malformed(_) => "type_metadata_malformed",
            Self::Integrity(_) => "type_metadata_integrity",
            Self::WrongType => "type_metadata_wrong_type",
            Self::Cycle => "type_metadata_cycle",
            Self::TooDeep => "type_metadata_too_deep",
            Self::ContradictsSd => "type_metadata_contradicts_sd",
            Self::ContradictsMandatory => "type_metadata_contradicts_mandatory",
            Self::Path => "type_metadata_path",
            Self::Missing => "type_metadata_claim_missing",
            Self::Disclosability => "type_metadata_disclosability",
        }
    }
}
