//! Cards that wait to be issued anew: their keys could not move to this device.

use serde::{Deserialize, Serialize};
use vouchsafe_credentials::time::UnixTime;
use zeroize::Zeroizing;

use crate::credential::{CredentialId, Record};
use crate::display::{CardDisplay, choose};
use crate::storage::{Collection, RecordName, StorageError, Vault, VaultBatch};
use crate::text::PlainText;

/// A card that waits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Waiting {
    /// Its name in the wallet that had it.
    pub id: CredentialId,
    /// The credential issuer's identifier.
    pub credential_issuer: String,
    /// `vct` or document type.
    pub vct: String,
    /// How it looked.
    pub display: CardDisplay,
    /// When it was added to the wallet that had it.
    pub added_at: UnixTime,
}

/// A card to be issued anew.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reissue {
    /// The credential issuer's identifier: where to ask for it.
    pub credential_issuer: String,
    /// Its type.
    pub vct: String,
    /// What it was called.
    pub title: PlainText,
    /// Who issued it.
    pub issuer: PlainText,
    /// When it was added to the wallet that had it.
    pub added_at: UnixTime,
}

impl Waiting {
    pub(super) fn of(record: &Record) -> Self {
        Self {
            id: record.id.clone(),
            credential_issuer: record.credential_issuer.clone(),
            vct: record.vct.clone(),
            display: record.display.clone(),
            added_at: record.added_at,
        }
    }

    pub(super) fn shown(&self, locales: &[&str]) -> Reissue {
        let named = |texts, other: &str| {
            let text = choose(texts, locales).cloned();
            text.unwrap_or_else(|| PlainText::new(other))
        };
        Reissue {
            title: named(&self.display.name, &self.vct),
            issuer: named(&self.display.issuer, &self.credential_issuer),
            credential_issuer: self.credential_issuer.clone(),
            vct: self.vct.clone(),
            added_at: self.added_at,
        }
    }

    pub(super) fn name(&self, vault: &Vault) -> RecordName {
        name_for(vault, &self.credential_issuer, &self.vct)
    }
}

/// The record with the cards of an issuer and a type that wait.
pub(crate) fn name_for(vault: &Vault, credential_issuer: &str, vct: &str) -> RecordName {
    let id = vault.name_for(&["reissue", credential_issuer, vct]);
    RecordName::new(Collection::Reissue, id)
}

pub(crate) fn read(vault: &Vault, name: &RecordName) -> Result<Vec<Waiting>, StorageError> {
    match vault.get(name)? {
        Some(bytes) => {
            serde_json::from_slice(&bytes).map_err(|_| StorageError::Damaged(name.clone()))
        }
        None => Ok(Vec::new()),
    }
}

pub(crate) fn write(
    batch: VaultBatch,
    name: RecordName,
    cards: &[Waiting],
) -> Result<VaultBatch, StorageError> {
    if cards.is_empty() {
        return Ok(batch.delete(name));
    }
    let json = serde_json::to_vec(cards).map_err(|_| StorageError::Damaged(name.clone()))?;
    Ok(batch.put(name, Zeroizing::new(json)))
}

pub(super) fn all(vault: &Vault) -> Result<Vec<Waiting>, StorageError> {
    let mut cards = Vec::new();
    for id in vault.list(Collection::Reissue)? {
        cards.extend(read(vault, &RecordName::new(Collection::Reissue, id))?);
    }
    Ok(cards)
}
