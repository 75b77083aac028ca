//! `GET /v1/credential-types`: all types.

use axum::extract::RawQuery;
use axum::http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use super::caller::{Call, Scope};
use super::error::{ApiError, Problem};
use super::idempotent::Reply;
use super::query;
use super::type_views::TypeSummary;
use crate::paths::ADMIN_TYPES;

/// The types, by id.
#[derive(Serialize, ToSchema)]
pub struct TypeList {
    /// Each in its newest version.
    items: Vec<TypeSummary>,
}

/// List credential types.
#[utoipa::path(
    get, path = ADMIN_TYPES, tag = "credential types", operation_id = "list_credential_types",
    responses(
        (status = 200, description = "All types", body = TypeList),
        (status = 400, description = "A query parameter", body = Problem),
        (status = 401, description = "No valid API key", body = Problem),
        (status = 403, description = "The key lacks `types:read`", body = Problem),
    ),
    security(("api_key" = []))
)]
pub async fn handler(call: Call, RawQuery(raw): RawQuery) -> Result<Reply, ApiError> {
    call.require(Scope::TypesRead)?;
    query::none(raw.as_deref())?;
    let core = &call.core;
    core.types.refresh(core).await?;
    let types = core.types.all_current();
    let items = types.iter().map(|one| TypeSummary::new(core, one));
    let items = items.collect();
    Reply::json(StatusCode::OK, &TypeList { items })
}
