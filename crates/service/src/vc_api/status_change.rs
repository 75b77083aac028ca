//! `POST /credentials/status` (VCALM 1.0, section 3.2.3): revokes a credential of one issuer.

use axum::extract::State;
use axum::{Extension, Json};
use serde_json::{Value, json};
use vouchsafe_credentials::problem::Problem as Kind;

use super::access::Caller;
use super::log::{self, Record};
use super::problem::Refusal;
use super::status;
use super::wire::{Body, StatusChange, StatusRequest};
use super::{Parts, VcApi};

/// Changes the entry of the credential with this id.
pub(super) async fn handler(
    State(api): State<VcApi>,
    Extension(caller): Extension<Caller>,
    Body(request): Body<StatusRequest>,
) -> Result<Json<Value>, Refusal> {
    let StatusRequest {
        credential_id,
        issuer,
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
    // Bitstring Status List 1.0, section 2.1: a revocation "is not reversible".
    if !set {
        let detail = "a revocation is final";
        return Err(Refusal::invalid(
            Kind::MalformedValue,
            "revocation_final",
            detail,
        ));
    }
    let issuer = issuer_of(api.parts(), issuer.as_deref())?;
    caller.check_may_issue_as(api.parts(), issuer)?;
    let record = Record::new(api.parts(), &caller, log::REVOKED, issuer);
    match status::revoke(api.parts(), issuer, &credential_id, record).await? {
        true => Ok(Json(json!({ "status": true }))),
        false => Err(Refusal::not_found()),
    }
}

/// The identity whose credential is meant.
fn issuer_of<'p>(parts: &'p Parts, named: Option<&str>) -> Result<&'p str, Refusal> {
    let with_status = parts.identities.iter().filter(|one| one.status);
    let mut ids: Vec<&str> = with_status.map(|one| one.id.as_str()).collect();
    ids.dedup();
    match (named, ids.as_slice()) {
        (Some(name), ids) => {
            let own = ids.iter().find(|own| **own == name);
            own.copied().ok_or_else(|| {
                let detail = "this service keeps no status in the name of that issuer";
                Refusal::invalid(Kind::MalformedValue, "issuer_unknown", detail)
            })
        }
        (None, [one]) => Ok(one),
        (None, _) => {
            let detail = "name the issuer of the credential";
            Err(Refusal::invalid(
                Kind::MalformedValue,
                "issuer_missing",
                detail,
            ))
        }
    }
}
