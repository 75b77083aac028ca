//! Errors of the administration API and their one mapping to the wire (RFC 9457).

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;
use vouchsafe_service::db::DbError;

use super::caller::Scope;
use crate::domain::credential::ChangeError;
use crate::prepare::PrepareError;
use crate::table::TableError;

/// Why a request of the administration API failed.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// No key.
    #[error("no valid API key")]
    Unauthorized,
    /// A key or a token that does not work.
    #[error("no valid API key")]
    InvalidToken,
    /// The key lacks the scope.
    #[error("the API key does not allow this")]
    Forbidden(Scope),
    /// No such resource.
    #[error("no such resource")]
    NotFound,
    /// Not a JSON body.
    #[error("the body must be application/json without content encoding")]
    MediaType,
    /// The body is not acceptable JSON of the expected form.
    #[error("the body is not acceptable: {0}")]
    Body(BodyProblem),
    /// The body is too long.
    #[error("the body is too long")]
    TooLarge,
    /// A query parameter is unknown, empty, repeated or out of range.
    #[error("a query parameter is unknown, empty, repeated or out of range")]
    Query,
    /// The body is neither a table nor a list by its content type.
    #[error("the body must be text/csv or application/json without content encoding")]
    BatchMediaType,
    /// A table cannot be read.
    #[error("the table cannot be read: {0}")]
    Table(#[from] TableError),
    /// The description of a credential type has a mistake. The text names places, never values of
    /// persons.
    #[error("not a credential type: {0}")]
    Type(String),
    /// The metadata of this `vct` were published with other words.
    #[error("the metadata of this vct were published with other words: a change needs another vct")]
    TypePublished,
    /// Rows of a table do not fit the type.
    #[error("rows of the table do not fit the credential type; nothing was made")]
    Rows(Vec<FieldProblem>),
    /// The offer cannot be prepared.
    #[error("the offer cannot be prepared")]
    Prepare(#[from] PrepareError),
    /// The present status does not allow the change.
    #[error("the present status does not allow this")]
    Change(#[from] ChangeError),
    /// The moment at which a credential is to end is over, or behind its signed end.
    #[error("at must be a moment to come, before the signed end of the credential")]
    EndTime,
    /// What is to replace a credential cannot.
    #[error("by must be another valid credential of the same record")]
    Successor,
    /// Nothing keeps the claims of the credential any more.
    #[error("the claims are not kept any more: say them")]
    ClaimsNeeded,
    /// A status job that names no credentials, or names them in a way that cannot be.
    #[error(
        "filter must name credentials by credential_type, a time of issuing or record_ids (1 to 1000)"
    )]
    JobFilter,
    /// The reason of a status job is too long or has control characters.
    #[error("reason must be 500 characters at most, without control characters")]
    JobReason,
    /// There are too many status jobs.
    #[error("there are twenty status jobs already that are not finished")]
    JobLimit,
    /// The status job has ended.
    #[error("the status job has ended")]
    JobEnded,
    /// The offer waits for no decision, or not any more.
    #[error("the offer waits for no decision")]
    Decided,
    /// Somebody else changed the resource in the same moment.
    #[error("the resource was changed at the same time")]
    Concurrent,
    /// `If-Match` names another version.
    #[error("the resource has another version")]
    Version,
    /// The address of a webhook may not be asked.
    #[error(
        "url must be https on a public host, in ASCII, without a fragment, at most 2048 characters long"
    )]
    WebhookUrl,
    /// An event that does not exist.
    #[error("there is no event of this name")]
    WebhookEvent,
    /// The endpoint said that it is gone.
    #[error("the endpoint answered 410; a new secret wakes it")]
    WebhookDisabled,
    /// There are too many webhooks.
    #[error("there are fifty webhooks already")]
    WebhookLimit,
    /// `If-Match` is missing where it is needed.
    #[error("the header If-Match with the entity tag of the resource is required")]
    VersionMissing,
    /// The header `Idempotency-Key` is malformed.
    #[error("the header Idempotency-Key must be 1 to 128 visible characters")]
    IdempotencyKey,
    /// The idempotency key belongs to another request.
    #[error("the Idempotency-Key was used for another request")]
    IdempotencyReuse,
    /// The header `If-Match` is malformed.
    #[error("the header If-Match must be one strong entity tag")]
    IfMatch,
    /// The database failed.
    #[error("the database failed")]
    Db(#[from] DbError),
    /// Something of ours failed.
    #[error("internal: {0}")]
    Internal(&'static str),
}

/// What is wrong with a body. Names places, never values.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BodyProblem {
    /// Not JSON, or with duplicate members, too deep, or with lossy numbers.
    #[error("not strict JSON")]
    Json,
    /// It did not arrive, or not in time.
    #[error("it did not arrive in time")]
    Cut,
    /// An unknown member, a missing one, or one of the wrong type.
    #[error("an unknown, missing or mistyped member")]
    Shape,
}

