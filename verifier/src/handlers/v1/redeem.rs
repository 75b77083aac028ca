//! `POST /v1/verifications/{id}/redeem`: the browser is back where it started.

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Deserialize;
use utoipa::ToSchema;

use super::caller::Call;
use super::error::{ApiError, Problem};
use super::read::shown;
use super::start::{bytes, read};
use super::views::VerificationView;
use super::{REDEEM, verification_id};
use crate::access::Scope;
use crate::handlers::PathText;
use crate::verification::redeem::{Redeemed, redeem};

/// What the browser brought.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RedeemVerification {
    /// `response_code` of the address that the browser came to.
    response_code: String,
}

/// Redeem the `response_code` of a browser that came back.
///
/// Do so only in the session in which the question was asked. The code counts once, for a minute.
#[utoipa::path(
    post, path = REDEEM, tag = "verifications", operation_id = "redeem_verification",
    request_body = RedeemVerification,
    params(("id" = String, Path, description = "The id of the verification")),
    responses(
        (status = 200, description = "The verification with its result", body = VerificationView),
        (status = 400, description = "Not strict JSON of this form", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "No valid API key", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "The key lacks `verifications:write`", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No such verification of yours, or not any more", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "The body is too long", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "Not `application/json`", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "The code is of another verification, was used, or is too old", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "Too many requests", body = Problem, content_type = "application/problem+json"),
        (status = 500, description = "A fault of ours", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Busy or without database", body = Problem, content_type = "application/problem+json"),
    ),
    security(("api_key" = []))
)]
pub async fn handle(
    call: Call,
    id: PathText,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, ApiError> {
    call.require(Scope::Write)?;
    let RedeemVerification { response_code } = read(&headers, &bytes(body)?)?;
    let id = verification_id(id)?;
    match redeem(&call.app, &call.caller.id, &id, &response_code).await? {
        Some(Redeemed::Verified(verification)) => Ok(shown(&call, &verification)),
        Some(Redeemed::Refused) => Err(ApiError::Code),
        None => Err(ApiError::NotFound),
    }
}
