//! `GET /v1/credentials`: issued credentials, newest first.

use axum::extract::RawQuery;
use axum::http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use super::caller::{Call, Scope};
use super::error::{ApiError, Problem};
use super::idempotent::Reply;
use super::query;
use super::views::CredentialView;
use crate::domain::ids::CredentialId;
use crate::domain::page::Page;
use crate::paths::ADMIN_CREDENTIALS;
use crate::store::{credentials, records};

/// One page of credentials.
#[derive(Serialize, ToSchema)]
pub struct CredentialPage {
    /// The credentials, newest first.
    items: Vec<CredentialView>,
    /// Pass this as `before` for the next page. Absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// List credentials.
#[utoipa::path(
    get, path = ADMIN_CREDENTIALS, tag = "credentials", operation_id = "list_credentials",
    params(
        ("limit" = Option<u32>, Query, description = "1 to 200, 50 by default"),
        ("before" = Option<String>, Query, description = "`next` of the page before"),
        ("record_id" = Option<String>, Query, description = "Only of this subject record"),
    ),
    responses(
        (status = 200, description = "One page", body = CredentialPage),
        (status = 400, description = "An unknown or malformed parameter", body = Problem),
        (status = 401, description = "No valid API key", body = Problem),
        (status = 403, description = "The key lacks `credentials:read`", body = Problem),
    ),
    security(("api_key" = []))
)]
pub async fn handler(call: Call, RawQuery(raw): RawQuery) -> Result<Reply, ApiError> {
    call.require(Scope::CredentialsRead)?;
    let parse = |text: &str| CredentialId::parse(text).ok();
    let (request, params) = query::page(raw.as_deref(), &["record_id"], parse)?;
    let core = &call.core;
    let page = match params.get("record_id") {
        None => credentials::page(&core.db, &request, None).await?,
        Some(name) => match records::find(&core.db, &core.keys.record_hash(name)).await? {
            Some(record) => credentials::page(&core.db, &request, Some(&record)).await?,
            None => Page {
                items: Vec::new(),
                more: false,
            },
        },
    };
    let next = page
        .items
        .last()
        .filter(|_| page.more)
        .map(|last| last.id.to_string());
    let view = |credential| {
        let credential: &crate::domain::credential::Credential = credential;
        CredentialView::new(credential, core.settings.status_uri(&credential.place.list))
    };
    let items = page.items.iter().map(view).collect();
    Reply::json(StatusCode::OK, &CredentialPage { items, next })
}
