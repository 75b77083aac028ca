//! `GET /admin/numbers`: every number of the pages, with its formula.

use axum::Json;
use axum::extract::{FromRequestParts, RawQuery};
use axum::http::request::Parts as RequestParts;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};

use super::caller;
use super::error::{ApiError, Problem};
use crate::access::Scope;
use crate::app::App;
use crate::numbers::ask::{Asked, Numbers, ask};

/// Where it is.
pub const NUMBERS: &str = "/admin/numbers";

/// Somebody who may read numbers.
#[derive(Debug)]
pub struct Reader(App);

impl FromRequestParts<App> for Reader {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut RequestParts, app: &App) -> Result<Self, ApiError> {
        may_read(app, &parts.headers).await?;
        Ok(Self(App::clone(app)))
    }
}

/// Whether these headers have a key for the numbers.
pub(super) async fn may_read(app: &App, headers: &HeaderMap) -> Result<(), ApiError> {
    match caller::key(app, headers).await? {
        key if key.may(Scope::Numbers.as_str()) => Ok(()),
        _ => Err(ApiError::Forbidden(Scope::Numbers)),
    }
}

/// Read what was counted.
///
/// Without `since` and `until`: the last 30 days, today included. Days are those of UTC.
#[utoipa::path(
    get, path = NUMBERS, tag = "numbers", operation_id = "read_numbers",
    params(
        ("since" = Option<String>, Query, description = "The first day, `2026-11-01`"),
        ("until" = Option<String>, Query, description = "The last day, `2026-11-30`"),
        ("by" = Option<String>, Query, description = "`day`, `stage`, `journey`, `channel` or `client`"),
        ("journey" = Option<String>, Query, description = "Only this journey, with its steps"),
        ("client" = Option<String>, Query, description = "Only this application"),
    ),
    responses(
        (status = 200, description = "The numbers", body = Numbers),
        (status = 400, description = "A parameter that does not fit", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "No valid API key", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "The key lacks `numbers:read`", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "Too many requests", body = Problem, content_type = "application/problem+json"),
        (status = 500, description = "A fault of ours", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Busy or without database", body = Problem, content_type = "application/problem+json"),
    ),
    security(("api_key" = []))
)]
pub async fn handle(Reader(app): Reader, RawQuery(query): RawQuery) -> Result<Response, ApiError> {
    let asked = Asked::parse(query.as_deref().unwrap_or_default(), app.now());
    let asked = asked.map_err(ApiError::Parameter)?;
    let numbers = ask(&app, &asked).await?;
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(numbers)).into_response())
}
