//! An offer: what an organisation prepared for one person.

use vouchsafe_credentials::time::UnixTime;

use super::ids::{CredentialId, OfferId, RecordId};
use super::secret::MAX_TRIES;

/// How the person gets the credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GrantKind {
    /// A pre-authorized code stands in the offer.
    PreAuthorizedCode,
    /// The person proves the right to the record with a one-time code on our page.
    AuthorizationCode,
}

impl GrantKind {
    /// The name in the database and in the administration API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PreAuthorizedCode => "pre_authorized_code",
            Self::AuthorizationCode => "authorization_code",
        }
    }

    /// The kind with this name.
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "pre_authorized_code" => Some(Self::PreAuthorizedCode),
            "authorization_code" => Some(Self::AuthorizationCode),
            _ => None,
        }
    }
}

/// What the organisation says to an offer that it looks at once more before it issues.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Nothing yet: the wallet gets a transaction to come back with.
    Waiting,
    /// The credential may be issued.
    Approved,
    /// It will not be issued. There is no way back.
    Denied,
}

impl Decision {
    /// The name in the database and in the administration API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Approved => "approved",
            Self::Denied => "denied",
        }
    }

    /// The decision with this name.
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "waiting" => Some(Self::Waiting),
            "approved" => Some(Self::Approved),
            "denied" => Some(Self::Denied),
            _ => None,
        }
    }
}

/// Where an offer stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OfferState {
    /// Waits for the wallet.
    Pending,
    /// A code or token was handed out for it.
    Redeemed,
    /// Its time is over.
    Expired,
    /// The typed code was wrong too often.
    Locked,
}

/// An offer as it is stored, without its secrets.
#[derive(Debug, Clone)]
pub struct Offer {
    /// Its id in the administration API.
    pub id: OfferId,
    /// The subject record it is about.
    pub record: RecordId,
    /// The id of the credential type.
    pub credential_type: String,
    /// The version of the type; 0 is that of a file.
    pub type_version: i64,
    /// How it is redeemed.
    pub grant: GrantKind,
    /// Whether a code must be typed.
    pub code_required: bool,
    /// Wrong tries of the typed code so far.
    pub tries: i64,
    /// When it was made.
    pub created_at: UnixTime,
    /// When it ends.
    pub expires_at: UnixTime,
    /// How often it may be redeemed, 1 at least.
    pub redemptions: i64,
    /// How often it was.
    pub redeemed: i64,
    /// When a code or token was handed out last.
    pub redeemed_at: Option<UnixTime>,
    /// When somebody first looked at it.
    pub opened_at: Option<UnixTime>,
    /// Whether and how it was decided to issue; nothing where there is nothing to decide.
    pub decision: Option<Decision>,
    /// The credential in whose place it was made.
    pub renews: Option<CredentialId>,
}

impl Offer {
    /// Where the offer stands at a moment.
    pub fn state(&self, now: UnixTime) -> OfferState {
        if self.redeemed >= self.redemptions {
            OfferState::Redeemed
        } else if now >= self.expires_at {
            OfferState::Expired
        } else if self.code_required && self.tries >= MAX_TRIES {
            OfferState::Locked
        } else {
            OfferState::Pending
        }
    }
}
