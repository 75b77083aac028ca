//! Cards.

use serde_json::Value;
use vouchsafe_wallet_core::WalletError as CoreError;
use vouchsafe_wallet_core::consent::value_text;
use vouchsafe_wallet_core::credential::{Card, CredentialId as CoreId};
use vouchsafe_wallet_core::issuance::{Pending, PendingId as CorePendingId};
use vouchsafe_wallet_core::status::CardStatus;

use crate::error::WalletError;

/// Names a card of this wallet. Known to nobody else.
#[derive(Debug, Clone, PartialEq, Eq, Hash, uniffi::Record)]
pub struct CredentialId {
    /// As text.
    pub value: String,
}

/// Who issued a card.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct IssuerRef {
    /// The name.
    pub name: String,
}

/// A fact.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Fact {
    /// What it is called.
    pub label: String,
    /// Its value.
    pub value: FactValue,
}

/// The value of a fact.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Enum)]
pub enum FactValue {
    /// Yes or no, for the app to say in the person's language.
    Flag {
        /// The value.
        value: bool,
    },
    /// Anything else, as one line of text.
    Text {
        /// The value.
        value: String,
    },
}

/// What is known of the status of a card. Times are in seconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum CredentialStatus {
    /// It has no status: its issuer cannot take it back before it ends.
    NoStatus,
    /// Its issuer stands by it.
    Valid {
        /// When its list was read.
        checked_at: i64,
    },
    /// It is not known, or what is known is too old. Never to be shown as valid.
    NotChecked {
        /// When a list said "valid" last, where one did.
        valid_at: Option<i64>,
    },
    /// Its issuer says something that the wallet does not know the meaning of.
    Unclear {
        /// When its list was read.
        checked_at: i64,
    },
    /// Its issuer took it back for a while.
    Suspended {
        /// When its list was read.
        checked_at: i64,
    },
    /// Its issuer took it back for good.
    Revoked {
        /// When its list was read.
        checked_at: i64,
    },
}

impl From<CardStatus> for CredentialStatus {
    fn from(status: CardStatus) -> Self {
        match status {
            CardStatus::None => Self::NoStatus,
            CardStatus::Valid { checked_at } => Self::Valid {
                checked_at: checked_at.seconds(),
            },
            CardStatus::NotChecked { valid_at } => Self::NotChecked {
                valid_at: valid_at.map(|at| at.seconds()),
            },
            CardStatus::Unclear { checked_at } => Self::Unclear {
                checked_at: checked_at.seconds(),
            },
            CardStatus::Suspended { checked_at } => Self::Suspended {
                checked_at: checked_at.seconds(),
            },
            CardStatus::Revoked { checked_at } => Self::Revoked {
                checked_at: checked_at.seconds(),
            },
        }
    }
}

/// Names a card that its issuer delivers later.
#[derive(Debug, Clone, PartialEq, Eq, Hash, uniffi::Record)]
pub struct PendingId {
    /// As text.
    pub value: String,
}

/// A card that its issuer delivers later.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct PendingCredential {
    /// Its name.
    pub id: PendingId,
    /// What it is called.
    pub title: String,
    /// Who issues it.
    pub issuer: IssuerRef,
    /// The issuer's host.
    pub host: String,
    /// Since when it is waited for, in seconds since 1970.
    pub since: i64,
    /// Its issuer does not want to be asked again before.
    pub not_before: i64,
}

impl PendingId {
    pub(crate) fn to_core(&self) -> Result<CorePendingId, WalletError> {
        Ok(CorePendingId::parse(&self.value).map_err(CoreError::from)?)
    }
}

impl From<&CorePendingId> for PendingId {
    fn from(id: &CorePendingId) -> Self {
        Self {
            value: id.as_str().to_owned(),
        }
    }
}

impl From<Pending> for PendingCredential {
    fn from(pending: Pending) -> Self {
        Self {
            id: (&pending.id).into(),
            title: pending.title.to_string(),
            issuer: IssuerRef {
                name: pending.issuer.to_string(),
            },
            host: pending.host,
            since: pending.since.seconds(),
            not_before: pending.not_before.seconds(),
        }
    }
}

/// A card.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Credential {
    /// Its name in this wallet.
    pub id: CredentialId,
    /// What it is called.
    pub title: String,
    /// Who issued it.
    pub issuer: IssuerRef,
    /// Its type (`vct`).
    pub vct: String,
    /// Its colour as `#rrggbb`.
    pub background: String,
    /// Colour of the text on it as `#rrggbb`; always readable on `background`.
    pub text: String,
    /// What it says.
    pub facts: Vec<Fact>,
    /// When it was added, in seconds since 1970.
    pub added_at: i64,
    /// From when it is no longer valid.
    pub expires_at: Option<i64>,
    /// Whether it is no longer valid.
    pub expired: bool,
    /// Whether it ends within a month, and in the last quarter of its time here.
    pub expires_soon: bool,
    /// Whether it came out of a backup and nobody checked here, since then, that its issuer signed it.
    /// It is shown to no verifier before that.
    pub unchecked: bool,
    /// What is known of its status.
    pub status: CredentialStatus,
    /// Copies that nobody has seen yet.
    pub fresh_copies: u32,
    /// All copies.
    pub copies: u32,
}

impl CredentialId {
    pub(crate) fn to_core(&self) -> Result<CoreId, WalletError> {
        Ok(CoreId::parse(&self.value).map_err(CoreError::from)?)
    }
}

impl From<&CoreId> for CredentialId {
    fn from(id: &CoreId) -> Self {
        Self {
            value: id.to_string(),
        }
    }
}

impl From<&Value> for FactValue {
    fn from(value: &Value) -> Self {
        match value {
            Value::Bool(value) => Self::Flag { value: *value },
            // Inside a list or an object, too, the app has no word for yes and no.
            other => Self::Text {
                value: value_text(other, "true", "false").to_string(),
            },
        }
    }
}

impl From<Card> for Credential {
    fn from(card: Card) -> Self {
        let count = |copies: usize| u32::try_from(copies).unwrap_or(u32::MAX);
        let (fresh, all) = card.fresh_copies;
        let facts = card.facts.iter().map(|fact| Fact {
            label: fact.label.to_string(),
            value: (&fact.value).into(),
        });
        Self {
            id: (&card.id).into(),
            title: card.title.to_string(),
            issuer: IssuerRef {
                name: card.issuer.to_string(),
            },
            background: card.background.to_string(),
            text: card.text.to_string(),
            facts: facts.collect(),
            added_at: card.added_at.seconds(),
            expires_at: card.expires_at.map(|at| at.seconds()),
            expired: card.expired,
            expires_soon: card.expires_soon,
            unchecked: card.unchecked,
            status: card.status.into(),
            fresh_copies: count(fresh),
            copies: count(all),
            vct: card.vct,
        }
    }
}
