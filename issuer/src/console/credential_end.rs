//! `/console/credentials/{id}/end`: a credential ends at a moment to come.

use axum::body::Bytes;
use axum::extract::Path;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde_json::json;

use super::{Acting, Failure, Visitor, credential_change, credential_page, moment, query};
use crate::domain::credential::Change;
use crate::handlers::admin::change::Act;
use crate::handlers::admin::error::ApiError;

/// The question, with the moment that was named before.
pub async fn page(Acting(visitor): Acting, Path(id): Path<String>) -> Result<Response, Failure> {
    form(&visitor, &id, None, StatusCode::OK).await
}

/// Notes the moment; a background job ends the credential when it has come.
pub async fn apply(
    Acting(visitor): Acting,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Failure> {
    let typed = visitor.form(&headers, &body).await?;
    let text = query::filter(&typed, "at").unwrap_or_default();
    let done = match moment::read(text) {
        Some(at) => credential_change::make(&visitor, &id, &typed, &Act::EndAt(at)).await,
        None => return refused(&visitor, &id, (text, "moment")).await,
    };
    match done {
        Err(Failure::Api(ApiError::EndTime)) => refused(&visitor, &id, (text, "end")).await,
        other => other,
    }
}

async fn refused(visitor: &Visitor, id: &str, typed: (&str, &str)) -> Result<Response, Failure> {
    form(visitor, id, Some(typed), StatusCode::UNPROCESSABLE_ENTITY).await
}

/// `refused` is what was typed, and the name of the text that says what is wrong with it.
async fn form(
    visitor: &Visitor,
    id: &str,
    refused: Option<(&str, &str)>,
    status: StatusCode,
) -> Result<Response, Failure> {
    let credential = credential_page::find(visitor, id).await?;
    let possible = Change::Expire.apply(credential.status);
    possible.map_err(ApiError::Change)?;
    let said = || credential.ends_at.map(moment::written).unwrap_or_default();
    let context = json!({
        "credential": credential_page::shown(visitor, &credential).await?,
        "at": refused.map_or_else(said, |(text, _)| text.to_owned()),
        "problem": refused.map(|(_, problem)| problem),
    });
    visitor.page_with(status, "console/credential_end", context)
}
