//! `GET /v1/queries`: what wallets are asked.

use std::collections::BTreeMap;

use axum::extract::RawQuery;
use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;

use super::caller::Admin;
use super::{QUERIES, query, shown};
use crate::access::Scope;
use crate::config::{Query, SubjectStrategy};
use crate::handlers::v1::error::{ApiError, Problem};

/// A question to wallets.
#[derive(Serialize, ToSchema)]
pub struct QueryView {
    /// Its name.
    #[schema(example = "age")]
    id: String,
    /// Scope values that stand for it or for a part of it.
    scopes: Vec<String>,
    /// The types of cards that may answer it.
    types: Vec<String>,
    /// The format of the cards: `dc+sd-jwt`, `mso_mdoc` or `mixed`.
    format: &'static str,
    /// Whose login it is: `guest`, `issuer_scoped_claim`, `asserted_lookup` or `session_binding`.
    subject: &'static str,
    /// What the application learns, by the names of claims.
    claims: Vec<String>,
    /// Why people are asked, by language.
    purpose: BTreeMap<String, String>,
    /// Whether all cards of one answer must be bound to one key.
    one_holder: bool,
}

impl From<&Query> for QueryView {
    fn from(query: &Query) -> Self {
        let mut purpose = query.purpose.translations.clone();
        purpose.insert("default".to_owned(), query.purpose.default.clone());
        Self {
            id: query.id.to_string(),
            scopes: query.scope_names().map(str::to_owned).collect(),
            types: query.types.clone(),
            format: query.format(),
            subject: match &query.subject {
                SubjectStrategy::Guest => "guest",
                SubjectStrategy::IssuerScopedClaim(_) => "issuer_scoped_claim",
                SubjectStrategy::AssertedLookup(_) => "asserted_lookup",
                SubjectStrategy::SessionBinding(_) => "session_binding",
            },
            claims: query
                .claims
                .iter()
                .map(|claim| claim.name.clone())
                .collect(),
            purpose,
            one_holder: query.one_holder,
        }
    }
}

/// The questions.
#[derive(Serialize, ToSchema)]
pub struct QueryList {
    /// All of them.
    items: Vec<QueryView>,
}

/// List the questions to wallets.
///
/// They stand in `[[query]]` of the configuration, and are changed there.
#[utoipa::path(
    get, path = QUERIES, tag = "queries", operation_id = "list_queries",
    responses(
        (status = 200, description = "The questions", body = QueryList),
        (status = 400, description = "A query parameter (`invalid_query`)", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "No valid API key (`unauthorized`)", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "The key lacks `queries:read` (`forbidden`)", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "Too many requests", body = Problem, content_type = "application/problem+json"),
        (status = 500, description = "A fault of ours", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Busy or without database", body = Problem, content_type = "application/problem+json"),
    ),
    security(("api_key" = []))
)]
pub async fn handle(admin: Admin, RawQuery(raw): RawQuery) -> Result<Response, ApiError> {
    admin.require(Scope::QueriesRead)?;
    query::none(raw.as_deref())?;
    let items = admin.app.settings.queries().iter();
    Ok(shown(&QueryList {
        items: items.map(QueryView::from).collect(),
    }))
}
