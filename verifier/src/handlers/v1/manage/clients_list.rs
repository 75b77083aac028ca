//! `GET /v1/clients`: which applications there are.

use axum::extract::RawQuery;
use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;

use super::caller::Admin;
use super::client_views::ClientView;
use super::query::Page;
use super::{CLIENTS, shown};
use crate::access::Scope;
use crate::clients::managed;
use crate::handlers::v1::error::{ApiError, Problem};

/// Applications: those of the configuration as they stand there, then the others by their ids.
#[derive(Serialize, ToSchema)]
pub struct ClientList {
    /// Those of this page.
    items: Vec<ClientView>,
    /// Where the next page begins, if there is one: `after`.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// List applications.
///
/// Those of the configuration and those of this interface. What registered by itself is looked after with
/// the command line.
#[utoipa::path(
    get, path = CLIENTS, tag = "clients", operation_id = "list_clients",
    params(
        ("limit" = Option<u32>, Query, description = "How many at most, 1 to 200", minimum = 1, maximum = 200),
        ("after" = Option<String>, Query, description = "Where the page before ended"),
    ),
    responses(
        (status = 200, description = "A page of applications", body = ClientList),
        (status = 400, description = "A query parameter (`invalid_query`)", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "No valid API key (`unauthorized`)", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "The key lacks `clients:read` (`forbidden`)", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "Too many requests", body = Problem, content_type = "application/problem+json"),
        (status = 500, description = "A fault of ours", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Busy or without database", body = Problem, content_type = "application/problem+json"),
    ),
    security(("api_key" = []))
)]
pub async fn handle(admin: Admin, RawQuery(raw): RawQuery) -> Result<Response, ApiError> {
    admin.require(Scope::ClientsRead)?;
    let page = Page::parse(raw.as_deref(), &[])?;
    let (clients, more) = managed::list(&admin.app, &page.after, page.limit).await?;
    let last = clients.last().map(|known| known.id.to_string());
    Ok(shown(&ClientList {
        next: last.filter(|_| more),
        items: clients.into_iter().map(ClientView::from).collect(),
    }))
}
