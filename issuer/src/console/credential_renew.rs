//! `/console/credentials/{id}/renew`: a new offer in the place of a credential.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::Path;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde_json::json;
use vouchsafe_credentials::credential_type::CredentialType;
use vouchsafe_service::http::Params;

use super::claims_form::{self, Problems};
use super::offer_new::{self, Refused, Sent};
use super::{Acting, Failure, Visitor, credential_page, paths, view};
use crate::domain::credential::Credential;
use crate::handlers::admin::credentials_renew::{known_claims, store};
use crate::handlers::admin::error::ApiError;
use crate::handlers::admin::views::{etag, record_name};

/// The form, with the claims where they are kept.
pub async fn page(Acting(visitor): Acting, Path(id): Path<String>) -> Result<Response, Failure> {
    let (old, kind) = renewable(&visitor, &id).await?;
    let (typed, note) = match known_claims(&visitor.console.core, &old).await {
        Ok(Some(claims)) => {
            let typed = claims_form::written(&kind, &claims);
            (typed.map_err(|_| Failure::Malformed)?, "kept")
        }
        Ok(None) => (Params::default(), "source"),
        Err(ApiError::ClaimsNeeded) => (Params::default(), "gone"),
        Err(error) => return Err(error.into()),
    };
    let form = Form {
        old: &old,
        kind: &kind,
        typed: &typed,
        note: Some(note),
    };
    form.page(&visitor, StatusCode::OK, &Problems::new()).await
}

/// Makes the offer. Its links and codes are shown this once.
pub async fn create(
    Acting(visitor): Acting,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Failure> {
    let typed = visitor.form(&headers, &body).await?;
    let (old, kind) = renewable(&visitor, &id).await?;
    let version = typed.get("version").and_then(|text| text.parse().ok());
    let expected = etag(version.ok_or(Failure::Malformed)?);
    let core = visitor.console.core.clone();
    let record = record_name(&core, &old.record).await?;
    let record = record.ok_or(ApiError::Internal("a credential has no record"))?;
    let prepared = match offer_new::prepared(&visitor, &kind, &typed, &record) {
        Ok(prepared) => prepared.in_place_of(&old.id),
        Err(Refused::Problems(problems)) => {
            let form = Form {
                old: &old,
                kind: &kind,
                typed: &typed,
                note: None,
            };
            let refused = StatusCode::UNPROCESSABLE_ENTITY;
            return form.page(&visitor, refused, &problems).await;
        }
        Err(Refused::Failure(failure)) => return Err(failure),
    };
    let (told, author, target) = (core.clone(), visitor.author(), old.id.clone());
    let (sent, stored) = (Sent::of(&visitor, &typed)?, prepared.clone());
    core.db
        .write(async move |tx| {
            sent.first(tx).await?;
            store(&told, tx, &author, &target, Some(&expected), &stored).await?;
            Ok::<_, Failure>(())
        })
        .await?;
    let back = paths::CREDENTIAL.replace("{id}", old.id.as_str());
    offer_new::result(&visitor, &kind, &prepared, Some(&back))
}

/// The credential of a path, which can be renewed, and its type as it is now.
async fn renewable(
    visitor: &Visitor,
    id: &str,
) -> Result<(Credential, Arc<CredentialType>), Failure> {
    let core = &visitor.console.core;
    core.types.refresh(core).await?;
    let old = credential_page::find(visitor, id).await?;
    old.check_renewable().map_err(ApiError::Change)?;
    let kind = core.credential_type(&old.credential_type);
    Ok((old, kind.ok_or(Failure::NotFound)?))
}

/// What the form shows.
struct Form<'f> {
    old: &'f Credential,
    kind: &'f CredentialType,
    typed: &'f Params,
    /// Where the claims come from; the name of a text.
    note: Option<&'static str>,
}

impl Form<'_> {
    async fn page(
        &self,
        visitor: &Visitor,
        status: StatusCode,
        problems: &Problems,
    ) -> Result<Response, Failure> {
        let Self {
            old,
            kind,
            typed,
            note,
        } = self;
        let locale = visitor.locale.tag();
        let seen = typed.get("version").map(str::to_owned);
        let context = view::with(
            offer_new::shared(visitor, typed, problems),
            json!({
                "credential": credential_page::shown(visitor, old).await?,
                "version": seen.unwrap_or_else(|| old.version.to_string()),
                "type": { "id": kind.id, "name": kind.display.name(locale) },
                "fields": claims_form::shown(kind, locale, typed, problems),
                "note": note,
            }),
        );
        visitor.page_with(status, "console/credential_renew", context)
    }
}
