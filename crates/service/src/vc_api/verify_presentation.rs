//! `POST /presentations/verify` (VCALM 1.0, section 3.3.2).

use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};

use super::VcApi;
use super::check;
use super::problem::Refusal;
use super::wire::{Body, VerifyPresentationOptions, VerifyPresentationRequest};

/// Says whether a presentation and every credential in it hold.
pub(super) async fn handler(
    State(api): State<VcApi>,
    Body(request): Body<VerifyPresentationRequest>,
) -> Result<Json<Value>, Refusal> {
    let VerifyPresentationRequest {
        verifiable_presentation,
        options:
            VerifyPresentationOptions {
                challenge,
                domain,
                presentation_header,
                return_presentation,
            },
    } = request;
    let work = api.work(async move |api| {
        let bound = check::Bound {
            challenge: challenge.as_deref(),
            domain: domain.as_deref(),
            presentation_header: presentation_header.as_ref().map(|header| &*header.0),
        };
        let warnings = check::presentation(api.parts(), &verifiable_presentation, bound).await?;
        Ok((verifiable_presentation, warnings))
    });
    let (verifiable_presentation, warnings) = work.await?;
    let mut body = json!({ "verified": true, "problemDetails": [] });
    if !warnings.is_empty() {
        body["warnings"] = Value::Array(warnings);
    }
    if return_presentation && let Value::Object(members) = &mut body {
        members.insert("verifiablePresentation".to_owned(), verifiable_presentation);
    }
    Ok(Json(body))
}
