//! `GET /v1/offers`: offers, newest first.

use axum::extract::RawQuery;
use axum::http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use super::caller::{Call, Scope};
use super::error::{ApiError, Problem};
use super::idempotent::Reply;
use super::query;
use super::views::OfferView;
use crate::domain::ids::OfferId;
use crate::paths::ADMIN_OFFERS;
use crate::store::offers;

/// One page of offers.
#[derive(Serialize, ToSchema)]
pub struct OfferPage {
    /// The offers, newest first.
    items: Vec<OfferView>,
    /// Pass this as `before` for the next page. Absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// List offers.
#[utoipa::path(
    get, path = ADMIN_OFFERS, tag = "offers", operation_id = "list_offers",
    params(
        ("limit" = Option<u32>, Query, description = "1 to 200, 50 by default"),
        ("before" = Option<String>, Query, description = "`next` of the page before"),
    ),
    responses(
        (status = 200, description = "One page", body = OfferPage),
        (status = 400, description = "An unknown or malformed parameter", body = Problem),
        (status = 401, description = "No valid API key", body = Problem),
        (status = 403, description = "The key lacks `offers:read`", body = Problem),
    ),
    security(("api_key" = []))
)]
pub async fn handler(call: Call, RawQuery(raw): RawQuery) -> Result<Reply, ApiError> {
    call.require(Scope::OffersRead)?;
    let (request, _) = query::page(raw.as_deref(), &[], |text| OfferId::parse(text).ok())?;
    let page = offers::page(&call.core.db, &request).await?;
    let now = call.core.clock.now();
    let next = page
        .items
        .last()
        .filter(|_| page.more)
        .map(|last| last.id.to_string());
    let items = page
        .items
        .iter()
        .map(|offer| OfferView::new(offer, now))
        .collect();
    Reply::json(StatusCode::OK, &OfferPage { items, next })
}
