//! `GET /v1/offers/{id}`: one offer.

use axum::extract::Path;
use axum::http::StatusCode;

use super::caller::{Call, Scope};
use super::error::{ApiError, Problem};
use super::idempotent::Reply;
use super::views::{OfferView, record_name};
use crate::domain::ids::OfferId;
use crate::paths::ADMIN_OFFER;
use crate::store::offers;

/// Read an offer.
#[utoipa::path(
    get, path = ADMIN_OFFER, tag = "offers", operation_id = "read_offer",
    params(("id" = String, Path, description = "The offer")),
    responses(
        (status = 200, description = "The offer, without its secrets", body = OfferView),
        (status = 401, description = "No valid API key", body = Problem),
        (status = 403, description = "The key lacks `offers:read`", body = Problem),
        (status = 404, description = "No such offer", body = Problem),
    ),
    security(("api_key" = []))
)]
pub async fn handler(call: Call, Path(id): Path<String>) -> Result<Reply, ApiError> {
    call.require(Scope::OffersRead)?;
    let id = OfferId::parse(&id).map_err(|_| ApiError::NotFound)?;
    let offer = offers::find(&call.core.db, &id)
        .await?
        .ok_or(ApiError::NotFound)?;
    let mut view = OfferView::new(&offer, call.core.clock.now());
    view.record_id = record_name(&call.core, &offer.record).await?;
    Reply::json(StatusCode::OK, &view)
}
