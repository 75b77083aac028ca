//! `GET /v1/verifications/{id}/events`: server-sent events, one for each status.

use std::convert::Infallible;
use std::time::Duration;

use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures::Stream;
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
use crate::handlers::PathText;

/// How often the database is asked, for changes made by another process.
const ASK_EVERY: Duration = Duration::from_secs(1);

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
    let stream = stream(call, id);
    Ok(Sse::new(stream)
        .keep_alive(KeepAlive::default())
        .into_response())
}

fn stream(call: Call, id: VerificationId) -> impl Stream<Item = Result<Event, Infallible>> {
    let listener = call.app.verification_changes.listen(&id);
    futures::stream::unfold(
        Some((call, id, listener, None::<Status>)),
        move |waiting| async move {
            let (call, id, mut listener, mut last) = waiting?;
            loop {
                if let Some((status, event)) = now(&call, &id).await
                    && last != Some(status)
                {
                    last = Some(status);
                    let next = (!status.is_final()).then_some((call, id, listener, last));
                    return Some((Ok(event), next));
                }
                tokio::select! {
                    () = listener.changed() => {}
                    () = tokio::time::sleep(ASK_EVERY) => {}
                }
            }
        },
    )
}

/// The status now; `None` while the database does not say.
async fn now(call: &Call, id: &VerificationId) -> Option<(Status, Event)> {
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
    let event = Event::default().event("status").json_data(data).ok()?;
    Some((status, event))
}
