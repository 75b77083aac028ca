//! What the administration API shows.

use serde::Serialize;
use utoipa::ToSchema;
use vouchsafe_credentials::credential_type::{ClaimKind, Expected};
use vouchsafe_credentials::sd_jwt::{ClaimPath, PathElement};
use vouchsafe_credentials::time::UnixTime;
use vouchsafe_protocol::vci::notification::Event;

use super::error::ApiError;
use crate::core::Core;
use crate::domain::credential::{Credential, CredentialStatus, WalletEvent};
use crate::domain::ids::RecordId;
use crate::domain::offer::{Decision, GrantKind, Offer, OfferState};
use crate::prepare::record_place;
use crate::store::records;

/// How an offer is redeemed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, serde::Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Grant {
    /// The link is enough, or the link and a transaction code.
    PreAuthorizedCode,
    /// The person enters a one-time code on the issuer's page.
    AuthorizationCode,
}

impl From<Grant> for GrantKind {
    fn from(grant: Grant) -> Self {
        match grant {
            Grant::PreAuthorizedCode => Self::PreAuthorizedCode,
            Grant::AuthorizationCode => Self::AuthorizationCode,
        }
    }
}

impl From<GrantKind> for Grant {
    fn from(kind: GrantKind) -> Self {
        match kind {
            GrantKind::PreAuthorizedCode => Self::PreAuthorizedCode,
            GrantKind::AuthorizationCode => Self::AuthorizationCode,
        }
    }
}

/// Where an offer stands.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum StateView {
    /// Waits for the wallet.
    Pending,
    /// A code or token was handed out for it.
    Redeemed,
    /// Its time is over.
    Expired,
    /// The typed code was wrong too often.
    Locked,
}

/// What was decided about an offer that was held.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DecisionView {
    /// Nothing yet.
    Waiting,
    /// It may be issued.
    Approved,
    /// It is not issued.
    Denied,
}

impl From<Decision> for DecisionView {
    fn from(decision: Decision) -> Self {
        match decision {
            Decision::Waiting => Self::Waiting,
            Decision::Approved => Self::Approved,
            Decision::Denied => Self::Denied,
        }
    }
}

/// An offer.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct OfferView {
    /// Its id.
    #[schema(example = "019370d0-7c00-7000-8000-000000000001")]
    pub id: String,
    /// Your own identifier of the person's record. Left out in lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "crm-4711")]
    pub record_id: Option<String>,
    /// The credential type.
    #[schema(example = "membership")]
    pub credential_type: String,
    /// How it is redeemed.
    pub grant: Grant,
    /// Where it stands.
    pub state: StateView,
    /// Whether the person has to type a code.
    pub code_required: bool,
    /// Wrong tries of the typed code so far, five at most.
    pub tries: i64,
    /// RFC 3339, UTC.
    pub created_at: String,
    /// RFC 3339, UTC.
    pub expires_at: String,
    /// How often it may be redeemed.
    pub redemptions: i64,
    /// How often it was.
    pub redeemed: i64,
    /// The last time, RFC 3339, UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub redeemed_at: Option<String>,
    /// What was decided. Left out where the offer was not held.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decision: Option<DecisionView>,
    /// The credential in whose place it was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub renews: Option<String>,
}

impl OfferView {
    /// The view of an offer at a moment.
    pub fn new(offer: &Offer, now: UnixTime) -> Self {
        Self {
            id: offer.id.to_string(),
            record_id: None,
            credential_type: offer.credential_type.clone(),
            grant: offer.grant.into(),
            state: match offer.state(now) {
                OfferState::Pending => StateView::Pending,
                OfferState::Redeemed => StateView::Redeemed,
                OfferState::Expired => StateView::Expired,
                OfferState::Locked => StateView::Locked,
            },
            code_required: offer.code_required,
            tries: offer.tries,
            created_at: rfc3339(offer.created_at),
            expires_at: rfc3339(offer.expires_at),
            redemptions: offer.redemptions,
            redeemed: offer.redeemed,
            redeemed_at: offer.redeemed_at.map(rfc3339),
            decision: offer.decision.map(DecisionView::from),
            renews: offer.renews.as_ref().map(ToString::to_string),
        }
    }
}

/// The status of a credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum StatusView {
    /// Good.
    Valid,
    /// Not good for now.
    Suspended,
    /// Not good any more, for good.
    Revoked,
    /// Ended before its signed end, for good.
    Expired,
    /// Replaced by another one, for good.
    Superseded,
}

/// An issued credential. What it says is not kept.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct CredentialView {
    /// Its id. It is not part of the credential.
    #[schema(example = "019370d0-7c00-7000-8000-000000000002")]
    pub id: String,
    /// The offer it came from.
    pub offer_id: String,
    /// Your own identifier of the person's record. Left out in lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "crm-4711")]
    pub record_id: Option<String>,
    /// The credential type.
    #[schema(example = "membership")]
    pub credential_type: String,
    /// Its format, by its identifier in OpenID4VCI 1.0.
    #[schema(example = "dc+sd-jwt")]
    pub format: String,
    /// Its status.
    pub status: StatusView,
    /// Counts status changes; also the entity tag.
    pub version: i64,
    /// RFC 3339, UTC.
    pub issued_at: String,
    /// RFC 3339, UTC.
    pub expires_at: String,
    /// RFC 3339, UTC.
    pub status_changed_at: String,
    /// When it will end before its signed end, where you said so. RFC 3339, UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ends_at: Option<String>,
    /// What replaced it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub superseded_by: Option<String>,
    /// The status job that changed its status last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status_job_id: Option<String>,
    /// Where relying parties read the status.
    pub status_list: StatusListView,
    /// What the wallet last said it did with it. Left out where it said nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wallet_event: Option<WalletEventView>,
}

