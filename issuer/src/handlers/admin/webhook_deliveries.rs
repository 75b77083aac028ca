//! `GET /v1/webhooks/{id}/deliveries`: how messages to an endpoint fared, newest first.

use axum::extract::{Path, RawQuery};
use axum::http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;
use vouchsafe_service::webhooks;

use super::caller::{Call, Scope};
use super::error::{ApiError, Problem};
use super::idempotent::Reply;
use super::query;
use super::webhook_views::{self, WebhookDelivery};
use crate::domain::ids::WebhookId;
use crate::domain::page::Page;
use crate::paths::ADMIN_WEBHOOK_DELIVERIES;

/// One page of deliveries.
#[derive(Serialize, ToSchema)]
pub struct DeliveryPage {
    /// The deliveries, newest first. They are kept for thirty days.
    items: Vec<WebhookDelivery>,
    /// Pass this as `before` for the next page. Absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// List deliveries to an endpoint.
#[utoipa::path(
    get, path = ADMIN_WEBHOOK_DELIVERIES, tag = "webhooks", operation_id = "list_webhook_deliveries",
    params(
        ("id" = String, Path, description = "The endpoint"),
        ("limit" = Option<u32>, Query, description = "1 to 200, 50 by default"),
        ("before" = Option<String>, Query, description = "`next` of the page before"),
    ),
    responses(
        (status = 200, description = "One page", body = DeliveryPage),
        (status = 400, description = "An unknown or malformed parameter", body = Problem),
        (status = 401, description = "No valid API key", body = Problem),
        (status = 403, description = "The key lacks `webhooks:read`", body = Problem),
        (status = 404, description = "No such endpoint", body = Problem),
    ),
    security(("api_key" = []))
)]
pub async fn handler(
    call: Call,
    Path(id): Path<String>,
    RawQuery(raw): RawQuery,
) -> Result<Reply, ApiError> {
    call.require(Scope::WebhooksRead)?;
    let id = webhook_views::id(&id)?;
    let parse = |text: &str| WebhookId::parse(text).ok();
    let (request, _) = query::page(raw.as_deref(), &[], parse)?;
    let db = &call.core.db;
    if webhooks::endpoint(db, id.as_str()).await?.is_none() {
        return Err(ApiError::NotFound);
    }
    let before = request.before.as_ref().map(WebhookId::as_str);
    let rows = webhooks::deliveries(db, id.as_str(), before, request.limit + 1).await?;
    let page = Page::from_overfetch(rows, request.limit);
    let next = page.items.last().filter(|_| page.more);
    let next = next.map(|last| last.message_id.clone());
    let items = page.items.into_iter().map(WebhookDelivery::from).collect();
    Reply::json(StatusCode::OK, &DeliveryPage { items, next })
}
