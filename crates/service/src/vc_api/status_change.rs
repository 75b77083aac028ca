//! `POST /credentials/status` (VCALM 1.0, section 3.2.3): revokes a credential, or takes that back.

use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};
use vouchsafe_credentials::problem::Problem as Kind;

use super::VcApi;
use super::problem::Refusal;
use super::status;
use super::wire::{Body, StatusChange, StatusRequest};

/// Changes the entry of the credential with this id.
pub(super) async fn handler(
    State(api): State<VcApi>,
    Body(request): Body<StatusRequest>,
) -> Result<Json<Value>, Refusal> {
    let StatusRequest {
        credential_id,
        credential_status: StatusChange {
            kind,
            status_purpose,
        },
        status: set,
    } = request;
    if kind != "BitstringStatusListEntry" || status_purpose != status::PURPOSE {
        let detail = "a BitstringStatusListEntry for revocation is needed";
        return Err(Refusal::invalid(
            Kind::MalformedValue,
            "status_type",
            detail,
        ));
    }
    match status::change(api.parts(), &credential_id, set).await? {
        true => Ok(Json(json!({ "status": set }))),
        false => Err(Refusal::not_found()),
    }
}
