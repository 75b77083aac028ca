//! What an organisation's system is told through webhooks: ids and words, never claims.

use serde_json::{Value, json};
use vouchsafe_credentials::time::UnixTime;
use vouchsafe_service::db::{DbError, Tx};
use vouchsafe_service::webhooks;

use crate::core::Core;
use crate::domain::credential::{Change, Credential};
use crate::domain::ids::OfferId;
use crate::store::offers::End;

/// Something that happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// Somebody looked at an offer for the first time.
    OfferOpened,
    /// A wallet redeemed an offer.
    OfferAccepted,
    /// Nobody redeemed an offer in time.
    OfferExpired,
    /// The typed code of an offer was wrong too often.
    OfferLocked,
    /// A wallet asked for what an offer brings, and the organisation has to decide.
    OfferWaiting,
    /// A credential was issued.
    CredentialIssued,
    /// A credential was suspended.
    CredentialSuspended,
    /// A suspended credential is valid again.
    CredentialResumed,
    /// A credential was revoked.
    CredentialRevoked,
    /// A credential was ended before its signed end.
    CredentialExpired,
    /// A credential was replaced by another one.
    CredentialSuperseded,
    /// A change of many credentials has ended.
    StatusJobFinished,
}

impl Event {
    /// All events.
    pub const ALL: [Self; 12] = [
        Self::OfferOpened,
        Self::OfferAccepted,
        Self::OfferExpired,
        Self::OfferLocked,
        Self::OfferWaiting,
        Self::CredentialIssued,
        Self::CredentialSuspended,
        Self::CredentialResumed,
        Self::CredentialRevoked,
        Self::CredentialExpired,
        Self::CredentialSuperseded,
        Self::StatusJobFinished,
    ];

    /// The name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OfferOpened => "offer.opened",
            Self::OfferAccepted => "offer.accepted",
            Self::OfferExpired => "offer.expired",
            Self::OfferLocked => "offer.locked",
            Self::OfferWaiting => "offer.waiting",
            Self::CredentialIssued => "credential.issued",
            Self::CredentialSuspended => "credential.suspended",
            Self::CredentialResumed => "credential.resumed",
            Self::CredentialRevoked => "credential.revoked",
            Self::CredentialExpired => "credential.expired",
            Self::CredentialSuperseded => "credential.superseded",
            Self::StatusJobFinished => "status_job.finished",
        }
    }
}

impl From<Change> for Event {
    fn from(change: Change) -> Self {
        match change {
            Change::Suspend => Self::CredentialSuspended,
            Change::Resume => Self::CredentialResumed,
            Change::Revoke => Self::CredentialRevoked,
            Change::Expire => Self::CredentialExpired,
            Change::Supersede => Self::CredentialSuperseded,
        }
    }
}

/// Tells of an offer, in the transaction of what happened to it.
pub async fn of_offer(
    core: &Core,
    tx: &mut Tx,
    event: Event,
    offer: &OfferId,
    now: UnixTime,
) -> Result<(), DbError> {
    publish(core, tx, event, &json!({ "offer_id": offer.as_str() }), now).await
}

/// Tells how an offer ended. Whoever redeemed it was told of before.
pub async fn of_end(
    core: &Core,
    tx: &mut Tx,
    end: End,
    offer: &OfferId,
    now: UnixTime,
) -> Result<(), DbError> {
    let event = match end {
        End::Expired => Event::OfferExpired,
        End::Locked => Event::OfferLocked,
        End::Used => return Ok(()),
    };
    of_offer(core, tx, event, offer, now).await
}

/// Tells of credentials to which the same happened, in the transaction of it.
pub async fn of_credentials(
    core: &Core,
    tx: &mut Tx,
    event: Event,
    credentials: &[Credential],
    now: UnixTime,
) -> Result<(), DbError> {
    for credential in credentials {
        // Where nobody wants to know of one, nobody wants to know of the next.
        if told_of(core, tx, event, credential, now).await? == 0 {
            break;
        }
    }
    Ok(())
}

/// Tells of a credential, in the transaction of what happened to it.
pub async fn of_credential(
    core: &Core,
    tx: &mut Tx,
    event: Event,
    credential: &Credential,
    now: UnixTime,
) -> Result<(), DbError> {
    told_of(core, tx, event, credential, now).await.map(drop)
}

/// Tells of a credential; how many endpoints want to know.
async fn told_of(
    core: &Core,
    tx: &mut Tx,
    event: Event,
    credential: &Credential,
    now: UnixTime,
) -> Result<u64, DbError> {
    let mut data = json!({
        "credential_id": credential.id.as_str(),
        "offer_id": credential.offer.as_str(),
        "credential_type": credential.credential_type,
    });
    if let Some(by) = &credential.superseded_by {
        data["superseded_by"] = by.as_str().into();
    }
    put(core, tx, event, &data, now).await
}

/// Tells of something, in the transaction of what happened.
pub async fn publish(
    core: &Core,
    tx: &mut Tx,
    event: Event,
    data: &Value,
    now: UnixTime,
) -> Result<(), DbError> {
    put(core, tx, event, data, now).await.map(drop)
}

async fn put(
    core: &Core,
    tx: &mut Tx,
    event: Event,
    data: &Value,
    now: UnixTime,
) -> Result<u64, DbError> {
    let id = core.ids.next_text();
    webhooks::publish(tx, &id, event.as_str(), data, now).await
}