/// A problem document (RFC 9457).
#[derive(Debug, Serialize, ToSchema)]
pub struct Problem {
    /// A stable name of the kind of problem, `urn:vouchsafe:problem:<code>`.
    #[schema(example = "urn:vouchsafe:problem:not_found")]
    pub r#type: String,
    /// The kind of problem in words.
    pub title: String,
    /// The HTTP status.
    #[schema(example = 404)]
    pub status: u16,
    /// The stable code.
    #[schema(example = "not_found")]
    pub code: String,
    /// What to mend, one entry for each claim or member that does not fit.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldProblem>,
}

/// One part of a body that does not fit.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct FieldProblem {
    /// Where, as a JSON Pointer (RFC 6901) into the body.
    #[schema(example = "/claims/member_id")]
    pub pointer: String,
    /// What should be there.
    #[schema(example = "a string")]
    pub detail: String,
}

impl ApiError {
    /// Status and stable code.
    fn wire(&self) -> (StatusCode, &'static str) {
        match self {
            Self::Unauthorized | Self::InvalidToken => (StatusCode::UNAUTHORIZED, "unauthorized"),
            Self::Forbidden(_) => (StatusCode::FORBIDDEN, "forbidden"),
            Self::NotFound => (StatusCode::NOT_FOUND, "not_found"),
            Self::MediaType => (StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type"),
            Self::Body(_) => (StatusCode::BAD_REQUEST, "invalid_body"),
            Self::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "body_too_long"),
            Self::Query => (StatusCode::BAD_REQUEST, "invalid_query"),
            Self::BatchMediaType => (StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type"),
            Self::Table(TableError::TooMany { limit: _ }) => {
                (StatusCode::PAYLOAD_TOO_LARGE, "too_many_rows")
            }
            Self::Table(_) => (StatusCode::BAD_REQUEST, "invalid_table"),
            Self::Type(_) => (StatusCode::UNPROCESSABLE_ENTITY, "invalid_credential_type"),
            Self::TypePublished => (StatusCode::CONFLICT, "type_metadata_published"),
            Self::Rows(_) => (StatusCode::UNPROCESSABLE_ENTITY, "invalid_rows"),
            Self::Prepare(error) => (StatusCode::UNPROCESSABLE_ENTITY, prepare_code(error)),
            Self::Change(_) => (StatusCode::CONFLICT, "status_conflict"),
            Self::EndTime => (StatusCode::UNPROCESSABLE_ENTITY, "invalid_end"),
            Self::Successor => (StatusCode::UNPROCESSABLE_ENTITY, "invalid_successor"),
            Self::ClaimsNeeded => (StatusCode::UNPROCESSABLE_ENTITY, "claims_needed"),
            Self::JobFilter => (StatusCode::UNPROCESSABLE_ENTITY, "invalid_filter"),
            Self::JobReason => (StatusCode::UNPROCESSABLE_ENTITY, "invalid_reason"),
            Self::JobLimit => (StatusCode::CONFLICT, "too_many_status_jobs"),
            Self::JobEnded => (StatusCode::CONFLICT, "status_job_ended"),
            Self::Decided => (StatusCode::CONFLICT, "not_waiting"),
            Self::Concurrent => (StatusCode::CONFLICT, "concurrent_change"),
            Self::Version => (StatusCode::PRECONDITION_FAILED, "version_mismatch"),
            Self::WebhookUrl => (StatusCode::UNPROCESSABLE_ENTITY, "invalid_webhook_url"),
            Self::WebhookEvent => (StatusCode::UNPROCESSABLE_ENTITY, "unknown_event"),
            Self::WebhookDisabled => (StatusCode::CONFLICT, "webhook_disabled"),
            Self::WebhookLimit => (StatusCode::CONFLICT, "too_many_webhooks"),
            // RFC 6585, section 3.
            Self::VersionMissing => (StatusCode::PRECONDITION_REQUIRED, "if_match_required"),
            Self::IdempotencyKey => (StatusCode::BAD_REQUEST, "invalid_idempotency_key"),
            Self::IdempotencyReuse => (StatusCode::UNPROCESSABLE_ENTITY, "idempotency_key_reused"),
            Self::IfMatch => (StatusCode::BAD_REQUEST, "invalid_if_match"),
            Self::Db(error) if error.is_temporary() => {
                (StatusCode::SERVICE_UNAVAILABLE, "unavailable")
            }
            Self::Db(_) | Self::Internal(_) => {
                (StatusCode::INTERNAL_SERVER_ERROR, "internal_error")
            }
        }
    }

    /// RFC 6750, section 3: the challenge says why a token that was sent does not do, and says
    /// nothing of the kind to who sent none.
    fn challenge(&self) -> Option<HeaderValue> {
        if let Self::Forbidden(scope) = self {
            let name = scope.as_str();
            let text = format!("Bearer error=\"insufficient_scope\", scope=\"{name}\"");
            return HeaderValue::try_from(text).ok();
        }
        if matches!(self, Self::InvalidToken) {
            return Some(HeaderValue::from_static("Bearer error=\"invalid_token\""));
        }
        matches!(self, Self::Unauthorized).then(|| HeaderValue::from_static("Bearer"))
    }

    fn fields(&self) -> Vec<FieldProblem> {
        if let Self::Rows(problems) = self {
            return problems.clone();
        }
        let Self::Prepare(PrepareError::Claims(problems)) = self else {
            return Vec::new();
        };
        problems
            .0
            .iter()
            .map(|problem| FieldProblem {
                pointer: super::views::claim_pointer(&problem.path),
                detail: super::views::expected_text(problem.expected).to_owned(),
            })
            .collect()
    }
}

fn prepare_code(error: &PrepareError) -> &'static str {
    match error {
        PrepareError::UnknownType => "unknown_credential_type",
        PrepareError::Claims(_) => "invalid_claims",
        PrepareError::ClaimsMissing => "claims_missing",
        PrepareError::RecordId => "invalid_record_id",
        PrepareError::TxCode => "invalid_tx_code",
        PrepareError::WalletInitiated => "invalid_wallet_initiated",
        PrepareError::Grant => "grant_unavailable",
        PrepareError::Redemptions => "invalid_redemptions",
        PrepareError::Hold => "invalid_hold",
        PrepareError::Expiry => "invalid_expiry",
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let (status, code) = self.wire();
        if status.is_server_error() {
            tracing::error!(
                code,
                error = &self as &dyn std::error::Error,
                "request failed"
            );
        }
        let title = match &self {
            Self::Db(_) | Self::Internal(_) => "The request failed on our side".to_owned(),
            Self::Prepare(error) => error.to_string(),
            other => other.to_string(),
        };
        let problem = Problem {
            r#type: format!("urn:vouchsafe:problem:{code}"),
            title,
            status: status.as_u16(),
            code: code.to_owned(),
            errors: self.fields(),
        };
        let challenge = self.challenge();
        let mut response = (status, Json(problem)).into_response();
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(challenge) = challenge {
            headers.insert(header::WWW_AUTHENTICATE, challenge);
        }
        if status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }
}
