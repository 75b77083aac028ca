//! What does not work, and its one mapping to pages.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde_json::json;
use vouchsafe_pages::PagesError;
use vouchsafe_service::db::DbError;
use vouchsafe_service::http::error::log_database;
use vouchsafe_service::operators::OperatorError;
use vouchsafe_service::upstream::UpstreamError;

use super::{Console, view};
use crate::handlers::admin::error::ApiError;

/// Why a page cannot be shown, or a change is not made.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The role is not enough.
    #[error("the role does not allow this")]
    Forbidden,
    /// The form was not sent from a page of ours.
    #[error("the form was not sent from a page of this console")]
    Form,
    /// The form cannot be read.
    #[error("the form cannot be read")]
    Malformed,
    /// There is nothing here.
    #[error("there is nothing here")]
    NotFound,
    /// The sign-in is too long ago for this.
    #[error("the sign-in is not recent")]
    NotRecent,
    /// The form was sent before.
    #[error("the form was sent before")]
    Again,
    /// Operators and their passkeys.
    #[error(transparent)]
    Operator(#[from] OperatorError),
    /// The OpenID Provider.
    #[error(transparent)]
    Upstream(#[from] UpstreamError),
    /// What the administration API refuses.
    #[error(transparent)]
    Api(#[from] ApiError),
    /// The database.
    #[error(transparent)]
    Db(#[from] DbError),
    /// A page is broken.
    #[error(transparent)]
    Page(#[from] PagesError),
}

/// What the layer shows.
#[derive(Debug, Clone, Copy)]
struct Told(&'static str);

impl Failure {
    /// Status and name of the page's texts.
    fn told(&self) -> (StatusCode, &'static str) {
        match self {
            Self::Forbidden => (StatusCode::FORBIDDEN, "forbidden"),
            Self::Form => (StatusCode::FORBIDDEN, "form"),
            Self::Malformed => (StatusCode::BAD_REQUEST, "malformed"),
            Self::NotFound | Self::Api(ApiError::NotFound) => (StatusCode::NOT_FOUND, "not-found"),
            Self::NotRecent => (StatusCode::FORBIDDEN, "not-recent"),
            Self::Again => (StatusCode::CONFLICT, "again"),
            Self::Operator(error) => operator(error),
            Self::Upstream(error) => provider(error),
            Self::Api(ApiError::JobEnded) => (StatusCode::CONFLICT, "job-ended"),
            Self::Api(ApiError::JobLimit) => (StatusCode::CONFLICT, "job-limit"),
            Self::Api(ApiError::Change(_) | ApiError::Concurrent | ApiError::Version) => {
                (StatusCode::CONFLICT, "changed")
            }
            Self::Api(ApiError::Db(error)) | Self::Db(error) => database(error),
            Self::Api(ApiError::Internal(what)) => internal(what),
            Self::Api(_) => (StatusCode::UNPROCESSABLE_ENTITY, "refused"),
            Self::Page(_) => (StatusCode::INTERNAL_SERVER_ERROR, "server"),
        }
    }
}

fn operator(error: &OperatorError) -> (StatusCode, &'static str) {
    let refused = StatusCode::UNPROCESSABLE_ENTITY;
    match error {
        OperatorError::Link => (StatusCode::GONE, "link"),
        OperatorError::Unknown => (StatusCode::NOT_FOUND, "not-found"),
        OperatorError::Forbidden => (StatusCode::FORBIDDEN, "forbidden"),
        OperatorError::Disabled => (StatusCode::FORBIDDEN, "disabled"),
        OperatorError::Name => (refused, "name"),
        OperatorError::NameTaken => (refused, "name-taken"),
        OperatorError::LastPasskey => (refused, "last-passkey"),
        OperatorError::TooManyPasskeys => (refused, "too-many-passkeys"),
        OperatorError::LastAdmin => (refused, "last-admin"),
        OperatorError::PasskeyTaken => (refused, "passkey-taken"),
        OperatorError::IdentityTaken => (refused, "identity-taken"),
        OperatorError::Stranger => (StatusCode::FORBIDDEN, "stranger"),
        OperatorError::Way => (StatusCode::NOT_FOUND, "not-found"),
        OperatorError::Webauthn(_) => (StatusCode::FORBIDDEN, "passkey"),
        OperatorError::Db(error) => database(error),
    }
}

fn provider(error: &UpstreamError) -> (StatusCode, &'static str) {
    tracing::warn!(
        code = error.code(),
        error = error as &dyn std::error::Error,
        "sign-in at the provider"
    );
    match error.is_temporary() {
        true => (StatusCode::SERVICE_UNAVAILABLE, "provider-silent"),
        false => (StatusCode::FORBIDDEN, "provider"),
    }
}

fn internal(what: &'static str) -> (StatusCode, &'static str) {
    tracing::error!(what, "page failed");
    (StatusCode::INTERNAL_SERVER_ERROR, "server")
}

fn database(error: &DbError) -> (StatusCode, &'static str) {
    log_database(error);
    match error.is_temporary() {
        true => (StatusCode::SERVICE_UNAVAILABLE, "unavailable"),
        false => (StatusCode::INTERNAL_SERVER_ERROR, "server"),
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let (status, name) = self.told();
        if let Self::Page(error) = &self {
            tracing::error!(error = error as &dyn std::error::Error, "page failed");
        }
        tracing::info!(reason = name, "console refused");
        let mut response = status.into_response();
        response.extensions_mut().insert(Told(name));
        response
    }
}

/// Turns what handlers refuse into pages, or into JSON for the script of passkeys.
pub async fn layer(State(console): State<Console>, request: Request, next: Next) -> Response {
    let locale = view::locale(request.headers());
    let json = wants_json(request.headers());
    let mut response = next.run(request).await;
    let Some(Told(name)) = response.extensions_mut().remove::<Told>() else {
        return response;
    };
    let status = response.status();
    if json {
        return (
            status,
            axum::Json(json!({ "error": name.replace('-', "_") })),
        )
            .into_response();
    }
    let context = json!({
        "kind": name,
        "issuer": console.core.settings.name(locale.tag()),
        "passkeys": console.operators.has_passkeys(),
    });
    match console.core.pages.render("console/failed", locale, context) {
        Ok(html) => (status, html).into_response(),
        Err(error) => {
            tracing::error!(error = &error as &dyn std::error::Error, "page failed");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

fn wants_json(headers: &HeaderMap) -> bool {
    let accept = headers.get(header::ACCEPT);
    accept.is_some_and(|accept| accept == "application/json")
}
