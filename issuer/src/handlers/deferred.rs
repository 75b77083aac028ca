//! `POST /deferred_credential`: what was put aside (OpenID4VCI 1.0, section 9).

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use vouchsafe_credentials::jwe::JweError;
use vouchsafe_protocol::vci::request::{self, RequestError};
use vouchsafe_protocol::vci::response::DeferredResponse;
use vouchsafe_protocol::vci::{CredentialError, CredentialErrorCode, CredentialResponse};
use vouchsafe_service::db::DbError;

use super::authorized::{Authorized, authorize};
use super::credential;
use super::message::{self, Message, MessageError};
use super::wire::{self, json_no_store};
use crate::claims::ClaimsError;
use crate::core::Core;
use crate::deferral::{self, Deferred};
use crate::domain::offer::Decision;
use crate::domain::secret::{Purpose, Secret};
use crate::issue::{self, IssueError, Issued, Order};
use crate::paths::DEFERRED;
use crate::store::tokens::{Presented, TokenUse};
use crate::store::{decisions, transactions};

/// Why nothing was handed out.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// What it shares with the credential endpoint.
    #[error(transparent)]
    Credential(#[from] credential::Error),
    /// Unknown, expired, done, or of another token.
    #[error("no such transaction")]
    Transaction,
    /// It still waits, and the wallet asks more often than it should.
    #[error("asked again too soon")]
    TooSoon,
}

impl From<MessageError> for Error {
    fn from(error: MessageError) -> Self {
        Self::Credential(error.into())
    }
}

impl From<RequestError> for Error {
    fn from(error: RequestError) -> Self {
        Self::Credential(error.into())
    }
}

impl From<ClaimsError> for Error {
    fn from(error: ClaimsError) -> Self {
        Self::Credential(error.into())
    }
}

impl From<DbError> for Error {
    fn from(error: DbError) -> Self {
        Self::Credential(error.into())
    }
}

impl From<JweError> for Error {
    fn from(error: JweError) -> Self {
        Self::Credential(error.into())
    }
}

impl From<IssueError> for Error {
    fn from(error: IssueError) -> Self {
        match error {
            IssueError::TransactionEnded => Self::Transaction,
            other => Self::Credential(other.into()),
        }
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        match self {
            Self::Credential(error) => error.into_response(),
            Self::Transaction => {
                tracing::info!(reason = %self, "deferred credential request refused");
                let error = CredentialError::from(CredentialErrorCode::InvalidTransactionId);
                json_no_store(StatusCode::BAD_REQUEST, &error)
            }
            // Catalogue 278: the interval of the answer before is not over.
            Self::TooSoon => {
                let error = CredentialError::new(
                    CredentialErrorCode::InvalidCredentialRequest,
                    "wait for the interval of the answer before",
                );
                let mut response = json_no_store(StatusCode::TOO_MANY_REQUESTS, &error);
                response
                    .headers_mut()
                    .insert(header::RETRY_AFTER, HeaderValue::from_static("30"));
                response
            }
        }
    }
}

/// Hands out what was put aside, once it may be issued.
pub async fn handler(
    State(core): State<Core>,
    map: HeaderMap,
    body: Bytes,
) -> Result<Response, Error> {
    let headers = wire::headers(&map);
    let Authorized {
        token,
        presented: Presented { grant, offer },
        proof,
    } = authorize(&core, &headers, DEFERRED, TokenUse::Deferred).await?;
    let Message {
        members,
        encryption,
    } = message::read(&core, &map, &body)?;
    let id = Secret::received(request::transaction_id(&members)?);
    let hash = id.hash(Purpose::Transaction);
    let now = core.clock.now();
    let found = transactions::find(&core.db, &hash, now).await?;
    let found = found.ok_or(Error::Transaction)?;
    // Catalogue 277: section 9 wants a token for the same issuance, so the id alone opens nothing.
    let same = found.offer == grant.offer && found.credential_type == grant.credential_type;
    if !same || found.done {
        return Err(Error::Transaction);
    }
    match decisions::decision(&core.db, &found.offer).await? {
        Some(Decision::Waiting) => {
            let interval = core.settings.lifetimes.interval_s;
            let due = core
                .db
                .write(async move |tx| transactions::poll(tx, &hash, now, now.plus(interval)).await)
                .await?;
            if !due {
                return Err(Error::TooSoon);
            }
            // Section 9.2: the same id, with status 202.
            let body = DeferredResponse::new(id.expose(), interval);
            let status = StatusCode::ACCEPTED;
            return Ok(message::answer(&core, status, &body, encryption.as_ref())?);
        }
        Some(Decision::Denied) => return Err(IssueError::NotApproved.into()),
        Some(Decision::Approved) | None => {}
    }
    let Deferred {
        format,
        holder_keys,
        claims,
    } = deferral::open(&id, &found)?.ok_or(Error::Transaction)?;
    let order = Order {
        token: token.hash(Purpose::AccessToken),
        grant,
        offer,
        proof,
        format,
        claims,
        holder_keys: &holder_keys,
        nonces: Vec::new(),
        transaction: Some(hash),
    };
    let Issued {
        credentials,
        notification_id,
    } = issue::issue(&core, &order).await?;
    tracing::info!(
        credential_type = order.grant.credential_type,
        count = credentials.len(),
        "issued after a decision"
    );
    let body = CredentialResponse::new(credentials).notification_id(&notification_id);
    Ok(message::answer(
        &core,
        StatusCode::OK,
        &body,
        encryption.as_ref(),
    )?)
}
