//! Deferred issuance (OpenID4VCI 1.0, section 9): what was asked for waits, sealed under a key
//! that follows from the `transaction_id`, which the wallet alone has.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use vouchsafe_credentials::credential_type::Format;
use vouchsafe_credentials::crypto::PublicKey;
use vouchsafe_service::seal::{Place, Sealer};
use zeroize::Zeroizing;

use crate::claims::{ClaimsError, Origin};
use crate::core::Core;
use crate::domain::ids::OfferId;
use crate::domain::offer::Decision;
use crate::domain::secret::{Purpose, Secret};
use crate::events::{self, Event};
use crate::issue::{self, CommitError, IssueError, Order};
use crate::store::transactions::{self, Transaction};
use crate::store::{decisions, offers};

/// Transactions of one offer that may be open at a time.
const MAX_OPEN: i64 = 8;

/// What is issued when it is decided so.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Payload {
    format: String,
    holder_keys: Vec<Value>,
    claims: Value,
}

fn sealer(id: &Secret, offer: &OfferId) -> (Sealer, Place) {
    let sealer = Sealer::under_token("issuer transaction", id.expose());
    let place = Place::new(&["issuer_transactions", offer.as_str(), "order"]);
    (sealer, place)
}

/// Puts a request aside, with its nonces used up, and gives the `transaction_id`.
pub async fn defer(core: &Core, order: &Order<'_>) -> Result<Secret, IssueError> {
    let now = core.clock.now();
    let id = Secret::generate(&*core.rng);
    let offer = &order.grant.offer;
    let payload = Payload {
        format: order.format.name().to_owned(),
        holder_keys: order.holder_keys.iter().map(PublicKey::to_jwk).collect(),
        claims: order.claims.to_value(),
    };
    let plain = serde_json::to_vec(&payload).expect("a struct of JSON values serialises");
    let (sealer, place) = sealer(&id, offer);
    let transaction = Transaction {
        offer: offer.clone(),
        credential_type: order.grant.credential_type.clone(),
        order_sealed: Some(sealer.seal(&place, &Zeroizing::new(plain), &*core.rng)),
        expires_at: now.plus(core.settings.lifetimes.transaction_s),
        done: false,
    };
    let hash = id.hash(Purpose::Transaction);
    let (part, told) = (order.part(), core.clone());
    let done = core
        .db
        .write(async move |tx| {
            offers::lock(tx, &transaction.offer).await?;
            issue::use_up(tx, &part, now).await?;
            // It may have been denied since it was looked up: nothing is kept then.
            if decisions::decision_in(tx, &transaction.offer).await? == Some(Decision::Denied) {
                return Err(Box::new(IssueError::NotApproved).into());
            }
            let open = transactions::insert(tx, &hash, &transaction, MAX_OPEN).await?;
            match open {
                None => Err(CommitError::from(Box::new(IssueError::UsedUp))),
                Some(0) => {
                    let offer = &transaction.offer;
                    events::of_offer(&told, tx, Event::OfferWaiting, offer, now).await?;
                    Ok(())
                }
                Some(_) => Ok(()),
            }
        })
        .await;
    done.map_err(IssueError::from)?;
    Ok(id)
}

/// What a transaction is about.
pub struct Deferred {
    /// The format that was asked for.
    pub format: Format,
    /// The keys to bind to.
    pub holder_keys: Vec<PublicKey>,
    /// Where what the credentials say comes from.
    pub claims: Origin,
}

/// What was put aside; `None` when it is forgotten.
pub fn open(id: &Secret, transaction: &Transaction) -> Result<Option<Deferred>, ClaimsError> {
    let Some(sealed) = &transaction.order_sealed else {
        return Ok(None);
    };
    let (sealer, place) = sealer(id, &transaction.offer);
    let plain = sealer.open(&place, sealed)?;
    let Payload {
        format,
        holder_keys,
        claims,
    } = serde_json::from_slice(&plain)?;
    let keys = holder_keys.iter().map(PublicKey::from_jwk);
    let keys: Result<Vec<_>, _> = keys.collect();
    Ok(Some(Deferred {
        format: Format::from_name(&format).ok_or(ClaimsError::Key)?,
        holder_keys: keys.map_err(|_| ClaimsError::Key)?,
        claims: Origin::from_value(claims)?,
    }))
}
