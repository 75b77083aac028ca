//! Error answers: problem details (RFC 9457) for administration, OAuth errors for protocols.

use axum::{
    Json,
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;

use crate::db::DbError;

/// Seconds after which a client may try again when the service is overloaded.
const RETRY_AFTER: u64 = 1;

/// An error as `application/problem+json`. Texts are constants: nothing of a request comes back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    status: StatusCode,
    code: &'static str,
    detail: &'static str,
    retry_after: Option<u64>,
}

#[derive(Serialize)]
struct ProblemBody {
    #[serde(rename = "type")]
    kind: &'static str,
    title: &'static str,
    status: u16,
    code: &'static str,
    detail: &'static str,
}

impl Problem {
    /// An error with a stable snake_case code and a sentence for the developer who sees it.
    pub fn new(status: StatusCode, code: &'static str, detail: &'static str) -> Self {
        Self {
            status,
            code,
            detail,
            retry_after: None,
        }
    }

    /// Says when to try again.
    #[must_use]
    pub fn retry_after(mut self, seconds: u64) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    /// HTTP status.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The code.
    pub fn code(&self) -> &'static str {
        self.code
    }

    /// 404.
    pub fn not_found() -> Self {
        let detail = "There is nothing at this address.";
        Self::new(StatusCode::NOT_FOUND, "not_found", detail)
    }

    /// 500, for what must not happen; the log has the cause.
    pub fn internal() -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal_error",
            "The service failed. Its log says why.",
        )
    }

    /// 503 with `Retry-After`.
    pub fn unavailable() -> Self {
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "temporarily_unavailable",
            "The service cannot answer now. Try again.",
        )
        .retry_after(RETRY_AFTER)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = ProblemBody {
            kind: "about:blank",
            title: self.status.canonical_reason().unwrap_or("Error"),
            status: self.status.as_u16(),
            code: self.code,
            detail: self.detail,
        };
        let mut response = (self.status, Json(body)).into_response();
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

/// Logs a failure of the database and turns it into an answer: 503 if it may pass, else 500.
impl From<DbError> for Problem {
    fn from(error: DbError) -> Self {
        log_database(&error);
        match error.is_temporary() {
            true => Self::unavailable(),
            false => Self::internal(),
        }
    }
}

/// An error answer of an OAuth endpoint (RFC 6749, section 5.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OAuthError {
    status: StatusCode,
    error: &'static str,
    description: Option<&'static str>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

#[derive(Serialize)]
struct OAuthBody {
    error: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_description: Option<&'static str>,
}

impl OAuthError {
    /// An error with status 400. The code is one that a specification defines.
    pub fn new(error: &'static str) -> Self {
        Self {
            status: StatusCode::BAD_REQUEST,
            error,
            description: None,
            headers: Vec::new(),
        }
    }

    /// `invalid_request`.
    pub fn invalid_request(description: &'static str) -> Self {
        Self::new("invalid_request").description(description)
    }

    /// A constant sentence for the developer; ASCII without quotes and backslashes
    /// (RFC 6749, section 5.2).
    #[must_use]
    pub fn description(mut self, text: &'static str) -> Self {
        debug_assert!(
            text.bytes()
                .all(|b| (0x20..0x7f).contains(&b) && b != b'"' && b != b'\\')
        );
        self.description = Some(text);
        self
    }

    /// Another status than 400.
    #[must_use]
    pub fn status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    /// One more header, `WWW-Authenticate` or `DPoP-Nonce`.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// `server_error` with status 500.
    pub fn server_error() -> Self {
        Self::new("server_error").status(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// `temporarily_unavailable` with status 503 and `Retry-After`.
    pub fn unavailable() -> Self {
        Self::new("temporarily_unavailable")
            .status(StatusCode::SERVICE_UNAVAILABLE)
            .header(header::RETRY_AFTER, HeaderValue::from(RETRY_AFTER))
    }

    /// The code.
    pub fn code(&self) -> &'static str {
        self.error
    }
}

impl IntoResponse for OAuthError {
    fn into_response(self) -> Response {
        let body = OAuthBody {
            error: self.error,
            error_description: self.description,
        };
        let mut response = (self.status, Json(body)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        for (name, value) in self.headers {
            headers.append(name, value);
        }
        response
    }
}

impl From<DbError> for OAuthError {
    fn from(error: DbError) -> Self {
        log_database(&error);
        match error.is_temporary() {
            true => Self::unavailable(),
            false => Self::server_error(),
        }
    }
}

/// Logs the chain of causes of a database failure, once, where it is turned into an answer.
/// SQL errors carry no bound values in their `Display`.
pub fn log_database(error: &DbError) {
    let mut cause = String::new();
    let mut next: Option<&dyn std::error::Error> = std::error::Error::source(error);
    while let Some(source) = next {
        cause.push_str(": ");
        cause.push_str(&source.to_string());
        next = source.source();
    }
    tracing::error!(code = error.code(), "{error}{cause}");
}
