//! Errors of the REST interface and their one mapping to the wire (RFC 9457).

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;
use vouchsafe_service::db::DbError;

use crate::access::Scope;
use crate::clients::managed::ManageError;
use crate::event_streams::FULL_WAIT_S;
use crate::login::ask::AskError;
use crate::numbers::ask::Unfit;
use crate::store::StoreError;
use crate::verification::start::StartError;

/// Why a request failed.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// No key.
    #[error("no valid API key")]
    Unauthorized,
    /// A key that does not work.
    #[error("no valid API key")]
    InvalidToken,
    /// The key lacks the scope.
    #[error("the API key does not allow this")]
    Forbidden(Scope),
    /// No such verification of this caller.
    #[error("no such verification")]
    NotFound,
    /// A parameter does not fit.
    #[error(transparent)]
    Parameter(Unfit),
    /// No such reference.
    #[error("no such reference")]
    NoReference,
    /// This network asked too often.
    #[error("too many questions; wait a minute")]
    TooOften(u64),
    /// Not a JSON body.
    #[error("the body must be application/json without content encoding")]
    MediaType,
    /// Not strict JSON of the expected form.
    #[error("the body is not strict JSON, or has an unknown, missing or mistyped member")]
    Body,
    /// The body is too long.
    #[error("the body is too long")]
    TooLarge,
    /// Neither a named question nor one of the caller's own, or both.
    #[error("give query or dcql, not both and not neither")]
    Question,
    /// The question is not put.
    #[error(transparent)]
    Start(#[from] StartError),
    /// Too many wait.
    #[error("too many verifications wait for an answer, or to be forgotten")]
    TooMany,
    /// The process follows as many as it can.
    #[error("the service sends no more streams of events; read the verification, or try again")]
    TooManyStreams,
    /// The code of the browser does not count.
    #[error("the response_code is not the one that this verification waits for")]
    Code,
    /// The header `Idempotency-Key` is malformed.
    #[error("the header Idempotency-Key must be 1 to 128 visible characters")]
    IdempotencyKey,
    /// Nothing there has this id.
    #[error("there is nothing with this id")]
    Unknown,
    /// A parameter of a list.
    #[error("a query parameter is unknown, empty, repeated or out of range")]
    Query,
    /// The header `If-Match` or `If-None-Match` is malformed.
    #[error("If-Match must be one strong entity tag, If-None-Match must be *, and not both")]
    Condition,
    /// Two secrets for too long.
    #[error("overlap_s must be between 0 and 2592000")]
    Overlap,
    /// An application is not changed.
    #[error(transparent)]
    Manage(#[from] ManageError),
    /// The idempotency key belongs to another request.
    #[error("the Idempotency-Key was used for another request")]
    IdempotencyReuse,
    /// The database failed.
    #[error("the database failed")]
    Store(#[from] StoreError),
    /// Something of ours failed.
    #[error("internal: {0}")]
    Internal(&'static str),
}

impl From<DbError> for ApiError {
    fn from(error: DbError) -> Self {
        Self::Store(error.into())
    }
}

/// A problem document (RFC 9457).
#[derive(Debug, Serialize, ToSchema)]
pub struct Problem {
    /// A stable name of the kind of problem, `urn:vouchsafe:problem:<code>`.
    #[schema(example = "urn:vouchsafe:problem:not_found")]
    r#type: String,
    /// The kind of problem in words.
    title: String,
    /// The HTTP status.
    #[schema(example = 404)]
    status: u16,
    /// The stable code.
    #[schema(example = "not_found")]
    code: String,
}

impl ApiError {
    /// Status and stable code.
    fn wire(&self) -> (StatusCode, &'static str) {
        let unfit = StatusCode::UNPROCESSABLE_ENTITY;
        match self {
            Self::Unauthorized | Self::InvalidToken => (StatusCode::UNAUTHORIZED, "unauthorized"),
            Self::Forbidden(_) => (StatusCode::FORBIDDEN, "forbidden"),
            Self::NotFound | Self::NoReference => (StatusCode::NOT_FOUND, "not_found"),
            Self::Parameter(_) => (StatusCode::BAD_REQUEST, "invalid_parameter"),
            Self::TooOften(_) => (StatusCode::TOO_MANY_REQUESTS, "too_often"),
            Self::MediaType => (StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type"),
            Self::Body => (StatusCode::BAD_REQUEST, "invalid_body"),
            Self::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "body_too_long"),
            Self::Question => (unfit, "query_or_dcql"),
            Self::Start(error) => start(error),
            Self::TooMany => (StatusCode::TOO_MANY_REQUESTS, "too_many_open"),
            Self::TooManyStreams => (StatusCode::SERVICE_UNAVAILABLE, "too_many_streams"),
            Self::Code => (unfit, "invalid_response_code"),
            Self::Unknown => (StatusCode::NOT_FOUND, "not_found"),
            Self::Query => (StatusCode::BAD_REQUEST, "invalid_query"),
            Self::Condition => (StatusCode::BAD_REQUEST, "invalid_condition"),
            Self::Overlap => (unfit, "invalid_overlap"),
            Self::Manage(error) => manage(error),
            Self::IdempotencyKey => (StatusCode::BAD_REQUEST, "invalid_idempotency_key"),
            Self::IdempotencyReuse => (unfit, "idempotency_key_reused"),
            Self::Store(error) => store(error),
            Self::Internal(_) => (StatusCode::INTERNAL_SERVER_ERROR, "internal_error"),
        }
    }

    /// RFC 6750, section 3: the challenge says why a key that was sent does not do.
    fn challenge(&self) -> Option<HeaderValue> {
        match self {
            Self::Unauthorized => Some(HeaderValue::from_static("Bearer")),
            Self::InvalidToken => Some(HeaderValue::from_static("Bearer error=\"invalid_token\"")),
            Self::Forbidden(scope) => {
                let name = scope.as_str();
                let text = format!("Bearer error=\"insufficient_scope\", scope=\"{name}\"");
                HeaderValue::try_from(text).ok()
            }
            Self::NotFound
            | Self::NoReference
            | Self::TooOften(_)
            | Self::Parameter(_)
            | Self::MediaType
            | Self::Body
            | Self::TooLarge
            | Self::Question
            | Self::Start(_)
            | Self::TooMany
            | Self::TooManyStreams
            | Self::Code
            | Self::Unknown
            | Self::Query
            | Self::Condition
            | Self::Overlap
            | Self::Manage(_)
            | Self::IdempotencyKey
            | Self::IdempotencyReuse
            | Self::Store(_)
            | Self::Internal(_) => None,
        }
    }
}

fn start(error: &StartError) -> (StatusCode, &'static str) {
    let unfit = StatusCode::UNPROCESSABLE_ENTITY;
    match error {
        StartError::Query => (unfit, "unknown_query"),
        StartError::Inline => (StatusCode::FORBIDDEN, "inline_query_not_allowed"),
        StartError::DcqlLength | StartError::Dcql(_) | StartError::Profile(_) => {
            (unfit, "invalid_dcql")
        }
        StartError::Issuer => (unfit, "no_trusted_issuer"),
        StartError::OneHolder => (unfit, "one_holder_demanded"),
        StartError::Purpose => (unfit, "invalid_purpose"),
        StartError::ReturnUrl => (unfit, "invalid_return_url"),
        StartError::NoReturnUrl => (unfit, "return_url_required"),
        StartError::Qr => (StatusCode::INTERNAL_SERVER_ERROR, "internal_error"),
        StartError::Store(error) | StartError::Link(AskError::Store(error)) => store(error),
        StartError::Link(_) => (StatusCode::INTERNAL_SERVER_ERROR, "internal_error"),
    }
}

fn manage(error: &ManageError) -> (StatusCode, &'static str) {
    let unfit = StatusCode::UNPROCESSABLE_ENTITY;
    match error {
        ManageError::Unknown => (StatusCode::NOT_FOUND, "not_found"),
        ManageError::Configured => (StatusCode::CONFLICT, "configured_client"),
        ManageError::Id => (unfit, "invalid_client_id"),
        ManageError::Proof | ManageError::Refused(_) => (unfit, "invalid_client"),
        ManageError::TagMissing => (StatusCode::PRECONDITION_REQUIRED, "if_match_required"),
        ManageError::Tag => (StatusCode::PRECONDITION_FAILED, "version_mismatch"),
        ManageError::Removed => (StatusCode::CONFLICT, "removed_recently"),
        ManageError::NoSecret => (StatusCode::CONFLICT, "no_secret"),
        ManageError::Db(error) => database(error),
    }
}

fn store(error: &StoreError) -> (StatusCode, &'static str) {
    match error {
        StoreError::Db(error) => database(error),
        StoreError::Serialise(_) => (StatusCode::INTERNAL_SERVER_ERROR, "internal_error"),
    }
}

fn database(error: &DbError) -> (StatusCode, &'static str) {
    match error.is_temporary() {
        true => (StatusCode::SERVICE_UNAVAILABLE, "temporarily_unavailable"),
        false => (StatusCode::INTERNAL_SERVER_ERROR, "internal_error"),
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let (status, code) = self.wire();
        let title = match status.is_server_error() {
            true => "The request failed on our side".to_owned(),
            false => self.to_string(),
        };
        if status.is_server_error() && !matches!(self, Self::TooManyStreams) {
            tracing::error!(code, error = %crate::views::chain(&self), "request failed");
        }
        let problem = Problem {
            r#type: format!("urn:vouchsafe:problem:{code}"),
            title,
            status: status.as_u16(),
            code: code.to_owned(),
        };
        let mut response = (status, Json(problem)).into_response();
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(challenge) = self.challenge() {
            headers.insert(header::WWW_AUTHENTICATE, challenge);
        }
        if matches!(
            status,
            StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS
        ) {
            let wait = match self {
                Self::TooOften(seconds) => seconds.max(1),
                Self::TooManyStreams => FULL_WAIT_S,
                _ => 1,
            };
            headers.insert(header::RETRY_AFTER, HeaderValue::from(wait));
        }
        response
    }
}