/// What a wallet says it did with a credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum EventView {
    /// It stored it.
    CredentialAccepted,
    /// The person did not want it, or deleted it.
    CredentialDeleted,
    /// It could not store it.
    CredentialFailure,
}

/// An event in a wallet.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct WalletEventView {
    /// What the wallet says.
    pub event: EventView,
    /// When it said so first. RFC 3339, UTC.
    pub at: String,
}

impl From<WalletEvent> for WalletEventView {
    fn from(seen: WalletEvent) -> Self {
        Self {
            event: match seen.event {
                Event::Accepted => EventView::CredentialAccepted,
                Event::Deleted => EventView::CredentialDeleted,
                Event::Failure => EventView::CredentialFailure,
            },
            at: rfc3339(seen.at),
        }
    }
}

/// A place in a status list.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct StatusListView {
    /// URI of the list.
    pub uri: String,
    /// Index in the list.
    pub idx: i64,
}

impl CredentialView {
    /// The view of a credential; `list_uri` is the URI of its status list.
    pub fn new(credential: &Credential, list_uri: String) -> Self {
        Self {
            id: credential.id.to_string(),
            offer_id: credential.offer.to_string(),
            record_id: None,
            credential_type: credential.credential_type.clone(),
            format: credential.format.name().to_owned(),
            status: match credential.status {
                CredentialStatus::Valid => StatusView::Valid,
                CredentialStatus::Suspended => StatusView::Suspended,
                CredentialStatus::Revoked => StatusView::Revoked,
                CredentialStatus::Expired => StatusView::Expired,
                CredentialStatus::Superseded => StatusView::Superseded,
            },
            version: credential.version,
            issued_at: rfc3339(credential.issued_at),
            expires_at: rfc3339(credential.expires_at),
            status_changed_at: rfc3339(credential.status_changed_at),
            ends_at: credential.ends_at.map(rfc3339),
            superseded_by: credential.superseded_by.as_ref().map(ToString::to_string),
            status_job_id: credential.job.as_ref().map(ToString::to_string),
            status_list: StatusListView {
                uri: list_uri,
                idx: credential.place.idx,
            },
            wallet_event: credential.event.map(WalletEventView::from),
        }
    }
}

/// The organisation's own identifier of a record.
pub async fn record_name(core: &Core, record: &RecordId) -> Result<Option<String>, ApiError> {
    let Some((hash, sealed)) = records::sealed_name(&core.db, record).await? else {
        return Ok(None);
    };
    let broken = || ApiError::Internal("the name of a record does not open");
    let plain = core
        .keys
        .columns
        .open(&record_place(&hash), &sealed)
        .map_err(|_| broken())?;
    String::from_utf8(plain.to_vec())
        .map(Some)
        .map_err(|_| broken())
}

/// The entity tag of a version.
pub fn etag(version: i64) -> String {
    format!("\"{version}\"")
}

/// A time as RFC 3339 in UTC; times that no calendar knows stay numbers.
pub fn rfc3339(time: UnixTime) -> String {
    jiff::Timestamp::from_second(time.0)
        .map_or_else(|_| time.0.to_string(), |stamp| stamp.to_string())
}

/// Reads a time as RFC 3339, to the second.
pub fn from_rfc3339(text: &str) -> Option<UnixTime> {
    let stamp: jiff::Timestamp = text.parse().ok()?;
    Some(UnixTime(stamp.as_second()))
}

/// A claim path as a JSON Pointer into the body of an offer.
pub fn claim_pointer(path: &ClaimPath) -> String {
    let mut pointer = "/claims".to_owned();
    for element in path.elements() {
        pointer.push('/');
        match element {
            // RFC 6901, section 3.
            PathElement::Key(key) => {
                pointer.push_str(&key.replace('~', "~0").replace('/', "~1"));
            }
            PathElement::Index(index) => pointer.push_str(&index.to_string()),
            PathElement::Any => pointer.push('*'),
        }
    }
    pointer
}

/// What should stand at a place, in words.
pub fn expected_text(expected: Expected) -> &'static str {
    match expected {
        Expected::Kind(kind) => match kind {
            ClaimKind::String => "a string",
            ClaimKind::Boolean => "true or false",
            ClaimKind::Integer => "a whole number",
            ClaimKind::Number => "a number",
            ClaimKind::Date => "a date, YYYY-MM-DD",
            ClaimKind::Country => "a country code, two capital letters",
            ClaimKind::Bytes => "base64url without padding",
            ClaimKind::Picture => "a JPEG as data URL",
            ClaimKind::Object => "an object that is not empty",
            ClaimKind::Array => "an array",
        },
        Expected::Present => "a value; the claim is required",
        Expected::Filled => "at least one element",
        Expected::Absent => "nothing; the credential type has no such claim",
        Expected::Element => "a value that its element in the mdoc may have",
        _ => "another value",
    }
}
