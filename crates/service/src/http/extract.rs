//! Extractors that accept one way of writing a request and nothing else.

use axum::{
    body::Bytes,
    extract::{FromRequest, FromRequestParts, Request},
    http::{HeaderMap, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use serde::de::DeserializeOwned;
use vouchsafe_credentials::json::parse_strict;
use vouchsafe_protocol::http::Headers;

use super::{
    error::{OAuthError, Problem},
    layers::BodyDeadline,
    params::{ParamError, Params},
    rejection::Rejection,
};

/// Why a request was not accepted, before anybody looked at its content.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExtractError {
    /// Another content type, or a compressed body.
    #[error("the content type or encoding is not accepted here")]
    MediaType,
    /// The body is larger than the route allows.
    #[error("the body is too large")]
    TooLarge,
    /// The body did not arrive.
    #[error("the body could not be read")]
    Unreadable,
    /// The body did not come in time.
    #[error("the body did not come in time")]
    Late,
    /// The parameters are not acceptable.
    #[error(transparent)]
    Params(#[from] ParamError),
    /// A parameter stands in the query and in the body.
    #[error("a parameter is in the query and in the body")]
    QueryAndBody,
    /// Not JSON that is accepted: syntax, duplicate names, depth, lossy numbers.
    #[error("the body is not acceptable JSON")]
    Json,
    /// JSON of another shape: missing, unknown or wrongly typed members.
    #[error("the JSON has missing, unknown or wrongly typed members")]
    Shape,
}

impl ExtractError {
    /// Status, code and sentence.
    fn wire(&self) -> (StatusCode, &'static str, &'static str) {
        let bad = StatusCode::BAD_REQUEST;
        match self {
            Self::MediaType => (
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "unsupported_media_type",
                "The content type or encoding is not accepted here.",
            ),
            Self::TooLarge => (
                StatusCode::PAYLOAD_TOO_LARGE,
                "too_large",
                "The body is too large.",
            ),
            Self::Unreadable => (bad, "unreadable_body", "The body could not be read."),
            Self::Late => (
                Rejection::Late.status(),
                Rejection::Late.code(),
                Rejection::Late.detail(),
            ),
            Self::Params(ParamError::Duplicate) => (
                bad,
                "duplicate_parameter",
                "A parameter is included more than once.",
            ),
            Self::QueryAndBody => (
                bad,
                "duplicate_parameter",
                "A parameter is in the query and in the body.",
            ),
            Self::Params(ParamError::Encoding) => (
                bad,
                "invalid_encoding",
                "A parameter is not correctly encoded.",
            ),
            Self::Params(ParamError::TooMany) => {
                (bad, "too_many_parameters", "There are too many parameters.")
            }
            Self::Params(ParamError::Shape) => (
                bad,
                "invalid_parameters",
                "A parameter is missing or has an unexpected value.",
            ),
            Self::Json => (bad, "invalid_json", "The body is not acceptable JSON."),
            Self::Shape => (
                bad,
                "invalid_members",
                "The JSON has missing, unknown or wrongly typed members.",
            ),
        }
    }
}

impl From<ExtractError> for Problem {
    fn from(error: ExtractError) -> Self {
        let (status, code, detail) = error.wire();
        Self::new(status, code, detail)
    }
}

impl From<ExtractError> for OAuthError {
    fn from(error: ExtractError) -> Self {
        let (status, _, detail) = error.wire();
        Self::invalid_request(detail).status(status)
    }
}

impl IntoResponse for ExtractError {
    fn into_response(self) -> Response {
        Problem::from(self).into_response()
    }
}

/// Whether a body is a form, plain and under one content type (catalogue 112, 113).
pub fn is_form(headers: &HeaderMap) -> bool {
    let plain = !headers.contains_key(header::CONTENT_ENCODING);
    let mut types = headers.get_all(header::CONTENT_TYPE).iter();
    let form = match (types.next(), types.next()) {
        (Some(value), None) => value.to_str().is_ok_and(|value| {
            let essence = value.split(';').next().unwrap_or_default().trim();
            essence.eq_ignore_ascii_case("application/x-www-form-urlencoded")
        }),
        _ => false,
    };
    plain && form
}

/// The headers as the protocol crate reads them. A value that is no text becomes one that no
/// parser accepts, never an absent one.
pub fn headers(map: &HeaderMap) -> Headers {
    map.iter()
        .map(|(name, value)| {
            (
                name.as_str(),
                value.to_str().unwrap_or("\u{fffd}").to_owned(),
            )
        })
        .collect()
}

/// A form body. To answer errors in another way than with problem details, take
/// `Result<StrictForm, ExtractError>` in the handler.
#[derive(Debug, Clone)]
pub struct StrictForm(
    /// Its parameters.
    pub Params,
);

impl<S: Send + Sync> FromRequest<S> for StrictForm {
    type Rejection = ExtractError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ExtractError> {
        require_type(request.headers(), "application/x-www-form-urlencoded")?;
        let query = Params::parse(request.uri().query().unwrap_or_default().as_bytes())?;
        let body = Params::parse(&read(request, state).await?)?;
        match body.shares_a_name_with(&query) {
            true => Err(ExtractError::QueryAndBody),
            false => Ok(Self(body)),
        }
    }
}

/// The parameters of the query.
#[derive(Debug, Clone)]
pub struct StrictQuery(
    /// Its parameters.
    pub Params,
);

impl<S: Send + Sync> FromRequestParts<S> for StrictQuery {
    type Rejection = ExtractError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ExtractError> {
        let query = parts.uri.query().unwrap_or_default();
        Ok(Self(Params::parse(query.as_bytes())?))
    }
}

/// A JSON body. Whether unknown members are refused is up to `T` (`deny_unknown_fields`).
#[derive(Debug, Clone)]
pub struct StrictJson<T>(
    /// The value.
    pub T,
);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for StrictJson<T> {
    type Rejection = ExtractError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ExtractError> {
        require_type(request.headers(), "application/json")?;
        let body = read(request, state).await?;
        let value = parse_strict(&body).map_err(|_| ExtractError::Json)?;
        serde_json::from_value(value)
            .map(Self)
            .map_err(|_| ExtractError::Shape)
    }
}

/// Whether the request has exactly this media type (parameters are ignored) and no content
/// coding. Compressed bodies are refused, so there is nothing that can blow up.
pub fn require_type(headers: &HeaderMap, expected: &str) -> Result<(), ExtractError> {
    if headers.contains_key(header::CONTENT_ENCODING) {
        return Err(ExtractError::MediaType);
    }
    let mut types = headers.get_all(header::CONTENT_TYPE).iter();
    let (Some(only), None) = (types.next(), types.next()) else {
        return Err(ExtractError::MediaType);
    };
    let media_type = only.to_str().unwrap_or_default();
    let essence = media_type.split(';').next().unwrap_or_default().trim();
    match essence.eq_ignore_ascii_case(expected) {
        true => Ok(()),
        false => Err(ExtractError::MediaType),
    }
}

async fn read<S: Send + Sync>(request: Request, state: &S) -> Result<Bytes, ExtractError> {
    let deadline = request.extensions().get::<BodyDeadline>().cloned();
    let body = Bytes::from_request(request, state).await;
    body.map_err(|rejection| match rejection.into_response().status() {
        StatusCode::PAYLOAD_TOO_LARGE => ExtractError::TooLarge,
        _ if deadline.is_some_and(|deadline| deadline.has_passed()) => ExtractError::Late,
        _ => ExtractError::Unreadable,
    })
}
