//! `/console/credentials/{id}`: one issued credential.

use axum::extract::Path;
use axum::response::Response;
use serde_json::{Value, json};

use super::{Failure, Visitor, cards, credential_change, paths};
use crate::domain::credential::{Change, Credential};
use crate::domain::ids::CredentialId;
use crate::handlers::admin::views::record_name;
use crate::store::credentials;

/// The page. What the credential says is not kept, so it is not shown.
pub async fn page(visitor: Visitor, Path(id): Path<String>) -> Result<Response, Failure> {
    let credential = find(&visitor, &id).await?;
    let changes = credential_change::CHANGES.iter();
    let changes = changes.filter(|(_, change)| change.apply(credential.status).is_ok());
    let changes = changes.map(|(name, _)| *name);
    // The end and the replacement that somebody names have pages of their own below the same path.
    let more = [("end", Change::Expire), ("supersede", Change::Supersede)];
    let more = more
        .iter()
        .filter(|(_, change)| change.apply(credential.status).is_ok())
        .map(|(name, _)| *name);
    let changes: Vec<Value> = changes
        .chain(more)
        .map(|name| json!({ "name": name, "link": link(&credential, name) }))
        .collect();
    let renew = paths::CREDENTIAL_RENEW.replace("{id}", credential.id.as_str());
    let context = json!({
        "credential": shown(&visitor, &credential).await?,
        "changes": changes,
        "renew": credential.check_renewable().ok().map(|()| renew),
    });
    visitor.page("console/credential", context)
}

/// The credential of a path.
pub async fn find(visitor: &Visitor, id: &str) -> Result<Credential, Failure> {
    let id = CredentialId::parse(id).map_err(|_| Failure::NotFound)?;
    let found = credentials::find(&visitor.console.core.db, &id).await?;
    found.ok_or(Failure::NotFound)
}

/// What pages show of a credential.
pub async fn shown(visitor: &Visitor, credential: &Credential) -> Result<Value, Failure> {
    let core = &visitor.console.core;
    let event = credential
        .event
        .map(|seen| json!({ "name": seen.event.as_str().replace('_', "-"), "at": seen.at.0 }));
    let page = |id: &CredentialId| paths::CREDENTIAL.replace("{id}", id.as_str());
    Ok(json!({
        "id": credential.id.as_str(),
        "link": page(&credential.id),
        "record": record_name(core, &credential.record).await?,
        "type": cards::name(core, &credential.credential_type, visitor.locale.tag()),
        "format": credential.format.name(),
        "status": credential.status.as_str(),
        "version": credential.version,
        "issued_at": credential.issued_at.0,
        "expires_at": credential.expires_at.0,
        "ends_at": credential.ends_at.map(|at| at.0),
        "replaced_by": credential.superseded_by.as_ref().map(page),
        "changed_at": credential.status_changed_at.0,
        "event": event,
    }))
}

fn link(credential: &Credential, change: &str) -> String {
    paths::CREDENTIAL_CHANGE
        .replace("{id}", credential.id.as_str())
        .replace("{change}", change)
}
