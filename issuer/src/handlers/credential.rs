//! `POST /credential`: the credential endpoint (OpenID4VCI 1.0, section 8).

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use vouchsafe_credentials::credential_type::Format;
use vouchsafe_credentials::crypto::Algorithm;
use vouchsafe_credentials::did::LocalResolver;
use vouchsafe_credentials::jwe::JweError;
use vouchsafe_protocol::http::Headers;
use vouchsafe_protocol::oauth::access_token::{PresentationError, PresentedToken, challenge};
use vouchsafe_protocol::oauth::dpop::DpopError;
use vouchsafe_protocol::oauth::token::TokenType;
use vouchsafe_protocol::oauth::{ErrorCode, OAuthError};
use vouchsafe_protocol::vci::proof::{self, Expected};
use vouchsafe_protocol::vci::proofs::{self, AcceptedProofs, ProofsExpected};
use vouchsafe_protocol::vci::request::{RequestError, Requested};
use vouchsafe_protocol::vci::response::DeferredResponse;
use vouchsafe_protocol::vci::{
    CredentialError, CredentialErrorCode, CredentialRequest, CredentialResponse,
};
use vouchsafe_service::db::DbError;

use super::message::{self, Message, MessageError};
use super::wire::{self, PROOF_ALGORITHMS, ProofError, json_no_store};
use crate::claims::{ClaimsError, open_under_token};
use crate::core::Core;
use crate::deferral;
use crate::domain::offer::Decision;
use crate::domain::secret::{Purpose, Secret};
use crate::issue::{self, IssueError, Issued, Order};
use crate::paths::CREDENTIAL;
use crate::proof_types;
use crate::store::decisions;
use crate::store::tokens::{self, TokenGrant, TokenUse};

