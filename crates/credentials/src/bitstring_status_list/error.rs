//! Why a status does not allow acceptance.

use thiserror::Error;

use super::RetrievalError;
use crate::problem::Problem;
use crate::vcdm::VerifyError;

/// Why a status cannot be told, or does not allow acceptance.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StatusError {
    /// A property of `credentialStatus` or of the list is malformed.
    #[error("the property `{0}` of the status is malformed")]
    Malformed(&'static str),
    /// Another type of status, which may well say "revoked".
    #[error("the status cannot be checked")]
    Unsupported,
    /// The list could not be had.
    #[error("the status list cannot be retrieved")]
    Retrieval(#[from] RetrievalError),
    /// The list is no credential we accept, see the source.
    #[error("the status list credential is not acceptable")]
    ListCredential(#[source] Box<VerifyError>),
    /// Not JSON, or of a media type that is none of ours.
    #[error("the status list credential cannot be read")]
    ListFormat,
    /// `statusPurpose` of the list is not the one of the entry.
    #[error("the list is for another purpose")]
    Purpose,
    /// The stream is not GZIP in base64url multibase.
    #[error("the list is not correctly encoded")]
    Encoding,
    /// The list is larger than what is looked at.
    #[error("the list is too large")]
    TooLarge,
    /// Fewer bits than a herd of credentials needs.
    #[error("the list is shorter than 131072 bits")]
    TooShort,
    /// `statusListIndex` lies beyond the end.
    #[error("the index is out of range")]
    OutOfRange,
    /// The value does not fit into `statusSize`.
    #[error("the value does not fit")]
    ValueTooLarge,
    /// Purpose `revocation`, and the bit is set.
    #[error("the credential is revoked")]
    Revoked,
    /// Purpose `suspension`, and the bit is set.
    #[error("the credential is suspended")]
    Suspended,
    /// A purpose without a meaning here, and the bit is set.
    #[error("the credential has a status that is not understood")]
    Unknown,
}

impl StatusError {
    /// A stable code for logs and interfaces.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Malformed(_) => "status_malformed",
            Self::Unsupported => "status_unsupported",
            Self::Retrieval(_) => "status_retrieval",
            Self::ListCredential(_) => "status_list_credential",
            Self::ListFormat => "status_list_format",
            Self::Purpose => "status_purpose",
            Self::Encoding => "status_list_encoding",
            Self::TooLarge => "status_list_too_large",
            Self::TooShort => "status_list_too_short",
            Self::OutOfRange => "status_out_of_range",
            Self::ValueTooLarge => "status_value_too_large",
            Self::Revoked => "status_revoked",
            Self::Suspended => "status_suspended",
            Self::Unknown => "status_unknown",
        }
    }

    /// Bitstring Status List 1.0, section 3.5.
    #[must_use]
    pub const fn problem(&self) -> Problem {
        match self {
            Self::Malformed(_) | Self::Encoding => Problem::MalformedValue,
            Self::Retrieval(_) => Problem::StatusRetrieval,
            Self::Unsupported
            | Self::ListCredential(_)
            | Self::ListFormat
            | Self::Purpose
            | Self::TooLarge
            | Self::Revoked
            | Self::Suspended
            | Self::Unknown => Problem::StatusVerification,
            Self::TooShort => Problem::StatusListLength,
            Self::OutOfRange | Self::ValueTooLarge => Problem::Range,
        }
    }
}
