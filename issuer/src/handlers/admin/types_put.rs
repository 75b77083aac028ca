//! `PUT /v1/credential-types/{id}`: a type, or the next version of it.

use axum::extract::Path;
use axum::http::{HeaderMap, StatusCode};
use serde_json::{Map, Value};
use vouchsafe_credentials::credential_type::CredentialType;

use super::body::{self, Payload};
use super::caller::{Call, Scope};
use super::change::if_match;
use super::error::{ApiError, Problem};
use super::idempotent::Reply;
use super::type_views::TypeView;
use super::views::etag;
use crate::paths::ADMIN_TYPE;
use crate::sign::unknown_context;
use crate::store::types::{self, StoredType};
use crate::types::published;

/// Largest description, in bytes, as it is stored.
const MAX_BYTES: usize = 1024 * 1024;

/// Make a credential type, or the next version of it.
///
/// The body has the members of a type file (`specs/credential-types/`). The version is in effect at
/// once: new offers are of it, and older offers keep theirs.
#[utoipa::path(
    put, path = ADMIN_TYPE, tag = "credential types", operation_id = "put_credential_type",
    request_body = std::collections::BTreeMap<String, serde_json::Value>,
    params(
        ("id" = String, Path, description = "The type"),
        ("If-Match" = Option<String>, Header, description = "The entity tag that was read; needed where the type exists"),
    ),
    responses(
        (status = 200, description = "The next version", body = TypeView),
        (status = 201, description = "A new type", body = TypeView),
        (status = 400, description = "Not strict JSON", body = Problem),
        (status = 401, description = "No valid API key", body = Problem),
        (status = 403, description = "The key lacks `types:write`", body = Problem),
        (status = 409, description = "Somebody else changed it in the same moment, or its metadata were published with other words", body = Problem),
        (status = 412, description = "Another version", body = Problem),
        (status = 415, description = "Not `application/json`", body = Problem),
        (status = 422, description = "Not a credential type", body = Problem),
        (status = 428, description = "No `If-Match`", body = Problem),
    ),
    security(("api_key" = []))
)]
pub async fn handler(
    call: Call,
    headers: HeaderMap,
    Path(id): Path<String>,
    Payload(bytes): Payload,
) -> Result<Reply, ApiError> {
    call.require(Scope::TypesWrite)?;
    let expected = if_match(&headers)?;
    let definition: Map<String, Value> = body::read(&headers, &bytes)?;
    let (kind, text) = read(&call, &id, definition)?;
    call.core.types.refresh(&call.core).await?;
    check_published(&call, &kind)?;
    let file = call.core.types.version(&id, 0).map(|_| 0);
    let (author, now) = (call.clone(), call.core.clock.now());
    let name = id.clone();
    let version = call
        .core
        .db
        .write::<_, ApiError, _>(async move |tx| {
            let newest = types::newest(tx, &name).await?.or(file);
            match (newest, &expected) {
                (None, None) => {}
                (Some(_), None) => return Err(ApiError::VersionMissing),
                (Some(newest), Some(tag)) if *tag == etag(newest) => {}
                (_, Some(_)) => return Err(ApiError::Version),
            }
            let new = StoredType {
                version: newest.unwrap_or(0) + 1,
                id: name.clone(),
                text: text.clone(),
                created_at: now,
            };
            if !types::insert(tx, &new).await? {
                return Err(ApiError::Concurrent);
            }
            let version = new.version.to_string();
            author.audit(tx, "type.put", &new.id, &version).await?;
            Ok((newest.is_none(), new.version))
        })
        .await;
    let (is_new, version) = version?;
    call.core.types.refresh(&call.core).await?;
    let made = call.core.types.version(&id, version);
    let made = made.ok_or(ApiError::Internal("the type that was stored is not known"))?;
    let status = match is_new {
        true => StatusCode::CREATED,
        false => StatusCode::OK,
    };
    Ok(Reply {
        etag: Some(etag(version)),
        location: is_new.then(|| ADMIN_TYPE.replace("{id}", &id)),
        ..Reply::json(status, &TypeView::new(&call.core, &made)?)?
    })
}

/// The type of the description, and the text that is stored.
fn read(
    call: &Call,
    id: &str,
    definition: Map<String, Value>,
) -> Result<(CredentialType, String), ApiError> {
    let wrong = |problem: String| ApiError::Type(problem);
    let (kind, text) =
        CredentialType::from_json(&definition).map_err(|error| wrong(error.message))?;
    if kind.id != id {
        return Err(wrong("`id` is not the one of the path".to_owned()));
    }
    if text.len() > MAX_BYTES {
        return Err(wrong("the description is too long".to_owned()));
    }
    match unknown_context(&kind, &call.core.signing) {
        Some(url) => Err(wrong(format!("a context that is not known: {url}"))),
        None => Ok((kind, text)),
    }
}

/// SD-JWT VC, "Document Integrity": what was issued names the hash of the document at its `vct`, so
/// other words need another `vct`.
fn check_published(call: &Call, kind: &CredentialType) -> Result<(), ApiError> {
    let known = call.core.types.by_vct(&kind.vct);
    let Some(known) = known.as_ref().and_then(|known| known.metadata.as_ref()) else {
        return Ok(());
    };
    match published(&call.core.settings, kind) {
        Some(new) if new.integrity == known.integrity => Ok(()),
        _ => Err(ApiError::TypePublished),
    }
}