/// Why no credential was issued.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No access token, or not readable.
    #[error("no access token")]
    Token(#[from] PresentationError),
    /// Unknown, expired or revoked, or presented in the wrong way.
    #[error("the access token is not valid")]
    InvalidToken,
    /// The DPoP proof is not acceptable.
    #[error("the proof of possession is not acceptable")]
    Dpop(#[from] ProofError),
    /// The token is for another credential configuration.
    #[error("the access token does not allow this credential")]
    OtherConfiguration,
    /// The body cannot be read.
    #[error("the body cannot be read")]
    Message(#[from] MessageError),
    /// Not a credential request.
    #[error("not a credential request")]
    Request(#[from] RequestError),
    /// No such configuration.
    #[error("no such credential configuration")]
    UnknownConfiguration,
    /// No credential identifier of this token.
    #[error("no such credential identifier")]
    UnknownIdentifier,
    /// A key proof is not acceptable.
    #[error("a key proof is not acceptable")]
    Proof(#[from] proof::ProofError),
    /// Sealed claims do not open: a fault of ours.
    #[error("sealed claims cannot be read")]
    Sealed(#[from] ClaimsError),
    /// Nothing was issued.
    #[error("nothing was issued")]
    Issue(#[from] IssueError),
    /// The answer cannot be encrypted: a fault of ours.
    #[error("the answer cannot be encrypted")]
    Seal(#[from] JweError),
    /// The database failed.
    #[error("the database failed")]
    Db(#[from] DbError),
}

/// How an error goes out.
enum Wire {
    /// RFC 6750, section 3: status and `WWW-Authenticate`.
    Authorization(Option<OAuthError>),
    /// Section 8.3.1.2: status 400 and JSON.
    Request(CredentialError),
    /// 415.
    MediaType,
    /// 503.
    Unavailable,
    /// 500.
    Internal,
}

impl Error {
    fn wire(&self) -> Wire {
        match self {
            Self::Token(error) => Wire::Authorization((*error).into()),
            Self::InvalidToken | Self::Issue(IssueError::TokenGone) => {
                Wire::Authorization(Some(ErrorCode::InvalidToken.into()))
            }
            Self::Dpop(ProofError::Dpop(error)) => Wire::Authorization(Some(dpop_error(error))),
            Self::Dpop(ProofError::Replayed) => {
                Wire::Authorization(Some(ErrorCode::InvalidDpopProof.into()))
            }
            Self::OtherConfiguration => {
                Wire::Authorization(Some(ErrorCode::InsufficientScope.into()))
            }
            Self::Message(MessageError::MediaType) => Wire::MediaType,
            Self::Message(MessageError::Encryption(_)) => {
                Wire::Request(CredentialErrorCode::InvalidEncryptionParameters.into())
            }
            Self::Message(MessageError::Request(error)) | Self::Request(error) => {
                Wire::Request((*error).into())
            }
            Self::UnknownConfiguration => {
                Wire::Request(CredentialErrorCode::UnknownCredentialConfiguration.into())
            }
            Self::UnknownIdentifier => {
                Wire::Request(CredentialErrorCode::UnknownCredentialIdentifier.into())
            }
            Self::Proof(error) => Wire::Request(error.into()),
            Self::Issue(IssueError::NonceUsed) => {
                Wire::Request(CredentialErrorCode::InvalidNonce.into())
            }
            Self::Issue(IssueError::UsedUp | IssueError::NotApproved | IssueError::Suspended) => {
                Wire::Request(CredentialErrorCode::CredentialRequestDenied.into())
            }
            Self::Issue(IssueError::TransactionEnded) => {
                Wire::Request(CredentialErrorCode::InvalidTransactionId.into())
            }
            Self::Dpop(ProofError::Db(error))
            | Self::Issue(IssueError::Db(error))
            | Self::Db(error) => {
                if error.is_temporary() {
                    Wire::Unavailable
                } else {
                    Wire::Internal
                }
            }
            Self::Sealed(_)
            | Self::Seal(_)
            | Self::Issue(
                IssueError::RecordMismatch
                | IssueError::UnknownType
                | IssueError::Claims(_)
                | IssueError::Status(_)
                | IssueError::Sign(_),
            ) => Wire::Internal,
        }
    }
}

/// RFC 9449, section 7.1: a proof with another key makes the token invalid.
fn dpop_error(error: &DpopError) -> OAuthError {
    match error {
        DpopError::Key => ErrorCode::InvalidToken.into(),
        other => other.into(),
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        match self.wire() {
            Wire::Authorization(error) => {
                tracing::info!(reason = %self, "credential request refused");
                authorization_error(error.as_ref())
            }
            Wire::Request(error) => {
                let code = error.error.as_str();
                tracing::info!(code, reason = %self, "credential request refused");
                json_no_store(StatusCode::BAD_REQUEST, &error)
            }
            Wire::MediaType => {
                let error = CredentialErrorCode::InvalidCredentialRequest;
                json_no_store(
                    StatusCode::UNSUPPORTED_MEDIA_TYPE,
                    &CredentialError::from(error),
                )
            }
            Wire::Unavailable => {
                tracing::error!(error = &self as &dyn std::error::Error, "credential failed");
                let error = OAuthError::from(ErrorCode::TemporarilyUnavailable);
                let mut response = json_no_store(StatusCode::SERVICE_UNAVAILABLE, &error);
                response
                    .headers_mut()
                    .insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
                response
            }
            Wire::Internal => {
                tracing::error!(error = &self as &dyn std::error::Error, "credential failed");
                let error = OAuthError::from(ErrorCode::ServerError);
                json_no_store(StatusCode::INTERNAL_SERVER_ERROR, &error)
            }
        }
    }
}

/// RFC 6750, section 3, and RFC 9449, section 7.1: one challenge for each scheme.
fn authorization_error(error: Option<&OAuthError>) -> Response {
    let status = match error {
        Some(error) if error.code == ErrorCode::InsufficientScope => StatusCode::FORBIDDEN,
        Some(_) | None => StatusCode::UNAUTHORIZED,
    };
    let mut response = match error {
        Some(error) => json_no_store(status, error),
        None => status.into_response(),
    };
    for scheme in [TokenType::Dpop, TokenType::Bearer] {
        let value = challenge(scheme, error, &PROOF_ALGORITHMS);
        if let Ok(value) = HeaderValue::try_from(value) {
            response
                .headers_mut()
                .append(header::WWW_AUTHENTICATE, value);
        }
    }
    response
}

/// Issues credentials for the keys of the request.
pub async fn handler(
    State(core): State<Core>,
    map: HeaderMap,
    body: Bytes,
) -> Result<Response, Error> {
    let headers = wire::headers(&map);
    let (token, grant) = authorize(&core, &headers, CREDENTIAL, TokenUse::Issue).await?;
    let Message {
        members,
        encryption,
    } = message::read(&core, &map, &body)?;
    let request = CredentialRequest::read(&members)?;
    let format = check_configuration(&core, &grant, &request.requested).await?;
    let proofs = verify_proofs(&core, &grant, &request).await?;
    let claims = open_under_token(&token, &grant.offer, &grant.claims_sealed)?;
    let order = Order {
        token: token.hash(Purpose::AccessToken),
        format,
        grant,
        claims,
        holder_keys: &proofs.keys,
        nonces: proofs.nonces.clone(),
        transaction: None,
    };
    match decisions::decision(&core.db, &order.grant.offer).await? {
        Some(Decision::Waiting) => {
            // Section 8.3: later, with status 202.
            let id = deferral::defer(&core, &order).await?;
            let body = DeferredResponse::new(id.expose(), core.settings.lifetimes.interval_s);
            let status = StatusCode::ACCEPTED;
            return Ok(message::answer(&core, status, &body, encryption.as_ref())?);
        }
        Some(Decision::Denied) => return Err(IssueError::NotApproved.into()),
        Some(Decision::Approved) | None => {}
    }
    let Issued {
        credentials,
        notification_id,
    } = issue::issue(&core, &order).await?;
    tracing::info!(
        credential_type = order.grant.credential_type,
        format = order.format.name(),
        count = credentials.len(),
        "issued"
    );
    let body = CredentialResponse::new(credentials).notification_id(&notification_id);
    let status = StatusCode::OK;
    Ok(message::answer(&core, status, &body, encryption.as_ref())?)
}

/// The token, presented in the way it was issued for, at one of our endpoints.
pub(super) async fn authorize(
    core: &Core,
    headers: &Headers,
    path: &str,
    what: TokenUse,
) -> Result<(Secret, TokenGrant), Error> {
    let PresentedToken { token_type, token } = PresentedToken::parse(headers)?;
    let token = Secret::received(token.expose());
    let hash = token.hash(Purpose::AccessToken);
    let grant = tokens::find(&core.db, &hash, core.clock.now(), what).await?;
    let grant = grant.ok_or(Error::InvalidToken)?;
    match (&grant.dpop_jkt, token_type) {
        (Some(jkt), TokenType::Dpop) => {
            let proof = wire::dpop_proof(core, headers, path, Some(token.expose()), Some(jkt));
            let proof = proof.map_err(ProofError::Dpop)?;
            let proof = proof.ok_or(ProofError::Dpop(DpopError::Missing))?;
            wire::use_up(core, &proof).await?;
        }
        (None, TokenType::Bearer) => {}
        // RFC 9449, section 7.2: a bound token is never a bearer token, nor the reverse.
        (Some(_), TokenType::Bearer) | (None, TokenType::Dpop) => {
            return Err(Error::InvalidToken);
        }
    }
    Ok((token, grant))
}

async fn check_configuration(
    core: &Core,
    grant: &TokenGrant,
    requested: &Requested,
) -> Result<Format, Error> {
    let (kind, format) = match requested {
        // OpenID4VCI 1.0, section 8.2: who was given identifiers uses them, and nobody else.
        Requested::Configuration(_) if !grant.details.is_empty() => {
            return Err(RequestError::OneOf.into());
        }
        Requested::Configuration(id) => {
            let mut found = core.configuration(id);
            if found.is_none() {
                // Another process may have it since a moment.
                core.types.refresh(core).await?;
                found = core.configuration(id);
            }
            found.ok_or(Error::UnknownConfiguration)?
        }
        Requested::Identifier(id) => {
            let identifier = |one: &str| core.keys.credential_identifier(&grant.record, one);
            let found = grant.details.iter().find(|one| identifier(one) == *id);
            let found = found.and_then(|one| core.configuration(one));
            found.ok_or(Error::UnknownIdentifier)?
        }
    };
    // Catalogue 247: a token is good for the credential of its offer, in any of its formats.
    if kind.id != grant.credential_type {
        return Err(Error::OtherConfiguration);
    }
    Ok(format)
}

async fn verify_proofs(
    core: &Core,
    grant: &TokenGrant,
    request: &CredentialRequest,
) -> Result<AcceptedProofs, Error> {
    let expected = ProofsExpected {
        proof: Expected {
            issuer: &core.settings.issuer,
            client_id: grant.client_id.as_deref(),
            algorithms: &Algorithm::ALL,
            nonces: &core.keys.nonces,
            now: core.clock.now(),
        },
        offered: proof_types::offered(&core.settings, &grant.credential_type),
        batch_size: usize::try_from(core.settings.batch_size).unwrap_or(usize::MAX),
        resolver: &LocalResolver,
    };
    let proofs = request.required_proofs()?;
    Ok(proofs::verify(proofs, &expected, &*core.crypto).await?)
}
