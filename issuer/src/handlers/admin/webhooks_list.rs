//! `GET /v1/webhooks`: who is told of events.

use axum::extract::RawQuery;
use axum::http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;
use vouchsafe_service::webhooks;

use super::caller::{Call, Scope};
use super::error::{ApiError, Problem};
use super::idempotent::Reply;
use super::query;
use super::webhook_views::WebhookView;
use crate::paths::ADMIN_WEBHOOKS;

/// All endpoints.
#[derive(Serialize, ToSchema)]
pub struct WebhookList {
    /// The endpoints, oldest first.
    items: Vec<WebhookView>,
}

/// List endpoints.
#[utoipa::path(
    get, path = ADMIN_WEBHOOKS, tag = "webhooks", operation_id = "list_webhooks",
    responses(
        (status = 200, description = "All endpoints", body = WebhookList),
        (status = 400, description = "A query parameter", body = Problem),
        (status = 401, description = "No valid API key", body = Problem),
        (status = 403, description = "The key lacks `webhooks:read`", body = Problem),
    ),
    security(("api_key" = []))
)]
pub async fn handler(call: Call, RawQuery(raw): RawQuery) -> Result<Reply, ApiError> {
    call.require(Scope::WebhooksRead)?;
    query::none(raw.as_deref())?;
    let endpoints = webhooks::endpoints(&call.core.db).await?;
    let items = endpoints.iter().map(WebhookView::from).collect();
    Reply::json(StatusCode::OK, &WebhookList { items })
}
