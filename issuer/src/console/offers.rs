//! `/console/offers`: what waits for persons, and what was picked up.

use axum::extract::RawQuery;
use axum::response::Response;
use serde_json::{Value, json};

use super::{Failure, Visitor, cards, paths, query};
use crate::domain::ids::OfferId;
use crate::domain::offer::{Offer, OfferState};
use crate::store::offers;

/// The list.
pub async fn page(visitor: Visitor, RawQuery(raw): RawQuery) -> Result<Response, Failure> {
    let params = query::params(raw.as_deref())?;
    let request = query::page(&params, |text| OfferId::parse(text).ok())?;
    let core = &visitor.console.core;
    let page = offers::page(&core.db, &request).await?;
    let next = page.items.last().filter(|_| page.more);
    let next = next.map(|last| query::next(paths::OFFERS, &params, last.id.as_str()));
    let rows: Vec<Value> = page.items.iter().map(|one| row(&visitor, one)).collect();
    visitor.page("console/offers", json!({ "offers": rows, "next": next }))
}

fn row(visitor: &Visitor, offer: &Offer) -> Value {
    let core = &visitor.console.core;
    let state = match offer.state(core.clock.now()) {
        OfferState::Pending => "pending",
        OfferState::Redeemed => "redeemed",
        OfferState::Expired => "expired",
        OfferState::Locked => "locked",
    };
    json!({
        "id": offer.id.as_str(),
        "type": cards::name(core, &offer.credential_type, visitor.locale.tag()),
        "grant": offer.grant.as_str(),
        "state": state,
        "created_at": offer.created_at.0,
        "expires_at": offer.expires_at.0,
    })
}
