//! Whether issuers still stand by their cards: status lists, verified and remembered (Token Status
//! List; identifier lists of ISO/IEC 18013-5, second edition).
//!
//! [`Wallet::status_lists_due`] says which lists are to be asked, [`StatusFetch`] is the session with
//! the host of one. A list is asked when its owner looks at the cards and never because a verifier
//! asks for one, nor in the ten minutes after a verifier was answered, so that its host learns less of
//! when a card is shown. What is kept of a list is what
//! it says of the cards that are here. Nothing fails where a list cannot be had: the card is "not
//! checked", never "valid".

mod due;
mod fetch;
mod known;
mod look;
mod reference;

use serde::Serialize;
use vouchsafe_credentials::time::UnixTime;

use crate::wallet::Wallet;

pub use fetch::{StatusFetch, StatusListError, StatusStep};
pub(crate) use known::forgotten;
pub(crate) use look::Statuses;

/// Whether the wallet asks for status lists, and how often.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StatusPolicy {
    /// Whether it asks at all. The host of a list learns that somebody at this IP address has a card of
    /// the list, not which, unless the issuer keeps a list for each card.
    pub ask: bool,
    /// A list is asked so many seconds after the last time at the earliest, whatever it says itself.
    pub least_s: i64,
}

impl Default for StatusPolicy {
    fn default() -> Self {
        Self {
            ask: true,
            least_s: 300,
        }
    }
}

/// What is known of the status of a card: of the copy that stands for it, or that would be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "state")]
pub enum CardStatus {
    /// It has no status: its issuer cannot take it back before it ends.
    None,
    /// Its issuer stands by it, says a list that is still good.
    Valid {
        /// When the list was read.
        checked_at: UnixTime,
    },
    /// It is not known: no list was asked, none could be had, or what was had is too old.
    NotChecked {
        /// When a list said "valid" last, where one did.
        valid_at: Option<UnixTime>,
    },
    /// Its issuer says something that this wallet does not know the meaning of.
    Unclear {
        /// When the list was read.
        checked_at: UnixTime,
    },
    /// Its issuer took it back for a while.
    Suspended {
        /// When the list was read.
        checked_at: UnixTime,
    },
    /// Its issuer took it back for good.
    Revoked {
        /// When the list was read.
        checked_at: UnixTime,
    },
}

impl CardStatus {
    /// Whether a verifier that looks at the same list refuses the card.
    #[must_use]
    pub fn is_bad(self) -> bool {
        match self {
            Self::Unclear { .. } | Self::Suspended { .. } | Self::Revoked { .. } => true,
            Self::None | Self::Valid { .. } | Self::NotChecked { .. } => false,
        }
    }

    /// The state by its name, as it is serialized.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Valid { .. } => "valid",
            Self::NotChecked { .. } => "not_checked",
            Self::Unclear { .. } => "unclear",
            Self::Suspended { .. } => "suspended",
            Self::Revoked { .. } => "revoked",
        }
    }

    /// When the list was read on which it rests.
    #[must_use]
    pub fn known_at(self) -> Option<UnixTime> {
        match self {
            Self::None => None,
            Self::NotChecked { valid_at } => valid_at,
            Self::Valid { checked_at }
            | Self::Unclear { checked_at }
            | Self::Suspended { checked_at }
            | Self::Revoked { checked_at } => Some(checked_at),
        }
    }

    /// The worse of two: of a card that names two lists, both must say "valid".
    fn and(self, other: Self) -> Self {
        let rank = |status: &Self| match status {
            Self::None => 0,
            Self::Valid { .. } => 1,
            Self::NotChecked { .. } => 2,
            Self::Unclear { .. } => 3,
            Self::Suspended { .. } => 4,
            Self::Revoked { .. } => 5,
        };
        if rank(&other) > rank(&self) {
            other
        } else {
            self
        }
    }
}

impl Wallet {
    /// Whether status lists are asked; see [`StatusPolicy::ask`].
    #[must_use]
    pub fn asks_statuses(&self) -> bool {
        self.config().status.ask
    }
}
