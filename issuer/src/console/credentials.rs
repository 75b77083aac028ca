//! `/console/credentials`: what was issued, with a search.

use axum::extract::RawQuery;
use axum::response::Response;
use serde_json::{Value, json};
use vouchsafe_service::http::Params;

use super::{Failure, Visitor, cards, paths, query};
use crate::domain::credential::{Credential, CredentialStatus};
use crate::domain::ids::CredentialId;
use crate::domain::page::Page;
use crate::store::overview::{self, Search};
use crate::store::{credentials, records};

/// States to search for.
pub const STATES: [CredentialStatus; 5] = [
    CredentialStatus::Valid,
    CredentialStatus::Suspended,
    CredentialStatus::Revoked,
    CredentialStatus::Expired,
    CredentialStatus::Superseded,
];

/// The list.
pub async fn page(visitor: Visitor, RawQuery(raw): RawQuery) -> Result<Response, Failure> {
    let params = query::params(raw.as_deref())?;
    let core = &visitor.console.core;
    let page = found(&visitor, &params).await?;
    let mut rows = Vec::with_capacity(page.items.len());
    for id in &page.items {
        if let Some(credential) = credentials::find(&core.db, id).await? {
            rows.push(row(&visitor, &credential));
        }
    }
    let next = page.items.last().filter(|_| page.more);
    let next = next.map(|last| query::next(paths::CREDENTIALS, &params, last.as_str()));
    let text = |name: &str| params.get(name).unwrap_or_default();
    let context = json!({
        "credentials": rows,
        "next": next,
        "types": cards::all(&visitor),
        "states": STATES.map(CredentialStatus::as_str),
        "record": text("record"),
        "type": text("type"),
        "state": text("state"),
    });
    visitor.page("console/credentials", context)
}

async fn found(visitor: &Visitor, params: &Params) -> Result<Page<CredentialId>, Failure> {
    let core = &visitor.console.core;
    let request = query::page(params, |text| CredentialId::parse(text).ok())?;
    let none = || Page {
        items: Vec::new(),
        more: false,
    };
    let record = match query::filter(params, "record") {
        None => None,
        Some(name) => {
            let hash = core.keys.record_hash(name);
            match records::find(&core.db, &hash).await? {
                Some(record) => Some(record),
                None => return Ok(none()),
            }
        }
    };
    let status = match query::filter(params, "state") {
        None => None,
        Some(name) => Some(CredentialStatus::parse(name).ok_or(Failure::Malformed)?),
    };
    let credential_type = query::filter(params, "type");
    // PostgreSQL has no text with a NUL, so no type is called so.
    if credential_type.is_some_and(|id| id.chars().any(char::is_control)) {
        return Err(Failure::Malformed);
    }
    let search = Search {
        record,
        credential_type: credential_type.map(str::to_owned),
        status: status.map(|status| status.as_str().to_owned()),
    };
    Ok(overview::search(&core.db, &search, &request).await?)
}

/// A credential in a list.
pub fn row(visitor: &Visitor, credential: &Credential) -> Value {
    let core = &visitor.console.core;
    json!({
        "id": credential.id.as_str(),
        "link": paths::CREDENTIAL.replace("{id}", credential.id.as_str()),
        "type": cards::name(core, &credential.credential_type, visitor.locale.tag()),
        "format": credential.format.name(),
        "status": credential.status.as_str(),
        "issued_at": credential.issued_at.0,
    })
}
