//! `GET /offers/{reference}`: an offer by reference (OpenID4VCI 1.0, section 4.1.3).

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;
use vouchsafe_service::db::DbError;

use super::wire::json_no_store;
use crate::core::Core;
use crate::domain::offer::{Offer, OfferState};
use crate::domain::secret::{Purpose, Secret};
use crate::events::{self, Event};
use crate::links;
use crate::store::offers;

/// Why there is no offer.
#[derive(Debug, thiserror::Error)]
pub enum OfferError {
    /// Never made, redeemed, expired or locked: one answer for all.
    #[error("no such offer")]
    NotFound,
    /// The database failed.
    #[error("the database failed")]
    Db(#[from] DbError),
}

impl IntoResponse for OfferError {
    fn into_response(self) -> Response {
        let (status, code) = match &self {
            Self::NotFound => (StatusCode::NOT_FOUND, "not_found"),
            Self::Db(error) => {
                tracing::error!(error = error as &dyn std::error::Error, "offer failed");
                (StatusCode::SERVICE_UNAVAILABLE, "temporarily_unavailable")
            }
        };
        json_no_store(status, &json!({ "error": code }))
    }
}

/// The organisation is told once that its offer was looked at. Later looks write nothing.
async fn opened(core: &Core, offer: &Offer) -> Result<(), DbError> {
    if offer.opened_at.is_some() {
        return Ok(());
    }
    let (told, id, now) = (core.clone(), offer.id.clone(), core.clock.now());
    core.db
        .write(async move |tx| {
            if offers::open(tx, &id, now).await? {
                events::of_offer(&told, tx, Event::OfferOpened, &id, now).await?;
            }
            Ok(())
        })
        .await
}

/// Answers with the offer object.
pub async fn handler(
    State(core): State<Core>,
    Path(reference): Path<String>,
) -> Result<Response, OfferError> {
    let reference = Secret::received(&reference);
    let hash = reference.hash(Purpose::OfferReference);
    let offer = offers::find_by_reference(&core.db, &hash).await?;
    let offer = offer.ok_or(OfferError::NotFound)?;
    match offer.state(core.clock.now()) {
        OfferState::Pending => {
            opened(&core, &offer).await?;
            let object = links::object(&core, &offer, &reference).to_json();
            Ok(json_no_store(StatusCode::OK, &object))
        }
        OfferState::Redeemed | OfferState::Expired | OfferState::Locked => {
            Err(OfferError::NotFound)
        }
    }
}
