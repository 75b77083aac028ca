//! Over REST: verifications for those without OpenID Connect, numbers, and administration. Each is there only
//! where the configuration says so.

mod caller;
mod error;
mod events;
mod idempotent;
mod manage;
pub(super) mod numbers;
pub mod openapi;
mod read;
mod redeem;
mod remove;
mod start;
mod support;
mod views;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::get;

use self::error::ApiError;
use super::PathText;
use crate::app::App;
use crate::domain::ids::VerificationId;

/// All verifications.
pub const VERIFICATIONS: &str = "/v1/verifications";
/// One of them.
pub const VERIFICATION: &str = "/v1/verifications/{id}";
/// What happens to it, as it happens.
pub const EVENTS: &str = "/v1/verifications/{id}/events";
/// The browser is back.
pub const REDEEM: &str = "/v1/verifications/{id}/redeem";
/// The description of the interface.
pub const OPENAPI: &str = "/openapi.json";

/// Largest body, in bytes: a question of the caller's own with room to spare.
const MAX_BODY: usize = 64 * 1024;

/// The verification that a path names, if it can be one of ours.
fn verification_id(path: PathText) -> Result<VerificationId, ApiError> {
    let text = path.map_err(|_| ApiError::NotFound)?;
    VerificationId::parse(&text.0).ok_or(ApiError::NotFound)
}

/// What is there only where numbers are read.
pub fn for_business() -> Router<App> {
    Router::from(openapi::for_business())
}

/// The routes for those who ask wallets.
pub fn router() -> Router<App> {
    Router::from(openapi::verifications()).layer(DefaultBodyLimit::max(MAX_BODY))
}

/// The routes for those who run the service.
pub fn for_administrators() -> Router<App> {
    Router::from(manage::router()).layer(DefaultBodyLimit::max(MAX_BODY))
}

/// The description of what is there.
pub fn description() -> Router<App> {
    Router::new().route(OPENAPI, get(openapi::handle))
}
