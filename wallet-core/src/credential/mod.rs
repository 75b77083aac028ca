//! Cards: verified credentials as the wallet keeps them.

mod accept;
mod facts;
mod held;
mod store;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use vouchsafe_credentials::time::UnixTime;

use crate::display::Colour;
use crate::error::CredentialError;
use crate::status::CardStatus;
use crate::storage::RecordId;
use crate::text::PlainText;

pub(crate) use accept::{Acceptance, accept_mdoc, accept_sd_jwt_vc};
pub(crate) use facts::facts_of;
pub use held::CardFormat;
pub(crate) use held::Held;
pub(crate) use store::{Copy, CredentialStore, Record, StoredCredential, readable};

/// Names a card of this wallet. Known to nobody else.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CredentialId(String);

impl CredentialId {
    /// Parses a name as [`CredentialId::as_str`] wrote it.
    pub fn parse(text: &str) -> Result<Self, CredentialError> {
        RecordId::parse(text).map_err(|_| CredentialError::Unknown)?;
        Ok(Self(text.to_owned()))
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<RecordId> for CredentialId {
    fn from(id: RecordId) -> Self {
        Self(id.as_str().to_owned())
    }
}

impl std::fmt::Display for CredentialId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// A card to show to its owner.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Card {
    /// Its name in this wallet.
    pub id: CredentialId,
    /// What it is called.
    pub title: PlainText,
    /// Who issued it.
    pub issuer: PlainText,
    /// Its type (`vct`, or `docType` of an mdoc).
    pub vct: String,
    /// Its format.
    pub format: CardFormat,
    /// Colour of the card.
    pub background: Colour,
    /// Colour of the text on it.
    pub text: Colour,
    /// The issuer's mark, as a `data:` address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub logo: Option<String>,
    /// What the mark shows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub logo_alt: Option<PlainText>,
    /// The picture behind everything, as a `data:` address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub background_image: Option<String>,
    /// What it says.
    pub facts: Vec<Fact>,
    /// When it was added.
    pub added_at: UnixTime,
    /// From when it is no longer valid.
    pub expires_at: Option<UnixTime>,
    /// Whether it is no longer valid.
    pub expired: bool,
    /// Whether it ends within a month, and in the last quarter of its time here.
    pub expires_soon: bool,
    /// What is known of its status.
    pub status: CardStatus,
    /// Whether it came out of a backup and nobody checked here, since then, that its issuer signed
    /// it. It is shown to no verifier before that.
    pub unchecked: bool,
    /// Copies that nobody has seen yet for sure and that have not ended, of how many.
    pub fresh_copies: (usize, usize),
}

/// One fact on a card.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Fact {
    /// What it is called.
    pub label: PlainText,
    /// Its value.
    pub value: Value,
}
