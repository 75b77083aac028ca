//! What happened.

use vouchsafe_wallet_core::WalletError as CoreError;
use vouchsafe_wallet_core::history::{
    EventKind, HistoryEntry as CoreEntry, HistoryId as CoreId, Outcome,
};

use crate::error::WalletError;

/// Names an entry.
#[derive(Debug, Clone, PartialEq, Eq, Hash, uniffi::Record)]
pub struct HistoryId {
    /// As text.
    pub value: String,
}

/// What kind of thing happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum HistoryKind {
    /// A card was added.
    Issued,
    /// A card was shown.
    Presented,
    /// A card was deleted.
    Deleted,
}

/// How it ended.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Enum)]
pub enum HistoryResult {
    /// It was under way when the wallet last heard of it: it may have arrived.
    Unknown,
    /// It worked.
    Completed,
    /// The person said no.
    Declined,
    /// It failed.
    Failed {
        /// Stable code of the error.
        code: String,
    },
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct HistoryEntry {
    /// Its name.
    pub id: HistoryId,
    /// When, in seconds since 1970.
    pub at: i64,
    /// What kind of thing.
    pub kind: HistoryKind,
    /// The verified name of the other side, where there was one.
    pub party: Option<String>,
    /// The host of the other side.
    pub host: String,
    /// Why they asked, in their words.
    pub purpose: Option<String>,
    /// Names of the cards.
    pub cards: Vec<String>,
    /// Names of the facts, never their values.
    pub facts: Vec<String>,
    /// How it ended.
    pub result: HistoryResult,
    /// Whether a consent can be withdrawn.
    pub can_withdraw: bool,
    /// When it was withdrawn.
    pub withdrawn_at: Option<i64>,
}

impl HistoryId {
    pub(crate) fn to_core(&self) -> Result<CoreId, WalletError> {
        Ok(CoreId::parse(&self.value).map_err(CoreError::from)?)
    }
}

impl From<&CoreId> for HistoryId {
    fn from(id: &CoreId) -> Self {
        Self {
            value: id.as_str().to_owned(),
        }
    }
}

impl From<CoreEntry> for HistoryEntry {
    fn from(entry: CoreEntry) -> Self {
        let can_withdraw = entry.can_withdraw();
        Self {
            id: (&entry.id).into(),
            at: entry.at.seconds(),
            kind: match entry.kind {
                EventKind::Issued => HistoryKind::Issued,
                EventKind::Presented => HistoryKind::Presented,
                EventKind::Deleted => HistoryKind::Deleted,
            },
            party: entry.party.name.map(|name| name.to_string()),
            host: entry.party.host,
            purpose: entry.purpose.map(|text| text.to_string()),
            cards: entry.cards.iter().map(ToString::to_string).collect(),
            facts: entry.facts.iter().map(ToString::to_string).collect(),
            result: match entry.outcome {
                Outcome::Unknown => HistoryResult::Unknown,
                Outcome::Completed => HistoryResult::Completed,
                Outcome::Declined => HistoryResult::Declined,
                Outcome::Failed { code } => HistoryResult::Failed { code },
            },
            can_withdraw,
            withdrawn_at: entry.withdrawn_at.map(|at| at.seconds()),
        }
    }
}
