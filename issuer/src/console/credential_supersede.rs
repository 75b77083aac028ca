//! `/console/credentials/{id}/supersede`: another credential of the record, which was issued already,
//! takes the place of this one.

use std::collections::BTreeSet;

use axum::body::Bytes;
use axum::extract::Path;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde_json::{Value, json};
use vouchsafe_service::http::Params;

use super::{Acting, Failure, Visitor, credential_change, credential_page, credentials, query};
use crate::domain::credential::{Change, Credential, CredentialStatus};
use crate::domain::ids::CredentialId;
use crate::domain::page::{DEFAULT_LIMIT, PageRequest};
use crate::handlers::admin::change::Act;
use crate::handlers::admin::error::ApiError;
use crate::store::credentials as stored;
use crate::store::overview::{self, Search};

/// The question: which one.
pub async fn page(Acting(visitor): Acting, Path(id): Path<String>) -> Result<Response, Failure> {
    form(&visitor, &id, false).await
}

/// The change, of the version that the question was about.
pub async fn apply(
    Acting(visitor): Acting,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Failure> {
    let typed = visitor.form(&headers, &body).await?;
    let Some(by) = chosen(&typed)? else {
        return form(&visitor, &id, true).await;
    };
    let act = Act::ReplacedBy(by);
    match credential_change::make(&visitor, &id, &typed, &act).await {
        Err(Failure::Api(ApiError::Successor)) => form(&visitor, &id, true).await,
        other => other,
    }
}

fn chosen(typed: &Params) -> Result<Option<CredentialId>, Failure> {
    let by = query::filter(typed, "by").map(CredentialId::parse);
    by.transpose().map_err(|_| Failure::Malformed)
}

/// `refused`: none was chosen, or one that cannot take the place any more.
async fn form(visitor: &Visitor, id: &str, refused: bool) -> Result<Response, Failure> {
    let old = credential_page::find(visitor, id).await?;
    let possible = Change::Supersede.apply(old.status);
    possible.map_err(ApiError::Change)?;
    let context = json!({
        "credential": credential_page::shown(visitor, &old).await?,
        "others": others(visitor, &old).await?,
        "problem": refused,
    });
    let status = match refused {
        true => StatusCode::UNPROCESSABLE_ENTITY,
        false => StatusCode::OK,
    };
    visitor.page_with(status, "console/credential_supersede", context)
}

/// The newest valid credentials of the same record, but for copies of this one, and one of several
/// copies each: what came from one offer in one moment says the same.
async fn others(visitor: &Visitor, old: &Credential) -> Result<Vec<Value>, Failure> {
    let db = &visitor.console.core.db;
    let search = Search {
        record: Some(old.record.clone()),
        status: Some(CredentialStatus::Valid.as_str().to_owned()),
        ..Search::default()
    };
    let request = PageRequest {
        before: None,
        limit: DEFAULT_LIMIT,
    };
    let found = overview::search(db, &search, &request).await?;
    let origin = |one: &Credential| (one.offer.as_str().to_owned(), one.issued_at);
    let mut seen = BTreeSet::from([origin(old)]);
    let mut rows = Vec::new();
    for id in &found.items {
        if let Some(credential) = stored::find(db, id).await?
            && seen.insert(origin(&credential))
        {
            rows.push(credentials::row(visitor, &credential));
        }
    }
    Ok(rows)
}
