//! `GET /.well-known/oauth-authorization-server` (RFC 8414).

use axum::extract::State;
use axum::response::Response;

use super::wire::json_public;
use crate::core::Core;
use crate::metadata;

/// Answers with the metadata.
pub async fn handler(State(core): State<Core>) -> Response {
    json_public(&metadata::authorization_server(&core))
}
