//! Cards in the vault.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use vouchsafe_credentials::sd_jwt_vc::IssuerIdentity;
use vouchsafe_credentials::time::UnixTime;
use zeroize::Zeroizing;

use super::facts::Facts;
use super::{Card, CardFormat, CredentialId, Fact, Held, facts_of};
use crate::WalletError;
use crate::display::{CardDisplay, choose};
use crate::error::CredentialError;
use crate::picture::Picture;
use crate::secure_area::KeyId;
use crate::storage::{Collection, RecordId, RecordName, StorageError, Vault};
use crate::text::PlainText;

/// What is stored of a card.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Record {
    /// Name of the card in this wallet.
    pub id: CredentialId,
    /// The credential issuer's identifier, where it came from.
    pub credential_issuer: String,
    /// The validated issuer.
    pub issuer: IssuerIdentity,
    /// `vct`, or `docType` of an mdoc.
    pub vct: String,
    /// The format of its copies.
    #[serde(default)]
    pub format: CardFormat,
    /// How it looks.
    pub display: CardDisplay,
    /// When it was added.
    pub added_at: UnixTime,
    /// The same card, each time with another key; at least one.
    pub copies: Vec<Copy>,
}

/// One copy of a card.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Copy {
    /// The credential with all that it can disclose: a compact SD-JWT, or `IssuerSigned` of an mdoc in
    /// base64url.
    pub compact: String,
    /// The key it is bound to.
    pub key: KeyId,
    /// The one verifier who may see this copy again.
    pub shown_to: Option<String>,
}

impl Record {
    /// The copy for a verifier: the one it has seen before, else a fresh one.
    /// The flag says that somebody else has seen it.
    pub(crate) fn copy_for(&self, verifier: &str) -> (usize, bool) {
        let copies = &self.copies;
        let seen = |copy: &Copy| copy.shown_to.as_deref() == Some(verifier);
        if let Some(index) = copies.iter().position(seen) {
            return (index, false);
        }
        match copies.iter().position(|copy| copy.shown_to.is_none()) {
            Some(index) => (index, false),
            None => (0, true),
        }
    }
}

/// A card read back from the vault.
#[derive(Debug)]
pub(crate) struct StoredCredential {
    pub record: Record,
    /// One copy: the first, or the one that a verifier will see.
    pub held: Held,
    /// Its claims as one value.
    pub claims: Value,
}

impl StoredCredential {
    pub(crate) fn open(record: Record, copy: usize) -> Result<Self, CredentialError> {
        let copy = record.copies.get(copy).ok_or(CredentialError::Damaged)?;
        let held = Held::reopen(record.format, &copy.compact, record.issuer.clone())?;
        let claims = held.claims();
        Ok(Self {
            record,
            held,
            claims,
        })
    }

    /// The name of the card in a preferred language.
    pub(crate) fn title(&self, locales: &[&str]) -> PlainText {
        let named = choose(&self.record.display.name, locales).cloned();
        named.unwrap_or_else(|| PlainText::new(&self.record.vct))
    }

    /// The name of its issuer in a preferred language.
    pub(crate) fn issuer_name(&self, locales: &[&str]) -> PlainText {
        let named = choose(&self.record.display.issuer, locales).cloned();
        named.unwrap_or_else(|| PlainText::new(&self.record.credential_issuer))
    }

    /// Whether it is past its end at the time `now`.
    pub(crate) fn is_expired(&self, now: UnixTime) -> bool {
        self.held.expires_at().is_some_and(|end| end <= now)
    }

    /// The facts in a set of its claims.
    pub(crate) fn facts<'v>(&self, claims: &'v Value) -> Facts<'v> {
        facts_of(claims, self.record.format, &self.record.display)
    }

    /// [`Record::copy_for`].
    pub(crate) fn copy_for(&self, verifier: &str) -> (usize, bool) {
        self.record.copy_for(verifier)
    }

    /// The card to show to its owner.
    pub(crate) fn card(&self, now: UnixTime, locales: &[&str]) -> Card {
        let display = &self.record.display;
        let facts = self.facts(&self.claims);
        let fresh = self
            .record
            .copies
            .iter()
            .filter(|copy| copy.shown_to.is_none())
            .count();
        Card {
            id: self.record.id.clone(),
            title: self.title(locales),
            issuer: self.issuer_name(locales),
            vct: self.record.vct.clone(),
            format: self.record.format,
            background: display.background,
            text: display.text,
            logo: display
                .pictures
                .logo
                .as_ref()
                .and_then(Picture::data_uri)
                .map(str::to_owned),
            logo_alt: choose(&display.pictures.logo_alt, locales).cloned(),
            background_image: display
                .pictures
                .background
                .as_ref()
                .and_then(Picture::data_uri)
                .map(str::to_owned),
            facts: facts
                .labelled(display, locales)
                .map(|(label, value)| Fact {
                    label,
                    value: value.clone(),
                })
                .collect(),
            added_at: self.record.added_at,
            expires_at: self.held.expires_at(),
            expired: self.is_expired(now),
            fresh_copies: (fresh, self.record.copies.len()),
        }
    }
}

/// The cards of a wallet.
#[derive(Clone)]
pub(crate) struct CredentialStore {
    vault: Arc<Vault>,
}

impl CredentialStore {
    pub(crate) fn new(vault: Arc<Vault>) -> Self {
        Self { vault }
    }

    pub(crate) fn new_id(&self) -> CredentialId {
        CredentialId::from(self.vault.new_id())
    }

    pub(crate) fn name_of(id: &CredentialId) -> Result<RecordName, StorageError> {
        Ok(RecordName::new(
            Collection::Credentials,
            RecordId::parse(id.as_str())?,
        ))
    }

    pub(crate) fn encode(
        record: &Record,
    ) -> Result<(RecordName, Zeroizing<Vec<u8>>), StorageError> {
        let name = Self::name_of(&record.id)?;
        let json = serde_json::to_vec(record).map_err(|_| StorageError::Damaged(name.clone()))?;
        Ok((name, Zeroizing::new(json)))
    }

    pub(crate) fn record(&self, id: &CredentialId) -> Result<Record, WalletError> {
        let name = Self::name_of(id)?;
        let bytes = self.vault.get(&name)?.ok_or(CredentialError::Unknown)?;
        Ok(serde_json::from_slice(&bytes).map_err(|_| StorageError::Damaged(name))?)
    }

    pub(crate) fn get(&self, id: &CredentialId) -> Result<StoredCredential, WalletError> {
        Ok(StoredCredential::open(self.record(id)?, 0)?)
    }

    /// A card by the copy that this verifier will see. Copies say the same, but an issuer may
    /// hide less in one of them, so what would leave is read from the one that leaves.
    pub(crate) fn get_for(
        &self,
        id: &CredentialId,
        verifier: &str,
    ) -> Result<StoredCredential, WalletError> {
        let record = self.record(id)?;
        let (copy, _) = record.copy_for(verifier);
        Ok(StoredCredential::open(record, copy)?)
    }

    /// All cards, the latest first.
    pub(crate) fn list(&self) -> Result<Vec<StoredCredential>, WalletError> {
        let ids = self.vault.list(Collection::Credentials)?;
        let mut cards = ids
            .into_iter()
            .map(|id| self.get(&CredentialId::from(id)))
            .collect::<Result<Vec<_>, _>>()?;
        cards.sort_by_key(|card| std::cmp::Reverse(card.record.added_at));
        Ok(cards)
    }
}
