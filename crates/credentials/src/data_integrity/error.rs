//! Why a proof is refused.

use thiserror::Error;

use crate::crypto::SignerError;
use crate::jcs::JcsError;
use crate::problem::Problem;

/// A cause that another crate's cryptosuite names.
pub type SuiteError = Box<dyn std::error::Error + Send + Sync>;

/// Why a proof is refused or could not be made. None carries a claim.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ProofError {
    /// `proof` is missing, `null` or an empty list.
    #[error("there is no proof")]
    Missing,
    /// More than [`super::MAX_PROOFS`] proofs.
    #[error("too many proofs")]
    TooMany,
    /// The secured document is not a JSON object.
    #[error("the document is not an object")]
    Document,
    /// A property of the proof is missing or has a value that it must not have.
    #[error("the property `{0}` of the proof is malformed")]
    Malformed(&'static str),
    /// `type` is not `DataIntegrityProof`.
    #[error("another type of proof than DataIntegrityProof")]
    Type,
    /// `cryptosuite` is none that the caller allows.
    #[error("the cryptosuite is not supported")]
    UnknownSuite,
    /// Two proofs have the same `id`.
    #[error("two proofs have one id")]
    DuplicateId,
    /// `previousProof` names a proof that is not there, or the proof itself.
    #[error("a previous proof is unknown")]
    PreviousProof,
    /// The `@context` of the proof is not how the document's begins.
    #[error("the context of the proof is not the document's")]
    Context,
    /// The document or the proof has no canonical form.
    #[error("the document cannot be transformed")]
    Transformation(#[source] SuiteError),
    /// A proof covers statements, and they do not say what the JSON says.
    #[error("the signed statements are not what the document says")]
    Statements,
    /// `proofValue` is not in the encoding of the cryptosuite.
    #[error("the proof value is malformed")]
    ProofValue,
    /// A base proof, which only its holder may use.
    #[error("a base proof where a derived one is expected")]
    BaseProof,
    /// A derived proof where a base proof is expected.
    #[error("a derived proof where a base one is expected")]
    DerivedProof,
    /// The key is of another type than the cryptosuite uses.
    #[error("the key does not fit the cryptosuite")]
    Key,
    /// The signature is not of this key and document.
    #[error("signature verification failed")]
    Signature,
    /// `proofPurpose` is another than expected.
    #[error("made for another purpose")]
    Purpose,
    /// `created` lies in the future.
    #[error("made in the future")]
    CreatedInFuture,
    /// `expires` has passed.
    #[error("the proof has expired")]
    Expired,
    /// `domain` is not the expected one.
    #[error("made for another domain")]
    Domain,
    /// `challenge` is not the expected one.
    #[error("made for another challenge")]
    Challenge,
    /// The presentation header is not the expected one, or the proof can have none.
    #[error("made for another presentation header")]
    PresentationHeader,
    /// `verificationMethod` is not a URL with a fragment, or not one that can be resolved here.
    #[error("the verification method is not a usable URL")]
    MethodUrl,
    /// The document of the controller could not be had.
    #[error("the verification method's document cannot be resolved")]
    Resolution(#[source] SuiteError),
    /// The document of the controller is not acceptable.
    #[error("the verification method's document is not acceptable")]
    ControllerDocument,
    /// The document has no such method, or one that cannot be used.
    #[error("the verification method is unknown or unusable")]
    Method,
    /// The method is not listed for the purpose of the proof.
    #[error("the verification method is not authorised for the purpose")]
    Relationship,
    /// The method was revoked.
    #[error("the verification method is revoked")]
    MethodRevoked,
    /// The method has expired.
    #[error("the verification method has expired")]
    MethodExpired,
    /// Options with which no proof can be made.
    #[error("the option `{0}` is not usable")]
    Options(&'static str),
    /// The suite has no such operation.
    #[error("the cryptosuite cannot do this")]
    Unsupported,
    /// The signer failed.
    #[error("the signer failed")]
    Signer(#[source] SignerError),
}

impl ProofError {
    /// A stable code for logs and interfaces.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Missing => "proof_missing",
            Self::TooMany => "proof_too_many",
            Self::Document => "proof_document",
            Self::Malformed(_) => "proof_malformed",
            Self::Type => "proof_type",
            Self::UnknownSuite => "proof_cryptosuite",
            Self::DuplicateId => "proof_duplicate_id",
            Self::PreviousProof => "proof_previous_unknown",
            Self::Context => "proof_context",
            Self::Transformation(_) => "proof_transformation",
            Self::Statements => "proof_statements",
            Self::ProofValue => "proof_value",
            Self::BaseProof => "proof_base",
            Self::DerivedProof => "proof_derived",
            Self::Key => "proof_key",
            Self::Signature => "proof_signature",
            Self::Purpose => "proof_purpose",
            Self::CreatedInFuture => "proof_created_in_future",
            Self::Expired => "proof_expired",
            Self::Domain => "proof_domain",
            Self::Challenge => "proof_challenge",
            Self::PresentationHeader => "proof_presentation_header",
            Self::MethodUrl => "verification_method_url",
            Self::Resolution(_) => "verification_method_resolution",
            Self::ControllerDocument => "verification_method_document",
            Self::Method => "verification_method_unknown",
            Self::Relationship => "verification_method_relationship",
            Self::MethodRevoked => "verification_method_revoked",
            Self::MethodExpired => "verification_method_expired",
            Self::Options(_) => "proof_options",
            Self::Unsupported => "proof_unsupported",
            Self::Signer(_) => "signer_failed",
        }
    }

    /// The problem type of Data Integrity 1.0, section 4.7, or Controlled Identifiers 1.0, section 3.5.
    #[must_use]
    pub const fn problem(&self) -> Problem {
        match self {
            Self::Missing
            | Self::TooMany
            | Self::Document
            | Self::Malformed(_)
            | Self::DuplicateId
            | Self::PreviousProof
            | Self::Context
            | Self::ProofValue
            | Self::BaseProof
            | Self::DerivedProof
            | Self::Key
            | Self::Signature
            | Self::Purpose
            | Self::CreatedInFuture
            | Self::Expired
            | Self::PresentationHeader => Problem::ProofVerification,
            // The suites: a type or cryptosuite that is another ends the transformation.
            Self::Type | Self::UnknownSuite | Self::Transformation(_) | Self::Statements => {
                Problem::ProofTransformation
            }
            Self::Domain => Problem::InvalidDomain,
            Self::Challenge => Problem::InvalidChallenge,
            Self::MethodUrl => Problem::InvalidVerificationMethodUrl,
            Self::Resolution(_) | Self::ControllerDocument => {
                Problem::InvalidControlledIdentifierDocument
            }
            Self::Method | Self::MethodRevoked | Self::MethodExpired => {
                Problem::InvalidVerificationMethod
            }
            Self::Relationship => Problem::InvalidRelationship,
            Self::Options(_) | Self::Unsupported | Self::Signer(_) => Problem::ProofGeneration,
        }
    }

    /// A document that has no canonical form, for this reason.
    pub fn transformation(cause: impl Into<SuiteError>) -> Self {
        Self::Transformation(cause.into())
    }
}

impl From<JcsError> for ProofError {
    fn from(cause: JcsError) -> Self {
        Self::transformation(cause)
    }
}
