//! `GET /v1/keys`: which keys sign for applications.

use std::collections::BTreeMap;

use axum::extract::RawQuery;
use axum::response::Response;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::caller::Admin;
use super::{KEYS, query, shown};
use crate::access::Scope;
use crate::handlers::v1::error::{ApiError, Problem};

/// What a key does.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum KeyState {
    /// It signs ID tokens, logout tokens and security events, and is in the JWK set.
    Signs,
}

/// A key that signs for applications.
#[derive(Serialize, ToSchema)]
pub struct KeyView {
    /// What it does.
    state: KeyState,
    /// The public key, as it is in the JWK set: with `kid` and `alg`.
    #[schema(value_type = std::collections::BTreeMap<String, Value>)]
    jwk: BTreeMap<String, Value>,
}

/// The keys.
#[derive(Serialize, ToSchema)]
pub struct KeyList {
    /// All of them.
    items: Vec<KeyView>,
}

/// List the keys that sign for applications.
///
/// They stand in `[keys]` of the configuration. Nothing private is shown.
#[utoipa::path(
    get, path = KEYS, tag = "keys", operation_id = "list_keys",
    responses(
        (status = 200, description = "The keys", body = KeyList),
        (status = 400, description = "A query parameter (`invalid_query`)", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "No valid API key (`unauthorized`)", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "The key lacks `keys:read` (`forbidden`)", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "Too many requests", body = Problem, content_type = "application/problem+json"),
        (status = 500, description = "A fault of ours", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Busy or without database", body = Problem, content_type = "application/problem+json"),
    ),
    security(("api_key" = []))
)]
pub async fn handle(admin: Admin, RawQuery(raw): RawQuery) -> Result<Response, ApiError> {
    admin.require(Scope::KeysRead)?;
    query::none(raw.as_deref())?;
    let items = admin.app.tokens.public_keys().map(|jwk| KeyView {
        state: KeyState::Signs,
        jwk: jwk.clone().into_iter().collect(),
    });
    Ok(shown(&KeyList {
        items: items.collect(),
    }))
}
