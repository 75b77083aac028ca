//! `GET /.well-known/openid-credential-issuer` (OpenID4VCI 1.0, section 12.2).

use axum::extract::State;
use axum::response::Response;

use super::wire::json_public;
use crate::core::Core;
use crate::metadata;

/// Answers with the metadata.
pub async fn handler(State(core): State<Core>) -> Response {
    json_public(&metadata::issuer(&core))
}
