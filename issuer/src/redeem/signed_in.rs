//! A person who signed in: the offer is made and redeemed in the moment in which the person agrees.

use vouchsafe_service::db::DbError;
use vouchsafe_service::single_use::{self, Kind};

use super::authorization_code::{CodeOrder, FreshCode, use_up_pushed};
use super::{RedeemError, Refused, take};
use crate::claims::Origin;
use crate::core::Core;
use crate::domain::secret::Secret;
use crate::prepare::{self, PreparedOffer};

/// What a person agreed to.
#[derive(Debug)]
pub struct Confirmation {
    /// The offer that is made for it.
    pub prepared: PreparedOffer,
    /// Where its claims come from.
    pub claims: Origin,
    /// The secret of the page that asked, where there was one: used up with this code.
    pub page: Option<Secret>,
}

/// Makes an offer for a person who signed in, redeems it, and makes an authorization code: all in
/// one transaction.
pub async fn authorize_signed_in(
    core: &Core,
    confirmation: Confirmation,
    mut order: CodeOrder,
) -> Result<Secret, RedeemError> {
    let Confirmation {
        prepared,
        claims,
        page,
    } = confirmation;
    let pushed = order.pushed.take();
    let (now, told) = (core.clock.now(), core.clone());
    let done = core
        .db
        .write(async move |tx| {
            if let Some(page) = &page {
                let used = single_use::consume(tx, Kind::BrowserReturn, page.expose(), now);
                if used.await?.taken().is_none() {
                    return Ok(Err(Refused::Dead));
                }
            }
            if !use_up_pushed(tx, pushed.as_ref(), now).await? {
                return Ok(Err(Refused::Dead));
            }
            let offer = prepare::store(tx, &prepared).await?;
            if let Some(refused) = take(&told, tx, &offer.id, now).await? {
                return Ok(Err(refused));
            }
            // The code names the record, which may have been known before.
            let fresh = FreshCode::make(&told, offer, order.clone(), &claims);
            fresh.insert(tx).await?;
            Ok::<_, DbError>(Ok(fresh.code))
        })
        .await?;
    done.map_err(RedeemError::from)
}
