//! What the registration endpoints share: who asks with which token, the answer, and why there is
//! none.

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};
use vouchsafe_credentials::json::parse_object;
use vouchsafe_credentials::time::UnixTime;
use vouchsafe_protocol::oauth::error::{ErrorCode, OAuthError};
use vouchsafe_service::db::DbError;
use vouchsafe_service::http::require_type;

use super::{REGISTER, oauth};
use crate::app::App;
use crate::clients::RegisterError;
use crate::domain::ids::{ClientId, Secret};
use crate::store::StoreError;
use crate::views::chain;

/// Why there is no registration.
#[derive(Debug, thiserror::Error)]
pub(super) enum RegistrationError {
    /// No token came, or none of ours. One answer for an unknown application and for a token of
    /// another one (RFC 7592, section 2.1).
    #[error("the access token is not good")]
    Token,
    /// Too many from one network.
    #[error("too many registrations from one network")]
    TooMany,
    /// Not JSON.
    #[error("the body is no JSON object")]
    Body,
    /// What a client must not send (RFC 7592, section 2.2).
    #[error("{0} is not the client's to send")]
    NotYours(&'static str),
    /// `client_id` beside the metadata is missing or another one.
    #[error("the client_id is another one")]
    OtherClient,
    /// Not registered.
    #[error(transparent)]
    Refused(RegisterError),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<RegisterError> for RegistrationError {
    fn from(error: RegisterError) -> Self {
        match error {
            RegisterError::Token | RegisterError::Unknown => Self::Token,
            RegisterError::Db(error) => Self::Store(error.into()),
            other => Self::Refused(other),
        }
    }
}

impl From<DbError> for RegistrationError {
    fn from(error: DbError) -> Self {
        Self::Store(error.into())
    }
}

impl RegistrationError {
    /// RFC 7591, section 3.2.2.
    fn oauth(&self) -> OAuthError {
        let metadata = |reason| OAuthError::new(ErrorCode::InvalidClientMetadata, reason);
        match self {
            Self::Token => ErrorCode::InvalidToken.into(),
            Self::TooMany => ErrorCode::TemporarilyUnavailable.into(),
            Self::Body => metadata("the body must be a JSON object"),
            Self::NotYours(_) => metadata("a member is the server's to say"),
            Self::OtherClient => metadata("client_id must be the registered one"),
            Self::Refused(error) => refused(error),
            Self::Store(error) => error.to_oauth(),
        }
    }
}

fn refused(error: &RegisterError) -> OAuthError {
    let metadata = |reason| OAuthError::new(ErrorCode::InvalidClientMetadata, reason);
    match error {
        RegisterError::Metadata(error) => error.to_oauth(),
        RegisterError::Sector(_) => metadata("sector_identifier_uri cannot be had"),
        RegisterError::Address(_) => metadata("an address is not one that is asked"),
        RegisterError::Secret => metadata("client_secret is another one"),
        RegisterError::Full => ErrorCode::TemporarilyUnavailable.into(),
        RegisterError::Token | RegisterError::Unknown => ErrorCode::InvalidToken.into(),
        RegisterError::Db(_) => ErrorCode::ServerError.into(),
    }
}

impl IntoResponse for RegistrationError {
    fn into_response(self) -> Response {
        match &self {
            Self::Store(error) => tracing::error!(error = %chain(error), "not registered"),
            _ => tracing::info!(reason = %chain(&self), "not registered"),
        }
        let mut response = oauth::refusal(&self.oauth(), false);
        match self {
            // RFC 6750, section 3.
            Self::Token => {
                let challenge = HeaderValue::from_static("Bearer error=\"invalid_token\"");
                let headers = response.headers_mut();
                headers.insert(header::WWW_AUTHENTICATE, challenge);
            }
            Self::TooMany => {
                *response.status_mut() = StatusCode::TOO_MANY_REQUESTS;
                let headers = response.headers_mut();
                headers.insert(header::RETRY_AFTER, HeaderValue::from_static("60"));
            }
            Self::Body
            | Self::NotYours(_)
            | Self::OtherClient
            | Self::Refused(_)
            | Self::Store(_) => {}
        }
        response
    }
}

/// The token of a request: `None` where no `Authorization` came.
pub(super) fn bearer(headers: &HeaderMap) -> Result<Option<Secret>, RegistrationError> {
    let mut all = headers.get_all(header::AUTHORIZATION).iter();
    let only = match (all.next(), all.next()) {
        (None, _) => return Ok(None),
        (Some(only), None) => only.to_str().map_err(|_| RegistrationError::Token)?,
        (Some(_), Some(_)) => return Err(RegistrationError::Token),
    };
    let (scheme, token) = only.split_once(' ').ok_or(RegistrationError::Token)?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(RegistrationError::Token);
    }
    let token = Secret::parse(token.trim()).ok_or(RegistrationError::Token)?;
    Ok(Some(token))
}

/// The body of a request.
pub(super) fn metadata(
    headers: &HeaderMap,
    body: &[u8],
) -> Result<Map<String, Value>, RegistrationError> {
    let json = require_type(headers, "application/json").is_ok();
    let object = json.then(|| parse_object(body).ok()).flatten();
    object.ok_or(RegistrationError::Body)
}

/// What is told of a registration.
pub(super) struct Told<'a> {
    pub(super) id: &'a ClientId,
    pub(super) created_at: UnixTime,
    /// The registration access token: that of the request, or a new one.
    pub(super) token: &'a Secret,
    /// A secret that was made now.
    pub(super) secret: Option<&'a Secret>,
    pub(super) metadata: Map<String, Value>,
}

/// RFC 7591, section 3.2.1; RFC 7592, section 3.
pub(super) fn answer(app: &App, status: StatusCode, told: Told<'_>) -> Response {
    let Told {
        id,
        created_at,
        token,
        secret,
        metadata: mut body,
    } = told;
    let mut put = |name: &str, value: Value| drop(body.insert(name.to_owned(), value));
    put("client_id", json!(id.as_str()));
    put("client_id_issued_at", json!(created_at.0));
    if let Some(secret) = secret {
        put("client_secret", json!(secret.reveal()));
        put("client_secret_expires_at", json!(0));
    }
    put("registration_access_token", json!(token.reveal()));
    let address = app.settings.public_url.join(&format!("{REGISTER}/{id}"));
    put("registration_client_uri", json!(address));
    (status, oauth::answer(&body)).into_response()
}
