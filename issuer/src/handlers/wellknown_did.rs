//! `GET /.well-known/did.json`: the document of the service's `did:web`.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::json;

use super::wire::{json_no_store, json_public};
use crate::core::Core;

/// Answers with the document; 404 where no key is named so.
pub async fn handler(State(core): State<Core>) -> Response {
    match core.signing.did_document() {
        Some(document) => json_public(&document),
        None => json_no_store(StatusCode::NOT_FOUND, &json!({ "error": "not_found" })),
    }
}
