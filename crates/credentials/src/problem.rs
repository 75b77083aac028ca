//! The problem types of the W3C specifications (RFC 9457), one name for one meaning.

use std::fmt;

/// A problem as the W3C specifications name it.
///
/// Verifiable Credentials Data Model 2.0, section 7; Verifiable Credential Data
/// Integrity 1.0, section 4.7; Controlled Identifiers 1.0, section 3.5;
/// Bitstring Status List 1.0, section 3.5.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Problem {
    /// `PARSING_ERROR`: no JSON, or not the media type.
    Parsing,
    /// `CRYPTOGRAPHIC_SECURITY_ERROR`: the securing mechanism was not verified.
    CryptographicSecurity,
    /// `MALFORMED_VALUE_ERROR`: a property has a value that its definition forbids.
    MalformedValue,
    /// `RANGE_ERROR`: a value is outside what is expected.
    Range,
    /// `PROOF_GENERATION_ERROR`.
    ProofGeneration,
    /// `PROOF_VERIFICATION_ERROR`.
    ProofVerification,
    /// `PROOF_TRANSFORMATION_ERROR`.
    ProofTransformation,
    /// `INVALID_DOMAIN_ERROR`.
    InvalidDomain,
    /// `INVALID_CHALLENGE_ERROR`.
    InvalidChallenge,
    /// `INVALID_VERIFICATION_METHOD_URL`.
    InvalidVerificationMethodUrl,
    /// `INVALID_CONTROLLED_IDENTIFIER_DOCUMENT_ID`.
    InvalidControlledIdentifierDocumentId,
    /// `INVALID_CONTROLLED_IDENTIFIER_DOCUMENT`.
    InvalidControlledIdentifierDocument,
    /// `INVALID_VERIFICATION_METHOD`.
    InvalidVerificationMethod,
    /// `INVALID_RELATIONSHIP_FOR_VERIFICATION_METHOD`.
    InvalidRelationship,
    /// `STATUS_RETRIEVAL_ERROR`.
    StatusRetrieval,
    /// `STATUS_VERIFICATION_ERROR`.
    StatusVerification,
    /// `STATUS_LIST_LENGTH_ERROR`.
    StatusListLength,
}

impl Problem {
    /// The name in capital letters.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Parsing => "PARSING_ERROR",
            Self::CryptographicSecurity => "CRYPTOGRAPHIC_SECURITY_ERROR",
            Self::MalformedValue => "MALFORMED_VALUE_ERROR",
            Self::Range => "RANGE_ERROR",
            Self::ProofGeneration => "PROOF_GENERATION_ERROR",
            Self::ProofVerification => "PROOF_VERIFICATION_ERROR",
            Self::ProofTransformation => "PROOF_TRANSFORMATION_ERROR",
            Self::InvalidDomain => "INVALID_DOMAIN_ERROR",
            Self::InvalidChallenge => "INVALID_CHALLENGE_ERROR",
            Self::InvalidVerificationMethodUrl => "INVALID_VERIFICATION_METHOD_URL",
            Self::InvalidControlledIdentifierDocumentId => {
                "INVALID_CONTROLLED_IDENTIFIER_DOCUMENT_ID"
            }
            Self::InvalidControlledIdentifierDocument => "INVALID_CONTROLLED_IDENTIFIER_DOCUMENT",
            Self::InvalidVerificationMethod => "INVALID_VERIFICATION_METHOD",
            Self::InvalidRelationship => "INVALID_RELATIONSHIP_FOR_VERIFICATION_METHOD",
            Self::StatusRetrieval => "STATUS_RETRIEVAL_ERROR",
            Self::StatusVerification => "STATUS_VERIFICATION_ERROR",
            Self::StatusListLength => "STATUS_LIST_LENGTH_ERROR",
        }
    }

    /// What the URL of the type begins with.
    const fn base(self) -> &'static str {
        match self {
            Self::Parsing | Self::CryptographicSecurity | Self::MalformedValue | Self::Range => {
                "https://www.w3.org/TR/vc-data-model#"
            }
            Self::StatusRetrieval | Self::StatusVerification | Self::StatusListLength => {
                "https://www.w3.org/ns/credentials/status-list#"
            }
            Self::ProofGeneration
            | Self::ProofVerification
            | Self::ProofTransformation
            | Self::InvalidDomain
            | Self::InvalidChallenge
            | Self::InvalidVerificationMethodUrl
            | Self::InvalidControlledIdentifierDocumentId
            | Self::InvalidControlledIdentifierDocument
            | Self::InvalidVerificationMethod
            | Self::InvalidRelationship => "https://w3id.org/security#",
        }
    }

    /// The `type` of a problem details object.
    #[must_use]
    pub fn url(self) -> String {
        format!("{}{}", self.base(), self.name())
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::Problem;

    #[test]
    fn urls_stand_in_the_vocabulary_of_their_specification() {
        for (problem, url) in [
            (
                Problem::MalformedValue,
                "https://www.w3.org/TR/vc-data-model#MALFORMED_VALUE_ERROR",
            ),
            (
                Problem::ProofVerification,
                "https://w3id.org/security#PROOF_VERIFICATION_ERROR",
            ),
            (
                Problem::InvalidRelationship,
                "https://w3id.org/security#INVALID_RELATIONSHIP_FOR_VERIFICATION_METHOD",
            ),
            (
                Problem::StatusListLength,
                "https://www.w3.org/ns/credentials/status-list#STATUS_LIST_LENGTH_ERROR",
            ),
        ] {
            assert_eq!(problem.url(), url);
        }
    }
}
