//! `POST /v1/offers/{id}/deny`: what waits for a decision is not issued.

use axum::extract::Path;
use axum::http::HeaderMap;

use super::caller::Call;
use super::decide;
use super::error::{ApiError, Problem};
use super::idempotent::Reply;
use super::views::OfferView;
use crate::domain::offer::Decision;
use crate::paths::ADMIN_DENY;

/// Deny an offer that waits. Its claims are deleted; there is no way back.
#[utoipa::path(
    post, path = ADMIN_DENY, tag = "offers", operation_id = "deny_offer",
    params(
        ("id" = String, Path, description = "The offer"),
        ("Idempotency-Key" = Option<String>, Header, description = "Makes a repetition safe"),
    ),
    responses(
        (status = 200, description = "The offer after the decision", body = OfferView),
        (status = 400, description = "The Idempotency-Key is malformed", body = Problem),
        (status = 401, description = "No valid API key", body = Problem),
        (status = 403, description = "The key lacks `offers:write`", body = Problem),
        (status = 404, description = "No such offer", body = Problem),
        (status = 409, description = "The offer waits for no decision", body = Problem),
        (status = 422, description = "The Idempotency-Key was used for another request", body = Problem),
    ),
    security(("api_key" = []))
)]
pub async fn handler(
    call: Call,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Result<Reply, ApiError> {
    decide::apply(&call, &headers, &id, Decision::Denied).await
}
