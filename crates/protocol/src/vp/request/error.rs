//! Why a wallet refuses a request, and what it may tell the verifier.

use url::Url;
use vouchsafe_credentials::jws::JwsError;
use vouchsafe_credentials::x509::X509Error;

use super::attestation::AttestationError;
use super::{AUDIENCE, Requester};
use crate::vp::client_id::ClientIdError;
use crate::vp::dcql::DcqlError;
use crate::vp::metadata::MetadataError;
use crate::vp::response::ErrorCode;
use crate::vp::transaction_data::TransactionDataError;
use crate::vp::values::State;

/// A refused request.
#[derive(Debug, thiserror::Error)]
#[error("the request is refused")]
pub struct Refusal {
    /// Why.
    #[source]
    pub error: RequestError,
    /// Where an error response may be sent: only to a verifier whose signature was good.
    pub reply_to: Option<Box<ReplyTo>>,
    /// Whose signature that was. Whoever the person does not want to hear is told nothing.
    pub requester: Option<Box<Requester>>,
}

/// Where an error response goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplyTo {
    /// `response_uri` of the request.
    pub response_uri: Url,
    /// `state` of the request.
    pub state: Option<State>,
}

/// What is wrong with a request.
#[derive(Debug, thiserror::Error)]
pub enum RequestError {
    /// Longer than [`MAX_BYTES`](super::MAX_BYTES).
    #[error("the request object is too large")]
    TooLarge,
    /// Not an acceptable JWS: `typ`, `alg`, shape or signature.
    #[error("the request object is not acceptable")]
    Jws(#[source] JwsError),
    /// The client identifier, or a certificate that is not the client's.
    #[error("the client identifier is not acceptable")]
    ClientId(#[source] ClientIdError),
    /// `client_id` of the link and of the request object differ.
    #[error("the client identifiers of link and request object differ")]
    ClientIdDiffers,
    /// The verifier attestation is missing or not acceptable.
    #[error("the verifier attestation is not acceptable")]
    Attestation(#[source] AttestationError),
    /// Nobody that the wallet believes vouches for the verifier.
    #[error("nobody vouches for the verifier")]
    Unvouched,
    /// A request that nobody signs, under an identifier that demands a signature.
    #[error("the request is not signed")]
    Unsigned,
    /// The DID of the verifier cannot be resolved.
    #[error("the DID of the verifier cannot be resolved")]
    DidUnresolved,
    /// `kid` names no key that the verifier may sign with.
    #[error("the key of the request object is not one of the verifier's")]
    UnknownKey,
    /// No signature of several is one of a verifier that the wallet can identify.
    #[error("no signature is acceptable")]
    NoSignature,
    /// No `x5c` in the header.
    #[error("the request object has no certificate")]
    NoCertificate,
    /// The certificate chain does not lead to a trusted anchor.
    #[error("the certificate of the verifier is not trusted")]
    Certificate(#[source] X509Error),
    /// `aud` is not `https://self-issued.me/v2`.
    #[error(
        "the request object is for another audience: its aud must be {}",
        AUDIENCE
    )]
    Audience,
    /// `exp` has passed.
    #[error("the request has expired")]
    Expired,
    /// `iat` or `nbf` lies in the future.
    #[error("the request is not valid yet")]
    NotYetValid,
    /// A parameter is missing or has the wrong type.
    #[error("the parameter {0} is missing or malformed")]
    Parameter(&'static str),
    /// `response_type` is not `vp_token`.
    #[error("the response type is not supported")]
    ResponseType,
    /// `response_mode` is not that of an encrypted response on this way: `direct_post.jwt`, or
    /// `dc_api.jwt` over the Digital Credentials API.
    #[error("the response mode is not supported")]
    ResponseMode,
    /// `redirect_uri` together with `direct_post.jwt`.
    #[error("redirect_uri must not be used with direct_post.jwt")]
    RedirectUri,
    /// `response_uri` is missing or not acceptable.
    #[error("the response_uri is not acceptable")]
    ResponseUri,
    /// Both `dcql_query` and `scope`.
    #[error("the request has both dcql_query and scope")]
    QueryAndScope,
    /// Neither `dcql_query` nor `scope`.
    #[error("the request has neither dcql_query nor scope")]
    NoQuery,
    /// `scope`: this wallet knows no scope that stands for a query.
    #[error("the scope is not known")]
    Scope,
    /// The query is not valid.
    #[error("the query is not valid")]
    Query(#[source] DcqlError),
    /// `transaction_data` is not what one of the known types is, or names no card that may authorise it.
    #[error("transaction_data is not acceptable")]
    TransactionData(#[source] TransactionDataError),
    /// `wallet_nonce` is missing or not the one that was sent.
    #[error("the wallet_nonce is missing or wrong")]
    WalletNonce,
    /// An exchange protocol of the Digital Credentials API that is not supported.
    #[error("the protocol is not supported")]
    Protocol,
    /// `expected_origins` is missing or does not name the origin that asks.
    #[error("the origin that asks is not one of the expected origins")]
    Origin,
    /// `client_metadata` is not usable.
    #[error("the client metadata is not usable")]
    Metadata(#[source] MetadataError),
    /// The verifier does not read the format it asks for, or it is not ours.
    #[error("no requested credential format is supported")]
    Formats,
}

impl RequestError {
    /// A stable code for logs and interfaces.
    pub fn code(&self) -> &'static str {
        match self {
            RequestError::TooLarge => "request_too_large",
            RequestError::Jws(JwsError::WrongType) => "request_wrong_typ",
            RequestError::Jws(JwsError::Algorithm) => "request_alg_not_allowed",
            RequestError::Jws(JwsError::Signature) => "request_signature_invalid",
            RequestError::Jws(_) => "request_malformed",
            RequestError::ClientId(ClientIdError::Origin) => "client_id_origin",
            RequestError::ClientId(ClientIdError::RedirectUri) => "client_id_redirect_uri",
            RequestError::ClientId(ClientIdError::UnsupportedPrefix) => "client_id_prefix",
            RequestError::ClientId(ClientIdError::Unregistered) => "client_id_unregistered",
            RequestError::ClientId(ClientIdError::Malformed) => "client_id_mismatch",
            RequestError::ClientId(ClientIdError::Federation) => "client_id_federation",
            RequestError::ClientIdDiffers => "client_id_differs",
            RequestError::Attestation(error) => error.code(),
            RequestError::Unvouched => "verifier_not_trusted",
            RequestError::Unsigned => "request_unsigned",
            RequestError::DidUnresolved => "verifier_did_unresolved",
            RequestError::UnknownKey => "request_key_unknown",
            RequestError::NoSignature => "request_no_valid_signature",
            RequestError::NoCertificate => "request_no_certificate",
            RequestError::Certificate(_) => "verifier_not_trusted",
            RequestError::Audience => "request_wrong_audience",
            RequestError::Expired => "request_expired",
            RequestError::NotYetValid => "request_not_yet_valid",
            RequestError::Parameter(_) => "request_parameter",
            RequestError::ResponseType => "response_type_unsupported",
            RequestError::ResponseMode => "response_mode_unsupported",
            RequestError::RedirectUri => "redirect_uri_with_direct_post",
            RequestError::ResponseUri => "response_uri_unacceptable",
            RequestError::QueryAndScope => "query_and_scope",
            RequestError::NoQuery => "query_missing",
            RequestError::Scope => "scope_unknown",
            RequestError::Query(_) => "query_invalid",
            RequestError::TransactionData(error) => error.code(),
            RequestError::WalletNonce => "wallet_nonce_mismatch",
            RequestError::Protocol => "request_protocol_unsupported",
            RequestError::Origin => "request_wrong_origin",
            RequestError::Metadata(_) => "client_metadata_unusable",
            RequestError::Formats => "formats_unsupported",
        }
    }

    /// The error code of the Authorization Error Response (OpenID4VP 1.0, section 8.5).
    pub fn error_code(&self) -> ErrorCode {
        match self {
            RequestError::TransactionData(_) => ErrorCode::InvalidTransactionData,
            RequestError::Formats => ErrorCode::VpFormatsNotSupported,
            RequestError::Scope => ErrorCode::InvalidScope,
            RequestError::ResponseType => ErrorCode::UnsupportedResponseType,
            RequestError::Certificate(_)
            | RequestError::Attestation(_)
            | RequestError::Unvouched
            | RequestError::DidUnresolved => ErrorCode::InvalidClient,
            RequestError::TooLarge
            | RequestError::Jws(_)
            | RequestError::ClientId(_)
            | RequestError::ClientIdDiffers
            | RequestError::NoCertificate
            | RequestError::Unsigned
            | RequestError::UnknownKey
            | RequestError::NoSignature
            | RequestError::Audience
            | RequestError::Expired
            | RequestError::NotYetValid
            | RequestError::Parameter(_)
            | RequestError::ResponseMode
            | RequestError::RedirectUri
            | RequestError::ResponseUri
            | RequestError::QueryAndScope
            | RequestError::NoQuery
            | RequestError::Query(_)
            | RequestError::WalletNonce
            | RequestError::Protocol
            | RequestError::Origin
            | RequestError::Metadata(_) => ErrorCode::InvalidRequest,
        }
    }
}
