//! What approve and deny share: one decision in one transaction.

use axum::http::{HeaderMap, StatusCode};

use super::caller::{Call, Scope};
use super::error::ApiError;
use super::idempotent::{self, Reply};
use super::views::OfferView;
use crate::domain::ids::OfferId;
use crate::domain::offer::Decision;
use crate::store::{decisions, offers};

/// Decides about an offer that waits.
pub async fn apply(
    call: &Call,
    headers: &HeaderMap,
    id: &str,
    decision: Decision,
) -> Result<Reply, ApiError> {
    call.require(Scope::OffersWrite)?;
    let id = OfferId::parse(id).map_err(|_| ApiError::NotFound)?;
    let key = idempotent::key(headers)?;
    let content = idempotent::content(&format!("{id} {}", decision.as_str()), &[]);
    let (now, author) = (call.core.clock.now(), call.clone());
    let action = match decision {
        Decision::Waiting => return Err(ApiError::Internal("waiting is no decision")),
        Decision::Approved => "offer.approve",
        Decision::Denied => "offer.deny",
    };
    let reply = idempotent::run(call, key, content, async move |tx| {
        // Of two decisions at once the statement lets one through.
        offers::lock(tx, &id).await?;
        let decided = decisions::decide(tx, &id, decision).await?;
        let offer = offers::find_in(tx, &id).await?.ok_or(ApiError::NotFound)?;
        if !decided {
            return Err(ApiError::Decided);
        }
        author.audit(tx, action, id.as_str(), "").await?;
        Reply::json(StatusCode::OK, &OfferView::new(&offer, now))
    })
    .await?;
    tracing::info!(decision = decision.as_str(), "decided");
    Ok(reply)
}
