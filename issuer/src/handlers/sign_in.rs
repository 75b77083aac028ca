//! The way to the provider that signs a person in: nothing of ours is shown before.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use vouchsafe_protocol::oauth::ErrorCode;
use vouchsafe_service::db::DbError;
use vouchsafe_service::http::ClientAddress;
use vouchsafe_service::upstream::{UpstreamError, flows};

use vouchsafe_credentials::time::UnixTime;

use super::code_page::{self, Flow};
use crate::core::Core;
use crate::domain::secret::Secret;

/// Whose sign-ins under way they are.
pub const PURPOSE: &str = "issuer";

/// Why the browser is not sent on.
#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    /// The type is not configured this way any more.
    #[error("there is no provider for the credential type")]
    NotConfigured,
    /// A network begins too many.
    #[error("the network begins too many sign-ins")]
    Busy,
    /// The provider.
    #[error("the provider cannot be asked")]
    Upstream(#[from] UpstreamError),
    /// The database failed.
    #[error("the database failed")]
    Db(#[from] DbError),
}

/// What the wallet is told when the provider signs nobody in.
pub fn told(error: &UpstreamError) -> ErrorCode {
    match error {
        UpstreamError::Denied(code)
            if matches!(
                code.as_str(),
                "access_denied" | "login_required" | "consent_required" | "interaction_required"
            ) =>
        {
            ErrorCode::AccessDenied
        }
        other if other.is_temporary() => ErrorCode::TemporarilyUnavailable,
        _ => ErrorCode::ServerError,
    }
}

/// Sends the browser to the provider of a credential type.
pub async fn begin(
    core: &Core,
    address: ClientAddress,
    kind: &str,
    flow: &Flow,
    browser: &Secret,
) -> Result<Response, SignInError> {
    let (method, upstream) = core.provider(kind).ok_or(SignInError::NotConfigured)?;
    // Anybody may begin, and it costs a row and perhaps a request at the provider.
    core.sign_ins
        .check(address)
        .map_err(|_| SignInError::Busy)?;
    let start = upstream.begin(&method.ask(&flow.locale)).await?;
    let expires_at = UnixTime(flow.expires_at);
    let until = (expires_at, &*core.rng);
    flows::keep(
        &core.db,
        PURPOSE,
        browser.expose(),
        &start.pending,
        flow,
        until,
    )
    .await?;
    let mut response = StatusCode::SEE_OTHER.into_response();
    code_page::page_headers(response.headers_mut());
    code_page::set_browser(core, &mut response, browser);
    // An address that was checked and made of ASCII by the URL parser.
    if let Ok(location) = HeaderValue::try_from(start.url) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    Ok(response)
}
