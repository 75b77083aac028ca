//! Refusals: problem details (RFC 9457) with the types of the W3C specifications.

use std::error::Error;

use axum::Json;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use vouchsafe_credentials::bitstring_status_list::StatusError;
use vouchsafe_credentials::data_integrity::ProofError;
use vouchsafe_credentials::problem::Problem as Kind;
use vouchsafe_credentials::vcdm::{VcdmError, VerifyError};

use crate::db::{DbError, RowError};
use crate::http::error::log_database;
use crate::http::{ExtractError, Problem};

/// A refusal. Its texts are constants: nothing of a request comes back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    status: StatusCode,
    kind: Option<Kind>,
    code: &'static str,
    detail: String,
}

impl Refusal {
    /// 400 with a type of the specifications. `detail` must hold nothing of the request.
    pub fn invalid(kind: Kind, code: &'static str, detail: impl Into<String>) -> Self {
        Self {
            status: StatusCode::BAD_REQUEST,
            kind: Some(kind),
            code,
            detail: detail.into(),
        }
    }

    /// 401: no key, or one that does not work.
    pub fn unauthorized() -> Self {
        Self {
            status: StatusCode::UNAUTHORIZED,
            kind: None,
            code: "unauthorized",
            detail: "An API key of this service is needed.".to_owned(),
        }
    }

    /// 403: the key is for something else.
    pub fn forbidden() -> Self {
        Self {
            status: StatusCode::FORBIDDEN,
            kind: None,
            code: "forbidden",
            detail: "This API key may not do that.".to_owned(),
        }
    }

    /// 404.
    pub fn not_found() -> Self {
        Self {
            status: StatusCode::NOT_FOUND,
            kind: None,
            code: "not_found",
            detail: "There is nothing of that name.".to_owned(),
        }
    }

    /// 409: the name is taken.
    pub fn duplicate() -> Self {
        Self {
            status: StatusCode::CONFLICT,
            kind: None,
            code: "duplicate_credential_id",
            detail: "A credential of that id was issued already.".to_owned(),
        }
    }

    /// 500; the log has the cause.
    pub fn internal() -> Self {
        Self::from(Problem::internal())
    }

    /// The code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        self.code
    }

    /// The problem as one member of `problemDetails`.
    #[must_use]
    pub fn details(&self) -> Value {
        json!({
            "type": self.kind.map_or_else(|| "about:blank".to_owned(), Kind::url),
            "title": self.title(),
            "status": self.status.as_u16(),
            "code": self.code,
            "detail": self.detail,
        })
    }

    fn title(&self) -> &'static str {
        match self.kind {
            Some(kind) => kind.name(),
            None => self.status.canonical_reason().unwrap_or("Error"),
        }
    }
}

/// Status and `problemDetails` (VCALM 1.0, sections 3.2 and 3.3: "verified" is false).
impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let details = self.details();
        let mut body = details.clone();
        if let Value::Object(members) = &mut body {
            members.insert("verified".to_owned(), Value::Bool(false));
            members.insert("problemDetails".to_owned(), json!([details]));
        }
        let mut response = (self.status, Json(body)).into_response();
        let headers = response.headers_mut();
        let kind = HeaderValue::from_static("application/problem+json");
        headers.insert(header::CONTENT_TYPE, kind);
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if self.status == StatusCode::UNAUTHORIZED {
            let name: HeaderName = header::WWW_AUTHENTICATE;
            headers.insert(name, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        let temporary = problem.status() == StatusCode::SERVICE_UNAVAILABLE;
        Self {
            status: problem.status(),
            kind: None,
            code: problem.code(),
            detail: match temporary {
                true => "The service cannot answer now. Try again.",
                false => "The service failed. Its log says why.",
            }
            .to_owned(),
        }
    }
}

/// Too large and of another media type keep their status; everything else is `PARSING_ERROR`.
impl From<ExtractError> for Refusal {
    fn from(error: ExtractError) -> Self {
        let problem = Problem::from(error.clone());
        Self {
            status: problem.status(),
            kind: Some(Kind::Parsing),
            code: problem.code(),
            detail: error.to_string(),
        }
    }
}

impl From<DbError> for Refusal {
    fn from(error: DbError) -> Self {
        log_database(&error);
        match error.is_temporary() {
            true => Self::from(Problem::unavailable()),
            false => Self::internal(),
        }
    }
}

impl From<VerifyError> for Refusal {
    fn from(error: VerifyError) -> Self {
        Self::invalid(error.problem(), error.code(), chain(&error))
    }
}

impl From<ProofError> for Refusal {
    fn from(error: ProofError) -> Self {
        if let ProofError::Signer(_) = &error {
            tracing::error!(error = &error as &dyn Error, "a signer failed");
            return Self::internal();
        }
        Self::invalid(error.problem(), error.code(), chain(&error))
    }
}

impl From<StatusError> for Refusal {
    fn from(error: StatusError) -> Self {
        Self::invalid(error.problem(), error.code(), chain(&error))
    }
}

impl From<VcdmError> for Refusal {
    fn from(error: VcdmError) -> Self {
        Self::invalid(error.problem(), error.code(), error.to_string())
    }
}

/// The error and its causes. Errors of `vouchsafe_credentials` carry no claims.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        next = cause.source();
    }
    text
}

impl From<RowError> for Refusal {
    fn from(error: RowError) -> Self {
        Self::from(DbError::from(error))
    }
}
