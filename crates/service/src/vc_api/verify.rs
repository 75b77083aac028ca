//! `POST /credentials/verify` (VCALM 1.0, section 3.3.1).

use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};

use super::VcApi;
use super::check;
use super::problem::Refusal;
use super::wire::{Body, VerifyOptions, VerifyRequest};

/// Says whether a credential is what it claims to be. 400 with the reasons where it is not.
pub(super) async fn handler(
    State(api): State<VcApi>,
    Body(request): Body<VerifyRequest>,
) -> Result<Json<Value>, Refusal> {
    let VerifyRequest {
        verifiable_credential,
        options:
            VerifyOptions {
                return_credential,
                challenge,
                domain,
                presentation_header,
            },
    } = request;
    let work = api.work(async move |api| {
        let bound = check::Bound {
            challenge: challenge.as_deref(),
            domain: domain.as_deref(),
            presentation_header: presentation_header.as_ref().map(|header| &*header.0),
        };
        let warnings = check::credential(api.parts(), &verifiable_credential, bound).await?;
        Ok((verifiable_credential, warnings))
    });
    let (verifiable_credential, warnings) = work.await?;
    let mut body = json!({ "verified": true, "problemDetails": [] });
    if !warnings.is_empty() {
        body["warnings"] = Value::Array(warnings);
    }
    if return_credential && let Value::Object(members) = &mut body {
        members.insert("credential".to_owned(), verifiable_credential);
    }
    Ok(Json(body))
}
