//! `POST /credentials/issue` (VCALM 1.0, section 3.2.1).

use axum::extract::State;
use axum::http::StatusCode;
use axum::{Extension, Json};
use serde_json::{Value, json};

use super::VcApi;
use super::access::Caller;
use super::problem::Refusal;
use super::secure::{self, Order};
use super::wire::{Body, IssueOptions, IssueRequest};

/// Secures a credential in the name of the configured identity that `issuer` names.
pub(super) async fn handler(
    State(api): State<VcApi>,
    Extension(caller): Extension<Caller>,
    Body(request): Body<IssueRequest>,
) -> Result<(StatusCode, Json<Value>), Refusal> {
    let IssueRequest {
        credential,
        options:
            IssueOptions {
                mandatory_pointers,
                credential_id,
                cryptosuite,
            },
    } = request;
    let order = Order {
        credential,
        mandatory_pointers,
        credential_id,
        cryptosuite,
    };
    let work = api.work(async move |api| secure::issue(api.parts(), &caller, order).await);
    let secured = work.await?;
    let body = json!({ "verifiableCredential": secured });
    Ok((StatusCode::CREATED, Json(body)))
}
