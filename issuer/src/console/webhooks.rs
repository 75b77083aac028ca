//! `/console/webhooks`: who is told of events, and how messages fared.

use axum::extract::{Path, RawQuery};
use axum::response::Response;
use serde_json::{Value, json};
use vouchsafe_service::webhooks::{self, DeliveryRow, Endpoint};

use super::{Failure, Visitor, paths, query};
use crate::domain::ids::WebhookId;
use crate::domain::page::Page;

/// The list.
pub async fn list(visitor: Visitor) -> Result<Response, Failure> {
    let endpoints = webhooks::endpoints(&visitor.console.core.db).await?;
    let rows: Vec<Value> = endpoints.iter().map(endpoint).collect();
    visitor.page("console/webhooks", json!({ "webhooks": rows }))
}

/// One endpoint with its deliveries.
pub async fn page(
    visitor: Visitor,
    Path(id): Path<String>,
    RawQuery(raw): RawQuery,
) -> Result<Response, Failure> {
    let id = WebhookId::parse(&id).map_err(|_| Failure::NotFound)?;
    let params = query::params(raw.as_deref())?;
    let request = query::page(&params, |text| WebhookId::parse(text).ok())?;
    let db = &visitor.console.core.db;
    let found = webhooks::endpoint(db, id.as_str()).await?;
    let found = found.ok_or(Failure::NotFound)?;
    let before = request.before.as_ref().map(WebhookId::as_str);
    let rows = webhooks::deliveries(db, id.as_str(), before, request.limit + 1).await?;
    let page = Page::from_overfetch(rows, request.limit);
    let path = paths::WEBHOOK.replace("{id}", id.as_str());
    let next = page.items.last().filter(|_| page.more);
    let next = next.map(|last| query::next(&path, &params, &last.message_id));
    let context = json!({
        "webhook": endpoint(&found),
        "deliveries": page.items.iter().map(delivery).collect::<Vec<_>>(),
        "next": next,
    });
    visitor.page("console/webhook", context)
}

fn endpoint(endpoint: &Endpoint) -> Value {
    let Endpoint {
        id,
        url,
        events,
        version: _,
        created_at,
        disabled_at,
    } = endpoint;
    json!({
        "link": paths::WEBHOOK.replace("{id}", id),
        "url": url,
        "events": events,
        "created_at": created_at.0,
        "disabled_at": disabled_at.map(|at| at.0),
    })
}

fn delivery(row: &DeliveryRow) -> Value {
    let DeliveryRow {
        message_id,
        event,
        attempts,
        next_at,
        delivered_at,
        last_result,
        created_at,
    } = row;
    json!({
        "message": message_id,
        "event": event,
        "attempts": attempts,
        "next_at": next_at,
        "delivered_at": delivered_at,
        "result": last_result,
        "created_at": created_at,
    })
}
