//! `PUT /v1/clients/{id}`: an application, or all that is said of one.

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::http::HeaderMap;
use axum::response::Response;

use super::caller::Admin;
use super::client_views::{self, WrittenClient};
use super::{CLIENT, condition};
use crate::access::Scope;
use crate::clients::administer;
use crate::clients::managed::ManageError;
use crate::clients::settings::ClientSettings;
use crate::handlers::PathText;
use crate::handlers::v1::error::{ApiError, Problem};
use crate::handlers::v1::start;

/// Make an application, or replace what is said of one.
///
/// It is checked as a `[[client]]` of the configuration is, and in force at once, in every process. What
/// is left out is as in the configuration when it is left out. A new secret is shown once; an application
/// that has one keeps it.
#[utoipa::path(
    put, path = CLIENT, tag = "clients", operation_id = "put_client",
    request_body = ClientSettings,
    params(
        ("id" = String, Path, description = "Its `client_id`: letters, digits and `.` `_` `-`"),
        ("If-Match" = Option<String>, Header, description = "The entity tag that was read; needed where the application exists"),
        ("If-None-Match" = Option<String>, Header, description = "`*`: only where there is none"),
    ),
    responses(
        (status = 200, description = "It was changed", body = WrittenClient,
            headers(("ETag" = String, description = "The state it is in: for `If-Match`"))),
        (status = 201, description = "It was made; a secret is shown this once", body = WrittenClient,
            headers(("ETag" = String, description = "The state it is in: for `If-Match`"))),
        (status = 400, description = "Not strict JSON of this form (`invalid_body`), or a malformed header (`invalid_condition`)", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "No valid API key (`unauthorized`)", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "The key lacks `clients:write` (`forbidden`)", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "It is in the configuration file (`configured_client`), or one with this id was removed less than ten minutes ago or is still to be told of its sessions (`removed_recently`)", body = Problem, content_type = "application/problem+json"),
        (status = 412, description = "It is in another state, or exists (`version_mismatch`)", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "The body is too long (`body_too_long`)", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "Not `application/json` (`unsupported_media_type`)", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "The id (`invalid_client_id`) or the settings (`invalid_client`) are refused", body = Problem, content_type = "application/problem+json"),
        (status = 428, description = "It exists, and no `If-Match` (`if_match_required`)", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "Too many requests", body = Problem, content_type = "application/problem+json"),
        (status = 500, description = "A fault of ours", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Busy or without database", body = Problem, content_type = "application/problem+json"),
    ),
    security(("api_key" = []))
)]
pub async fn handle(
    admin: Admin,
    headers: HeaderMap,
    id: PathText,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, ApiError> {
    admin.require(Scope::ClientsWrite)?;
    // Whoever makes one hears what is wrong with its name.
    let id = super::id(id).map_err(|_| ManageError::Id)?;
    let condition = condition::read(&headers)?;
    let settings: ClientSettings = start::read(&headers, &start::bytes(body)?)?;
    let put = administer::put(&admin.app, &admin.actor(), &id, settings, condition).await?;
    Ok(client_views::written(put))
}
