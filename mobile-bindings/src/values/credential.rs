//! Cards.

use serde_json::Value;
use vouchsafe_wallet_core::WalletError as CoreError;
use vouchsafe_wallet_core::consent::value_text;
use vouchsafe_wallet_core::credential::{Card, CredentialId as CoreId};

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
            fresh_copies: count(fresh),
            copies: count(all),
            vct: card.vct,
        }
    }
}
