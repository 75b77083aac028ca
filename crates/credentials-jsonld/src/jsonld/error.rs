//! Why a document was refused.

use vouchsafe_credentials::data_integrity::ProofError;

use crate::agreement::Disagreement;

/// Why a JSON-LD document was refused. Names follow the error codes of JSON-LD 1.1 API
/// (section 9.6.2) where there is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JsonLdError {
    /// Larger, deeper or with more contexts than the limits allow.
    #[error("document exceeds a limit")]
    LimitExceeded,
    /// A context URL that is not at hand. Nothing is fetched.
    #[error("unknown context")]
    UnknownContext,
    /// A context that sets `@vocab`, `@import` or `@propagate` inside a document.
    #[error("the document's own context uses a directive that is not allowed")]
    InlineDirective,
    /// A context written out in a document, or a context below the root of the document.
    #[error("the document brings a context of its own")]
    InlineContext,
    /// A context that is neither a string, nor an object, nor null, or has wrong members.
    #[error("invalid context")]
    InvalidContext,
    /// A context that would remove protected terms.
    #[error("context would remove protected terms")]
    InvalidContextNullification,
    /// A definition of a protected term that differs from the one in force.
    #[error("redefinition of a protected term")]
    ProtectedTermRedefinition,
    /// A definition of a term that is malformed.
    #[error("invalid term definition")]
    InvalidTermDefinition,
    /// A keyword as a term.
    #[error("a keyword cannot be redefined")]
    KeywordRedefinition,
    /// A term whose definition needs itself.
    #[error("term is defined by itself")]
    CyclicIriMapping,
    /// A term that stands for no IRI.
    #[error("term maps to no absolute IRI")]
    InvalidIriMapping,
    /// A container that does not exist or cannot be combined.
    #[error("invalid container")]
    InvalidContainerMapping,
    /// A member that no context defines. It would stay unsigned.
    #[error("undefined term")]
    UndefinedTerm,
    /// A statement in a form that a reader of the JSON does not see: `@nest`, `@graph`, `@included`,
    /// `@reverse`, an IRI in place of a term, a second description of a node.
    #[error("statement in a form that readers of the JSON do not see")]
    HiddenStatement,
    /// What policies read of the JSON is not what the statements say.
    #[error("the statements of the document are not what its JSON says")]
    Disagreement,
    /// An id, type or datatype that is no absolute IRI.
    #[error("not an absolute IRI")]
    RelativeIri,
    /// A value that expansion would drop (null, free-floating, in a place without meaning).
    #[error("value would be dropped")]
    DroppedValue,
    /// A keyword twice in one object, under its own name and an alias.
    #[error("keyword given twice")]
    CollidingKeywords,
    /// A keyword with a value of the wrong type.
    #[error("invalid value of a keyword")]
    InvalidKeywordValue,
    /// An object with `@value` and something that does not go with it.
    #[error("invalid value object")]
    InvalidValueObject,
    /// A language map, a language tag or a base direction that is not valid.
    #[error("invalid language or direction")]
    InvalidLanguage,
    /// Something else than nodes under `@reverse`.
    #[error("invalid reverse property")]
    InvalidReverse,
    /// A list or set with members that do not belong there.
    #[error("invalid set or list")]
    InvalidSetOrList,
    /// `@nest` or `@included` with something else than objects.
    #[error("invalid nesting")]
    InvalidNest,
    /// A number that has no RDF form.
    #[error("number out of range")]
    InvalidNumber,
    /// A graph without a name, or a name that was made to look like ours: cannot be skolemized.
    #[error("document cannot be skolemized")]
    NotSkolemizable,
}

impl JsonLdError {
    /// A stable name of the reason.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::LimitExceeded => "document_limit",
            Self::UnknownContext => "unknown_context",
            Self::InlineDirective => "inline_context_directive",
            Self::InlineContext => "inline_context",
            Self::InvalidContext => "invalid_context",
            Self::InvalidContextNullification => "invalid_context_nullification",
            Self::ProtectedTermRedefinition => "protected_term_redefinition",
            Self::InvalidTermDefinition => "invalid_term_definition",
            Self::KeywordRedefinition => "keyword_redefinition",
            Self::CyclicIriMapping => "cyclic_iri_mapping",
            Self::InvalidIriMapping => "invalid_iri_mapping",
            Self::InvalidContainerMapping => "invalid_container_mapping",
            Self::UndefinedTerm => "undefined_term",
            Self::HiddenStatement => "hidden_statement",
            Self::Disagreement => "statements_disagree",
            Self::RelativeIri => "relative_iri",
            Self::DroppedValue => "dropped_value",
            Self::CollidingKeywords => "colliding_keywords",
            Self::InvalidKeywordValue => "invalid_keyword_value",
            Self::InvalidValueObject => "invalid_value_object",
            Self::InvalidLanguage => "invalid_language",
            Self::InvalidReverse => "invalid_reverse",
            Self::InvalidSetOrList => "invalid_set_or_list",
            Self::InvalidNest => "invalid_nest",
            Self::InvalidNumber => "invalid_number",
            Self::NotSkolemizable => "not_skolemizable",
        }
    }
}

impl From<Disagreement> for JsonLdError {
    fn from(Disagreement: Disagreement) -> Self {
        Self::Disagreement
    }
}

impl From<JsonLdError> for ProofError {
    fn from(error: JsonLdError) -> Self {
        match error {
            JsonLdError::Disagreement => Self::Statements,
            other => Self::transformation(other),
        }
    }
}
