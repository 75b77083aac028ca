//! Why a credential or a presentation is refused.

use thiserror::Error;

use super::VcdmError;
use crate::bitstring_status_list::StatusError;
use crate::data_integrity::ProofError;
use crate::problem::Problem;
use crate::vc_jose_cose::EnvelopeError;

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
    /// An envelope does not hold.
    #[error("the envelope is not acceptable")]
    Envelope(#[from] EnvelopeError),
    /// No proof is made with a key of the issuer.
    #[error("no proof is the issuer's")]
    IssuerMismatch,
    /// The issuer is none that the policy accepts.
    #[error("the issuer is not accepted")]
    IssuerNotAccepted,
    /// None of the types that the policy wants.
    #[error("another type than wanted")]
    TypeNotAccepted,
    /// `validFrom` has not come.
    #[error("the credential is not yet valid")]
    NotYetValid,
    /// `validUntil` has passed.
    #[error("the credential has expired")]
    Expired,
    /// The policy wants a status and the credential has none.
    #[error("the credential has no status")]
    StatusMissing,
    /// The status does not allow acceptance.
    #[error("the status does not allow acceptance")]
    Status(#[from] StatusError),
    /// No proof is made with a key of the holder.
    #[error("no proof is the holder's")]
    HolderMismatch,
    /// The policy wants the holder to be the subject, and there is no holder.
    #[error("the presentation names no holder")]
    HolderMissing,
    /// The policy wants the holder to be the subject, and it is another.
    #[error("the holder is not the subject")]
    HolderNotSubject,
    /// The credential is bound to a key (`cnf`), and nobody presents it.
    #[error("the credential is bound to a holder who does not present it")]
    HolderUnproven,
    /// `cnf` names the key in a way that is not supported.
    #[error("the holder's key is named in a way that is not supported")]
    HolderKeyUnsupported,
    /// `cnf` is another key than the presenter's.
    #[error("the presenter has another key than the holder")]
    HolderKeyMismatch,
    /// The policy wants credentials, and there is none.
    #[error("the presentation holds no credential")]
    Empty,
    /// A credential of the presentation is refused.
    #[error("credential {index} is not acceptable")]
    Credential {
        /// Its place in `verifiableCredential`, from 0.
        index: usize,
        /// Why.
        #[source]
        source: Box<VerifyError>,
    },
}

impl VerifyError {
    /// A stable code for logs and interfaces. For a credential in a presentation, the credential's.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Malformed(error) => error.code(),
            Self::Proof(error) => error.code(),
            Self::Envelope(error) => error.code(),
            Self::IssuerMismatch => "issuer_mismatch",
            Self::IssuerNotAccepted => "issuer_untrusted",
            Self::TypeNotAccepted => "type_not_accepted",
            Self::NotYetValid => "credential_not_yet_valid",
            Self::Expired => "credential_expired",
            Self::StatusMissing => "status_missing",
            Self::Status(error) => error.code(),
            Self::HolderMismatch => "holder_mismatch",
            Self::HolderMissing => "holder_missing",
            Self::HolderNotSubject => "holder_not_subject",
            Self::HolderUnproven => "holder_unproven",
            Self::HolderKeyUnsupported => "holder_key_unsupported",
            Self::HolderKeyMismatch => "holder_key_mismatch",
            Self::Empty => "presentation_empty",
            Self::Credential { source, .. } => source.code(),
        }
    }

    /// The problem type.
    #[must_use]
    pub fn problem(&self) -> Problem {
        match self {
            Self::Malformed(error) => error.problem(),
            Self::Proof(error) => error.problem(),
            Self::Envelope(error) => error.problem(),
            Self::Status(error) => error.problem(),
            // Controlled Identifiers 1.0, section 3.3: a method of somebody else.
            Self::IssuerMismatch | Self::HolderMismatch => Problem::InvalidVerificationMethod,
            // VCDM 2.0, section 7.1: a value outside the expected range.
            Self::NotYetValid
            | Self::Expired
            | Self::TypeNotAccepted
            | Self::IssuerNotAccepted
            | Self::HolderMissing
            | Self::HolderNotSubject
            | Self::Empty => Problem::Range,
            Self::HolderUnproven | Self::HolderKeyUnsupported | Self::HolderKeyMismatch => {
                Problem::CryptographicSecurity
            }
            Self::StatusMissing => Problem::StatusVerification,
            Self::Credential { source, .. } => source.problem(),
        }
    }
}
