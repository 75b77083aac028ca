//! `POST /credential`: the credential endpoint (OpenID4VCI 1.0, section 8).

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use vouchsafe_credentials::credential_type::Format;
use vouchsafe_credentials::crypto::Algorithm;
use vouchsafe_credentials::did::LocalResolver;
use vouchsafe_credentials::jwe::JweError;
use vouchsafe_protocol::oauth::access_token::PresentationError;
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
use vouchsafe_service::dpop::{self, ProofError, TokenRefused};
use vouchsafe_service::jti::Identifier;
use vouchsafe_service::signers;

use super::authorized::{self, Authorized};
use super::message::{self, Message, MessageError};
use super::wire::{self, Chain, json_no_store};
use crate::claims::{ClaimsError, open_under_token};
use crate::claims_source::SourceError;
use crate::core::Core;
use crate::deferral;
use crate::domain::offer::Decision;
use crate::domain::secret::Purpose;
use crate::issue::{self, IssueError, Issued, Order};
use crate::paths::CREDENTIAL;
use crate::proof_types;
use crate::status::StatusListError;
use crate::store::tokens::{Presented, TokenGrant, TokenUse};

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
            Self::Dpop(ProofError::Dpop(error)) => {
                Wire::Authorization(Some(dpop::at_resource(error)))
            }
            Self::Dpop(ProofError::Replayed) | Self::Issue(IssueError::ProofUsed) => {
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
            Self::Issue(
                IssueError::UsedUp
                | IssueError::NotApproved
                | IssueError::Suspended
                | IssueError::Claims(SourceError::Denied(_)),
            ) => Wire::Request(CredentialErrorCode::CredentialRequestDenied.into()),
            // The nonce is not used up: the same request may succeed a little later.
            Self::Issue(IssueError::Claims(
                SourceError::Ask(_) | SourceError::Answer | SourceError::Unfit(_),
            )) => Wire::Unavailable,
            Self::Issue(IssueError::TransactionEnded) => {
                Wire::Request(CredentialErrorCode::InvalidTransactionId.into())
            }
            Self::Dpop(ProofError::Db(error))
            | Self::Issue(
                IssueError::Db(error)
                | IssueError::Claims(SourceError::Db(error))
                | IssueError::Status(StatusListError::Db(error)),
            )
            | Self::Db(error) => {
                if error.is_temporary() {
                    Wire::Unavailable
                } else {
                    Wire::Internal
                }
            }
            // Others took the places that were drawn: the next request draws others.
            Self::Issue(IssueError::Status(StatusListError::Full)) => Wire::Unavailable,
            // The key may sign again soon, and nothing was used up.
            Self::Issue(IssueError::Sign(error)) if signers::is_unavailable(error) => {
                Wire::Unavailable
            }
            Self::Sealed(_)
            | Self::Seal(_)
            | Self::Issue(
                IssueError::RecordMismatch
                | IssueError::UnknownType
                | IssueError::Claims(
                    SourceError::NotConfigured | SourceError::Record(_) | SourceError::Claims(_),
                )
                | IssueError::Status(_)
                | IssueError::Sign(_),
            ) => Wire::Internal,
        }
    }
}

impl From<TokenRefused> for Error {
    fn from(refused: TokenRefused) -> Self {
        match refused {
            TokenRefused::Scheme => Self::InvalidToken,
            TokenRefused::Proof(error) => Self::Dpop(error.into()),
        }
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
                tracing::info!(code, reason = %Chain(&self), "credential request refused");
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
    dpop::put_challenges(response.headers_mut(), TokenType::Dpop, error);
    response
}

/// Issues credentials for the keys of the request.
pub async fn handler(
    State(core): State<Core>,
    map: HeaderMap,
    body: Bytes,
) -> Result<Response, Error> {
    let headers = wire::headers(&map);
    let authorized = authorized::look(&core, &headers, CREDENTIAL, TokenUse::Issue).await?;
    let proof = authorized.proof.clone();
    match answer(&core, authorized, &map, &body).await {
        Ok(response) => Ok(response),
        Err(error) => Err(refuse(&core, proof, error).await),
    }
}

/// Whatever is refused uses the DPoP proof up: it is good for one request.
async fn refuse(core: &Core, proof: Option<Identifier>, error: Error) -> Error {
    match (proof, &error) {
        // What the database did is not known, or it does nothing now.
        (None, _) | (_, Error::Db(_) | Error::Issue(IssueError::Db(_))) => error,
        (Some(proof), _) => match dpop::use_up(&core.db, proof).await {
            Ok(()) => error,
            Err(used) => used.into(),
        },
    }
}

async fn answer(
    core: &Core,
    authorized: Authorized,
    map: &HeaderMap,
    body: &Bytes,
) -> Result<Response, Error> {
    let Authorized {
        token,
        presented: Presented { grant, offer },
        proof,
    } = authorized;
    let Message {
        members,
        encryption,
    } = message::read(core, map, body)?;
    let request = CredentialRequest::read(&members)?;
    let format = check_configuration(core, &grant, &request.requested).await?;
    let proofs = verify_proofs(core, &grant, &request).await?;
    let claims = open_under_token(&token, &grant.offer, &grant.claims_sealed)?;
    let order = Order {
        token: token.hash(Purpose::AccessToken),
        format,
        grant,
        offer,
        proof,
        claims,
        holder_keys: &proofs.keys,
        nonces: proofs.nonces.clone(),
        transaction: None,
    };
    match order.offer.decision {
        Some(Decision::Waiting) => {
            // Section 8.3: later, with status 202.
            let id = deferral::defer(core, &order).await?;
            let body = DeferredResponse::new(id.expose(), core.settings.lifetimes.interval_s);
            let status = StatusCode::ACCEPTED;
            return Ok(message::answer(core, status, &body, encryption.as_ref())?);
        }
        Some(Decision::Denied) => return Err(IssueError::NotApproved.into()),
        Some(Decision::Approved) | None => {}
    }
    let Issued {
        credentials,
        notification_id,
    } = issue::issue(core, &order).await?;
    tracing::info!(
        credential_type = order.grant.credential_type,
        format = order.format.name(),
        count = credentials.len(),
        "issued"
    );
    let body = CredentialResponse::new(credentials).notification_id(&notification_id);
    let status = StatusCode::OK;
    Ok(message::answer(core, status, &body, encryption.as_ref())?)
}

async fn check_configuration(
    core: &Core,
    grant: &TokenGrant,
    requested: &Requested,
) -> Result<Format, Error> {
    let (kind, format) = match requested {
        Requested::Configuration(id) => {
            let mut found = core.configuration(id);
            if found.is_none() {
                // Another process may have it since a moment.
                core.types.refresh(core).await?;
                found = core.configuration(id);
            }
            let found = found.ok_or(Error::UnknownConfiguration)?;
            // OpenID4VCI 1.0, section 8.2: who was given identifiers uses them, and nobody else.
            if !grant.details.is_empty() {
                return Err(RequestError::Identifier.into());
            }
            found
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_passes_by_itself_is_unavailable() {
        let told = |error: IssueError| Error::Issue(error).wire();
        for status in [
            StatusListError::Db(DbError::NotCommitted),
            StatusListError::Full,
        ] {
            assert!(matches!(told(status.into()), Wire::Unavailable));
        }
        for status in [
            StatusListError::Db(DbError::Damaged),
            StatusListError::Range,
        ] {
            assert!(matches!(told(status.into()), Wire::Internal));
        }
    }
}
