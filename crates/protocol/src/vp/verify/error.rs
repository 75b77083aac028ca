//! Why a response is refused: each reason has its own code.

use vouchsafe_credentials::jwe::JweError;
use vouchsafe_credentials::mdoc::MdocError;
use vouchsafe_credentials::sd_jwt_vc::VcError;
use vouchsafe_credentials::status_list::StatusError;

use crate::vp::dcql::{CredentialMismatch, QueryId, SetError};
use crate::vp::response::WalletError;
use crate::vp::transaction_data::AgreementError;

/// Why a response is refused. No variant carries a byte of a presentation.
#[derive(Debug, thiserror::Error)]
pub enum PresentationError {
    /// It came another way than the request went: posted for a request over the Digital Credentials
    /// API, or the reverse.
    #[error("the response came another way than the request went")]
    Way,
    /// Under another protocol of the Digital Credentials API than was offered.
    #[error("the response came under a protocol that was not offered")]
    Protocol,
    /// Not encrypted although that was asked for, or the reverse.
    #[error("the response is not encrypted as it was asked for")]
    NotEncrypted,
    /// Posted to another `response_uri` than that of the transaction.
    #[error("the response arrived at another response_uri")]
    ResponseUri,
    /// Too late.
    #[error("the transaction has expired")]
    TransactionExpired,
    /// The JWE is not acceptable.
    #[error("the encrypted response is not acceptable")]
    Jwe(#[source] JweError),
    /// Encrypted to another key than that of the transaction.
    #[error("the response is encrypted to another key")]
    EncryptionKey,
    /// What was encrypted is not a JSON object.
    #[error("the response is not acceptable JSON")]
    Json,
    /// The wallet presents nothing, for example because the person declined.
    #[error("the wallet answered with an error")]
    Wallet(WalletError),
    /// `state` is missing or that of another transaction.
    #[error("the state is missing or wrong")]
    State,
    /// A registered claim of the encrypted response is malformed; names which.
    #[error("claim malformed in the response: {0}")]
    ResponseClaim(&'static str),
    /// `exp` of the encrypted response has passed.
    #[error("the response has expired")]
    ResponseExpired,
    /// `nbf` of the encrypted response is still to come.
    #[error("the response is not valid yet")]
    ResponseNotYetValid,
    /// `aud` of the encrypted response names somebody else.
    #[error("the response is meant for somebody else")]
    ResponseAudience,
    /// `error` and `vp_token` in one response.
    #[error("the response is an error and has a vp_token")]
    ErrorBesideToken,
    /// No `vp_token`.
    #[error("the vp_token is missing")]
    TokenMissing,
    /// Not an object of arrays of strings.
    #[error("the vp_token is not an object of arrays")]
    TokenShape,
    /// A key that is no identifier of the query.
    #[error("the vp_token answers a query that was not asked")]
    TokenUnknownId,
    /// No presentation, or several where one is asked for.
    #[error("the vp_token has an array of the wrong length")]
    TokenCount,
    /// Twice the same presentation.
    #[error("the vp_token has the same presentation twice")]
    TokenDuplicate,
    /// The format is not supported here.
    #[error("the format of the credential is not supported")]
    Format,
    /// A credential or its presentation is not acceptable.
    #[error("the presentation for `{query}` is not acceptable")]
    Credential {
        /// The Credential Query it should answer.
        query: QueryId,
        /// Why.
        #[source]
        error: VcError,
    },
    /// An mdoc or its presentation is not acceptable.
    #[error("the mdoc for `{query}` is not acceptable")]
    Mdoc {
        /// The Credential Query it should answer.
        query: QueryId,
        /// Why.
        #[source]
        error: MdocError,
    },
    /// The status list cannot be had.
    #[error("the status of a credential cannot be checked")]
    StatusSource(#[source] StatusSourceError),
    /// What was agreed to is not what was asked.
    #[error("the transaction was not agreed to as it was asked")]
    TransactionData(#[source] AgreementError),
    /// The presentations are bound to different keys.
    #[error("the presentations belong to different holders")]
    HolderDiffers,
    /// A valid credential does not answer its Credential Query.
    #[error("the presentation for `{query}` does not answer it")]
    Query {
        /// The Credential Query.
        query: QueryId,
        /// What does not fit.
        #[source]
        mismatch: CredentialMismatch,
    },
    /// The presentations together do not satisfy the query.
    #[error("the presentations do not satisfy the query")]
    Sets(#[source] SetError),
}

/// Why a status list cannot be had. Fails closed.
#[derive(Debug, thiserror::Error)]
pub enum StatusSourceError {
    /// It cannot be fetched.
    #[error("the status list is unavailable")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// What was fetched is not acceptable.
    #[error("the status list is not acceptable")]
    Rejected(#[source] StatusError),
    /// It is not fetched: that would tell the issuer who shows the credential.
    #[error("the status list is not fetched")]
    Refused(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl PresentationError {
    /// A stable code for logs and interfaces.
    pub fn code(&self) -> &'static str {
        match self {
            PresentationError::Way => "response_other_way",
            PresentationError::Protocol => "response_other_protocol",
            PresentationError::NotEncrypted => "response_not_encrypted",
            PresentationError::ResponseUri => "response_uri_mismatch",
            PresentationError::TransactionExpired => "transaction_expired",
            PresentationError::Jwe(JweError::Algorithm) => "jwe_alg",
            PresentationError::Jwe(JweError::Encryption) => "jwe_enc",
            PresentationError::Jwe(JweError::Decryption) => "jwe_decryption",
            PresentationError::Jwe(_) => "jwe_malformed",
            PresentationError::EncryptionKey => "jwe_other_key",
            PresentationError::Json => "response_json",
            PresentationError::Wallet(_) => "wallet_error",
            PresentationError::State => "state_mismatch",
            PresentationError::ResponseClaim(_) => "response_claim_malformed",
            PresentationError::ResponseExpired => "response_expired",
            PresentationError::ResponseNotYetValid => "response_not_yet_valid",
            PresentationError::ResponseAudience => "response_audience",
            PresentationError::ErrorBesideToken => "response_error_and_token",
            PresentationError::TokenMissing => "vp_token_missing",
            PresentationError::TokenShape => "vp_token_shape",
            PresentationError::TokenUnknownId => "vp_token_unknown_id",
            PresentationError::TokenCount => "vp_token_count",
            PresentationError::TokenDuplicate => "vp_token_duplicate",
            PresentationError::Format => "format_unsupported",
            PresentationError::Credential { query: _, error } => error.code(),
            PresentationError::Mdoc { query: _, error } => error.code(),
            PresentationError::StatusSource(StatusSourceError::Unavailable(_)) => {
                "status_unavailable"
            }
            PresentationError::StatusSource(StatusSourceError::Rejected(error)) => error.code(),
            PresentationError::StatusSource(StatusSourceError::Refused(_)) => "status_tracking",
            PresentationError::TransactionData(error) => error.code(),
            PresentationError::HolderDiffers => "holder_differs",
            PresentationError::Query { query: _, mismatch } => match mismatch {
                CredentialMismatch::Format => "query_format",
                CredentialMismatch::Type => "query_type",
                CredentialMismatch::Authority => "query_authority",
                CredentialMismatch::HolderBinding => "query_holder_binding",
                CredentialMismatch::Claims => "query_claims",
            },
            PresentationError::Sets(SetError::CredentialMissing) => "query_credential_missing",
            PresentationError::Sets(SetError::SetUnmet) => "query_set_unmet",
        }
    }
}
