//! `POST /par`: an application pushes its authorization request (RFC 9126).

use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use vouchsafe_protocol::oauth::authorize::{Entry, EntryError, Rejection};
use vouchsafe_protocol::oauth::dpop::{DpopError, VerifiedProof};
use vouchsafe_protocol::oauth::error::{ErrorCode, OAuthError};
use vouchsafe_protocol::oauth::params::{Params, ParamsError};
use vouchsafe_protocol::oauth::pushed::without_credentials;
use vouchsafe_service::dpop::{self, ProofError};
use vouchsafe_service::http::is_form;

use super::authorize_request::login_request;
use super::{PAR, oauth, proof};
use crate::app::App;
use crate::caller::{CallerError, application};
use crate::pushed::{self, KeepError, PUSHED_S};
use crate::store::StoreError;
use crate::views::chain;

/// Why a request is not kept.
#[derive(Debug, thiserror::Error)]
enum ParError {
    /// Not a form.
    #[error("the body is not a plain form")]
    MediaType,
    /// Parameters in the query (catalogue 115).
    #[error("parameters in the query")]
    Query,
    /// Malformed or repeated parameters.
    #[error("malformed parameters")]
    Params(#[from] ParamsError),
    /// Nobody is known to ask.
    #[error(transparent)]
    Caller(#[from] CallerError),
    /// The DPoP proof.
    #[error("the proof of possession is not acceptable")]
    Proof(#[from] DpopError),
    /// `dpop_jkt` names another key than the DPoP proof has.
    #[error("dpop_jkt is of another key than the DPoP proof")]
    OtherKey,
    /// The DPoP proof was used before.
    #[error("the DPoP proof was used before")]
    ProofUsed,
    /// `request_uri` in a pushed request (catalogue 244).
    #[error("a request_uri is pushed")]
    RequestUri,
    /// `client_id` or `redirect_uri`.
    #[error("the request has no address")]
    Entry(#[from] EntryError),
    /// The request would be refused at the authorization endpoint.
    #[error("the request is refused")]
    Refused(OAuthError),
    /// More than is kept.
    #[error("the request is too long")]
    TooLong,
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<Rejection> for ParError {
    fn from(rejection: Rejection) -> Self {
        Self::Refused(rejection.error)
    }
}

impl From<ProofError> for ParError {
    fn from(error: ProofError) -> Self {
        match error {
            ProofError::Dpop(error) => Self::Proof(error),
            ProofError::Replayed => Self::ProofUsed,
            ProofError::Db(error) => Self::Store(error.into()),
        }
    }
}

impl From<KeepError> for ParError {
    fn from(error: KeepError) -> Self {
        match error {
            KeepError::TooLong => Self::TooLong,
            KeepError::Db(error) => Self::Store(error.into()),
        }
    }
}

impl ParError {
    /// RFC 9126, section 2.3.
    fn oauth(&self) -> OAuthError {
        let invalid = OAuthError::invalid_request;
        match self {
            Self::MediaType => invalid("the body must be a form"),
            Self::Query => invalid("parameters belong into the body"),
            Self::Params(_) | Self::Entry(EntryError::Params(_)) => invalid("malformed parameters"),
            Self::Caller(error) => error.to_oauth(),
            Self::Proof(error) => error.into(),
            Self::OtherKey | Self::ProofUsed => ErrorCode::InvalidDpopProof.into(),
            Self::RequestUri => invalid("request_uri cannot be pushed"),
            Self::Entry(EntryError::Malformed(_)) => invalid("client_id is malformed"),
            Self::Entry(EntryError::RedirectMissing) => invalid("redirect_uri is missing"),
            Self::Entry(EntryError::RedirectUnregistered) => {
                invalid("redirect_uri is not registered for this client")
            }
            Self::Refused(error) => error.clone(),
            Self::TooLong => invalid("the request is too long"),
            Self::Store(error) => error.to_oauth(),
        }
    }
}

impl IntoResponse for ParError {
    fn into_response(self) -> Response {
        match &self {
            Self::Store(error) => tracing::error!(error = %chain(error), "request not kept"),
            _ => tracing::info!(reason = %self, "request not kept"),
        }
        let by_header = matches!(&self, Self::Caller(error) if error.by_header());
        oauth::refusal(&self.oauth(), by_header)
    }
}

/// RFC 9126, section 2.2.
#[derive(Serialize)]
struct Pushed {
    request_uri: String,
    expires_in: i64,
}

/// Keeps a request.
pub async fn handle(
    State(app): State<App>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    match keep(&app, query.as_deref(), &headers, &body).await {
        Ok(request_uri) => {
            let pushed = Pushed {
                request_uri,
                expires_in: PUSHED_S,
            };
            (StatusCode::CREATED, oauth::answer(&pushed)).into_response()
        }
        Err(error) => error.into_response(),
    }
}

async fn keep(
    app: &App,
    query: Option<&str>,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<String, ParError> {
    if query.is_some_and(|query| !query.is_empty()) {
        return Err(ParError::Query);
    }
    if !is_form(headers) {
        return Err(ParError::MediaType);
    }
    let params = Params::parse_body(body)?;
    // RFC 9126, section 2: as at the token endpoint.
    let client = application(app, headers, &params).await?;
    let client = client.as_ref();
    let proof = proof::of_request(app, client, headers, PAR)?;
    if params.was_sent("request_uri") {
        return Err(ParError::RequestUri);
    }
    // RFC 9126, section 2.1: checked as at the authorization endpoint.
    let request = Entry::parse(&without_credentials(&params, client.id.as_str()))?
        .address(&client.redirect_uris)?
        .parse(client.rules)?;
    let login = login_request(app, client, &request, headers).map_err(ParError::Refused)?;
    let dpop_jkt = bound_key(login.dpop_jkt, proof.as_ref())?;
    if let Some(proof) = &proof {
        dpop::use_up(&app.db, dpop::identifier(proof)).await?;
    }
    Ok(pushed::keep(app, &client.id, &params, dpop_jkt.as_deref()).await?)
}

/// RFC 9449, section 10.1: the proof binds the code; `dpop_jkt` beside it must agree.
fn bound_key(
    named: Option<String>,
    proof: Option<&VerifiedProof>,
) -> Result<Option<String>, ParError> {
    match (named, proof) {
        (named, None) => Ok(named),
        (Some(named), Some(proof)) if named != proof.thumbprint => Err(ParError::OtherKey),
        (_, Some(proof)) => Ok(Some(proof.thumbprint.clone())),
    }
}
