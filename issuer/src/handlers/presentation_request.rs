//! `GET|POST /authorize/request/{id}`: the signed request object of a question (OpenID4VP 1.0,
//! section 5.10).

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use vouchsafe_protocol::oauth::{ErrorCode, OAuthError};
use vouchsafe_protocol::vp::request::{MEDIA_TYPE, RequestForm, RequestFormError};
use vouchsafe_protocol::vp::values::Nonce;
use vouchsafe_service::db::DbError;
use vouchsafe_service::http::is_form;

use super::presentation_row;
use super::wire::json_no_store;
use crate::core::Core;
use crate::domain::secret::Secret;
use crate::presentation;

/// Why there is no request object.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No such question, its time is over, or it was answered.
    #[error("no such question")]
    Unknown,
    /// What was posted is no form.
    #[error("the body is not a form")]
    MediaType,
    /// What the wallet says of itself cannot be read.
    #[error("the form of the wallet is not acceptable")]
    Form(#[from] RequestFormError),
    /// It cannot be made.
    #[error("the request object cannot be made")]
    Make(#[from] presentation::RequestError),
    /// The database failed.
    #[error("the database failed")]
    Db(#[from] DbError),
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let (status, error) = match &self {
            Self::Unknown => (
                StatusCode::NOT_FOUND,
                OAuthError::invalid_request("no such request"),
            ),
            Self::MediaType => (
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                OAuthError::invalid_request("the body is not application/x-www-form-urlencoded"),
            ),
            Self::Form(error) => (
                StatusCode::BAD_REQUEST,
                OAuthError::invalid_request(error.description()),
            ),
            Self::Make(_) => (
                StatusCode::INTERNAL_SERVER_ERROR,
                ErrorCode::ServerError.into(),
            ),
            Self::Db(_) => (
                StatusCode::SERVICE_UNAVAILABLE,
                ErrorCode::TemporarilyUnavailable.into(),
            ),
        };
        if status.is_server_error() {
            tracing::error!(error = &self as &dyn std::error::Error, "question failed");
        }
        json_no_store(status, &error)
    }
}

/// By GET.
pub async fn get(State(core): State<Core>, Path(id): Path<String>) -> Result<Response, Error> {
    object(&core, &id, None).await
}

/// By POST, with the wallet's own nonce.
pub async fn post(
    State(core): State<Core>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Error> {
    // Section 5.10: `application/x-www-form-urlencoded`. Whoever has nothing to say needs no type.
    if !body.is_empty() && !is_form(&headers) {
        return Err(Error::MediaType);
    }
    let nonce = RequestForm::parse(&body)?.wallet_nonce;
    object(&core, &id, nonce.as_ref().map(Nonce::as_str)).await
}

async fn object(core: &Core, id: &str, wallet_nonce: Option<&str>) -> Result<Response, Error> {
    let id = Secret::received(id);
    let question = presentation_row::question(core, &id).await?;
    let question = question.ok_or(Error::Unknown)?;
    let method = core.presentation_of(&question.flow).ok_or(Error::Unknown)?;
    let object = method.request_object(core, &id, &question, wallet_nonce);
    let object = object.await?;
    let headers = [
        (header::CONTENT_TYPE, MEDIA_TYPE),
        (header::CACHE_CONTROL, "no-store"),
    ];
    Ok((headers, object).into_response())
}
