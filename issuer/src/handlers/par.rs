//! `POST /par`: a wallet pushes its authorization request (RFC 9126).

use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use vouchsafe_protocol::oauth::authorize::{Entry, EntryError, Rejection};
use vouchsafe_protocol::oauth::params::ParamsError;
use vouchsafe_protocol::oauth::pushed::without_credentials;
use vouchsafe_protocol::oauth::token::TokenRequestError;
use vouchsafe_protocol::oauth::{ClientCredentials, ClientRules, ErrorCode, OAuthError, Params};
use vouchsafe_service::db::DbError;
use vouchsafe_service::dpop::{self, ProofError};

use super::authorize::{bound_key, what_is_asked};
use super::wire::{self, json_no_store};
use crate::client::{self, Caller, CallerError};
use crate::core::Core;
use crate::paths::PAR;
use crate::pushed::{self, PushedRequest};

/// Why a request is not kept.
#[derive(Debug, thiserror::Error)]
pub enum ParError {
    /// Not a form.
    #[error("the body is not a plain form")]
    MediaType,
    /// Parameters in the query (catalogue 115).
    #[error("parameters in the query")]
    Query,
    /// Malformed or repeated parameters.
    #[error("malformed parameters")]
    Params(#[from] ParamsError),
    /// `request_uri` in a pushed request (catalogue 244).
    #[error("a request_uri is pushed")]
    RequestUri,
    /// Nobody is known to ask.
    #[error("the client is not accepted")]
    Caller(#[from] CallerError),
    /// The DPoP proof is not acceptable, or not of the key that `dpop_jkt` names.
    #[error("the proof of possession is not acceptable")]
    Proof(#[from] ProofError),
    /// `dpop_jkt` names another key than the DPoP proof has.
    #[error("dpop_jkt is of another key than the DPoP proof")]
    OtherKey,
    /// `client_id` or `redirect_uri`.
    #[error("the request has no address")]
    Entry(#[from] EntryError),
    /// The request.
    #[error("the request is refused")]
    Rejected(#[from] Rejection),
    /// The database failed.
    #[error("the database failed")]
    Db(#[from] DbError),
}

impl ParError {
    /// RFC 9126, section 2.3.
    fn to_oauth(&self) -> OAuthError {
        match self {
            Self::MediaType => OAuthError::invalid_request("the body must be a form"),
            Self::Query => OAuthError::invalid_request("parameters belong into the body"),
            Self::Params(error) => TokenRequestError::Params(*error).into(),
            Self::RequestUri => OAuthError::invalid_request("request_uri cannot be pushed"),
            Self::Caller(error) => error.to_oauth(),
            Self::Proof(error) => error.to_oauth(),
            Self::OtherKey => ErrorCode::InvalidDpopProof.into(),
            Self::Entry(EntryError::Params(error)) => TokenRequestError::Params(*error).into(),
            Self::Entry(EntryError::Malformed(_)) => {
                OAuthError::invalid_request("client_id is malformed")
            }
            Self::Entry(EntryError::RedirectMissing) => {
                OAuthError::invalid_request("redirect_uri is missing")
            }
            Self::Entry(EntryError::RedirectUnregistered) => {
                OAuthError::invalid_request("redirect_uri is not registered for this client")
            }
            Self::Rejected(rejection) => rejection.error.clone(),
            Self::Db(_) => ErrorCode::TemporarilyUnavailable.into(),
        }
    }
}

impl IntoResponse for ParError {
    fn into_response(self) -> Response {
        let body = self.to_oauth();
        let status = match self {
            Self::MediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            _ => StatusCode::from_u16(body.status()).unwrap_or(StatusCode::BAD_REQUEST),
        };
        wire::refused("pushed request", status, &body, &self)
    }
}

/// RFC 9126, section 2.2.
#[derive(Serialize)]
struct Pushed {
    request_uri: String,
    expires_in: i64,
}

/// Keeps a request that could be made at the authorization endpoint as it is.
pub async fn handler(
    State(core): State<Core>,
    RawQuery(query): RawQuery,
    map: HeaderMap,
    body: Bytes,
) -> Result<Response, ParError> {
    if query.is_some_and(|query| !query.is_empty()) {
        return Err(ParError::Query);
    }
    if !wire::is_form(&map) {
        return Err(ParError::MediaType);
    }
    let headers = wire::headers(&map);
    let params = Params::parse_body(&body)?;
    let credentials = ClientCredentials::parse(&headers, &params).map_err(CallerError::from)?;
    let proof = wire::dpop_proof(&core, &headers, PAR).map_err(ProofError::Dpop)?;
    let caller = client::authenticate(&core, &credentials, proof.as_ref()).await?;
    let Caller::Known {
        id,
        client,
        instance,
    } = caller
    else {
        return Err(CallerError::Client.into());
    };
    if params.was_sent("request_uri") {
        // RFC 9126, section 2.1.
        return Err(ParError::RequestUri);
    }
    let text = without_credentials(&params, id.as_str());
    let entry = Entry::parse(&text)?;
    let request = entry
        .address(&client.redirect_uris)?
        .parse(ClientRules::public())?;
    let dpop_jkt = bound_key(&core, request.dpop_jkt.clone());
    if let Some(proof) = &proof {
        // RFC 9449, section 10.1: the proof binds the code; `dpop_jkt` beside it must agree.
        if dpop_jkt
            .as_ref()
            .is_some_and(|jkt| *jkt != proof.thumbprint)
        {
            return Err(ParError::OtherKey);
        }
    }
    // RFC 9126, section 2.1: validated as at the authorization endpoint.
    what_is_asked(&core, &request).await?;
    if let Some(proof) = &proof {
        dpop::use_up(&core.db, dpop::identifier(proof)).await?;
    }
    let pushed = PushedRequest {
        client_id: id.as_str().to_owned(),
        text: pushed::known(&params, id.as_str()),
        dpop_jkt: proof.map(|proof| proof.thumbprint).or(dpop_jkt),
        instance,
    };
    let request_uri = pushed::keep(&core, pushed).await?;
    let expires_in = core.settings.lifetimes.pushed_s;
    Ok(json_no_store(
        StatusCode::CREATED,
        &Pushed {
            request_uri,
            expires_in,
        },
    ))
}
