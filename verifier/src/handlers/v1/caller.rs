//! Who calls, with a key, allowed to do what.

use axum::extract::FromRequestParts;
use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts as RequestParts;
use vouchsafe_service::api_keys::{self, ApiCaller};

use super::error::ApiError;
use crate::access::Scope;
use crate::app::App;
use crate::config::VerificationCaller;

/// An authenticated caller and the parts of the service.
#[derive(Debug, Clone)]
pub struct Call {
    /// Parts of the service.
    pub app: App,
    /// The owner of the key, as registered.
    pub caller: VerificationCaller,
    may: [bool; Scope::ALL.len()],
}

impl Call {
    /// Refuses a key without the scope.
    pub fn require(&self, scope: Scope) -> Result<(), ApiError> {
        let mut scopes = Scope::ALL.into_iter().zip(self.may);
        match scopes.any(|(own, may)| own == scope && may) {
            true => Ok(()),
            false => Err(ApiError::Forbidden(scope)),
        }
    }
}

/// Whose key these headers have (RFC 6750, section 2.1).
pub(super) async fn key(app: &App, headers: &HeaderMap) -> Result<ApiCaller, ApiError> {
    let mut headers = headers.get_all(AUTHORIZATION).iter();
    let (Some(header), None) = (headers.next(), headers.next()) else {
        return Err(ApiError::Unauthorized);
    };
    let text = header.to_str().map_err(|_| ApiError::Unauthorized)?;
    let (scheme, key) = text.split_once(' ').ok_or(ApiError::Unauthorized)?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(ApiError::Unauthorized);
    }
    let key = api_keys::authenticate(&app.db, key, app.now()).await?;
    key.ok_or(ApiError::InvalidToken)
}

impl FromRequestParts<App> for Call {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut RequestParts, app: &App) -> Result<Self, ApiError> {
        let key = key(app, &parts.headers).await?;
        // A key says whose it is; who is registered no more calls no more.
        let caller = app.settings.verifications.caller(&key.name);
        let caller = caller.ok_or(ApiError::InvalidToken)?.clone();
        Ok(Self {
            app: App::clone(app),
            caller,
            may: Scope::ALL.map(|scope| key.may(scope.as_str())),
        })
    }
}
