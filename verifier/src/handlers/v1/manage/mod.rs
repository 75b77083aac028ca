//! For those who run the service: applications, sessions, keys, and what holds of the configuration.
//! There only where `[administration]` is written.

mod caller;
mod client_views;
mod clients_list;
mod clients_put;
mod clients_read;
mod clients_remove;
mod clients_secret;
mod condition;
mod keys_list;
mod queries_list;
mod query;
mod sessions_end;
mod sessions_list;
mod trust_list;

use axum::Json;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::error::ApiError;
use crate::app::App;
use crate::handlers::PathText;

/// All applications.
pub const CLIENTS: &str = "/v1/clients";
/// One of them.
pub const CLIENT: &str = "/v1/clients/{id}";
/// Its secret.
pub const CLIENT_SECRET: &str = "/v1/clients/{id}/secret";
/// Live sessions.
pub const SESSIONS: &str = "/v1/sessions";
/// One of them.
pub const SESSION: &str = "/v1/sessions/{id}";
/// Keys that sign for applications.
pub const KEYS: &str = "/v1/keys";
/// Whose cards are believed.
pub const TRUST: &str = "/v1/trust";
/// What wallets are asked.
pub const QUERIES: &str = "/v1/queries";

/// The routes, with their description.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(clients_list::handle))
        .routes(routes!(
            clients_read::handle,
            clients_put::handle,
            clients_remove::handle
        ))
        .routes(routes!(clients_secret::handle))
        .routes(routes!(sessions_list::handle))
        .routes(routes!(sessions_end::handle))
        .routes(routes!(keys_list::handle))
        .routes(routes!(trust_list::handle))
        .routes(routes!(queries_list::handle))
}

/// What a path names; it may be no text.
fn id(path: PathText) -> Result<String, ApiError> {
    let text = path.map_err(|_| ApiError::Unknown)?.0;
    // None of ours is longer or has such characters, and not every database takes every text.
    let fits = text.len() <= 255 && text.bytes().all(|byte| byte.is_ascii_graphic());
    fits.then_some(text).ok_or(ApiError::Unknown)
}

/// JSON that nobody keeps.
fn shown(body: &impl Serialize) -> Response {
    ([(header::CACHE_CONTROL, "no-store")], Json(body)).into_response()
}
