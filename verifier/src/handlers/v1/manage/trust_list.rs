//! `GET /v1/trust`: whose cards are believed.

use std::collections::BTreeMap;

use axum::extract::RawQuery;
use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;

use super::caller::Admin;
use super::{TRUST, query, shown};
use crate::access::Scope;
use crate::handlers::v1::error::{ApiError, Problem};

/// An issuer that is believed.
#[derive(Serialize, ToSchema)]
pub struct TrustedIssuerView {
    /// Its name: an https URL or its DID.
    id: String,
    /// Whether it is believed for mdocs, or for its other cards.
    mdoc: bool,
    /// The types that it may issue.
    types: Vec<String>,
    /// Claims that name one person for good, by type.
    stable_claims: BTreeMap<String, Vec<String>>,
}

/// Everybody who is believed.
#[derive(Serialize, ToSchema)]
pub struct TrustView {
    /// The issuers, as the configuration names them.
    items: Vec<TrustedIssuerView>,
}

/// List the issuers that are believed.
///
/// They stand in `[trust]` of the configuration, and are changed there.
#[utoipa::path(
    get, path = TRUST, tag = "trust", operation_id = "list_trust",
    responses(
        (status = 200, description = "The issuers", body = TrustView),
        (status = 400, description = "A query parameter (`invalid_query`)", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "No valid API key (`unauthorized`)", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "The key lacks `trust:read` (`forbidden`)", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "Too many requests", body = Problem, content_type = "application/problem+json"),
        (status = 500, description = "A fault of ours", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Busy or without database", body = Problem, content_type = "application/problem+json"),
    ),
    security(("api_key" = []))
)]
pub async fn handle(admin: Admin, RawQuery(raw): RawQuery) -> Result<Response, ApiError> {
    admin.require(Scope::TrustRead)?;
    query::none(raw.as_deref())?;
    let issuers = admin.app.settings.trust.entries().iter();
    let items = issuers.map(|entry| TrustedIssuerView {
        id: entry.id.clone(),
        mdoc: entry.mdoc,
        types: entry.types.clone(),
        stable_claims: entry.stable_claims.clone(),
    });
    Ok(shown(&TrustView {
        items: items.collect(),
    }))
}
