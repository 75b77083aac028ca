//! `POST /credentials/derive` (VCALM 1.0, section 3.4.1): a holder's derived proof.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde_json::{Value, json};
use vouchsafe_credentials::data_integrity::{DeriveOptions, Secured};
use vouchsafe_credentials::problem::Problem as Kind;

use super::problem::Refusal;
use super::wire::{self, Body, DeriveRequest};
use super::{Parts, VcApi};

/// Pointers at most.
const MAX_POINTERS: usize = 256;

/// Derives a credential that discloses what is mandatory and what the pointers name.
pub(super) async fn handler(
    State(api): State<VcApi>,
    Body(request): Body<DeriveRequest>,
) -> Result<(StatusCode, Json<Value>), Refusal> {
    let DeriveRequest {
        verifiable_credential,
        options:
            wire::DeriveOptions {
                selective_pointers,
                presentation_header,
            },
    } = request;
    if selective_pointers.len() > MAX_POINTERS {
        let detail = "too many pointers";
        return Err(Refusal::invalid(Kind::Range, "too_many_pointers", detail));
    }
    let options = DeriveOptions {
        selective_pointers,
        presentation_header: presentation_header.0,
    };
    let work = api.work(async move |api| derive(api.parts(), &verifiable_credential, &options));
    let derived = work.await?;
    let body = json!({ "verifiableCredential": derived });
    Ok((StatusCode::CREATED, Json(body)))
}

fn derive(parts: &Parts, secured: &Value, options: &DeriveOptions) -> Result<Value, Refusal> {
    let Secured { document, proofs } = Secured::parse(secured)?;
    // One base proof is derived; a second one would be lost without a word.
    let [base] = proofs.as_slice() else {
        let detail = "a credential with one base proof is needed";
        return Err(Refusal::invalid(
            Kind::ProofGeneration,
            "base_proof",
            detail,
        ));
    };
    let suite = parts.suites.get(base.cryptosuite()).ok_or_else(|| {
        let detail = "the cryptosuite is not supported";
        Refusal::invalid(Kind::ProofTransformation, "proof_cryptosuite", detail)
    })?;
    Ok(suite.derive(&document, base, options, &*parts.rng)?)
}
