//! What lists said of the cards that are here.
//!
//! One sealed record for each list, under a name that says nothing without the key, beside the index:
//! it can be asked for again, is in no backup, and goes when the index is made anew.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use vouchsafe_credentials::sd_jwt_vc::{CLOCK_SKEW_S, IssuerIdentity};
use vouchsafe_credentials::status_list::Status;
use vouchsafe_credentials::time::UnixTime;
use zeroize::Zeroizing;

use super::CardStatus;
use super::reference::{ListKind, Reference, references};
use crate::WalletError;
use crate::credential::Record;
use crate::storage::{Collection, RecordName, StorageError, Vault, VaultBatch};

/// A list, for the cards of one issuer: who may sign it depends on whose cards they are.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct ListId {
    pub(super) kind: ListKind,
    pub(super) uri: String,
    pub(super) issuer: IssuerIdentity,
}

impl ListId {
    pub(super) fn of(reference: &Reference, issuer: &IssuerIdentity) -> Self {
        Self {
            kind: reference.kind(),
            uri: reference.uri().to_owned(),
            issuer: issuer.clone(),
        }
    }

    fn name(&self, vault: &Vault) -> RecordName {
        let authority = serde_json::to_string(&self.issuer.authority).unwrap_or_default();
        let trusted = &self.issuer.trusted;
        let parts = ["status", self.kind.as_str(), &self.uri, trusted, &authority];
        RecordName::new(Collection::Index, vault.name_for(&parts))
    }
}

/// What is known of a list.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Known {
    /// When it was asked last, whatever came of it.
    pub(super) asked_at: Option<UnixTime>,
    /// What it said last.
    pub(super) said: Option<Said>,
}

/// What a list said that was verified.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Said {
    /// `iat`: no older one is believed.
    pub(super) issued_at: UnixTime,
    /// When it was read.
    pub(super) heard_at: UnixTime,
    /// `ttl`: until then it is good.
    pub(super) refresh_at: UnixTime,
    /// `exp`
    pub(super) expires_at: Option<UnixTime>,
    /// What it says of each place of a card that is here; `None`: it has no such place.
    pub(super) places: BTreeMap<String, Option<u8>>,
}

impl Said {
    fn is_good(&self, now: UnixTime) -> bool {
        now < self.refresh_at
            && self.expires_at.is_none_or(|end| now < end)
            && now.since(self.heard_at) >= -CLOCK_SKEW_S
    }
}

impl Known {
    /// What is stored. A damaged record is none: the list is asked anew.
    pub(super) fn read(vault: &Vault, list: &ListId) -> Result<Option<Self>, StorageError> {
        match vault.get(&list.name(vault)) {
            Ok(bytes) => Ok(bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok())),
            Err(StorageError::Damaged(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Adds what is known to a batch; what says nothing of any card is removed.
    pub(super) fn write(
        &self,
        vault: &Vault,
        list: &ListId,
        batch: VaultBatch,
    ) -> Result<VaultBatch, StorageError> {
        let name = list.name(vault);
        if self.asked_at.is_none() {
            return Ok(batch.delete(name));
        }
        let json = serde_json::to_vec(self).map_err(|_| StorageError::Damaged(name.clone()))?;
        Ok(batch.put(name, Zeroizing::new(json)))
    }

    /// The status of a place.
    pub(super) fn status(&self, place: &str, now: UnixTime) -> CardStatus {
        let unknown = CardStatus::NotChecked { valid_at: None };
        let Some(said) = &self.said else {
            return unknown;
        };
        let Some(Some(value)) = said.places.get(place) else {
            return unknown;
        };
        let checked_at = said.heard_at;
        match Status::from_value(*value) {
            Status::Valid if said.is_good(now) => CardStatus::Valid { checked_at },
            Status::Valid => CardStatus::NotChecked {
                valid_at: Some(checked_at),
            },
            // What was taken back stays so until a newer list says otherwise.
            Status::Invalid => CardStatus::Revoked { checked_at },
            Status::Suspended => CardStatus::Suspended { checked_at },
            Status::Other(_) => CardStatus::Unclear { checked_at },
        }
    }

    /// Whether the list is to be asked for these places.
    pub(super) fn is_due(&self, places: &BTreeSet<&str>, least_s: i64, now: UnixTime) -> bool {
        let asked = self.asked_at.map(|at| now.since(at));
        if asked.is_some_and(|ago| (0..least_s).contains(&ago)) {
            return false;
        }
        self.said.as_ref().is_none_or(|said| {
            !said.is_good(now) || places.iter().any(|place| !said.places.contains_key(*place))
        })
    }
}

/// Forgets what lists said of a card that goes.
pub(crate) fn forgotten(
    vault: &Vault,
    card: &Record,
    mut batch: VaultBatch,
) -> Result<VaultBatch, WalletError> {
    let mut lists: Vec<(ListId, Known)> = Vec::new();
    let copies = (0..card.copies.len()).filter_map(|place| card.open_copy(place).ok());
    for reference in copies.flat_map(|held| references(&held)) {
        let list = ListId::of(&reference, &card.issuer);
        if !lists.iter().any(|(other, _)| *other == list) {
            let Some(known) = Known::read(vault, &list)? else {
                continue;
            };
            lists.push((list.clone(), known));
        }
        if let Some((_, known)) = lists.iter_mut().find(|(other, _)| *other == list)
            && let Some(said) = &mut known.said
        {
            said.places.remove(&reference.place());
        }
    }
    for (list, mut known) in lists {
        if known
            .said
            .as_ref()
            .is_none_or(|said| said.places.is_empty())
        {
            known.asked_at = None;
        }
        batch = known.write(vault, &list, batch)?;
    }
    Ok(batch)
}
