//! `/console/credentials/{id}/{change}`: suspend, resume, revoke, end now, each after a question.

use axum::body::Bytes;
use axum::extract::Path;
use axum::http::HeaderMap;
use axum::response::Response;
use serde_json::json;
use vouchsafe_service::http::Params;

use super::{Acting, Failure, Visitor, credential_page, paths, view};
use crate::domain::credential::Change;
use crate::domain::ids::CredentialId;
use crate::handlers::admin::change::{self, Act};
use crate::handlers::admin::views::etag;

/// The changes, by their names in paths and texts.
pub const CHANGES: [(&str, Change); 4] = [
    ("suspend", Change::Suspend),
    ("resume", Change::Resume),
    ("revoke", Change::Revoke),
    ("expire", Change::Expire),
];

fn named(name: &str) -> Result<Change, Failure> {
    let found = CHANGES.iter().find(|(own, _)| *own == name);
    found.map(|(_, change)| *change).ok_or(Failure::NotFound)
}

/// The question.
pub async fn page(
    Acting(visitor): Acting,
    Path((id, name)): Path<(String, String)>,
) -> Result<Response, Failure> {
    named(&name)?;
    let credential = credential_page::find(&visitor, &id).await?;
    let context = json!({
        "credential": credential_page::shown(&visitor, &credential).await?,
        "change": name,
    });
    visitor.page("console/credential_change", context)
}

/// The change, of the version that the question was about.
pub async fn apply(
    Acting(visitor): Acting,
    Path((id, name)): Path<(String, String)>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Failure> {
    let form = visitor.form(&headers, &body).await?;
    let act = Act::Now(named(&name)?);
    make(&visitor, &id, &form, &act).await
}

/// Makes a change of the version that the page showed, and goes back to the credential.
pub async fn make(
    visitor: &Visitor,
    id: &str,
    form: &Params,
    act: &Act,
) -> Result<Response, Failure> {
    let id = CredentialId::parse(id).map_err(|_| Failure::NotFound)?;
    let version = form.get("version").and_then(|text| text.parse().ok());
    let expected = etag(version.ok_or(Failure::Malformed)?);
    let (core, author) = (visitor.console.core.clone(), visitor.author());
    let (told, target, wanted) = (core.clone(), id.clone(), act.clone());
    let changed = core
        .db
        .write(async move |tx| {
            change::perform(&told, tx, &author, &target, Some(&expected), &wanted).await
        })
        .await;
    core.shown.changed();
    let change = act.change();
    if changed?.status == change.target() {
        change::count(change);
    }
    let page = paths::CREDENTIAL.replace("{id}", id.as_str());
    Ok(view::see_other(&page))
}
