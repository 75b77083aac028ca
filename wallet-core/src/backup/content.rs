//! What is in a backup: items, each a length and JSON.

use serde::{Deserialize, Serialize};
use vouchsafe_credentials::time::UnixTime;
use zeroize::{Zeroize, Zeroizing};

use super::BackupError;
use super::waiting::Waiting;
use crate::credential::Record;
use crate::history::HistoryEntry;
use crate::issuance::{Dealing, Pending};
use crate::secure_area::KeyId;
use crate::verifiers::KnownVerifier;

/// The most bytes of one item.
const MAX_ITEM: usize = 16 * 1024 * 1024;

/// One item.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Item {
    /// When it was made; the first item.
    Made {
        /// That time.
        at: UnixTime,
    },
    /// A card with the keys of its copies.
    Card {
        /// The card; only copies whose keys could leave.
        record: Record,
        /// Their keys, in the order of the copies.
        keys: Vec<MovedKey>,
    },
    /// A card whose keys could not leave.
    Waiting {
        /// The card.
        card: Waiting,
    },
    /// Where a card came from, one that comes later, or what goes with it.
    Dealing {
        /// What.
        dealing: Dealing,
        /// Its keys.
        keys: Vec<MovedKey>,
    },
    /// A card that comes later, but not to a wallet that is made from this backup: its keys could not
    /// leave.
    LeftBehind {
        /// Which.
        pending: Pending,
    },
    /// An entry of the history.
    History {
        /// The entry.
        entry: HistoryEntry,
    },
    /// An issuer that the person confirmed.
    Issuer {
        /// Which, and how its cards are signed.
        issuer: Confirmed,
    },
    /// A verifier that the wallet has dealt with, or that may not ask.
    Verifier {
        /// Which.
        verifier: KnownVerifier,
    },
}

/// A private key that moves.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct MovedKey {
    /// Its name.
    pub id: KeyId,
    /// PKCS #8, DER, base64url.
    pub pkcs8: String,
}

impl Drop for MovedKey {
    fn drop(&mut self) {
        self.pkcs8.zeroize();
    }
}

impl std::fmt::Debug for MovedKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MovedKey(..)")
    }
}

/// An issuer that the person confirmed, as it is remembered.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Confirmed {
    /// Its identifier.
    pub credential_issuer: String,
    /// What its cards are signed with.
    pub did: String,
    /// When the person confirmed it.
    pub confirmed_at: UnixTime,
}

/// An item as it lies in the file.
pub(super) fn encode(item: &Item) -> Result<Zeroizing<Vec<u8>>, BackupError> {
    let json = serde_json::to_vec(item).map(Zeroizing::new);
    let json = json.map_err(|_| BackupError::Content)?;
    let length = u32::try_from(json.len()).map_err(|_| BackupError::TooLarge)?;
    if json.len() > MAX_ITEM {
        return Err(BackupError::TooLarge);
    }
    let mut out = Zeroizing::new(Vec::with_capacity(4 + json.len()));
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(&json);
    Ok(out)
}

/// Reads items out of content that comes in pieces.
#[derive(Default)]
pub(super) struct Items {
    waiting: Zeroizing<Vec<u8>>,
    items: Vec<Item>,
}

impl Items {
    /// Takes a piece in.
    pub(super) fn push(&mut self, content: &[u8]) -> Result<(), BackupError> {
        self.waiting.extend_from_slice(content);
        let mut used = 0;
        while let Some(item) = next(self.waiting.get(used..).unwrap_or_default())? {
            used += 4 + item.len();
            let item = serde_json::from_slice(item).map_err(|_| BackupError::Content)?;
            match (&item, self.items.is_empty()) {
                (Item::Made { .. }, true) => {}
                (Item::Made { .. }, false) | (_, true) => return Err(BackupError::Content),
                (_, false) => {}
            }
            self.items.push(item);
        }
        self.waiting = Zeroizing::new(self.waiting.split_off(used));
        Ok(())
    }

    /// All items, where none is cut off.
    pub(super) fn finish(self) -> Result<Vec<Item>, BackupError> {
        if self.items.is_empty() || !self.waiting.is_empty() {
            return Err(BackupError::Content);
        }
        Ok(self.items)
    }
}

/// The JSON of the next item, where all of it is there.
fn next(content: &[u8]) -> Result<Option<&[u8]>, BackupError> {
    let Some((length, rest)) = content.split_first_chunk::<4>() else {
        return Ok(None);
    };
    let length = usize::try_from(u32::from_be_bytes(*length)).unwrap_or(usize::MAX);
    if length > MAX_ITEM {
        return Err(BackupError::Content);
    }
    Ok(rest.get(..length))
}
