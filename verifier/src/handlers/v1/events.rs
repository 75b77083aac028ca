//! `GET /v1/verifications/{id}/events`: server-sent events, one for each status.

use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use super::caller::Call;
use super::error::{ApiError, Problem};
use super::read::find;
use super::views::{ReasonView, StatusView};
use super::{EVENTS, verification_id};
use crate::access::Scope;
use crate::domain::ids::VerificationId;
use crate::domain::verification::{Status, Verification};
use crate::event_streams::told::Told;
use crate::event_streams::{Following, Full};
use crate::handlers::PathText;

/// `data` of an event `status`. It never holds a claim: read the verification for these.
#[derive(Serialize, ToSchema)]
pub struct StatusEvent {
    /// Where the verification stands.
    status: StatusView,
    /// Why it did not succeed.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<ReasonView>,
}

/// Follow a verification.
///
/// Server-sent events named `status`, whose `data` is a `StatusEvent` as JSON. The first says how it stands, the
/// last is a final status; a verification that was removed ends with `expired`.
#[utoipa::path(
    get, path = EVENTS, tag = "verifications", operation_id = "follow_verification",
    params(("id" = String, Path, description = "The id of the verification")),
    responses(
        (status = 200, description = "The stream", body = String, content_type = "text/event-stream"),
        (status = 401, description = "No valid API key", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "The key lacks `verifications:read`", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No such verification of yours, or not any more", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "Too many requests", body = Problem, content_type = "application/problem+json"),
        (status = 500, description = "A fault of ours", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Busy or without database", body = Problem, content_type = "application/problem+json"),
    ),
    security(("api_key" = []))
)]
pub async fn handle(call: Call, id: PathText) -> Result<Response, ApiError> {
    call.require(Scope::Read)?;
    let id = verification_id(id)?;
    find(&call, &id).await?;
    let following = follow(&call, id).map_err(|Full| ApiError::TooManyStreams)?;
    let events = following.events(|told: &Told| {
        let event = Event::default().event("status");
        event.data(&told.data)
    });
    Ok(Sse::new(events)
        .keep_alive(KeepAlive::default())
        .into_response())
}

fn follow(call: &Call, id: VerificationId) -> Result<Following<VerificationId, (), Told>, Full> {
    let changed = call.app.verification_changes.listen(&id);
    // Nobody else's key opens a stream of it.
    let (own, asked) = (call.clone(), id.clone());
    let look = move || {
        let (call, id) = (own.clone(), asked.clone());
        async move { now(&call, &id).await }
    };
    (call.app.verification_streams).open(id, (), changed, look)
}

/// How it stands now; `None` while the database does not say.
async fn now(call: &Call, id: &VerificationId) -> Option<Told> {
    let (status, reason) = match find(call, id).await {
        Ok(verification) => {
            let reason = match &verification {
                Verification::Failed(failed) => Some(ReasonView::from(&failed.failure)),
                Verification::Pending(_)
                | Verification::Answered(_)
                | Verification::Verified(_) => None,
            };
            (verification.status(call.app.now()), reason)
        }
        Err(ApiError::NotFound) => (Status::Expired, None),
        Err(_) => return None,
    };
    let data = StatusEvent {
        status: status.into(),
        reason,
    };
    let data = serde_json::to_string(&data).ok()?;
    Some(Told { status, data })
}
