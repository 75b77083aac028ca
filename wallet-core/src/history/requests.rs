//! What a person may write after a card was shown: to the other side, to delete what it learned, or
//! to an authority, to report it. Data for a host to put in the person's words.

use serde::Serialize;
use url::Url;
use vouchsafe_credentials::time::UnixTime;

use super::{EventKind, HistoryEntry, HistoryId, Party};
use crate::error::CredentialError;
use crate::text::PlainText;

/// What is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RequestKind {
    /// To the other side: delete what you learned (GDPR, article 17).
    Erasure,
    /// To an authority: they asked for too much, or misused it (GDPR, article 77).
    Report,
}

/// How it can be sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "way")]
pub enum Way {
    /// The other side takes the withdrawal of the consent: [`Wallet::withdraw`](crate::Wallet::withdraw)
    /// sends it, and ends what rests on it.
    Withdraw {
        /// Where to.
        uri: Url,
    },
    /// The other side published no address: the person sends a text.
    Text,
}

/// A request of the person, as data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PersonRequest {
    /// What is written.
    pub kind: RequestKind,
    /// How it can be sent.
    pub way: Way,
    /// The entry of the history that it is about.
    pub entry: HistoryId,
    /// Whom it is about.
    pub party: Party,
    /// When the card was shown.
    pub at: UnixTime,
    /// Why they asked, in their words.
    pub purpose: Option<PlainText>,
    /// Names of the cards.
    pub cards: Vec<PlainText>,
    /// Names of the facts that left, never their values.
    pub facts: Vec<PlainText>,
}

impl HistoryEntry {
    /// Asks the other side to delete what it learned. Only who was sent something is asked.
    pub fn erasure(&self) -> Result<PersonRequest, CredentialError> {
        // An answer that failed may have arrived before it did; then facts stand in its entry.
        if self.kind != EventKind::Presented || self.facts.is_empty() {
            return Err(CredentialError::NothingToErase);
        }
        let way = match &self.consent_uri {
            Some(uri) if self.can_withdraw() => Way::Withdraw { uri: uri.clone() },
            _ => Way::Text,
        };
        Ok(self.request(RequestKind::Erasure, way))
    }

    /// Reports the other side, whatever came of it: asking for too much can be reported too.
    #[must_use]
    pub fn report(&self) -> PersonRequest {
        self.request(RequestKind::Report, Way::Text)
    }

    fn request(&self, kind: RequestKind, way: Way) -> PersonRequest {
        PersonRequest {
            kind,
            way,
            entry: self.id.clone(),
            party: self.party.clone(),
            at: self.at,
            purpose: self.purpose.clone(),
            cards: self.cards.clone(),
            facts: self.facts.clone(),
        }
    }
}
