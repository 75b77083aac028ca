//! Who administers, allowed to do what.

use axum::extract::FromRequestParts;
use axum::http::request::Parts as RequestParts;
use vouchsafe_service::api_keys::ApiCaller;

use crate::access::Scope;
use crate::app::App;
use crate::handlers::v1::caller::key;
use crate::handlers::v1::error::ApiError;

/// Somebody with a key, and the parts of the service. Nothing is done before [`Admin::require`].
#[derive(Debug, Clone)]
pub struct Admin {
    /// Parts of the service.
    pub app: App,
    caller: ApiCaller,
}

impl Admin {
    /// Refuses a key without the scope.
    pub fn require(&self, scope: Scope) -> Result<(), ApiError> {
        match self.caller.may(scope.as_str()) {
            true => Ok(()),
            false => Err(ApiError::Forbidden(scope)),
        }
    }

    /// Who it is, for the audit log and for idempotency keys.
    pub fn actor(&self) -> String {
        self.caller.actor()
    }
}

impl FromRequestParts<App> for Admin {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut RequestParts, app: &App) -> Result<Self, ApiError> {
        Ok(Self {
            caller: key(app, &parts.headers).await?,
            app: App::clone(app),
        })
    }
}
