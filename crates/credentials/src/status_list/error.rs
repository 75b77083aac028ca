//! Why a status could not be had, or is not "valid".

use thiserror::Error;

use crate::cose::CoseError;
use crate::jws::JwsError;
use crate::x509::X509Error;

/// Why no statement about a status can be made, or why it forbids acceptance.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StatusError {
    /// `bits` is not 1, 2, 4 or 8.
    #[error("`bits` is not 1, 2, 4 or 8")]
    Bits,
    /// The value does not fit into `bits`.
    #[error("the status does not fit into the list")]
    ValueTooLarge,
    /// The index lies outside of the list.
    #[error("the index lies outside of the list")]
    OutOfRange,
    /// The list is larger than allowed, compressed or not.
    #[error("the status list is too large")]
    TooLarge,
    /// `lst` is not base64url of one whole zlib stream.
    #[error("the status list cannot be decompressed")]
    Encoding,
    /// Not an acceptable JWS of the type `statuslist+jwt`.
    #[error("not an acceptable status list token")]
    Jwt(#[source] JwsError),
    /// Not an acceptable `COSE_Sign1`.
    #[error("not an acceptable status list token")]
    Cose(#[source] CoseError),
    /// `typ` of the CWT is another one.
    #[error("not a token of this type")]
    Type,
    /// The signer's certificate chain is not acceptable.
    #[error("the certificate chain of the status list is not acceptable")]
    Chain(#[source] X509Error),
    /// The signer may not speak for this issuer.
    #[error("the signer may not speak for this issuer")]
    Signer,
    /// A claim is missing or malformed.
    #[error("the claim `{0}` is missing or malformed")]
    Claim(&'static str),
    /// `sub` is not the URI of the reference.
    #[error("the status list is for another URI")]
    WrongUri,
    /// `exp` has passed.
    #[error("the status list has expired")]
    Expired,
    /// `iat` or `nbf` lies in the future.
    #[error("the status list is of the future")]
    InFuture,
    /// Older than one seen before.
    #[error("the status list is older than one seen before")]
    Rollback,
    /// The credential has a status, but no list was given.
    #[error("the status was not checked")]
    NotChecked,
    /// The list belongs to another issuer or URI than the credential, or the
    /// credential has no status.
    #[error("the status list does not belong to this credential")]
    WrongList,
    /// `INVALID`: revoked.
    #[error("revoked")]
    Revoked,
    /// `SUSPENDED`
    #[error("suspended")]
    Suspended,
    /// A status without a meaning here.
    #[error("a status of unknown meaning")]
    Unknown,
}

impl StatusError {
    /// A stable code for logs and interfaces.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Bits => "status_bits",
            Self::ValueTooLarge => "status_value_too_large",
            Self::OutOfRange => "status_index_out_of_range",
            Self::TooLarge => "status_list_too_large",
            Self::Encoding => "status_list_encoding",
            Self::Jwt(_) => "status_token_jwt",
            Self::Cose(_) => "status_token_cose",
            Self::Type => "status_token_type",
            Self::Chain(_) => "status_token_chain",
            Self::Signer => "status_token_signer",
            Self::Claim(_) => "status_token_claim",
            Self::WrongUri => "status_token_uri",
            Self::Expired => "status_token_expired",
            Self::InFuture => "status_token_in_future",
            Self::Rollback => "status_token_rollback",
            Self::NotChecked => "status_not_checked",
            Self::WrongList => "status_wrong_list",
            Self::Revoked => "credential_revoked",
            Self::Suspended => "credential_suspended",
            Self::Unknown => "status_unknown",
        }
    }
}
